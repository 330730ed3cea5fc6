"""prove: the flows of a hospital, both ways."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from wardround.cli.arguments import Forks, HospitalName, Twin
from wardround.cli.check import code_of, distrust
from wardround.cli.context import call_of, end
from wardround.errors import ExitCode
from wardround.proof.attempt import Standing
from wardround.report.prove_text import prove_json, prove_lines
from wardround.verbs.opening import open_hospital
from wardround.verbs.prove import Proving
from wardround.verbs.prove import prove as prove_flows

if TYPE_CHECKING:
    from wardround.model.base import JsonValue

_FORKS = 20


def add_commands(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(prove)


def prove(
    context: typer.Context,
    hospital: HospitalName,
    twin: Twin = False,
    static: Annotated[bool, typer.Option("--static", help="Compare rules only; try no connection")] = False,
    forks: Forks = _FORKS,
) -> None:
    """Hold rules and real connections against the design's flows. Changes nothing, and sends nothing to a device."""
    call = call_of(context)
    workspace = call.workspace()
    opened = open_hospital(workspace, hospital, twin=twin)
    with workspace.open_ledger() as ledger:
        done = prove_flows(opened, ledger, live=not static, forks=forks, say=call.screen.note)
    run, hosts = done.run, done.run.judgement.hosts
    if call.settings.json:
        call.screen.data(prove_json(run.record, run.findings, hosts, _attempts(done)))
    else:
        tried = Counter(each.standing.value for each in done.tried)
        unclear = Counter(each.reason for each in done.tried if each.standing is Standing.UNKNOWN)
        call.screen.lines(prove_lines(run.record, run.findings, hosts, tried, unclear))
    if distrust(call, done.distrusted):
        raise end(ExitCode.TRUST)
    unseen = any(each.failure for each in done.rules)
    raise end(code_of(failed=False, unknown=unseen, moved=any(host.drifted for host in hosts)))


def _attempts(done: Proving) -> list[JsonValue]:
    return [
        {
            "source": each.attempt.source,
            "destination": each.attempt.destination,
            "address": each.attempt.address,
            "protocol": each.attempt.protocol.value,
            "port": each.attempt.port,
            "service": each.attempt.service,
            "flows": list(each.attempt.flows),
            "end": each.end.value if each.end else None,
            "standing": each.standing.value,
            "reason": each.reason,
        }
        for each in done.tried
    ]
