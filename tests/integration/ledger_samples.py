"""Records as a run would hand them to the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wardround.model.finding import Cause, Observation
from wardround.model.run import (
    Coverage,
    HostVerdict,
    Provenance,
    RunKind,
    RunRecord,
    RunState,
    TaskVerdict,
    Verdict,
)

HOSPITAL = "st-elsewhere"
START = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
COVERAGE = Coverage(hosts=2, hosts_seen=2, checks=40, unknown=0)
PROVENANCE = Provenance(
    wardround="0.1.0",
    ansible_core="2.19.4",
    git_commit="0" * 40,
    design_digest="1" * 64,
    manifest_digest="2" * 64,
    architectures_digest="3" * 64,
    roles_digest="4" * 64,
)


class StepClock:
    """A clock that moves one second at each look."""

    def __init__(self) -> None:
        self._now = START

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def run_record(name: str, *, hospital: str = HOSPITAL, kind: RunKind = RunKind.DRIFT, minute: int = 0) -> RunRecord:
    """Describe a run that is just starting."""
    return RunRecord(
        id=name,
        hospital=hospital,
        kind=kind,
        state=RunState.RUNNING,
        started=START + timedelta(minutes=minute),
        ended=None,
        plan=None,
        actor="engineer@control",
        provenance=PROVENANCE,
        coverage=Coverage(hosts=2, hosts_seen=0, checks=40, unknown=40),
    )


def host_verdict(host: str, *, reachable: bool = True) -> HostVerdict:
    """Describe a host on which one of twenty checks drifted."""
    return HostVerdict(
        host=host, reachable=reachable, checks=20, in_sync=19, drifted=1, unknown=0, not_applicable=0, failed=0
    )


def task_verdict(host: str, verdict: Verdict, *, diff: str = "") -> TaskVerdict:
    """Describe one task's verdict."""
    return TaskVerdict(
        host=host,
        role="ssh_hardening",
        task="sshd listens",
        tags=("sshd", "always"),
        path="roles/ssh_hardening/tasks/sshd.yml:3",
        resource="/etc/ssh/sshd_config",
        verdict=verdict,
        reason="changed",
        diff=diff,
    )


def observation(
    mark: str, *, host: str = "pacs01", verdict: Verdict = Verdict.DRIFTED, diff: str = "-no\n+yes"
) -> Observation:
    """Describe a disagreement about sshd."""
    return Observation(
        fingerprint=mark,
        host=host,
        role="ssh_hardening",
        task="sshd listens",
        resource="/etc/ssh/sshd_config",
        verdict=verdict,
        cause=Cause.COULD_NOT_CHECK if verdict is Verdict.UNKNOWN else Cause.HOST_MOVED,
        reason="changed",
        diff=diff,
    )
