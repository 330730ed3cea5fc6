"""A plan: the saved, hashed preview of what an apply would change, and of the state that it was made in."""

from __future__ import annotations

import hashlib

from wardround.model.base import HostName, Model, Name
from wardround.model.run import Moment, Provenance

PLAN_SCHEMA_VERSION = 1


class PlannedChange(Model):
    """One thing that an apply would change on a host, or that cannot be changed (`failed`)."""

    role: Name
    task: str
    resource: str
    diff: str
    failed: bool
    reason: str


class HostPlan(Model):
    """What an apply would do on one host; `undecided` tasks depend on changes that a check does not make."""

    host: HostName
    reachable: bool
    trusted: bool = True
    """Whether the host showed the SSH host key that is recorded for it."""
    changes: tuple[PlannedChange, ...]
    handlers: tuple[str, ...]
    undecided: int
    witness: dict[str, str]
    """SHA-256 of groups of the host's state, read before the check."""


class Plan(Model):
    """What an apply would do in one hospital."""

    schema_version: int = PLAN_SCHEMA_VERSION
    hospital: HostName
    created: Moment
    actor: str
    run: str
    provenance: Provenance
    tags: tuple[str, ...]
    hosts: tuple[HostPlan, ...]

    @property
    def id(self) -> str:
        """Name the plan by its content: 12 hex digits of the SHA-256 of its JSON."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @property
    def changes(self) -> int:
        """Count the changes over all hosts."""
        return sum(len(host.changes) for host in self.hosts)
