"""Many packets at once through the base chains of their way: each bit of a number is a packet.

A packet that may or may not meet a condition takes both ways, so that it collects every outcome it can have. It is
allowed or denied only where all of them agree; what a condition that is not understood cannot change stays proved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from wardround.proof.ruleset import Action
from wardround.proof.way import NOTHING_FILTERS, Decision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Verdict(StrEnum):
    """What becomes of a packet, as far as the rules tell."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Gate:
    """One arm of a rule for the packets in question: those that certainly meet it, and those that may."""

    decision: Decision
    action: Action
    target: str
    must: int
    may: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One base chain with the chains that it can reach, for the packets in question."""

    start: str
    accepts: bool
    policy: Decision
    gates: Mapping[str, Sequence[Gate]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The packets of each verdict, apart by what decided; a packet stands in exactly one place."""

    allowed: tuple[tuple[Decision, int], ...]
    denied: tuple[tuple[Decision, int], ...]
    unknown: tuple[tuple[Decision, int], ...]

    def of(self, verdict: Verdict) -> tuple[tuple[Decision, int], ...]:
        """Give the packets of one verdict."""
        return {Verdict.ALLOWED: self.allowed, Verdict.DENIED: self.denied, Verdict.UNKNOWN: self.unknown}[verdict]


def walk(passages: Sequence[Passage], packets: int) -> Outcome:
    """Send packets through base chains in their order.

    To accept ends one base chain, to drop ends all (nft(8), VERDICT STATEMENT).
    """
    alive, unsure, lost = packets, 0, 0
    accepting: list[tuple[Decision, int]] = []
    dropping: list[tuple[Decision, int]] = []
    doubts: list[tuple[Decision, int]] = []
    for passage in passages:
        seen = _Ledger(passage)
        seen.finish(alive)
        accepted, dropped, opaque = (_union(part) for part in (seen.accepted, seen.dropped, seen.opaque))
        denied = dropped & ~accepted & ~opaque
        dropping += _assigned(seen.dropped, denied)
        doubts += [*seen.doubts, *seen.opaque]
        accepting += seen.accepted
        lost |= opaque & alive
        unsure |= dropped & accepted
        alive &= ~(denied | opaque)
    accepting.append((NOTHING_FILTERS, packets))
    accepting.sort(key=lambda each: each[0].is_policy)
    return Outcome(
        allowed=_assigned(accepting, alive & ~unsure),
        denied=_merged(dropping),
        unknown=_assigned(doubts, lost | (alive & unsure)),
    )


@dataclass(slots=True)
class _Ledger:
    """What can become of packets in one base chain."""

    passage: Passage
    accepted: list[tuple[Decision, int]] = field(default_factory=list)
    dropped: list[tuple[Decision, int]] = field(default_factory=list)
    opaque: list[tuple[Decision, int]] = field(default_factory=list)
    doubts: list[tuple[Decision, int]] = field(default_factory=list)

    def finish(self, packets: int) -> None:
        """Let packets run to the end, where the policy takes what no rule decided."""
        left = self._run(self.passage.start, packets)
        (self.accepted if self.passage.accepts else self.dropped).append((self.passage.policy, left))

    def _run(self, chain: str, packets: int) -> int:  # noqa: C901 - one case for each verdict of nft(8)
        """Run packets through one chain and give those that come back to the caller without a verdict."""
        back = 0
        for gate in self.passage.gates[chain]:
            hit = packets & gate.must
            met = packets & gate.may
            if not met:
                continue
            if met != hit:
                self.doubts.append((gate.decision, met & ~hit))
            packets &= ~hit
            match gate.action:
                case Action.ACCEPT:
                    self.accepted.append((gate.decision, met))
                case Action.DROP | Action.REJECT:
                    self.dropped.append((gate.decision, met))
                case Action.RETURN:
                    back |= met
                case Action.JUMP:
                    packets |= self._run(gate.target, met)
                case Action.GOTO:
                    back |= self._run(gate.target, met)
                case Action.OPAQUE:
                    self.opaque.append((gate.decision, met))
                    packets &= ~met
            if not packets:
                break
        return back | packets


def _union(parts: Sequence[tuple[Decision, int]]) -> int:
    found = 0
    for _, packets in parts:
        found |= packets
    return found


def _assigned(parts: Sequence[tuple[Decision, int]], packets: int) -> tuple[tuple[Decision, int], ...]:
    """Give each of the packets to the first that claims it."""
    found = []
    for decision, claimed in parts:
        if claimed & packets:
            found.append((decision, claimed & packets))
            packets &= ~claimed
    return _merged(found)


def _merged(parts: Sequence[tuple[Decision, int]]) -> tuple[tuple[Decision, int], ...]:
    merged: dict[Decision, int] = {}
    for decision, packets in parts:
        merged[decision] = merged.get(decision, 0) | packets
    return tuple(merged.items())
