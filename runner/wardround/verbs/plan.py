"""plan: check every managed host against the design and save what an apply would change."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wardround.drift.judge import Judgement
from wardround.errors import InterruptedRunError, TransportError, UsageError
from wardround.ledger import PlanRecord
from wardround.model.event import TaskEvent
from wardround.model.finding import FindingState
from wardround.model.plan import HostPlan, Plan, PlannedChange
from wardround.model.run import RunKind, TaskVerdict, Verdict
from wardround.transport.playbook import run_playbook
from wardround.verbs.site_run import (
    Options,
    Purpose,
    SiteRun,
    Watcher,
    actor,
    new_run_id,
    now,
    playbook_call,
    run_site,
    scope_of,
)

if TYPE_CHECKING:
    from wardround.ledger import Ledger
    from wardround.verbs.opening import OpenHospital

Witnesses = dict[str, dict[str, str]]
"""host → group of state → SHA-256"""


def make_plan(opened: OpenHospital, ledger: Ledger, options: Options, watcher: Watcher) -> Plan:
    """Preview an apply and save the preview below the state folder.

    Raises:
        UsageError: the options name a host that is not managed; no host was contacted.

    """
    scope_of(opened, options)
    witnesses = witness(opened, options, watcher)
    run = run_site(opened, ledger, Purpose(RunKind.PLAN, new_run_id()), options, watcher)
    plan = Plan(
        hospital=opened.design.hospital,
        created=now(),
        actor=actor(),
        run=run.record.id,
        provenance=opened.provenance,
        tags=options.tags,
        hosts=tuple(
            _host_plan(host.host, host.reachable, host.unknown, run, witnesses) for host in run.judgement.hosts
        ),
    )
    path = plan_file(opened, plan.id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(plan.model_dump_json(indent=1), encoding="utf-8")
    ledger.save_plan(
        PlanRecord(
            id=plan.id,
            hospital=plan.hospital,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            created=plan.created,
            created_by=plan.actor,
            applied_by_run=None,
        )
    )
    return plan


def witness(opened: OpenHospital, options: Options, watcher: Watcher) -> Witnesses:
    """Read digests of every host's state; a host that does not answer is left out.

    Raises:
        InterruptedRunError: somebody asked to stop.
        TransportError: the reading ended early, so a host that moved could not be told from a silent one.

    """
    call = playbook_call(opened, "witness.yml", replace(options, tags=(), fast=False), check=True)
    result = run_playbook(call, watcher.event, watcher.interrupted)
    if result.interrupted:
        raise InterruptedRunError("stopped while the hosts' state was read; nothing was changed")
    if not result.complete:
        raise TransportError(
            f"Ansible ended with {result.exit_code} while the hosts' state was read; nothing was changed",
            remedy="look for what killed it, mostly a lack of memory, then start again",
        )
    return {event.host: event.witness for event in result.events if event.witness is not None}


def narrowed_to_findings(opened: OpenHospital, ledger: Ledger, options: Options) -> Options:
    """Narrow a plan to the hosts and components that have an open finding.

    Raises:
        UsageError: nothing is open, so there is nothing to plan.

    """
    found = ledger.findings(hospital=opened.design.hospital, state=FindingState.OPEN)
    tasks = {(task.role, task.name): task.tags for role in opened.roles.values() for task in role.tasks}
    hosts = sorted({each.host for each in found if (each.role, each.task) in tasks})
    tags = sorted({tag for each in found for tag in tasks.get((each.role, each.task), ())})
    if not hosts:
        raise UsageError(f"{opened.design.hospital} has no open finding that a plan could mend")
    return replace(options, limit=tuple(hosts), tags=tuple(tags))


def plan_file(opened: OpenHospital, plan: str) -> Path:
    """Give the place where a plan is kept."""
    return opened.state / "plans" / f"{plan}.json"


def load_plan(opened: OpenHospital, plan: str) -> Plan:
    """Read a saved plan by its id, `last` being the newest.

    Raises:
        UsageError: there is no such plan, or its content no longer has its id.

    """
    folder = opened.state / "plans"
    if plan == "last":
        saved = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime)
        if not saved:
            raise UsageError("no plan was made yet", remedy=f"`wardround plan {opened.design.hospital}`")
        plan = saved[-1].stem
    path = plan_file(opened, plan)
    if not plan.isalnum() or not path.is_file():
        raise UsageError(f'there is no plan "{plan}"', remedy=f"`wardround plan {opened.design.hospital}` makes one")
    loaded = Plan.model_validate_json(path.read_bytes())
    if loaded.id != plan:
        raise UsageError(f"plan {plan} was edited after it was made", path=str(path), remedy="make a new plan")
    return loaded


def _host_plan(host: str, reachable: bool, undecided: int, run: SiteRun, witnesses: Witnesses) -> HostPlan:  # noqa: FBT001
    return HostPlan(
        host=host,
        reachable=reachable,
        trusted=host not in run.judgement.distrusted,
        changes=tuple(_change(verdict) for verdict in _changed(run.judgement, host)),
        handlers=_handlers(run.events, host),
        undecided=undecided,
        witness=witnesses.get(host, {}),
    )


def _changed(judgement: Judgement, host: str) -> tuple[TaskVerdict, ...]:
    return tuple(each for each in judgement.having(Verdict.DRIFTED, Verdict.FAILED) if each.host == host)


def _change(verdict: TaskVerdict) -> PlannedChange:
    return PlannedChange(
        role=verdict.role,
        task=verdict.task,
        resource=verdict.resource,
        diff=verdict.diff,
        failed=verdict.verdict is Verdict.FAILED,
        reason=verdict.reason,
    )


def _handlers(events: tuple[TaskEvent, ...], host: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(event.task for event in events if event.handler and event.host == host))
