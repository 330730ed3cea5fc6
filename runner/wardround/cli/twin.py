"""twin: build, look at, damage and remove a hospital on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from wardround.cli.arguments import HospitalName
from wardround.cli.context import call_of, end
from wardround.errors import ExitCode
from wardround.report.line import Line, Tone, count
from wardround.twin import faults, lifecycle
from wardround.verbs.opening import twin_state
from wardround.verbs.twin import twin_hospital

app = typer.Typer(help="A hospital on this machine: a systemd container a host, a network a zone, a real gateway.")


@app.command()
def up(context: typer.Context, hospital: HospitalName) -> None:
    """Build the twin, or complete what is there; a second call changes nothing."""
    call = call_of(context)
    workspace = call.workspace()
    wanted = twin_hospital(workspace, hospital)
    changed = lifecycle.up(wanted, twin_state(workspace, wanted.name), call.screen.note)
    said = "is up" if changed else "was up already"
    call.screen.lines([Line(f"twin of {wanted.name} {said}: {count(len(wanted.hosts), 'host')}", Tone.GOOD)])


@app.command()
def down(
    context: typer.Context,
    hospital: HospitalName,
    purge: Annotated[bool, typer.Option("--purge", help="Forget fetched packages too")] = False,
) -> None:
    """Remove the twin without a trace."""
    call = call_of(context)
    workspace = call.workspace()
    name = workspace.project.hospital(hospital).name
    existed = lifecycle.down(name, twin_state(workspace, name), purge=purge)
    call.screen.lines([Line(f"twin of {name} {'removed' if existed else 'was not there'}", Tone.GOOD)])


@app.command()
def status(context: typer.Context, hospital: HospitalName) -> None:
    """Show each host and whether its SSH answers."""
    call = call_of(context)
    rows = lifecycle.status(twin_hospital(call.workspace(), hospital))
    if call.settings.json:
        hosts = [{"host": row.host, "state": row.state, "address": row.address, "ssh": row.ssh} for row in rows]
        call.screen.data({"schema_version": 1, "hosts": hosts})
    else:
        call.screen.lines(
            Line(
                f"{row.host:<12} {row.address:<15} {row.state:<8} {'ssh answers' if row.ssh else 'ssh silent'}",
                Tone.GOOD if row.ssh else Tone.BAD,
            )
            for row in rows
        )
    raise end(ExitCode.DONE if all(row.ssh for row in rows) else ExitCode.UNKNOWN)


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(context: typer.Context, hospital: HospitalName, host: str, command: list[str]) -> None:
    """Run a command on a host as an outsider would, past everything wardround does."""
    call = call_of(context)
    name = call.workspace().project.hospital(hospital).name
    raise typer.Exit(lifecycle.execute(name, host, tuple(command)))


@app.command(name="break")
def damage(
    context: typer.Context,
    hospital: HospitalName,
    seed: Annotated[int, typer.Option(help="The same seed plants the same faults")] = 1,
    faults_wanted: Annotated[int | None, typer.Option("--count", min=1, help="How many; else one of each kind")] = None,
) -> None:
    """Plant faults and write down what was done."""
    call = call_of(context)
    workspace = call.workspace()
    wanted = twin_hospital(workspace, hospital)
    planted = faults.plant(wanted, twin_state(workspace, wanted.name), seed, faults_wanted)
    if call.settings.json:
        call.screen.data({"schema_version": 1, "faults": [fault.model_dump(mode="json") for fault in planted]})
    else:
        call.screen.lines(Line(f"{fault.host:<10} {fault.kind:<22} {fault.what}", Tone.CHANGE) for fault in planted)
        call.screen.lines([Line(f"{count(len(planted), 'fault')} planted", Tone.HEAD)])
