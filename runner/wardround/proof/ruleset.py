"""A packet filter's rules as data: tables, chains, and rules as what they ask of a packet and what they do with it.

The words are those of nft(8). A rule is a list of arms, for one rule may hold a verdict map, or a set of
concatenations: each arm is what must hold together, and the verdict that then follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wardround.proof.ranges import Ranges

IPV4: Final = 4
"""The address family that designs give their zones; the other is 6."""

ALL_ADDRESSES = {IPV4: (1 << 32) - 1, 6: (1 << 128) - 1}
"""The highest address of each family."""
PORT_PROTOCOLS = frozenset({6, 17, 33, 132, 136})
"""TCP, UDP, DCCP, SCTP and UDP-Lite: their headers begin with a source and a destination port."""
ICMP_PROTOCOLS = {4: 1, 6: 58}
"""The number of ICMP in each address family."""


class Field(StrEnum):
    """A number of a packet that rules compare."""

    FAMILY = "family"
    STATE = "state"
    SOURCE = "source address"
    DESTINATION = "destination address"
    PROTOCOL = "protocol"
    SOURCE_PORT = "source port"
    DESTINATION_PORT = "destination port"
    ICMP_TYPE = "ICMP type"


class State(StrEnum):
    """What connection tracking thinks of a packet (nft(8), CONNTRACK EXPRESSIONS)."""

    NEW = "new"
    ESTABLISHED = "established"
    RELATED = "related"
    INVALID = "invalid"
    UNTRACKED = "untracked"

    @property
    def number(self) -> int:
        """Its place in the order above: how rules compare it."""
        return tuple(State).index(self)


@dataclass(frozen=True, slots=True)
class Within:
    """A field must be one of some numbers; negations were turned round when the rule was read."""

    field: Field
    numbers: Ranges


@dataclass(frozen=True, slots=True)
class Through:
    """The packet must come in, or go out, by one of some interfaces; a name may end in `*`."""

    incoming: bool
    names: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A condition that is not understood: nobody can say whether a packet meets it."""

    text: str


Condition = Within | Through | Unreadable


class Action(StrEnum):
    """What an arm does with a packet; `opaque` is a statement that is not understood and may do anything."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class Arm:
    """Conditions that must hold together, and what follows; `target` names the chain of a jump or goto."""

    conditions: tuple[Condition, ...]
    action: Action
    target: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it was read; `text` is its own words, and no arms means that it decides nothing."""

    table: str
    chain: str
    handle: int | None
    comment: str
    text: str
    arms: tuple[Arm, ...]

    def __str__(self) -> str:
        """Name the rule as evidence: where it stands and what it says."""
        handle = f" handle {self.handle}" if self.handle is not None else ""
        comment = f' comment "{self.comment}"' if self.comment else ""
        return f"{self.table} {self.chain}{handle}: {self.text}{comment}"


class Hook(StrEnum):
    """Where on a packet's way a base chain stands (nft(8), ADDRESS FAMILIES)."""

    INGRESS = "ingress"
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"
    EGRESS = "egress"


@dataclass(frozen=True, slots=True)
class Base:
    """What makes a chain a base chain: its type, its hook, its priority, and what happens at its end."""

    kind: str
    hook: Hook
    priority: int
    accepts: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in their order; with `base`, the kernel calls it by itself."""

    name: str
    base: Base | None
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Chains of one owner; `family` decides which packets see them."""

    family: str
    name: str
    chains: tuple[Chain, ...]

    def __str__(self) -> str:
        """Name the table as nft(8) does."""
        return f"{self.family} {self.name}"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All that a host's packet filter holds, as it was read."""

    tables: tuple[Table, ...]
