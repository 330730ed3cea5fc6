"""plan, apply, drift and findings: the hosts of a hospital against its design."""

from __future__ import annotations

from typing import Annotated

import typer

from wardround.cli.arguments import Concise, Fast, Forks, HospitalName, Limit, Tags, Twin, Verbosity
from wardround.cli.context import Call, call_of, end
from wardround.cli.failure import failed
from wardround.cli.progress import Progress
from wardround.errors import ExitCode, HostKeyError
from wardround.model.finding import FindingState
from wardround.report.apply_text import apply_json, apply_lines
from wardround.report.drift_text import drift_json, drift_lines, finding_lines, findings_json
from wardround.report.line import Line, Tone
from wardround.report.plan_text import plan_json, plan_lines
from wardround.verbs.apply import Application
from wardround.verbs.drift import deep_check
from wardround.verbs.opening import OpenHospital, open_hospital
from wardround.verbs.plan import load_plan, make_plan, narrowed_to_findings
from wardround.verbs.site_run import Options
from wardround.verbs.workspace import Workspace

_FORKS = 20


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (plan, apply, drift, findings):
        app.command()(command)


def plan(
    context: typer.Context,
    hospital: HospitalName,
    twin: Twin = False,
    limit: Limit = None,
    tags: Tags = None,
    mend: Annotated[bool, typer.Option("--findings", help="Only hosts and components with an open finding")] = False,
    concise: Concise = False,
    fast: Fast = False,
    forks: Forks = _FORKS,
    verbose: Verbosity = 0,
) -> None:
    """Show what an apply would change, and save it. Changes nothing."""
    call, workspace, opened = _opened(context, hospital, twin=twin)
    options = Options(tuple(limit or ()), tuple(tags or ()), verbose, fast, forks)
    with workspace.open_ledger() as ledger:
        options = narrowed_to_findings(opened, ledger, options) if mend else options
    total = len(options.limit) or len(opened.design.managed_hosts())
    with workspace.open_ledger() as ledger, Progress(call.screen, f"plan {hospital}", total) as progress:
        made = make_plan(opened, ledger, options, progress.watcher)
    if call.settings.json:
        call.screen.data(plan_json(made))
    else:
        call.screen.lines(plan_lines(made, concise=concise))
    if distrust(call, tuple(host.host for host in made.hosts if not host.trusted)):
        raise end(ExitCode.TRUST)
    broken = any(change.failed for host in made.hosts for change in host.changes)
    raise end(code_of(failed=broken, unknown=any(not host.reachable for host in made.hosts), moved=bool(made.changes)))


def apply(
    context: typer.Context,
    hospital: HospitalName,
    plan: Annotated[str, typer.Option("--plan", metavar="ID", help="The plan to apply; `last` is the newest")],
    twice: Annotated[bool, typer.Option("--twice", help="Apply once more at once; that must change nothing")] = False,
    twin: Twin = False,
    fast: Fast = False,
    forks: Forks = _FORKS,
    verbose: Verbosity = 0,
) -> None:
    """Apply a saved plan; a stale one is refused before anything is touched."""
    call, workspace, opened = _opened(context, hospital, twin=twin)
    saved = load_plan(opened, plan)
    options = Options(verbosity=verbose, fast=fast, forks=forks)
    with workspace.open_ledger() as ledger, Progress(call.screen, f"apply {hospital}", len(saved.hosts)) as progress:
        application = Application(opened, ledger, saved, options, progress.watcher)
        done = application.twice() if twice else (application.once(),)
    shown = [(each.run.record, each.changed, each.failed, each.left_out) for each in done]
    if call.settings.json:
        documents = [apply_json(*each) for each in shown]
        call.screen.data(documents[0] | ({"again": documents[1]} if twice else {}))
    else:
        call.screen.lines([line for each in shown for line in apply_lines(*each)])
    if distrust(call, tuple(dict.fromkeys(host for each in done for host in each.run.judgement.distrusted))):
        raise end(ExitCode.TRUST)
    raise end(
        code_of(
            failed=any(each.failed for each in done) or any(each.changed for each in done[1:]),
            unknown=any(each.left_out or not each.all_answered for each in done),
            moved=False,
        )
    )


def drift(
    context: typer.Context,
    hospital: HospitalName,
    deep: Annotated[bool, typer.Option("--deep", help="Run Ansible in check mode over every host")] = True,  # noqa: ARG001
    twin: Twin = False,
    limit: Limit = None,
    tags: Tags = None,
    concise: Concise = False,
    fast: Fast = False,
    forks: Forks = _FORKS,
    verbose: Verbosity = 0,
) -> None:
    """Say what moved since the design was applied. Changes nothing."""
    call, workspace, opened = _opened(context, hospital, twin=twin)
    options = Options(tuple(limit or ()), tuple(tags or ()), verbose, fast, forks)
    total = len(options.limit) or len(opened.design.managed_hosts())
    with workspace.open_ledger() as ledger, Progress(call.screen, f"drift {hospital}", total) as progress:
        seen = deep_check(opened, ledger, options, progress.watcher)
    if call.settings.json:
        call.screen.data(drift_json(seen.run.record, seen.findings))
    else:
        call.screen.lines(drift_lines(seen.run.record, seen.findings, concise=concise))
    if distrust(call, seen.run.judgement.distrusted):
        raise end(ExitCode.TRUST)
    hosts = seen.run.judgement.hosts
    raise end(
        code_of(
            failed=False,
            unknown=any(not host.reachable for host in hosts),
            moved=any(host.drifted or host.failed for host in hosts),
        )
    )


def findings(
    context: typer.Context,
    hospital: HospitalName,
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too")] = False,
    concise: Concise = False,
) -> None:
    """List what is open, from the ledger; contacts no host."""
    call = call_of(context)
    workspace = call.workspace()
    name = workspace.project.hospital(hospital).name
    with workspace.open_ledger() as ledger:
        found = ledger.findings(hospital=name, state=None if everything else FindingState.OPEN)
    if call.settings.json:
        call.screen.data({"schema_version": 1, "hospital": name, "findings": findings_json(found)})
    elif found:
        call.screen.lines(finding_lines(found, concise=concise))
    else:
        call.screen.lines([Line(f"{name}: nothing open", Tone.GOOD)])


def _opened(context: typer.Context, hospital: str, *, twin: bool) -> tuple[Call, Workspace, OpenHospital]:
    call = call_of(context)
    workspace = call.workspace()
    return call, workspace, open_hospital(workspace, hospital, twin=twin)


def distrust(call: Call, hosts: tuple[str, ...]) -> bool:
    """Tell of hosts that showed another key than the recorded one."""
    if hosts:
        error = HostKeyError(
            f"{', '.join(hosts)}: the SSH host key is not the recorded one; nothing was sent",
            remedy="compare fingerprints with the hospital's staff before known_hosts is corrected",
        )
        failed(call.screen, error, as_json=False)
    return bool(hosts)


def code_of(*, failed: bool, unknown: bool, moved: bool) -> ExitCode:
    """Choose the exit code: a failure outweighs what could not be seen, which outweighs a change."""
    if failed:
        return ExitCode.ERROR
    if unknown:
        return ExitCode.UNKNOWN
    return ExitCode.CHANGES if moved else ExitCode.DONE
