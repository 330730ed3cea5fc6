"""Role variables: each source of an architecture becomes a value for one host."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from wardround.design.flow import MANAGED
from wardround.model.architecture import ZoneKind
from wardround.model.base import Platform
from wardround.model.source import (
    FromDevices,
    FromEach,
    FromFlows,
    FromFormat,
    FromHospital,
    FromHost,
    FromHosts,
    FromJoin,
    FromList,
    FromMap,
    FromOwn,
    FromParameter,
    FromRecords,
    FromSubnets,
    FromTest,
    FromValue,
    FromZones,
    HospitalSource,
    HostField,
    Source,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.design.parameter import Answers
    from wardround.model.base import JsonValue
    from wardround.model.design import DesignFlow, DesignHost, DesignZone
    from wardround.model.hospital import Hospital


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that a host's variables may take values from; its lists are made once a hospital."""

    hospital: Hospital
    answers: Answers
    hosts: tuple[DesignHost, ...]
    by_component: dict[str, tuple[DesignHost, ...]]
    """Hosts by their component, and all managed ones under `managed`."""
    zones: tuple[DesignZone, ...]
    flows: tuple[DesignFlow, ...]
    """The active ones."""
    inbound: dict[str, tuple[DesignFlow, ...]]
    outbound: dict[str, tuple[DesignFlow, ...]]
    outside: tuple[str, ...]
    """All addresses that lie in no zone of the hospital, as networks."""


def surroundings(
    hospital: Hospital,
    answers: Answers,
    hosts: tuple[DesignHost, ...],
    zones: tuple[DesignZone, ...],
    flows: tuple[DesignFlow, ...],
) -> Surroundings:
    """Index a hospital's hosts by component and its flows by the hosts at their ends."""
    by_component: dict[str, list[DesignHost]] = {MANAGED: [host for host in hosts if host.platform is Platform.MANAGED]}
    for host in hosts:
        by_component.setdefault(host.component, []).append(host)
    inbound: dict[str, list[DesignFlow]] = {}
    outbound: dict[str, list[DesignFlow]] = {}
    active = tuple(flow for flow in flows if flow.active)
    for flow in active:
        for name in flow.destination_hosts:
            inbound.setdefault(name, []).append(flow)
        for name in flow.source_hosts:
            outbound.setdefault(name, []).append(flow)
    return Surroundings(
        hospital,
        answers,
        hosts,
        {name: tuple(found) for name, found in by_component.items()},
        zones,
        active,
        {name: tuple(found) for name, found in inbound.items()},
        {name: tuple(found) for name, found in outbound.items()},
        tuple(map(str, _outside(zone.subnet for zone in zones if zone.kind is not ZoneKind.EXTERNAL))),
    )


def value_of(source: Source, architecture: str, host: DesignHost, around: Surroundings) -> JsonValue:
    """Give the value that the source has for the host; `architecture` is the one that wrote the source."""
    match source:
        case FromTest(own=field, one_of=values):
            return field_of(host, field) in values
        case FromOwn(own=field):
            return field_of(host, field)
        case FromFlows(flows="inbound"):
            return [_rule(flow, around, peers=flow.sources) for flow in around.inbound.get(host.name, ())]
        case FromFlows(flows="outbound"):
            return [_rule(flow, around, peers=flow.destinations) for flow in around.outbound.get(host.name, ())]
        case FromFlows():
            return [_rule(flow, around, sources=flow.sources, destinations=flow.destinations) for flow in around.flows]
        case _:
            return hospital_value(source, architecture, around)


def hospital_value(source: HospitalSource, architecture: str, around: Surroundings) -> JsonValue:
    """Give the value that the source has for every host; `architecture` is the one that wrote the source."""
    match source:
        case FromValue(value=value):
            return value
        case FromParameter(parameter=parameter):
            owner, _, name = parameter.rpartition(".")
            return around.answers[owner or architecture][name]
        case FromHospital(hospital="control_network"):
            return f"{around.hospital.control.address}/32"
        case FromHospital(hospital=field_name):
            return str(getattr(around.hospital, field_name))
        case FromList() | FromJoin() | FromMap() | FromEach():
            return _composed(source, architecture, around)
        case _:
            return _looked_up(source, around)


def _composed(source: FromList | FromJoin | FromMap | FromEach, architecture: str, around: Surroundings) -> JsonValue:
    match source:
        case FromList(list=sources):
            return [hospital_value(each, architecture, around) for each in sources]
        case FromJoin(join=sources):
            return [member for each in sources for member in _members(hospital_value(each, architecture, around))]
        case FromMap(map=named):
            return {name: hospital_value(each, architecture, around) for name, each in named.items()}
        case FromEach(each=components, entry=entry):
            return [
                {name: value_of(each, architecture, host, around) for name, each in entry.items()}
                for host in around.hosts
                if host.component in components
            ]


def _members(value: JsonValue) -> list[JsonValue]:
    """Give what a list holds; nothing holds nothing, and a single value holds itself."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _looked_up(
    source: FromHosts | FromHost | FromFormat | FromSubnets | FromZones | FromRecords | FromDevices,
    around: Surroundings,
) -> JsonValue:
    found: JsonValue
    match source:
        case FromHosts(hosts=word, field=field):
            found = [field_of(each, field) for each in around.by_component.get(word, ())]
        case FromHost(host=component, field=field):
            hosts = around.by_component.get(component, ())
            found = field_of(hosts[0], field) if hosts else None
        case FromFormat(host=component, format=text):
            hosts = around.by_component.get(component, ())
            found = _formatted(text, hosts[0]) if hosts else ""
        case FromSubnets(subnets=words):
            found = [str(zone.subnet) for zone in around.zones if any(_meant(zone, word) for word in words)]
        case FromZones(zones=words):
            found = [_zone(zone) for zone in around.zones if any(_meant(zone, word) for word in words)]
        case FromRecords(records="certificates"):
            supplicants = _supplicants(around)
            meant = [each for each in around.hosts if each.platform is Platform.MANAGED or each.name in supplicants]
            found = [_certificate(each) for each in meant]
        case FromRecords(records=which):
            meant = [each for each in around.hosts if which in ("hosts", each.platform.value)]
            found = [{"name": each.name, "address": str(each.address)} for each in meant]
        case FromDevices(devices=which):
            found = [each for each in _devices(around) if which == "all" or not each["supplicant"]]
    return found


def _certificate(host: DesignHost) -> JsonValue:
    return {
        "subject": host.name,
        "names": field_of(host, HostField.NAMES),
        "addresses": field_of(host, HostField.ADDRESSES),
    }


def _supplicants(around: Surroundings) -> set[str]:
    return {name for name, host in around.hospital.hosts.items() if host.supplicant}


def _devices(around: Surroundings) -> list[dict[str, JsonValue]]:
    vlans = {zone.name: zone.vlan for zone in around.zones}
    supplicants = _supplicants(around)
    return [
        {
            "name": host.name,
            "fqdn": host.fqdn,
            "mac": host.mac,
            "address": str(host.address),
            "zone": host.zone,
            "vlan": vlans[host.zone],
            "criticality": host.criticality.value,
            "supplicant": host.name in supplicants,
        }
        for host in around.hosts
        if host.name in supplicants or (host.mac and host.platform is Platform.UNMANAGED)
    ]


def field_of(host: DesignHost, field: HostField) -> JsonValue:
    """Give one property of a host as plain data."""
    match field:
        case HostField.NAMES:
            # Never the short name: the hospital's authority may only certify names inside the hospital's domain.
            return [host.fqdn]
        case HostField.ADDRESSES:
            return [str(host.address)]
        case _:
            value = getattr(host, field.value)
            return None if value is None else str(value)


def _formatted(text: str, host: DesignHost) -> str:
    return text.replace("{name}", host.name).replace("{fqdn}", host.fqdn).replace("{address}", str(host.address))


def _meant(zone: DesignZone, word: str) -> bool:
    if word == "internal":
        return zone.kind is not ZoneKind.EXTERNAL
    return word in (zone.kind.value, zone.name)


def _zone(zone: DesignZone) -> JsonValue:
    way_out: dict[str, JsonValue] = {} if zone.gateway is None else {"gateway": str(zone.gateway)}
    return {"name": zone.name, "kind": zone.kind.value, "subnet": str(zone.subnet), **way_out}


def _rule(flow: DesignFlow, around: Surroundings, **ends: tuple[IPv4Network, ...]) -> JsonValue:
    return {
        "flow": flow.id,
        "protocols": [protocol.value for protocol in flow.protocols],
        "ports": list(flow.ports),
        **{end: _addresses(networks, around) for end, networks in ends.items()},
        "purpose": flow.purpose,
    }


def _addresses(networks: tuple[IPv4Network, ...], around: Surroundings) -> list[JsonValue]:
    # The world outside is none of the hospital's zones: a way to the internet opens no way to a neighbour.
    meant = [around.outside if network.prefixlen == 0 else (str(network),) for network in networks]
    return [text.removesuffix("/32") for texts in meant for text in texts]


def _outside(internal: Iterable[IPv4Network]) -> list[IPv4Network]:
    """Give the networks that cover all IPv4 addresses but those of some networks."""
    left = [IPv4Network("0.0.0.0/0")]
    for taken in internal:
        left = [
            part
            for network in left
            for part in (network.address_exclude(taken) if taken.subnet_of(network) else [network])
            if not part.subnet_of(taken)
        ]
    return sorted(left)
