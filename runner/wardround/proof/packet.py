"""One packet against a rule set: what becomes of it, and which rule decided."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

from wardround.proof.ruleset import (
    ICMP_PROTOCOLS,
    IPV4,
    PORT_PROTOCOLS,
    Condition,
    Field,
    Ruleset,
    State,
    Through,
    Unreadable,
    Within,
)
from wardround.proof.vocabulary import PROTOCOLS
from wardround.proof.walk import Gate, Passage, Verdict, walk
from wardround.proof.way import Decision, Question, Way, sections

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES: Final = {number: name for name, number in PROTOCOLS.items()}


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet, as far as rules look at it.

    `protocol` is IANA's number. Ports mean something for protocols that have them, `icmp_type` for ICMP. An interface
    that is not known is none; it is never the loopback one.
    """

    source: IPv4Address | IPv6Address
    destination: IPv4Address | IPv6Address
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    icmp_type: int = 0
    incoming: str | None = None
    outgoing: str | None = None

    def __str__(self) -> str:
        """Write it as `tcp 10.0.1.5:40000 → 10.0.2.7:443`."""
        name = _NAMES.get(self.protocol, f"protocol {self.protocol}")
        if self.protocol in PORT_PROTOCOLS:
            source = self._end(self.source, self.source_port)
            return f"{name} {source} → {self._end(self.destination, self.destination_port)}"
        kind = f" type {self.icmp_type}" if self.protocol in ICMP_PROTOCOLS.values() else ""
        return f"{name}{kind} {self.source} → {self.destination}"

    def answer(self) -> Packet:
        """Give the packet that answers, with both ends exchanged."""
        return Packet(
            source=self.destination,
            destination=self.source,
            protocol=self.protocol,
            source_port=self.destination_port,
            destination_port=self.source_port,
            icmp_type=self.icmp_type,
            incoming=self.outgoing,
            outgoing=self.incoming,
        )

    @staticmethod
    def _end(address: IPv4Address | IPv6Address, port: int) -> str:
        return f"{address}:{port}" if address.version == IPV4 else f"[{address}]:{port}"


def decide(
    ruleset: Ruleset, packet: Packet, way: Way = Way.FORWARDED, state: State = State.NEW
) -> tuple[Verdict, Decision]:
    """Say what becomes of one packet: the first of a connection, or one of an established connection.

    A limit counts as kept: what passes slowly is allowed. Of TCP, any first packet is meant, for connection tracking
    takes up connections in their middle; conditions on flags are therefore not understood.
    """
    passages = [
        Passage(
            section.start,
            section.accepts,
            section.policy,
            {
                name: [Gate(step.decision, step.action, step.target, *_both(packet, step.conditions)) for step in steps]
                for name, steps in section.steps.items()
            },
        )
        for section in sections(ruleset, Question(way, packet.source.version, state))
    ]
    outcome = walk(passages, 1)
    for verdict in Verdict:
        for decision, _ in outcome.of(verdict):
            return verdict, decision
    raise AssertionError


def through(names: Iterable[str], interface: str | None) -> bool | None:
    """Whether an interface is one of some names, which may end in `*`; none where nobody can say."""
    if interface is None:
        # A packet that crosses the network uses some interface, but never the loopback one.
        return False if all(name == "lo" for name in names) else None
    return any(
        interface.startswith(name.removesuffix("*")) if name.endswith("*") else interface == name for name in names
    )


def _both(packet: Packet, conditions: Iterable[Condition]) -> tuple[int, int]:
    met = [_meets(packet, condition) for condition in conditions]
    return int(all(each is True for each in met)), int(all(each is not False for each in met))


def _meets(packet: Packet, condition: Condition) -> bool | None:
    match condition:
        case Unreadable():
            return None
        case Through(incoming, names, negated):
            found = through(names, packet.incoming if incoming else packet.outgoing)
            return None if found is None else found != negated
        case Within(field, numbers):
            number = _number(packet, field)
            return None if number is None else number in numbers


def _number(packet: Packet, field: Field) -> int | None:
    if field in {Field.SOURCE_PORT, Field.DESTINATION_PORT} and packet.protocol not in PORT_PROTOCOLS:
        return None
    numbers = {
        Field.FAMILY: packet.source.version,
        Field.SOURCE: int(packet.source),
        Field.DESTINATION: int(packet.destination),
        Field.PROTOCOL: packet.protocol,
        Field.SOURCE_PORT: packet.source_port,
        Field.DESTINATION_PORT: packet.destination_port,
        Field.ICMP_TYPE: packet.icmp_type,
    }
    return numbers[field]
