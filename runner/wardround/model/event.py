"""What Ansible said while a playbook ran: one event a task result, written by the `wardround_events` callback."""

from __future__ import annotations

from enum import StrEnum

from wardround.model.base import Model


class Outcome(StrEnum):
    """How one task, or one item of its loop, ended on one host."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNREACHABLE = "unreachable"


class FileDiff(Model):
    """What a module says it would change, as two texts or as one text that it prepared itself."""

    prepared: str = ""
    before: str = ""
    after: str = ""
    before_header: str = ""
    after_header: str = ""


class TaskEvent(Model):
    """One result. `path` is `file:line`; texts are bounded by the callback; `no_log` results carry no contents."""

    outcome: Outcome
    host: str
    role: str
    task: str
    path: str
    tags: tuple[str, ...]
    action: str
    handler: bool
    item: bool
    looped: bool
    label: str
    changed: bool
    check_mode: bool
    skip_reason: str
    condition: str
    resource: str
    message: str
    diff: tuple[FileDiff, ...]
    witness: dict[str, str] | None


class HostStarted(Model):
    """A task begins on a host; only for showing progress."""

    host: str
    task: str
