"""A run that looks without Ansible: begun, judged, recorded, its findings given; what prove and probe share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardround.drift.observe import observe
from wardround.model.finding import FindingState
from wardround.model.run import Coverage, RunKind, RunRecord, RunState, Verdict
from wardround.transport.ssh import Login
from wardround.verbs.site_run import actor, new_run_id, now

if TYPE_CHECKING:
    from collections.abc import Callable

    from wardround.drift.judge import Judgement
    from wardround.ledger import Ledger
    from wardround.model.finding import Finding
    from wardround.verbs.opening import OpenHospital


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A finished run and what is open after it in the part of the hospital that it looked at."""

    record: RunRecord
    judgement: Judgement
    findings: tuple[Finding, ...]


def judged_run(opened: OpenHospital, ledger: Ledger, kind: RunKind, look: Callable[[], Judgement]) -> JudgedRun:
    """Look, and record what was seen; whatever ends it early, it is never read as one that still goes on."""
    record = RunRecord(
        id=new_run_id(),
        hospital=opened.design.hospital,
        kind=kind,
        state=RunState.RUNNING,
        started=now(),
        ended=None,
        plan=None,
        actor=actor(),
        provenance=opened.provenance,
        coverage=Coverage(hosts=len(opened.design.managed_hosts()), hosts_seen=0, checks=0, unknown=0),
    )
    ledger.start_run(record)
    try:
        judgement = look()
    except BaseException:
        ledger.finish_run(record.id, RunState.FAILED, record.coverage)
        raise
    ledger.record_hosts(record.id, judgement.hosts, judgement.tasks)
    finished = ledger.finish_run(record.id, RunState.FINISHED, judgement.coverage)
    return JudgedRun(finished, judgement, _found(opened, ledger, record.id, judgement))


def login_of(opened: OpenHospital) -> Login:
    """Give how the hospital's hosts are reached."""
    ends = opened.connection
    return Login(ends.user, ends.known_hosts_file, ends.key_file)


def _found(opened: OpenHospital, ledger: Ledger, run: str, judgement: Judgement) -> tuple[Finding, ...]:
    hospital = opened.design.hospital
    applied = ledger.last_run(hospital, kind=RunKind.APPLY)
    observations = observe(hospital, judgement, opened.provenance, applied.provenance if applied else None)
    seen = frozenset(host.host for host in judgement.hosts if host.reachable)
    looked_at = frozenset(
        (each.host, each.role, each.task) for each in judgement.tasks if each.verdict is not Verdict.UNKNOWN
    )
    ledger.record_observations(run, observations, seen, looked_at)
    marks = {each.fingerprint for each in observations}
    found = ledger.findings(hospital=hospital, state=FindingState.OPEN)
    return tuple(each for each in found if each.fingerprint in marks)
