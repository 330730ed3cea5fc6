"""One run of the site playbook, from the design to the judgement: what plan, apply and drift have in common."""

from __future__ import annotations

import getpass
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wardround.design.fault import did_you_mean
from wardround.drift.judge import Judgement, Scope, judge
from wardround.errors import InterruptedRunError, TransportError, UsageError
from wardround.model.event import HostStarted, TaskEvent
from wardround.model.run import Coverage, RunKind, RunRecord, RunState
from wardround.render.inventory import inventory, unsafe
from wardround.transport.playbook import PlaybookCall, PlaybookResult, run_playbook

if TYPE_CHECKING:
    from wardround.ledger import Ledger
    from wardround.verbs.opening import OpenHospital

Watch = Callable[[TaskEvent | HostStarted], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What narrows or tunes a run."""

    limit: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    verbosity: int = 0
    fast: bool = False
    forks: int = 20


@dataclass(frozen=True, slots=True)
class Watcher:
    """How a run tells what it does and hears that it should stop."""

    event: Watch
    interrupted: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class SiteRun:
    """A finished run: its record, and everything it showed."""

    record: RunRecord
    judgement: Judgement
    events: tuple[TaskEvent, ...]


def actor() -> str:
    """Name the person at the keyboard, who may be working as root through sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def now() -> datetime:
    """Give the present moment in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def scope_of(opened: OpenHospital, options: Options) -> Scope:
    """Give the hosts and roles that a run has to see.

    Raises:
        UsageError: `limit` names a host that is not managed.

    """
    managed = opened.design.managed_hosts()
    unknown = set(options.limit) - {host.name for host in managed}
    if unknown:
        names = [host.name for host in managed]
        raise UsageError(
            f'"{min(unknown)}" is not a managed host of {opened.design.hospital}{did_you_mean(min(unknown), names)}',
            remedy=f"managed hosts: {', '.join(names)}",
        )
    hosts = tuple(host for host in managed if not options.limit or host.name in options.limit)
    return Scope(hosts=hosts, roles=opened.roles, tags=frozenset(options.tags))


def new_run_id() -> str:
    """Name a run by the moment it began, and apart from any other of that second."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a run is for: its kind and name, and the plan that an apply follows and, the first time, spends."""

    kind: RunKind
    run: str
    plan: str | None = None
    spends_plan: bool = True


def run_site(opened: OpenHospital, ledger: Ledger, purpose: Purpose, options: Options, watcher: Watcher) -> SiteRun:
    """Run the site playbook and record what it showed; a plan and a drift run change nothing on a host.

    Raises:
        InterruptedRunError: somebody asked to stop; the run is recorded as interrupted.
        TransportError: Ansible itself failed; the run is recorded as failed.
        StalePlanError: the plan was applied before.

    """
    scope = scope_of(opened, options)
    record = RunRecord(
        id=purpose.run,
        hospital=opened.design.hospital,
        kind=purpose.kind,
        state=RunState.RUNNING,
        started=now(),
        ended=None,
        plan=purpose.plan,
        actor=actor(),
        provenance=opened.provenance,
        coverage=Coverage(hosts=len(scope.hosts), hosts_seen=0, checks=0, unknown=0),
    )
    ledger.start_run(record)
    call = playbook_call(opened, "site.yml", options, check=purpose.kind is not RunKind.APPLY)
    try:
        if purpose.plan is not None and purpose.spends_plan:
            ledger.mark_plan_applied(purpose.plan, record.id)
        result = run_playbook(call, watcher.event, watcher.interrupted)
    except BaseException:
        # Whatever ended it, a run that stopped half-way must never be read as one that is still going on.
        ledger.finish_run(record.id, RunState.FAILED, record.coverage)
        raise
    judgement = judge(scope, result.events)
    state = _state(result)
    ledger.record_hosts(record.id, judgement.hosts, judgement.tasks)
    finished = ledger.finish_run(record.id, state, judgement.coverage)
    if state is RunState.INTERRUPTED:
        raise InterruptedRunError(
            f"run {record.id} was stopped: {judgement.coverage.unknown} of {judgement.coverage.checks} checks not seen",
            remedy=f"`wardround {purpose.kind.value} {opened.design.hospital}` starts again",
        )
    if state is RunState.FAILED:
        # A run that stopped half-way has seen too little to be called clean, and planned too little to be applied.
        raise TransportError(
            f"Ansible ended run {record.id} with {result.exit_code} before its end: "
            f"{judgement.coverage.unknown} of {judgement.coverage.checks} checks not seen",
            remedy="look for what killed it, mostly a lack of memory, then start again",
        )
    return SiteRun(finished, judgement, result.events)


def _state(result: PlaybookResult) -> RunState:
    if result.interrupted:
        return RunState.INTERRUPTED
    return RunState.FINISHED if result.complete else RunState.FAILED


def playbook_call(opened: OpenHospital, playbook: str, options: Options, *, check: bool) -> PlaybookCall:
    """Describe one call of Ansible for this hospital."""
    hosts = inventory(opened.design, opened.connection, opened.secrets_file)
    return PlaybookCall(
        project=opened.project,
        playbook=playbook,
        inventory={group: unsafe(content) for group, content in hosts.items()},
        check=check,
        limit=options.limit,
        tags=options.tags,
        verbosity=options.verbosity,
        vault_password_file=opened.vault_password_file,
        fast=options.fast,
        forks=options.forks,
    )
