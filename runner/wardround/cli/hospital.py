"""validate and design: what a manifest says, and what it becomes."""

from __future__ import annotations

import typer

from wardround.cli.arguments import HospitalName
from wardround.cli.context import call_of
from wardround.errors import InvalidInputError, Problem
from wardround.report.design_text import design_lines
from wardround.report.line import Line, Tone, count
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


def design(context: typer.Context, hospital: HospitalName) -> None:
    """Show what a manifest and its architectures become."""
    call = call_of(context)
    resolved = load_design(call.workspace().project, hospital)
    if call.settings.json:
        call.screen.data(resolved.model_dump(mode="json"))
    else:
        call.screen.lines(design_lines(resolved))
