"""The base chains that a packet meets on its way, in their order, and what is left of their rules for its kind.

Family and connection state are the same for all packets of one question, so conditions on them are decided here, and
what stands behind a rule that always decides is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from wardround.proof.ruleset import (
    Action,
    Arm,
    Base,
    Chain,
    Condition,
    Field,
    Hook,
    Rule,
    Ruleset,
    State,
    Table,
    Through,
    Unreadable,
    Within,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Way(Enum):
    """How a packet travels through the host whose rules are asked; the value lists the hooks on it."""

    FORWARDED = (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING)
    RECEIVED = (Hook.PREROUTING, Hook.INPUT)
    SENT = (Hook.OUTPUT, Hook.POSTROUTING)

    @property
    def back(self) -> Way:
        """The way of the answer."""
        return {Way.RECEIVED: Way.SENT, Way.SENT: Way.RECEIVED}.get(self, self)


@dataclass(frozen=True, slots=True)
class Question:
    """Which packets are meant: their way, family and state; `mirrored` means the answers to the packets spoken of."""

    way: Way
    family: int
    state: State = State.NEW
    mirrored: bool = False

    def answer(self) -> Question:
        """Give the question about the answers: established, on the way back, with both ends exchanged."""
        return Question(self.way.back, self.family, State.ESTABLISHED, mirrored=True)


@dataclass(frozen=True, slots=True)
class Decision:
    """What decided about a packet: a rule, or a chain's policy where `handle` is none."""

    table: str
    chain: str
    handle: int | None
    comment: str
    text: str
    is_policy: bool = False

    @classmethod
    def by_rule(cls, rule: Rule) -> Decision:
        """Name a rule."""
        return cls(rule.table, rule.chain, rule.handle, rule.comment, rule.text)

    def __str__(self) -> str:
        """Name the place and the words, as people look for them."""
        handle = f" handle {self.handle}" if self.handle is not None else ""
        comment = f' comment "{self.comment}"' if self.comment else ""
        return f"{self.table} {self.chain}{handle}: {self.text}{comment}".lstrip()


NOTHING_FILTERS: Final = Decision("", "", None, "", "no base chain stands in the way", is_policy=True)


@dataclass(frozen=True, slots=True)
class Step:
    """One arm of a rule with the conditions that are still open."""

    decision: Decision
    conditions: tuple[Condition, ...]
    action: Action
    target: str


@dataclass(frozen=True, slots=True)
class Section:
    """One base chain on the way with the chains that it can reach."""

    start: str
    accepts: bool
    policy: Decision
    steps: Mapping[str, tuple[Step, ...]]


_TERMINAL: Final = frozenset({Action.ACCEPT, Action.DROP, Action.REJECT, Action.GOTO, Action.RETURN, Action.OPAQUE})
_READ: Final = {"ip": {4}, "ip6": {6}, "inet": {4, 6}}
_NO_INCOMING: Final = frozenset({Hook.OUTPUT})
_NO_OUTGOING: Final = frozenset({Hook.PREROUTING, Hook.INPUT})
# Kernels differ in whether a packet behind its routing still knows where it came in.
_UNCERTAIN_INCOMING: Final = frozenset({Hook.POSTROUTING})
# Connection tracking looks at a packet at these hooks; chains before it know no state.
_TRACKING: Final = frozenset({Hook.PREROUTING, Hook.OUTPUT})
_TRACKING_PRIORITY: Final = -200


def sections(ruleset: Ruleset, question: Question) -> tuple[Section, ...]:
    """Give the base chains that the packets of a question meet, first to last (nft(8), CHAINS).

    Chains of equal priority stand in the order of the listing: their order changes who decides first, never whether a
    packet passes, for each of them has to accept it. Chains that see frames instead of routed packets (families
    `netdev`, `bridge` and `arp`, and the hook `ingress`) are not read: where they hold anything, they may stop one.
    """
    found: list[tuple[tuple[int, int], Section]] = []
    for table in ruleset.tables:
        for chain in table.chains:
            if chain.base is None:
                continue
            if table.family not in _READ or chain.base.hook in {Hook.INGRESS, Hook.EGRESS}:
                found += [((-1, 0), _unread(table, chain, chain.base))] if chain.rules or not chain.base.accepts else []
            elif (
                question.family in _READ[table.family]
                and chain.base.hook in question.way.value
                # Address translation is asked once for each connection, not for its answers.
                and not (chain.base.kind == "nat" and question.state is not State.NEW)
            ):
                order = (question.way.value.index(chain.base.hook), chain.base.priority)
                found.append((order, _section(table, chain, chain.base, question)))
    return tuple(section for _, section in sorted(found, key=lambda each: each[0]))


def _section(table: Table, chain: Chain, base: Base, question: Question) -> Section:
    chains = {each.name: each for each in table.chains}
    steps: dict[str, tuple[Step, ...]] = {}
    waiting = [chain.name]
    while waiting:
        name = waiting.pop()
        if name not in steps:
            steps[name] = tuple(_steps(chains[name], base, question))
            waiting += [step.target for step in steps[name] if step.target]
    return Section(chain.name, base.accepts, _policy(table, chain, base), steps)


def _policy(table: Table, chain: Chain, base: Base) -> Decision:
    text = f"policy {'accept' if base.accepts else 'drop'}"
    return Decision(str(table), chain.name, None, "", text, is_policy=True)


def _unread(table: Table, chain: Chain, base: Base) -> Section:
    opaque = any(arm.action is Action.OPAQUE for rule in chain.rules for arm in rule.arms)
    text = f"{table.family} {base.hook} is not read"
    decision = Decision(str(table), chain.name, None, "", text)
    step = Step(decision, (Unreadable(text),), Action.OPAQUE if opaque else Action.DROP, "")
    return Section(chain.name, accepts=True, policy=_policy(table, chain, base), steps={chain.name: (step,)})


def _steps(chain: Chain, base: Base, question: Question) -> Iterator[Step]:
    for rule in chain.rules:
        for arm in rule.arms:
            conditions = _open_conditions(arm, base, question)
            if conditions is not None:
                yield Step(Decision.by_rule(rule), conditions, arm.action, arm.target)
                if not conditions and arm.action in _TERMINAL:
                    return


def _open_conditions(arm: Arm, base: Base, question: Question) -> tuple[Condition, ...] | None:
    """Give the conditions that depend on the packet, as seen from the packets spoken of; none if one never holds."""
    left: list[Condition] = []
    for condition in arm.conditions:
        if _is_uncertain(condition, base):
            left.append(Unreadable(str(condition)))
            continue
        holds = _decided(condition, base.hook, question)
        if holds is False:
            return None
        if holds is None:
            left.append(_mirrored(condition) if question.mirrored else condition)
    return tuple(left)


def _decided(condition: Condition, hook: Hook, question: Question) -> bool | None:
    match condition:
        case Within(Field.FAMILY, numbers):
            return question.family in numbers
        case Within(Field.STATE, numbers):
            return question.state.number in numbers
        case Through(incoming):
            return False if hook in (_NO_INCOMING if incoming else _NO_OUTGOING) else None
        case _:
            return None


def _is_uncertain(condition: Condition, base: Base) -> bool:
    """Whether the kernel does not know at this place, or kernels differ in what they answer."""
    match condition:
        case Through(incoming=True, negated=negated):
            return base.hook in _UNCERTAIN_INCOMING or (negated and base.hook in _NO_INCOMING)
        case Through(incoming=False, negated=negated):
            return negated and base.hook in _NO_OUTGOING
        case Within(Field.STATE):
            return base.hook in _TRACKING and base.priority <= _TRACKING_PRIORITY
        case _:
            return False


_OPPOSITE: Final = {
    Field.SOURCE: Field.DESTINATION,
    Field.DESTINATION: Field.SOURCE,
    Field.SOURCE_PORT: Field.DESTINATION_PORT,
    Field.DESTINATION_PORT: Field.SOURCE_PORT,
}


def _mirrored(condition: Condition) -> Condition:
    match condition:
        case Within(field, numbers):
            return Within(_OPPOSITE.get(field, field), numbers)
        case Through():
            return replace(condition, incoming=not condition.incoming)
        case _:
            return condition
