"""All packets of a question: sender for sender, with services and receivers as far as rules tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardround.proof.axis import Services, Side
from wardround.proof.ruleset import Action, Condition, Field, Through, Within
from wardround.proof.walk import Gate, Outcome, Passage, walk
from wardround.proof.way import Decision, Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Space:
    """Senders, receivers and services of all packets in question."""

    senders: Side
    receivers: Side
    services: Services


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of the packets of one sender by some services; the packets of the outcome are receivers."""

    services: int
    outcome: Outcome


def conditions(sections: Iterable[Section]) -> Iterator[Condition]:
    """Give every condition that packets can meet; they are what the axes have to be divided by."""
    for section in sections:
        for steps in section.steps.values():
            for step in steps:
                yield from step.conditions


@dataclass(frozen=True, slots=True)
class _Masked:
    """A step with the cells of each axis that certainly meet it, and those that may."""

    number: int
    section: int
    chain: str
    decision: Decision
    action: Action
    target: str
    senders: tuple[int, int]
    services: tuple[int, int]
    receivers: tuple[int, int]


_Key = tuple[tuple[int, bool], ...]


class Sweep:
    """The rules on one way, made ready for every cell of a space.

    Senders whom the rules treat alike, and services among them, are evaluated once; so the work grows with what the
    rules distinguish, not with the number of packets.
    """

    def __init__(self, sections: Sequence[Section], space: Space) -> None:
        """Mask each step once."""
        self._sections = sections
        self._space = space
        self._steps: list[_Masked] = []
        for at, section in enumerate(sections):
            for chain, steps in section.steps.items():
                for step in steps:
                    number, sides = len(self._steps), self._masks(step.conditions)
                    self._steps.append(_Masked(number, at, chain, step.decision, step.action, step.target, *sides))
        self._rows: dict[_Key, tuple[Row, ...]] = {}
        self._outcomes: dict[_Key, Outcome] = {}

    def rows(self, sender: int) -> tuple[Row, ...]:
        """Give what becomes of all packets of one cell of senders; every service stands in exactly one row."""
        met = [(step, bool(step.senders[0] >> sender & 1)) for step in self._steps if step.senders[1] >> sender & 1]
        key = tuple((step.number, sure) for step, sure in met)
        if key not in self._rows:
            self._rows[key] = tuple(self._evaluate(met))
        return self._rows[key]

    def _evaluate(self, met: Sequence[tuple[_Masked, bool]]) -> Iterator[Row]:
        """Divide the services by what these steps ask of them, and walk once for each part."""
        parts = [self._space.services.full]
        for mask in dict.fromkeys(mask for step, _ in met for mask in step.services):
            parts = [piece for part in parts for piece in (part & mask, part & ~mask) if piece]
        alike: dict[_Key, int] = {}
        for part in parts:
            lowest = part & -part
            key = tuple(
                (step.number, sure and bool(step.services[0] & lowest))
                for step, sure in met
                if step.services[1] & lowest
            )
            alike[key] = alike.get(key, 0) | part
        for key, part in alike.items():
            if key not in self._outcomes:
                self._outcomes[key] = walk(self._passages(key), self._space.receivers.full)
            yield Row(part, self._outcomes[key])

    def _passages(self, key: _Key) -> list[Passage]:
        gates: list[dict[str, list[Gate]]] = [{chain: [] for chain in section.steps} for section in self._sections]
        for number, sure in key:
            step = self._steps[number]
            must, may = step.receivers
            gate = Gate(step.decision, step.action, step.target, must if sure else 0, may)
            gates[step.section][step.chain].append(gate)
        return [
            Passage(section.start, section.accepts, section.policy, own)
            for section, own in zip(self._sections, gates, strict=True)
        ]

    def _masks(self, met: Iterable[Condition]) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        space = self._space
        senders = (space.senders.full, space.senders.full)
        services = (space.services.full, space.services.full)
        receivers = (space.receivers.full, space.receivers.full)
        for condition in met:
            match condition:
                case Within(Field.SOURCE) | Through(incoming=True):
                    senders = _and(senders, space.senders.masks(condition))
                case Within(Field.DESTINATION) | Through(incoming=False):
                    receivers = _and(receivers, space.receivers.masks(condition))
                case _:
                    services = _and(services, space.services.masks(condition))
        return senders, services, receivers


def _and(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] & other[0], one[1] & other[1]
