"""What a run saw: verdicts for each host and task, and how much of the design it could see at all."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from wardround.model.base import HostName, Model, Name

RUN_SCHEMA_VERSION = 1


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = "a moment without a time zone means nothing in a hospital's records"
        raise ValueError(message)
    return moment


Moment = Annotated[datetime, AfterValidator(_aware)]
"""A point in time that knows its zone; the ledger keeps UTC."""


class RunKind(StrEnum):
    """What a run was for."""

    PLAN = "plan"
    APPLY = "apply"
    DRIFT = "drift"
    PROVE = "prove"
    PROBE = "probe"


class RunState(StrEnum):
    """How far a run came; only `finished` is an end that saw every host's last task."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Verdict(StrEnum):
    """What is known of one task on one host. What was not seen is `unknown`, never `in_sync`."""

    IN_SYNC = "in_sync"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"


class TaskVerdict(Model):
    """The verdict on one task of one role on one host; `resource` is the file, unit or item that it is about."""

    host: HostName
    role: Name
    task: str
    tags: tuple[str, ...]
    path: str
    """The task's place, `roles/<role>/tasks/<component>.yml:<line>`, relative to the project."""
    resource: str
    verdict: Verdict
    reason: str = ""
    diff: str = ""
    is_handler: bool = False


class HostVerdict(Model):
    """One host's sum."""

    host: HostName
    reachable: bool
    checks: int
    in_sync: int
    drifted: int
    unknown: int
    not_applicable: int
    failed: int


class Coverage(Model):
    """How much of the design a run saw: hosts planned and seen, checks planned, and those that stayed unknown."""

    hosts: int
    hosts_seen: int
    checks: int
    unknown: int


class Provenance(Model):
    """With what a run was made, so that it can be told apart from every other."""

    wardround: str
    ansible_core: str
    git_commit: str
    design_digest: str
    manifest_digest: str
    architectures_digest: str
    roles_digest: str


class RunRecord(Model):
    """One execution against one hospital, as the ledger keeps it."""

    id: str
    hospital: HostName
    kind: RunKind
    state: RunState
    started: Moment
    ended: Moment | None
    plan: str | None
    actor: str
    provenance: Provenance
    coverage: Coverage
