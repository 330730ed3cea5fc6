"""Zones and addresses: where every host stands, and what cannot be so."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from wardround.design.fault import Fault, did_you_mean
from wardround.model.architecture import ZoneKind

if TYPE_CHECKING:
    from wardround.design.fault import ManifestPath
    from wardround.design.parts import Parts
    from wardround.model.hospital import Hospital, Zone

GATEWAY_COMPONENT = "zone_gateway"
"""Its hosts stand in every zone and own the zones' gateway addresses; their own address lies in one zone."""

_SMALLEST_SUBNET_WITH_GATEWAY = 30


def gateway_of(zone: Zone) -> IPv4Address:
    """Give a zone's way out: the one it names, else the first host address of its subnet."""
    if zone.gateway is not None:
        return zone.gateway
    return IPv4Address(int(zone.subnet.network_address) + 1)


def is_external(parts: Parts, zone: str) -> bool:
    """Say whether a zone is somebody else's: it has no gateway of ours and may be one address or the whole internet."""
    return zone in parts.zones and parts.zones[zone].kind is ZoneKind.EXTERNAL


def zone_faults(hospital: Hospital, parts: Parts) -> list[Fault]:
    """Name unknown zones, missing ones, overlapping subnets and gateways outside their zone."""
    faults: list[Fault] = []
    for name, zone in hospital.zones.items():
        if name not in parts.zones:
            faults.append(
                Fault(
                    "WR-140",
                    f'no pinned architecture has a zone "{name}"{did_you_mean(name, parts.zones)}',
                    ("zones", name),
                    f"known zones: {', '.join(sorted(parts.zones))}",
                )
            )
        if is_external(parts, name):
            continue
        if zone.subnet.prefixlen > _SMALLEST_SUBNET_WITH_GATEWAY:
            faults.append(
                Fault(
                    "WR-140",
                    f"subnet {zone.subnet} of zone {name} has no room for a gateway and a host",
                    ("zones", name, "subnet"),
                    "use /30 or larger",
                )
            )
        elif gateway_of(zone) not in zone.subnet:
            faults.append(
                Fault(
                    "WR-132",
                    f"gateway {zone.gateway} is outside {zone.subnet} of zone {name}",
                    ("zones", name, "gateway"),
                    f"use an address of {zone.subnet}",
                )
            )
        elif gateway_of(zone) in (zone.subnet.network_address, zone.subnet.broadcast_address):
            faults.append(
                Fault(
                    "WR-143",
                    f"gateway {zone.gateway} is the network's or the broadcast address of zone {name}",
                    ("zones", name, "gateway"),
                    f"use another address of {zone.subnet}",
                )
            )
    faults.extend(
        Fault(
            "WR-140",
            f'zone "{name}" is required by the architecture and has no subnet',
            ("zones",),
            f"add {name}: {{subnet: …}} under zones",
        )
        for name, template in parts.zones.items()
        if template.required and name not in hospital.zones
    )
    faults.extend(_overlaps(hospital, parts))
    return faults


def _overlaps(hospital: Hospital, parts: Parts) -> list[Fault]:
    # An external zone may be the whole internet, so a hospital's own subnets lie inside it by nature.
    ordered = sorted(
        (int(zone.subnet.network_address), int(zone.subnet.broadcast_address), name)
        for name, zone in hospital.zones.items()
        if zone.subnet.prefixlen > 0 or (name in parts.zones and not is_external(parts, name))
    )
    faults = []
    end, widest = -1, ""
    for first, last, name in ordered:
        if first <= end:
            faults.append(
                Fault(
                    "WR-131",
                    f"subnet {hospital.zones[name].subnet} of zone {name} overlaps "
                    f"{hospital.zones[widest].subnet} of zone {widest}",
                    ("zones", name, "subnet"),
                    "give each zone a subnet of its own",
                )
            )
        if last > end:
            end, widest = last, name
    return faults


def host_zone(hospital: Hospital, parts: Parts, name: str) -> str | None:
    """Give the zone a host stands in: the one it names, else its component's only zone."""
    host = hospital.hosts[name]
    if host.zone is not None:
        return host.zone
    owned = parts.components.get(host.component)
    if owned is not None and len(owned.component.zones) == 1:
        return owned.component.zones[0]
    return None


def placement_faults(hospital: Hospital, parts: Parts) -> list[Fault]:
    """Name hosts in a zone they may not stand in, outside their zone's subnet, or sharing an address or MAC."""
    faults: list[Fault] = []
    for name, host in hospital.hosts.items():
        owned = parts.components.get(host.component)
        if owned is None:
            continue
        zone_name = host_zone(hospital, parts, name)
        if zone_name is None or (zone_name not in owned.component.zones):
            said = f"stands in zone {zone_name}" if zone_name else "names no zone"
            faults.append(
                Fault(
                    "WR-140",
                    f"host {name} {said}; a {host.component} stands in {' or '.join(owned.component.zones)}",
                    ("hosts", name, "zone"),
                    "name one of these zones",
                )
            )
            continue
        zone = hospital.zones.get(zone_name)
        if zone is None:
            faults.append(
                Fault(
                    "WR-140",
                    f"host {name} stands in zone {zone_name}, which has no subnet",
                    ("hosts", name),
                    f"add {zone_name}: {{subnet: …}} under zones",
                )
            )
            continue
        path = ("hosts", name, "address")
        place = _Place(f"host {name}", host.address, zone_name, path, is_gateway=host.component == GATEWAY_COMPONENT)
        faults.extend(_address_faults(place, hospital, parts))
    faults.extend(_control_faults(hospital, parts))
    faults.extend(_duplicates(hospital))
    return faults


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose address it is, in which zone, and under which key of the manifest."""

    whose: str
    address: IPv4Address
    zone: str
    path: ManifestPath
    is_gateway: bool = False


def _address_faults(place: _Place, hospital: Hospital, parts: Parts) -> list[Fault]:
    zone = hospital.zones[place.zone]
    if place.address not in zone.subnet:
        return [
            Fault(
                "WR-132",
                f"address {place.address} of {place.whose} is outside {zone.subnet} of zone {place.zone}",
                place.path,
                f"use a free address of {zone.subnet}",
            )
        ]
    if is_external(parts, place.zone):
        return []
    taken = {zone.subnet.network_address: "the network's", zone.subnet.broadcast_address: "the broadcast"}
    if not place.is_gateway:
        taken[gateway_of(zone)] = "the gateway's"
    if place.address in taken:
        return [
            Fault(
                "WR-143",
                f"address {place.address} of {place.whose} is {taken[place.address]} address of zone {place.zone}",
                place.path,
                f"use a free address of {zone.subnet}",
            )
        ]
    return []


def _control_faults(hospital: Hospital, parts: Parts) -> list[Fault]:
    zone = hospital.control.zone
    if zone not in hospital.zones:
        return [
            Fault(
                "WR-140",
                f"the control node stands in zone {zone}, which has no subnet",
                ("control", "zone"),
                "add the zone under zones",
            )
        ]
    place = _Place("the control node", hospital.control.address, zone, ("control", "address"))
    return _address_faults(place, hospital, parts)


def _duplicates(hospital: Hospital) -> list[Fault]:
    faults = []
    addresses: dict[IPv4Address, str] = {hospital.control.address: "the control node"}
    macs: dict[str, str] = {}
    for name, host in hospital.hosts.items():
        first = addresses.setdefault(host.address, name)
        if first != name:
            faults.append(
                Fault(
                    "WR-133",
                    f"{first} and {name} both have address {host.address}",
                    ("hosts", name, "address"),
                    "give each host an address of its own",
                )
            )
        if host.mac is not None:
            first = macs.setdefault(host.mac, name)
            if first != name:
                faults.append(
                    Fault(
                        "WR-134",
                        f"{first} and {name} both have MAC {host.mac}",
                        ("hosts", name, "mac"),
                        "check the asset list",
                    )
                )
    return faults


def internal_subnets(hospital: Hospital, parts: Parts) -> tuple[IPv4Network, ...]:
    """Give the subnets inside the hospital: every zone's but the external ones'."""
    return tuple(
        sorted(
            zone.subnet for name, zone in hospital.zones.items() if name in parts.zones and not is_external(parts, name)
        )
    )
