"""What a design expects of packets: its zones, services and flows as sets of addresses and ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.model.architecture import Protocol, ZoneKind
from wardround.proof.axis import Zone
from wardround.proof.ranges import Ranges
from wardround.proof.ruleset import ALL_ADDRESSES, IPV4

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from ipaddress import IPv4Network

    from wardround.model.design import Design, DesignFlow

OUTSIDE: Final = "(outside)"
"""All IPv4 addresses that lie in no zone of the design."""
IPV6: Final = "(ipv6)"
"""All IPv6 addresses: designs give zones IPv4 subnets only, so no flow allows anything among them."""
_NUMBERS: Final = {Protocol.TCP: 6, Protocol.UDP: 17}
_EVERYTHING: Final = {family: Ranges(((0, top),)) for family, top in ALL_ADDRESSES.items()}


@dataclass(frozen=True, slots=True)
class Expected:
    """A flow of the design as addresses, protocol numbers and ports."""

    flow: str
    service: str
    sources: Ranges
    destinations: Ranges
    protocols: tuple[int, ...]
    ports: Ranges


def zones_of(design: Design, family: int, interfaces: Mapping[str, str]) -> tuple[Zone, ...]:
    """Give all addresses of a family as zones that share none; an address belongs to the narrowest subnet around it.

    Args:
        design: the hospital.
        family: 4 or 6.
        interfaces: zones, and the interface of the asked host behind which each lies, as far as that is known.
    """
    if family != IPV4:
        return (Zone(IPV6, _EVERYTHING[family], interfaces.get(IPV6)),)
    taken = Ranges()
    found = []
    for zone in sorted(design.zones, key=lambda each: (-each.subnet.prefixlen, each.name)):
        own = _addresses([zone.subnet])
        free = own.without(taken)
        if free.spans:
            found.append(Zone(zone.name, free, interfaces.get(zone.name)))
        taken = taken.joined(own)
    outside = _EVERYTHING[family].without(taken)
    if outside.spans:
        found.append(Zone(OUTSIDE, outside, interfaces.get(OUTSIDE)))
    return tuple(sorted(found, key=lambda each: each.name))


def expected_flows(design: Design) -> tuple[Expected, ...]:
    """Give the design's active flows; one to or from 0.0.0.0/0 means all that is outside, as on the gateway."""
    internal = _addresses(zone.subnet for zone in design.zones if zone.kind is not ZoneKind.EXTERNAL)
    outside = _EVERYTHING[IPV4].without(internal)
    return tuple(
        Expected(
            flow.id,
            flow.service,
            _end(flow.sources, outside),
            _end(flow.destinations, outside),
            tuple(_NUMBERS[protocol] for protocol in flow.protocols),
            _ports(flow),
        )
        for flow in design.flows
        if flow.active
    )


def _end(networks: Iterable[IPv4Network], outside: Ranges) -> Ranges:
    return Ranges.of(
        span
        for network in networks
        for span in (outside.spans if network.prefixlen == 0 else _addresses([network]).spans)
    )


def _addresses(networks: Iterable[IPv4Network]) -> Ranges:
    return Ranges.of((int(network.network_address), int(network.broadcast_address)) for network in networks)


def _ports(flow: DesignFlow) -> Ranges:
    ends = ((port.partition("-")[0], port.rpartition("-")[2]) for port in flow.ports)
    return Ranges.of((int(low), int(high)) for low, high in ends)
