"""A finding: one disagreement between design and reality, the same from night to night by its fingerprint."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from wardround.model.base import HostName, Model, Name
from wardround.model.run import Moment, TaskVerdict, Verdict

FINDINGS_SCHEMA_VERSION = 1


class Cause(StrEnum):
    """Who moved: the host, the design, the hospital's inputs; or nobody could tell because nothing could be checked."""

    HOST_MOVED = "host_moved"
    DESIGN_MOVED = "design_moved"
    INPUTS_MOVED = "inputs_moved"
    COULD_NOT_CHECK = "could_not_check"


class FindingState(StrEnum):
    """Whether the last run that could look still saw it."""

    OPEN = "open"
    RESOLVED = "resolved"


class Observation(Model):
    """One disagreement as one run saw it, before the ledger gives it a history."""

    fingerprint: str
    host: HostName
    role: Name
    task: str
    resource: str
    verdict: Verdict
    cause: Cause
    reason: str
    diff: str


class Finding(Model):
    """An observation with its history."""

    fingerprint: str
    hospital: HostName
    host: HostName
    role: Name
    task: str
    resource: str
    verdict: Verdict
    cause: Cause
    reason: str
    diff: str
    state: FindingState
    first_seen: Moment
    last_seen: Moment
    first_run: str
    last_run: str


def fingerprint(hospital: str, verdict: TaskVerdict) -> str:
    """Name a disagreement by what it is about, not by when it was seen: 16 hex digits of a SHA-256.

    The task's line is left out, so that editing a role does not make an old finding new; drifted and failed are
    the same disagreement, unknown is another.
    """
    kind = "unknown" if verdict.verdict is Verdict.UNKNOWN else "drift"
    parts = (hospital, verdict.host, verdict.role, verdict.task, verdict.resource, kind)
    text = "\x1f".join(parts)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
