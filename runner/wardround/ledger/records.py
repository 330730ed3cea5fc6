"""What the ledger gives back: events, heads of the chain, plans, leases and the moves of findings."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

from wardround.errors import UsageError
from wardround.model.base import HostName, JsonValue, Model, Name
from wardround.model.finding import Finding
from wardround.model.run import Moment

_HEAD = re.compile(r"(?P<ledger>[0-9a-f]{32}):(?P<sequence>[0-9]{1,18}):(?P<hash>[0-9a-f]{64})")


class Event(Model):
    """One link of the chain; `sequence` counts from 1, `hash` covers all other fields and the ledger's id."""

    sequence: int
    moment: Moment
    hospital: HostName | None
    run: str | None
    kind: Name
    payload: dict[str, JsonValue]
    previous: str
    hash: str


class Head(Model):
    """The last link of a ledger's chain. Kept somewhere else, it shows later that nothing before it was changed."""

    ledger: str
    sequence: int
    hash: str

    def __str__(self) -> str:
        """Give the one-line form that is printed and that `parse` reads."""
        return f"{self.ledger}:{self.sequence}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the one-line form.

        Raises:
            UsageError: it is not one.
        """
        match = _HEAD.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"{text!r} is no head of a ledger", remedy="copy the whole line LEDGER:SEQUENCE:HASH")
        return cls(ledger=match["ledger"], sequence=int(match["sequence"]), hash=match["hash"])


class PlanRecord(Model):
    """A saved plan: the file's SHA-256, who made it, and the run that applied it, if one did."""

    id: str
    hospital: HostName
    sha256: str
    created: Moment
    created_by: str
    applied_by_run: str | None


class FindingChanges(Model):
    """What one run's observations did to the findings of its hospital."""

    opened: tuple[Finding, ...]
    reopened: tuple[Finding, ...]
    seen_again: tuple[Finding, ...]
    resolved: tuple[Finding, ...]

    @property
    def touched(self) -> tuple[Finding, ...]:
        """Give every finding that this run wrote."""
        return self.opened + self.reopened + self.seen_again + self.resolved


class LeaseState(StrEnum):
    """Whether a lease is held, was given back, or was left behind by a process that died."""

    HELD = "held"
    RELEASED = "released"
    STALE = "stale"


class LeaseRecord(Model):
    """Who held a hospital, and for which run; `ended` is when it was given back or its process was found dead."""

    hospital: HostName
    holder: str
    run: str
    machine: str
    pid: int
    since: Moment
    ended: Moment | None
    state: LeaseState
