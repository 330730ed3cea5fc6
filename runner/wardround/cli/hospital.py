"""validate and design: what a manifest says, and what it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wardround.cli.arguments import HospitalName
from wardround.cli.context import call_of
from wardround.errors import InvalidInputError, Problem, UsageError
from wardround.report.design_text import design_lines
from wardround.report.line import Line, Tone, count
from wardround.verbs.design_document import DesignForm, design_document, write_document
from wardround.verbs.opening import load_design


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(validate)
    app.command()(design)


def validate(context: typer.Context, hospitals: list[str] = typer.Argument(None, metavar="[HOSPITAL]...")) -> None:  # noqa: B008
    """Check manifests, all of them where none is named: every mistake at once, with its place."""
    call = call_of(context)
    project = call.workspace().project
    problems: list[Problem] = []
    names = [project.hospital(each).name for each in hospitals or project.hospitals()]
    for name in names:
        try:
            load_design(project, name)
        except InvalidInputError as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidInputError(tuple(problems))
    if call.settings.json:
        call.screen.data({"schema_version": 1, "errors": []})
    else:
        call.screen.lines([Line(f"{count(len(names), 'hospital')} valid: {', '.join(names)}", Tone.GOOD)])


def design(
    context: typer.Context,
    hospital: HospitalName,
    svg: Annotated[bool, typer.Option("--svg", help="A diagram of zones, hosts and flows")] = False,
    html: Annotated[
        bool, typer.Option("--html", help="One page with the diagram and all tables, to read or print")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="All tables, to be reviewed as text")] = False,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the document there")] = None,
) -> None:
    """Show what a manifest and its architectures become."""
    call = call_of(context)
    given = {DesignForm.SVG: svg, DesignForm.HTML: html, DesignForm.MARKDOWN: markdown}
    form = _only([form for form, asked in given.items() if asked], as_json=call.settings.json, output=output)
    resolved = load_design(call.workspace().project, hospital)
    if form is not None:
        text = design_document(resolved, form)
        if output is None:
            call.screen.document(text)
        else:
            write_document(output, text)
    elif call.settings.json:
        call.screen.data(resolved.model_dump(mode="json"))
    else:
        call.screen.lines(design_lines(resolved))


def _only(forms: list[DesignForm], *, as_json: bool, output: Path | None) -> DesignForm | None:
    """Give the one form that was asked for, None where it is the terminal's or JSON."""
    asked = [*("--json" for _ in range(as_json)), *(f"--{form.value}" for form in forms)]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} are different documents", remedy="ask for one at a time")
    if output is not None and not forms:
        raise UsageError("--output needs a document to write", remedy="add --svg, --html or --markdown")
    return forms[0] if forms else None
