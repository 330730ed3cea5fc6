"""A design as a Markdown document, for review where the manifest is reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardround.render.design_tables import design_tables, figures, heading, pins
from wardround.render.escape import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wardround.model.design import Design
    from wardround.render.design_tables import Table


def design_markdown(design: Design) -> str:
    """Give the document: title, summary and every table; the same design always gives the same bytes."""
    parts = [f"# {markdown(heading(design))}\n", f"{markdown(pins(design))}\n{markdown(figures(design))}\n"]
    parts.extend(_section(table) for table in design_tables(design))
    return "\n".join(parts)


def _section(table: Table) -> str:
    note = f"{markdown(table.note)}\n\n" if table.note else ""
    return f"## {markdown(table.title)}\n\n{note}{''.join(_rows(table))}"


def _rows(table: Table) -> Iterator[str]:
    yield _row(table.columns)
    yield _row("---" for _ in table.columns)
    for row in table.rows:
        yield _row(markdown(cell) for cell in row)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
