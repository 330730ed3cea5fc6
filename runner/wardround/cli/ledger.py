"""ledger: what runs there were, and whether the record is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from wardround.cli.context import call_of
from wardround.ledger import Head
from wardround.report.line import Line, Tone

app = typer.Typer(help="The memory of every run.")


@app.command()
def verify(
    context: typer.Context,
    head: Annotated[str | None, typer.Option(help="A head that was kept elsewhere; shows a chain that was cut")] = None,
) -> None:
    """Walk the chain of events and name the first link that was edited, removed or moved."""
    call = call_of(context)
    with call.workspace().open_ledger() as ledger:
        found = ledger.verify(Head.parse(head) if head is not None else None)
        name = ledger.name
    if call.settings.json:
        call.screen.data({"schema_version": 1, "ledger": name, "events": found.sequence, "head": str(found)})
    else:
        call.screen.lines([Line(f"{name}: {found.sequence} events, unbroken", Tone.GOOD), Line(f"head {found}")])


@app.command()
def runs(context: typer.Context, hospital: Annotated[str | None, typer.Argument()] = None) -> None:
    """List runs, the newest first."""
    call = call_of(context)
    with call.workspace().open_ledger() as ledger:
        found = ledger.runs(hospital=hospital)
    if call.settings.json:
        call.screen.data({"schema_version": 1, "runs": [run.model_dump(mode="json") for run in found]})
        return
    call.screen.lines(
        Line(
            f"{run.id}  {run.hospital:<16} {run.kind.value:<6} {run.state.value:<12} "
            f"{run.coverage.hosts_seen}/{run.coverage.hosts} hosts  {run.actor}"
        )
        for run in found
    )
