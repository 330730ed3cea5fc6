"""A design as one HTML page: the diagram and every table, for the screen and for an auditor's printer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wardround.render.design_tables import design_tables, figures, heading, pins
from wardround.render.escape import markup
from wardround.render.svg import design_figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wardround.model.design import Design
    from wardround.render.design_tables import Table

# The policy lets nothing in, not even if a text ever slipped through unescaped.
_HEAD: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
"""

_STYLE: Final = """<style>
body{margin:2rem;color:#1f2328;background:#fff}
body{font:15px/1.45 system-ui,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif}
h1{font-size:1.6rem}
h2{font-size:1.2rem;margin-top:2.2rem;break-after:avoid}
figure{margin:1.5rem 0;overflow-x:auto;break-inside:avoid}
figure svg{max-width:100%;height:auto}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.86rem}
th,td{border:1px solid #848d97;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{white-space:nowrap}
thead th{background:#eef0f2}
tbody th{font-weight:600}
tr{break-inside:avoid}
@media screen and (prefers-color-scheme:dark){
body{color:#e6edf3;background:#0d1117}
thead th{background:#1d2229}
}
@media print{
@page{size:A4 landscape;margin:12mm}
body{margin:0;font-size:10px}
figure svg{max-height:165mm}
th{white-space:normal}
}
</style>
"""


def design_page(design: Design) -> str:
    """Give the page; the same design always gives the same bytes, and the page loads nothing."""
    title = markup(heading(design))
    return "".join(
        (
            _HEAD,
            f"<title>{title}</title>\n",
            _STYLE,
            "</head>\n<body>\n",
            f"<h1>{title}</h1>\n<p>{markup(pins(design))}<br>{markup(figures(design))}</p>\n",
            f"<figure>\n{design_figure(design)}</figure>\n",
            *(line for table in design_tables(design) for line in _section(table)),
            "</body>\n</html>\n",
        )
    )


def _section(table: Table) -> Iterator[str]:
    yield f"<section>\n<h2>{markup(table.title)}</h2>\n"
    if table.note:
        yield f"<p>{markup(table.note)}</p>\n"
    heads = "".join(f'<th scope="col">{markup(column)}</th>' for column in table.columns)
    yield f'<div class="wide">\n<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
    for first, *others in table.rows:
        cells = "".join(f"<td>{markup(cell)}</td>" for cell in others)
        yield f'<tr><th scope="row">{markup(first)}</th>{cells}</tr>\n'
    yield "</tbody>\n</table>\n</div>\n</section>\n"
