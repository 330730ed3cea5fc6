"""Flows: from components and zones to addresses."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from wardround.design.fault import Fault
from wardround.design.network import host_zone, internal_subnets
from wardround.model.architecture import Flow, Service
from wardround.model.base import Platform
from wardround.model.design import DesignFlow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.design.parts import Parts
    from wardround.model.hospital import Hospital

CONTROL = "control"
MANAGED = "managed"
INTERNAL = "internal"
ZONE_PREFIX = "zone:"
WORDS = frozenset({CONTROL, MANAGED, INTERNAL})


class Endpoints:
    """Which hosts and subnets each word of a flow means in one hospital; looked up once, used by every flow."""

    def __init__(self, hospital: Hospital, parts: Parts) -> None:
        """Index the hosts by component."""
        self._hospital = hospital
        self._internal = internal_subnets(hospital, parts)
        self._by_component: dict[str, list[str]] = {}
        self._managed: list[str] = []
        for name in sorted(hospital.hosts):
            component = hospital.hosts[name].component
            self._by_component.setdefault(component, []).append(name)
            if component in parts.components and parts.components[component].component.platform is Platform.MANAGED:
                self._managed.append(name)
        self._zone_of = {name: host_zone(hospital, parts, name) for name in hospital.hosts}

    def hosts(self, words: Iterable[str]) -> tuple[str, ...]:
        """Give the names of the hosts that the words mean, those standing in a meant zone included."""
        found: set[str] = set()
        for word in words:
            if word == MANAGED:
                found.update(self._managed)
            elif word == INTERNAL:
                found.update(self._hospital.hosts)
            elif word.startswith(ZONE_PREFIX):
                zone = word.removeprefix(ZONE_PREFIX)
                found.update(name for name, where in self._zone_of.items() if where == zone)
            elif word != CONTROL:
                found.update(self._by_component.get(word, ()))
        return tuple(sorted(found))

    def networks(self, words: Iterable[str]) -> tuple[IPv4Network, ...]:
        """Give the addresses that the words mean: a zone's whole subnet, or /32 of each host."""
        found: set[IPv4Network] = set()
        for word in words:
            if word == CONTROL:
                found.add(IPv4Network(self._hospital.control.address))
            elif word == INTERNAL:
                found.update(self._internal)
            elif word.startswith(ZONE_PREFIX):
                zone = self._hospital.zones.get(word.removeprefix(ZONE_PREFIX))
                if zone is not None:
                    found.add(zone.subnet)
            else:
                found.update(IPv4Network(self._hospital.hosts[name].address) for name in self.hosts((word,)))
        return tuple(sorted(found))


def resolve_flows(hospital: Hospital, parts: Parts) -> tuple[tuple[DesignFlow, ...], list[Fault]]:
    """Give every flow with its addresses, and name flows whose port only the site knows and has not filled."""
    endpoints = Endpoints(hospital, parts)
    flows: list[DesignFlow] = []
    faults: list[Fault] = []
    for flow in parts.flows():
        resolved = _resolve_flow(flow, parts.services[flow.service], endpoints)
        flows.append(resolved)
        if resolved.active and "site" in resolved.ports:
            faults.append(
                Fault(
                    "WR-145",
                    f'flow {flow.id} ({flow.purpose}): only the device model knows the port of "{flow.service}"',
                    ("hosts",),
                    "name a device model whose port is recorded for every host of the flow",
                )
            )
    return tuple(flows), faults


def _resolve_flow(flow: Flow, service: Service, endpoints: Endpoints) -> DesignFlow:
    return DesignFlow(
        id=flow.id,
        service=flow.service,
        protocols=service.protocols,
        ports=tuple(str(port) for port in service.ports),
        purpose=flow.purpose,
        source_hosts=endpoints.hosts(flow.sources),
        destination_hosts=endpoints.hosts(flow.destinations),
        sources=endpoints.networks(flow.sources),
        destinations=endpoints.networks(flow.destinations),
    )
