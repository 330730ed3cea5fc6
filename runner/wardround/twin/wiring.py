"""Wires of a twin: bridges, ports, addresses and routes, as the text that `ip -batch` reads."""

from __future__ import annotations

from wardround.twin.guard import PROTOCOL
from wardround.twin.plan import Lab, Leg, TwinMachine, has_uplink, is_gateway


def bridge_commands(lab: Lab, present: frozenset[str]) -> tuple[str, ...]:
    """Return the commands, for the twin's namespace, that make its bridges what they should be.

    Args:
        lab: the twin.
        present: names of the interfaces that the namespace holds now.
    """
    wanted = frozenset(lab.bridge(zone.id) for zone in lab.hospital.zones)
    ports = {leg.port for machine in lab.hospital.machines for leg in lab.legs(machine)}
    ports |= {leg.port for leg in lab.gateway_legs()} | {lab.control_port, "lo"}
    commands = [f"link del {name}" for name in sorted(present - wanted - ports)]
    for name in sorted(wanted - present):
        commands += [f"link add {name} type bridge stp_state 0 mcast_snooping 0", f"link set {name} up"]
    return tuple(commands)


def control_commands(lab: Lab) -> tuple[str, ...]:
    """Return the commands, for this machine, that create its only interface in the twin."""
    return (f"link add {lab.control_interface} type veth peer name {lab.control_port} netns {lab.namespace}",)


def control_port_commands(lab: Lab) -> tuple[str, ...]:
    """Return the commands, for the twin's namespace, that plug this machine into the control zone."""
    return (f"link set {lab.control_port} master {lab.bridge(lab.hospital.control.zone)} up",)


def control_route_commands(lab: Lab) -> tuple[str, ...]:
    """Return the commands, for this machine, that give it its address and lead to other zones through the gateway."""
    zone = lab.zone(lab.hospital.control.zone)
    name = lab.control_interface
    commands = [
        f"link set {name} up",
        f"address replace {lab.hospital.control.address}/{zone.subnet.prefixlen} dev {name}",
    ]
    commands += [
        f"route replace {other.subnet} via {zone.gateway} dev {name} proto {PROTOCOL}"
        for other in lab.hospital.zones
        if other.id != zone.id
    ]
    return tuple(commands)


def port_commands(lab: Lab, legs: tuple[Leg, ...], pid: int, present: frozenset[str]) -> tuple[str, ...]:
    """Return the commands, for the twin's namespace, that plug a container's interfaces into their bridges.

    Args:
        lab: the twin.
        legs: interfaces of the container.
        pid: the container's first process, whose network namespace receives the other ends.
        present: ports that a stopped container left behind.
    """
    commands = [f"link del {leg.port}" for leg in legs if leg.port in present]
    for leg in legs:
        end = f"name {leg.interface} address {leg.mac} netns {pid}"
        commands += [
            f"link add {leg.port} type veth peer {end}",
            f"link set {leg.port} master {lab.bridge(leg.zone.id)} up",
        ]
    return tuple(commands)


def machine_commands(lab: Lab, machine: TwinMachine) -> tuple[str, ...]:
    """Return the commands, for a machine's own namespace, that give it its address and its way through the gateway."""
    if is_gateway(machine):
        return gateway_commands(lab)
    commands = _leg_commands(lab.legs(machine))
    (leg,) = lab.legs(machine)
    others = [zone.subnet for zone in lab.hospital.zones if zone.id != machine.zone]
    # An uplink keeps podman's default route and knows the hospital's zones one by one.
    targets = [str(subnet) for subnet in others] if has_uplink(machine) else ["default"]
    routes = [f"route replace {target} via {leg.zone.gateway} dev {leg.interface}" for target in targets]
    return (*commands, *routes)


def gateway_commands(lab: Lab) -> tuple[str, ...]:
    """Return the commands, for the gateway's own namespace, that give it an address in each zone.

    A managed host has one address besides, and speaks from it into every zone: by it the other hosts know it.
    """
    legs, host = lab.gateway_legs(), lab.gateway_host
    commands = _leg_commands(legs)
    if host is not None:
        home = next(leg for leg in legs if leg.zone.id == host.zone)
        commands.append(f"address replace {host.address}/{home.zone.subnet.prefixlen} dev {home.interface}")
        commands += [
            f"route replace {leg.zone.subnet} dev {leg.interface} scope link src {host.address}" for leg in legs
        ]
    return tuple(commands)


def _leg_commands(legs: tuple[Leg, ...]) -> list[str]:
    commands = []
    for leg in legs:
        commands += [
            f"link set {leg.interface} up",
            f"address replace {leg.address}/{leg.zone.subnet.prefixlen} dev {leg.interface}",
        ]
    return commands
