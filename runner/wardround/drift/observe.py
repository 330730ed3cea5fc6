"""From verdicts to observations: one for each disagreement, with who moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardround.model.finding import Cause, Observation, fingerprint
from wardround.model.run import TaskVerdict, Verdict

if TYPE_CHECKING:
    from wardround.drift.judge import Judgement
    from wardround.model.run import Provenance

HOST_ROLE = "host"
HOST_TASK = "Host answers over SSH"
PROOF_ROLE = "proof"
"""Stands for a role where a finding is about flows, which no single role owns."""
PROBE_ROLE = "probe"
"""Stands for a role where a finding is about a clinical service's answer."""


def cause_of(verdict: Verdict, now: Provenance, applied: Provenance | None) -> Cause:
    """Say who moved: what nobody applied yet, or what changed since it was applied, is not the host's doing."""
    if verdict is Verdict.UNKNOWN:
        return Cause.COULD_NOT_CHECK
    if applied is None:
        return Cause.DESIGN_MOVED
    if (now.architectures_digest, now.roles_digest) != (applied.architectures_digest, applied.roles_digest):
        return Cause.DESIGN_MOVED
    if (now.manifest_digest, now.design_digest) != (applied.manifest_digest, applied.design_digest):
        return Cause.INPUTS_MOVED
    return Cause.HOST_MOVED


def observe(
    hospital: str, judgement: Judgement, now: Provenance, applied: Provenance | None
) -> tuple[Observation, ...]:
    """Give every disagreement of a run; a host that did not answer is one, not one for each of its tasks."""
    unreachable = {host.host for host in judgement.hosts if not host.reachable}
    silent = tuple(_silent(host, judgement) for host in sorted(unreachable))
    verdicts = (
        *silent,
        *(
            verdict
            for verdict in judgement.having(Verdict.DRIFTED, Verdict.FAILED, Verdict.UNKNOWN)
            if not (verdict.host in unreachable and verdict.verdict is Verdict.UNKNOWN)
        ),
    )
    found: dict[str, Observation] = {}
    for verdict in verdicts:
        name = fingerprint(hospital, verdict)
        found.setdefault(
            name,
            Observation(
                fingerprint=name,
                host=verdict.host,
                role=verdict.role,
                task=verdict.task,
                resource=verdict.resource,
                verdict=verdict.verdict,
                cause=cause_of(verdict.verdict, now, applied),
                reason=verdict.reason,
                diff=verdict.diff,
            ),
        )
    return tuple(sorted(found.values(), key=lambda each: (each.host, each.role, each.task, each.resource)))


def _silent(host: str, judgement: Judgement) -> TaskVerdict:
    # What was never seen stands last, with the reason why.
    unknown = [task for task in judgement.tasks if task.host == host and task.verdict is Verdict.UNKNOWN]
    reason = unknown[-1].reason if unknown else "it said nothing"
    return TaskVerdict(
        host=host, role=HOST_ROLE, task=HOST_TASK, tags=(), path="", resource="", verdict=Verdict.UNKNOWN, reason=reason
    )
