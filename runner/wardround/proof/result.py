"""What a proof found: every zone pair and service on which design and rules disagree, with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from wardround.proof.packet import Packet
from wardround.proof.partition import bits
from wardround.proof.way import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OTHER = "(other)"
"""All protocols and ports that no service of the design names."""


class Kind(StrEnum):
    """How rules and design stand to each other for some packets between two zones."""

    ALLOWED = "allowed by the rules, not by the design"
    DENIED = "denied by the rules, allowed by the design"
    ANSWER_DENIED = "answers denied by the rules, allowed by the design"
    UNKNOWN = "unknown"
    ANSWER_UNKNOWN = "answers unknown"


@dataclass(frozen=True, slots=True)
class Difference:
    """Packets from one zone to another by one service that rules and design do not agree on.

    Attributes:
        kind: who allows what.
        source: the zone where the connection starts, also where its answers are meant.
        destination: the zone where it ends.
        service: a service of the design, or `OTHER`.
        decision: the rule or policy that decided; for what is unknown, the one whose effect is not known.
        flows: the flows of the design that allow these packets; none if the design does not.
        example: one such packet, for answers the answering one.
    """

    kind: Kind
    source: str
    destination: str
    service: str
    decision: Decision
    flows: tuple[str, ...]
    example: Packet


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of disagreement of one zone of senders with all receivers that share its evidence."""

    kind: Kind
    source: str
    service: str
    decision: Decision
    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Packets of a finding: a cell of senders, a cell of services, and cells of receivers as bits."""

    sender: int
    service: int
    receivers: int


@dataclass(frozen=True, slots=True)
class Part:
    """What was found for one address family, and how its cells become packets again.

    Attributes:
        found: the findings with their packets.
        zones: the zones of receivers, each with its cells as bits.
        zone_of: the place of each cell's zone among them.
        pairs: how many ordered zone pairs were compared.
        examples: names packets.
    """

    found: Mapping[Finding, tuple[Place, ...]]
    zones: tuple[tuple[str, int], ...]
    zone_of: Sequence[int]
    pairs: int
    examples: Examples

    def differences(self) -> Iterator[Difference]:
        """Give each finding for each zone of receivers, with a packet of that zone."""
        for finding, places in self.found.items():
            told = 0
            for place in places:
                while left := place.receivers & ~told:
                    zone, mask = self.zones[self.zone_of[next(iter(bits(left)))]]
                    told |= mask
                    yield Difference(
                        finding.kind,
                        finding.source,
                        zone,
                        finding.service,
                        finding.decision,
                        finding.flows,
                        self.examples.packet(finding.kind, place, place.receivers & mask),
                    )


class Examples(Protocol):
    """Turns cells back into packets: what a part knows of the axes that it was found on."""

    def packet(self, kind: Kind, place: Place, receivers: int) -> Packet:
        """Give a packet of a place whose receiver is one of some cells."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The comparison of a design with the rules of one host, for every zone pair and service.

    Attributes:
        zones: the names of all zones, those without a name in the design in brackets.
        services: the names of all services, and `OTHER`.
        compared: ordered zone pairs times services that were compared.
        parts: what was found, by address family.
    """

    zones: tuple[str, ...]
    services: tuple[str, ...]
    compared: int
    parts: tuple[Part, ...]

    @property
    def agrees(self) -> bool:
        """Whether rules and design agree on every packet, and nothing is unknown."""
        return not any(part.found for part in self.parts)

    def differences(self) -> Iterator[Difference]:
        """Give every disagreement, one for each zone pair, service and piece of evidence."""
        for part in self.parts:
            yield from part.differences()

    def matrix(self) -> dict[tuple[str, str, str], frozenset[Kind]]:
        """Give the kinds of disagreement by source, destination and service; what is missing agrees."""
        found: dict[tuple[str, str, str], frozenset[Kind]] = {}
        for each in self.differences():
            key = (each.source, each.destination, each.service)
            found[key] = found.get(key, frozenset()) | {each.kind}
        return found
