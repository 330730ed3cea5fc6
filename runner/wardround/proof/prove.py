"""Design against rules: every packet between every two zones, each as a member of its cell, none sampled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import reduce
from ipaddress import IPv4Address, IPv6Address
from operator import or_
from typing import TYPE_CHECKING, Final

from wardround.proof.axis import Services, Side, Zone
from wardround.proof.expectation import IPV6, Expected, expected_flows, zones_of
from wardround.proof.packet import Packet
from wardround.proof.partition import bits
from wardround.proof.ranges import Ranges
from wardround.proof.result import OTHER, Examples, Finding, Kind, Part, Place, Proof
from wardround.proof.ruleset import IPV4, Field, Within
from wardround.proof.sweep import Space, Sweep, conditions
from wardround.proof.walk import Outcome, Verdict
from wardround.proof.way import Decision, Question, Section, Way, sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wardround.model.design import Design, DesignHost
    from wardround.proof.ruleset import Ruleset

_NO_INTERFACES: Final[Mapping[str, str]] = {}
_ANSWERS: Final = ((Verdict.DENIED, Kind.ANSWER_DENIED), (Verdict.UNKNOWN, Kind.ANSWER_UNKNOWN))


def prove_gateway(design: Design, ruleset: Ruleset, interfaces: Mapping[str, str] = _NO_INTERFACES) -> Proof:
    """Compare a design with the rules of the gateway that stands between all of its zones.

    Spoken of are first packets and their answers, of senders that are where routes to them lead. Traffic inside a zone
    does not pass the gateway and is left out, and so are connections that tracking calls related to another one, and
    what stops packets outside the listing.

    Args:
        design: the hospital.
        ruleset: the gateway's rules.
        interfaces: the gateway's interface of each zone, as far as known; a rule that asks for an interface leaves
            the packets of other zones unknown.
    """
    proofs = []
    for family in (4, 6):
        zones = zones_of(design, family, interfaces)
        proofs.append(_Comparison(design, ruleset, Question(Way.FORWARDED, family), zones, zones).part())
    return _proof(design, proofs)


def prove_host(
    design: Design, host: DesignHost, ruleset: Ruleset, interfaces: Mapping[str, str] = _NO_INTERFACES
) -> tuple[Proof, Proof]:
    """Compare a design with one host's own rules: what the host receives, and what it sends.

    ICMP is left out, for no flow of a design speaks of it and every host needs some.

    Args:
        design: the hospital.
        host: the host whose rules they are.
        ruleset: its rules.
        interfaces: the host's interface towards each zone, as far as known.
    """
    own = Ranges.one(int(host.address))
    received, sent = [], []
    for family in (4, 6):
        zones = zones_of(design, family, interfaces)
        here: tuple[Zone, ...] = zones
        others = zones
        if family == IPV4:
            here = (Zone(host.zone, own, interfaces.get(host.zone)),)
            without_own = ((zone, zone.addresses.without(own)) for zone in zones)
            others = tuple(Zone(zone.name, left, zone.interface) for zone, left in without_own if left.spans)
        inbound, outbound = Question(Way.RECEIVED, family), Question(Way.SENT, family)
        received.append(_Comparison(design, ruleset, inbound, others, here).part())
        sent.append(_Comparison(design, ruleset, outbound, here, others).part())
    return _proof(design, received), _proof(design, sent)


def _proof(design: Design, parts: Sequence[Part]) -> Proof:
    zones = sorted({name for part in parts for name, _ in part.zones} | {zone.name for zone in design.zones})
    services = (*sorted({flow.service for flow in design.flows if flow.active}), OTHER)
    return Proof(tuple(zones), services, sum(part.pairs for part in parts) * len(services), tuple(parts))


@dataclass(frozen=True, slots=True)
class _Flow:
    """A flow as cells."""

    id: str
    senders: int
    receivers: int
    services: int


@dataclass(frozen=True, slots=True)
class _Cells(Examples):
    """The axes of a family, to name packets by."""

    space: Space
    family: int

    def packet(self, kind: Kind, place: Place, receivers: int) -> Packet:
        """Give a packet of a place whose receiver is one of some cells."""
        receiver = next(iter(bits(receivers)))
        protocol, source_port, destination_port, icmp_type = self.space.services.example(place.service)
        address = IPv4Address if self.family == IPV4 else IPv6Address
        senders = self.space.senders
        packet = Packet(
            source=address(senders.example(place.sender)),
            destination=address(self.space.receivers.example(receiver)),
            protocol=protocol,
            source_port=source_port,
            destination_port=destination_port,
            icmp_type=icmp_type,
            incoming=senders.zones[senders.zone_of[place.sender]].interface,
            outgoing=self.space.receivers.zones[self.space.receivers.zone_of[receiver]].interface,
        )
        return packet.answer() if kind in {Kind.ANSWER_DENIED, Kind.ANSWER_UNKNOWN} else packet


@dataclass(frozen=True, slots=True)
class _Packets:
    """Packets of one cell of senders, and the flows of the design that speak of all their services."""

    zone: str
    sender: int
    services: int
    receivers: int
    flows: tuple[_Flow, ...]


class _Comparison:
    """One family of packets on one way."""

    def __init__(
        self,
        design: Design,
        ruleset: Ruleset,
        question: Question,
        senders: tuple[Zone, ...],
        receivers: tuple[Zone, ...],
    ) -> None:
        """Divide the axes by everything that rules and design tell apart."""
        self._question = question
        named = expected_flows(design)
        expected = named if question.family == IPV4 else ()
        there, back = sections(ruleset, question), sections(ruleset, question.answer())
        self._space = _space(question.family, (*there, *back), named, senders, receivers)
        self._there = Sweep(there, self._space)
        self._back = Sweep(back, self._space)
        services = self._space.services
        self._compared = services.full if question.way is Way.FORWARDED else services.full & ~services.icmp
        self._flows = tuple(self._flow(each) for each in expected)
        self._services = dict.fromkeys(sorted({each.service for each in named}), 0)
        for each in named:
            self._services[each.service] |= self._cells_of(each)
        self._names: dict[int, tuple[tuple[str, int], ...]] = {}
        self._found: defaultdict[Finding, list[Place]] = defaultdict(list)

    def part(self) -> Part:
        """Compare every cell."""
        space = self._space
        receivers = space.receivers
        zones = dict(zip((zone.name for zone in receivers.zones), receivers.zone_masks, strict=True))
        for sender, at in enumerate(space.senders.zone_of):
            name = space.senders.zones[at].name
            skipped = zones.get(name, 0) if self._skips(name) else 0
            self._compare(sender, name, receivers.full & ~skipped)
        pairs = sum(1 for zone in space.senders.zones for name in zones if name != zone.name or not self._skips(name))
        found = {finding: tuple(places) for finding, places in self._found.items()}
        return Part(found, tuple(zones.items()), receivers.zone_of, pairs, _Cells(space, self._question.family))

    def _skips(self, zone: str) -> bool:
        """Whether packets inside this zone do not come by; IPv6 is no single zone, it only has no zones."""
        return self._question.way is Way.FORWARDED and zone != IPV6

    def _flow(self, expected: Expected) -> _Flow:
        senders, receivers = self._space.senders, self._space.receivers
        return _Flow(
            expected.flow,
            senders.of(expected.sources),
            receivers.of(expected.destinations),
            self._cells_of(expected),
        )

    def _cells_of(self, expected: Expected) -> int:
        return reduce(or_, (self._space.services.of(protocol, expected.ports) for protocol in expected.protocols))

    def _compare(self, sender: int, zone: str, receivers: int) -> None:
        flows = [flow for flow in self._flows if flow.senders >> sender & 1 and flow.receivers & receivers]
        for row in self._there.rows(sender):
            if flows or row.outcome.allowed or row.outcome.unknown:
                for services, meant in _by_flows(row.services & self._compared, flows):
                    packets = _Packets(zone, sender, services, receivers, tuple(meant))
                    passing = self._first(packets, row.outcome)
                    if passing:
                        self._answers(replace(packets, receivers=passing))

    def _first(self, packets: _Packets, outcome: Outcome) -> int:
        """Hold first packets against the flows that allow their services; give the receivers that both allow."""
        designed = passing = 0
        for flow in packets.flows:
            designed |= flow.receivers
        for decision, mask in outcome.allowed:
            passing |= mask & designed & packets.receivers
            self._note(Kind.ALLOWED, decision, (), packets, mask & ~designed)
        for decision, mask in outcome.unknown:
            self._note(Kind.UNKNOWN, decision, (), packets, mask & ~designed)
        for kind, parts in ((Kind.DENIED, outcome.denied), (Kind.UNKNOWN, outcome.unknown)):
            for decision, mask in parts:
                for flow in packets.flows:
                    self._note(kind, decision, (flow.id,), packets, mask & flow.receivers)
        return passing

    def _answers(self, packets: _Packets) -> None:
        """Follow the answers to packets that pass: a connection needs both."""
        for row in self._back.rows(packets.sender):
            answered = replace(packets, services=row.services & packets.services)
            for verdict, kind in _ANSWERS if answered.services else ():
                for decision, mask in row.outcome.of(verdict):
                    for flow in packets.flows:
                        self._note(kind, decision, (flow.id,), answered, mask & flow.receivers)

    def _note(self, kind: Kind, decision: Decision, flows: tuple[str, ...], packets: _Packets, receivers: int) -> None:
        """Keep the evidence under each service that it touches."""
        receivers &= packets.receivers
        if not receivers:
            return
        for service, cell in self._touched(packets.services):
            finding = Finding(kind, packets.zone, service, decision, flows)
            self._found[finding].append(Place(packets.sender, cell, receivers))

    def _touched(self, services: int) -> tuple[tuple[str, int], ...]:
        """Give the names under which cells are known, each with one of these cells."""
        if services not in self._names:
            left = services
            names = []
            for name, mask in self._services.items():
                if services & mask:
                    names.append((name, next(iter(bits(services & mask)))))
                    left &= ~mask
            self._names[services] = (*names, *([(OTHER, next(iter(bits(left))))] if left else []))
        return self._names[services]


def _space(
    family: int,
    asked: Sequence[Section],
    expected: Sequence[Expected],
    senders: tuple[Zone, ...],
    receivers: tuple[Zone, ...],
) -> Space:
    within = [condition for condition in conditions(asked) if isinstance(condition, Within)]
    sources = [each.numbers for each in within if each.field is Field.SOURCE]
    destinations = [each.numbers for each in within if each.field is Field.DESTINATION]
    if family == IPV4:
        sources += [flow.sources for flow in expected]
        destinations += [flow.destinations for flow in expected]
    ports = [Within(Field.DESTINATION_PORT, flow.ports) for flow in expected]
    return Space(Side(senders, sources), Side(receivers, destinations), Services(family, [*within, *ports]))


def _by_flows(services: int, flows: Iterable[_Flow]) -> Iterator[tuple[int, list[_Flow]]]:
    """Divide services by the flows that allow them."""
    parts: list[tuple[int, list[_Flow]]] = [(services, [])] if services else []
    for flow in flows:
        parts = [
            piece
            for part, meant in parts
            for piece in ((part & flow.services, [*meant, flow]), (part & ~flow.services, meant))
            if piece[0]
        ]
    yield from parts
