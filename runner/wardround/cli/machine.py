"""doctor and explain: this machine, and the codes of errors."""

from __future__ import annotations

import typer

from wardround.cli.context import call_of, end
from wardround.errors import ExitCode
from wardround.load.catalogue import explain as explained
from wardround.report.line import Line, Tone
from wardround.verbs.doctor import Symptom, examine


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(doctor)
    app.command()(explain)


def doctor(context: typer.Context) -> None:
    """Check what this machine needs, with a remedy for each thing that is missing."""
    call = call_of(context)
    found = examine(call.settings.project, call.settings.ledger)
    if call.settings.json:
        rows = [{"check": each.check, "ok": each.ok, "found": each.found, "remedy": each.remedy} for each in found]
        call.screen.data({"schema_version": 1, "checks": rows})
    else:
        call.screen.lines(_line(each) for each in found)
    raise end(ExitCode.DONE if all(each.ok for each in found) else ExitCode.ERROR)


def _line(symptom: Symptom) -> Line:
    if symptom.ok:
        return Line(f"ok    {symptom.check}: {symptom.found}", Tone.GOOD)
    return Line(f"ill   {symptom.check}: {symptom.found}\n      {symptom.remedy}", Tone.BAD)


def explain(context: typer.Context, code: str) -> None:
    """Explain an error code, such as WR-104."""
    call = call_of(context)
    text = explained(code)
    if call.settings.json:
        call.screen.data({"schema_version": 1, "code": code.upper(), "explanation": text})
    else:
        call.screen.lines([Line(code.upper(), Tone.HEAD), Line(text)])
