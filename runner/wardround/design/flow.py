"""Flows: from components and zones to addresses."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from wardround.design.device_port import SITE, with_device_ports
from wardround.design.network import host_zone, internal_subnets, is_external
from wardround.model.architecture import Flow, Service
from wardround.model.base import Platform
from wardround.model.design import DesignFlow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.design.fault import Fault
    from wardround.design.parts import Parts
    from wardround.model.device import DeviceCatalogue
    from wardround.model.hospital import Hospital

CONTROL = "control"
MANAGED = "managed"
INTERNAL = "internal"
ZONE_PREFIX = "zone:"
WORDS = frozenset({CONTROL, MANAGED, INTERNAL})


class Endpoints:
    """Which hosts and subnets each word of a flow means in one hospital; looked up once, used by every flow."""

    def __init__(self, hospital: Hospital, parts: Parts) -> None:
        """Give each word that means hosts its hosts."""
        self._hospital = hospital
        self._internal = frozenset(internal_subnets(hospital, parts))
        self._hosts: dict[str, set[str]] = {}
        self._networks: dict[str, frozenset[IPv4Network]] = {}
        for name, host in hospital.hosts.items():
            self._meaning(host.component).add(name)
            zone = host_zone(hospital, parts, name)
            if zone is not None:
                self._meaning(f"{ZONE_PREFIX}{zone}").add(name)
                if not is_external(parts, zone):
                    self._meaning(INTERNAL).add(name)
            owned = parts.components.get(host.component)
            if owned is not None and owned.component.platform is Platform.MANAGED:
                self._meaning(MANAGED).add(name)

    def _meaning(self, word: str) -> set[str]:
        return self._hosts.setdefault(word, set())

    def hosts(self, words: Iterable[str]) -> tuple[str, ...]:
        """Give the names of the hosts that the words mean, those standing in a meant zone included."""
        return tuple(sorted(set[str]().union(*(self._hosts.get(word, ()) for word in words))))

    def networks(self, words: Iterable[str]) -> tuple[IPv4Network, ...]:
        """Give the addresses that the words mean: a zone's whole subnet, or /32 of each host."""
        found = frozenset[IPv4Network]().union(*(self._networks_of(word) for word in words))
        return tuple(sorted(found, key=lambda network: (int(network.network_address), network.prefixlen)))

    def _networks_of(self, word: str) -> frozenset[IPv4Network]:
        if word not in self._networks:
            self._networks[word] = self._look_up(word)
        return self._networks[word]

    def _look_up(self, word: str) -> frozenset[IPv4Network]:
        if word == CONTROL:
            return frozenset({IPv4Network(self._hospital.control.address)})
        if word == INTERNAL:
            return self._internal
        if word.startswith(ZONE_PREFIX):
            zone = self._hospital.zones.get(word.removeprefix(ZONE_PREFIX))
            return frozenset({zone.subnet} if zone is not None else ())
        return frozenset(IPv4Network(self._hospital.hosts[name].address) for name in self._hosts.get(word, ()))


def resolve_flows(
    hospital: Hospital, parts: Parts, catalogue: DeviceCatalogue
) -> tuple[tuple[DesignFlow, ...], list[Fault]]:
    """Give every flow with its addresses and ports, and name flows whose port nobody recorded for their devices."""
    endpoints = Endpoints(hospital, parts)
    flows: list[DesignFlow] = []
    faults: list[Fault] = []
    for flow in parts.flows():
        resolved = _resolve_flow(flow, parts.services[flow.service], endpoints)
        if not resolved.active or SITE not in resolved.ports:
            flows.append(resolved)
            continue
        filled, unknown = with_device_ports(resolved, hospital, parts, catalogue)
        flows.extend(filled)
        faults.extend(unknown)
    return tuple(flows), faults


def _resolve_flow(flow: Flow, service: Service, endpoints: Endpoints) -> DesignFlow:
    return DesignFlow(
        id=flow.id,
        service=flow.service,
        standard=service.standard,
        protocols=service.protocols,
        ports=tuple(str(port) for port in service.ports),
        purpose=flow.purpose,
        source_words=flow.sources,
        destination_words=flow.destinations,
        source_hosts=endpoints.hosts(flow.sources),
        destination_hosts=endpoints.hosts(flow.destinations),
        sources=endpoints.networks(flow.sources),
        destinations=endpoints.networks(flow.destinations),
    )
