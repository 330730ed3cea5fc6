"""What a twin consists of: filled from a design, checked here, and turned into names without touching anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations, count

from wardround.errors import TwinError
from wardround.model.base import HostName, MacAddress, Model, Name
from wardround.model.design import DesignSecret
from wardround.twin.image import Release

INTERFACE_LIMIT = 15
"""Characters of a Linux interface name (IFNAMSIZ without its final NUL)."""

GATEWAY = "-gateway"
"""Stands for the gateway where a host's name is asked for; no host's name begins with a hyphen."""


class TwinZone(Model):
    """A network segment; `vlan` is what the hospital's switches tag, the twin gives each zone a bridge of its own."""

    id: Name
    subnet: IPv4Network
    gateway: IPv4Address
    vlan: int | None = None


class TwinMachine(Model):
    """Something at a network port of a zone."""

    name: HostName
    zone: Name
    address: IPv4Address
    mac: MacAddress | None = None


class TwinBystander(TwinMachine):
    """The place of a host that nobody manages from here: an address, from which a test can speak and be spoken to."""


class TwinTenant(TwinBystander):
    """A bystander that is a real ERP in the cloud."""

    tls_name: str
    """The name by which the connector knows it, and which its certificate carries."""

    caller: HostName
    """The connector."""

    architecture: Name
    """The connector's architecture, whose parameters say which authority issued the ERP's certificate."""


class TwinHost(TwinMachine):
    """A managed host.

    One with `uplink` also reaches this machine's package mirror, as a patch mirror must. One that is the `gateway`
    stands in every zone, besides with an address of its own in one.
    """

    release: Release
    uplink: bool = False
    gateway: bool = False


class TwinControl(Model):
    """Where this machine stands in the twin: the zone in which the provider lands, and its address there."""

    zone: Name
    address: IPv4Address


class TwinHospital(Model):
    """Everything a twin is built from: the gateway boots with `forward_rules`, the vault holds `secrets`."""

    name: HostName
    zones: tuple[TwinZone, ...]
    hosts: tuple[TwinHost, ...]
    control: TwinControl
    forward_rules: str
    bystanders: tuple[TwinBystander, ...] = ()
    secrets: tuple[DesignSecret, ...] = ()

    @property
    def machines(self) -> tuple[TwinMachine, ...]:
        """Hosts and bystanders."""
        return (*self.hosts, *self.bystanders)

    @property
    def tenant(self) -> TwinTenant | None:
        """The bystander that is an ERP."""
        return next((each for each in self.bystanders if isinstance(each, TwinTenant)), None)


@dataclass(frozen=True, slots=True)
class Leg:
    """One network interface of a container: in which zone, under which name inside and as which port of the bridge."""

    zone: TwinZone
    interface: str
    port: str
    mac: str
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Lab:
    """A twin with every name decided. Build it with `lab()`."""

    hospital: TwinHospital
    namespace: str
    interfaces: dict[str, str]
    blackhole_metric: int

    @property
    def control_interface(self) -> str:
        """This machine's only interface in the twin."""
        return self.interfaces["control"]

    @property
    def control_port(self) -> str:
        """The bridge's end of this machine's interface."""
        return self.interfaces["control/port"]

    def bridge(self, zone: str) -> str:
        """Return the bridge of a zone."""
        return self.interfaces[f"zone/{zone}"]

    def zone(self, name: str) -> TwinZone:
        """Return the zone called `name`."""
        return next(zone for zone in self.hospital.zones if zone.id == name)

    def host(self, name: str) -> TwinHost:
        """Return the host called `name`, or refuse a name that the manifest does not hold."""
        for host in self.hospital.hosts:
            if host.name == name:
                return host
        raise TwinError(
            f"{self.hospital.name} has no managed host {name}",
            remedy=f"one of: {', '.join(host.name for host in self.hospital.hosts)}",
        )

    def machine(self, name: str) -> TwinMachine:
        """Return the host or bystander called `name`, which the hospital holds."""
        return next(machine for machine in self.hospital.machines if machine.name == name)

    @property
    def gateway_host(self) -> TwinHost | None:
        """The managed host that is the gateway; without one, the gateway belongs to the twin alone."""
        return next((host for host in self.hospital.hosts if host.gateway), None)

    def container(self, host: str) -> str:
        """Return podman's name of a host's container."""
        return container_name(self.hospital.name, host)

    def legs(self, machine: TwinMachine) -> tuple[Leg, ...]:
        """Return a machine's interfaces in its hospital; an uplink is podman's and not among them."""
        if is_gateway(machine):
            return self.gateway_legs()
        zone = self.zone(machine.zone)
        mac = machine.mac or mac_address(self.hospital.name, machine.name)
        # Podman calls the uplink eth0.
        interface = "eth1" if has_uplink(machine) else "eth0"
        return (Leg(zone, interface, self.interfaces[f"host/{machine.name}"], mac, machine.address),)

    def gateway_legs(self) -> tuple[Leg, ...]:
        """Return the gateway's interfaces, one in each zone."""
        host = self.gateway_host
        own = {host.zone: host.mac} if host is not None else {}
        return tuple(
            Leg(
                zone,
                self.interfaces[f"gateway/{zone.id}"],
                self.interfaces[f"gateway/{zone.id}"],
                own.get(zone.id) or mac_address(self.hospital.name, f"gateway/{zone.id}"),
                zone.gateway,
            )
            for zone in self.hospital.zones
        )


def is_gateway(machine: TwinMachine) -> bool:
    """Whether the zones' traffic passes it."""
    return isinstance(machine, TwinHost) and machine.gateway


def has_uplink(machine: TwinMachine) -> bool:
    """Whether it also stands on podman's own network."""
    return isinstance(machine, TwinHost) and machine.uplink


def lab(hospital: TwinHospital) -> Lab:
    """Check that a hospital can be built on one machine, and decide all names.

    Raises:
        TwinError: zones overlap or are public, an address is outside its zone, two hosts share one, or are the gateway.
    """
    _check(hospital)
    return Lab(
        hospital=hospital,
        namespace=namespace_name(hospital.name),
        interfaces=interface_names(hospital.name, _keys(hospital)),
        blackhole_metric=blackhole_metric(hospital.name),
    )


def namespace_name(hospital: str) -> str:
    """Return the network namespace that holds a hospital's bridges."""
    return f"wr-{hospital}"


def container_name(hospital: str, host: str) -> str:
    """Return podman's name of a host's container; two hyphens, because a single one may be part of either name."""
    return f"wr-{hospital}--{host}"


def blackhole_metric(hospital: str) -> int:
    """Return the metric of a hospital's blackhole routes: worse than any other route's, and its mark of ownership."""
    return 0xF000_0000 | int(_digest(hospital)[:7], 16)


def control_interface_name(hospital: str) -> str:
    """Return this machine's only interface in a hospital's twin."""
    return interface_names(hospital, ("control",))["control"]


def mac_address(hospital: str, key: str) -> str:
    """Derive a locally administered unicast MAC address (IEEE 802, bit 1 of the first octet)."""
    digits = _digest(f"{hospital}/{key}")
    return ":".join(["02", *(digits[place : place + 2] for place in range(0, 10, 2))])


def interface_names(hospital: str, keys: Iterable[str]) -> dict[str, str]:
    """Give every key an interface name of at most 15 characters, all different and the same each time.

    The first key keeps its name whatever comes after it.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key in keys:
        candidates = (f"wr{_digest(f'{hospital}/{key}/{salt}')[: INTERFACE_LIMIT - 2]}" for salt in count())
        names[key] = next(name for name in candidates if name not in taken)
        taken.add(names[key])
    return names


def _keys(hospital: TwinHospital) -> Iterator[str]:
    yield "control"
    yield "control/port"
    yield from (f"{kind}/{zone.id}" for kind in ("zone", "gateway") for zone in hospital.zones)
    yield from (f"host/{machine.name}" for machine in hospital.machines)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check(hospital: TwinHospital) -> None:
    where = f"{hospital.name}.zones"
    zones = {zone.id: zone for zone in hospital.zones}
    for zone in hospital.zones:
        if not zone.subnet.is_private:
            raise TwinError(f"zone {zone.id}'s subnet {zone.subnet} is public; a twin must not hide it", path=where)
        if zone.gateway not in zone.subnet:
            raise TwinError(f"zone {zone.id}'s gateway {zone.gateway} is outside {zone.subnet}", path=where)
    for one, other in combinations(hospital.zones, 2):
        if one.id == other.id or one.subnet.overlaps(other.subnet):
            raise TwinError(f"zones {one.id} {one.subnet} and {other.id} {other.subnet} overlap", path=where)
    gateways = [host for host in hospital.hosts if host.gateway]
    if len(gateways) > 1 or any(host.uplink for host in gateways):
        names = " and ".join(host.name for host in gateways)
        raise TwinError(f"{names}: a twin has one gateway, whose only networks are the zones", path=hospital.name)
    placed = [(machine.name, machine.zone, machine.address) for machine in hospital.machines]
    placed.append(("the control node", hospital.control.zone, hospital.control.address))
    # The gateway itself may be known by its zone's gateway address.
    own = {host.address for host in gateways}
    owners = {zone.gateway: f"the gateway of {zone.id}" for zone in hospital.zones if zone.gateway not in own}
    for name, zone_id, address in placed:
        if zone_id not in zones or address not in zones[zone_id].subnet:
            raise TwinError(f"{name} has the address {address}, which is not in zone {zone_id}", path=hospital.name)
        if address in owners:
            raise TwinError(f"{name} and {owners[address]} share the address {address}", path=hospital.name)
        owners[address] = name
