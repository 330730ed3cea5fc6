"""The network of a twin on this machine: a namespace with its bridges, this machine's leg, containers plugged in."""

from __future__ import annotations

import json
from pathlib import Path

from wardround.twin.command import attempt, run
from wardround.twin.guard import blackhole_commands, blackholes, check_subnets, machine_routes
from wardround.twin.plan import Lab, Leg, blackhole_metric, control_interface_name, namespace_name
from wardround.twin.wiring import (
    bridge_commands,
    control_commands,
    control_port_commands,
    control_route_commands,
    port_commands,
)

_NAMESPACES = Path("/run/netns")
_SETTINGS = Path("/proc/sys/net")
# Podman mounts /proc/sys read-only. Only net.* belongs to a network namespace; all else there is this machine's.
_OPEN_NET_SETTINGS = """
mountpoint -q /proc/sys/net && exit 0
folder=$(mktemp -d)
mount -t proc proc "$folder"
mount --bind "$folder/sys/net" /proc/sys/net
umount "$folder"
rmdir "$folder"
"""


def guard_machine(lab: Lab) -> bool:
    """Refuse subnets in use, then lay the blackhole routes; return whether one was missing.

    Must come before anything uses an address of the lab.
    """
    routes = machine_routes()
    resolvers = Path("/etc/resolv.conf").read_text(encoding="utf-8")
    check_subnets(lab, routes, resolvers, run(("podman", "network", "inspect", "podman")))
    commands = blackhole_commands(lab, routes)
    _batch(commands)
    return bool(commands)


def ensure_switch(lab: Lab) -> bool:
    """Create the namespace and the bridges, one a zone; return whether anything was missing."""
    fresh = not (_NAMESPACES / lab.namespace).exists()
    if fresh:
        run(("ip", "netns", "add", lab.namespace))
    # A zone is IPv4 only, and a bridge must not speak for itself.
    setting = "net.ipv6.conf.default.disable_ipv6=1"
    run(("ip", "netns", "exec", lab.namespace, "sysctl", "-q", "-w", setting))
    commands = bridge_commands(lab, interfaces(lab.namespace))
    _batch(commands, namespace=lab.namespace)
    return fresh or bool(commands)


def ensure_leg(lab: Lab) -> bool:
    """Give this machine its interface in the control zone and routes through the gateway; return whether it was new."""
    fresh = not (_SETTINGS / "ipv4/conf" / lab.control_interface).exists()
    if fresh:
        _batch(control_commands(lab))
    # This machine may route for podman; nothing from the lab may leave it.
    (_SETTINGS / "ipv4/conf" / lab.control_interface / "forwarding").write_text("0", encoding="ascii")
    (_SETTINGS / "ipv6/conf" / lab.control_interface / "disable_ipv6").write_text("1", encoding="ascii")
    _batch(control_port_commands(lab), namespace=lab.namespace)
    _batch(control_route_commands(lab))
    return fresh


def plug(lab: Lab, legs: tuple[Leg, ...], pid: int, commands: tuple[str, ...]) -> bool:
    """Wire a running container as far as it is not; return whether it had to be plugged in.

    Args:
        lab: the twin.
        legs: the container's interfaces.
        pid: its first process on this machine.
        commands: what gives it addresses and routes inside.
    """
    inside = ("nsenter", "--target", str(pid), "--net")
    present = {link["ifname"] for link in json.loads(run((*inside, "ip", "-json", "link", "show")))}
    missing = tuple(leg for leg in legs if leg.interface not in present)
    if missing:
        _batch(port_commands(lab, missing, pid, interfaces(lab.namespace)), namespace=lab.namespace)
    run((*inside, "ip", "-batch", "-"), stdin="\n".join(commands) + "\n")
    run(("nsenter", "--target", str(pid), "--mount", "--net", "sh", "-e", "-c", _OPEN_NET_SETTINGS))
    return bool(missing)


def interfaces(namespace: str) -> frozenset[str]:
    """Return the names of the interfaces in a namespace."""
    listed = run(("ip", "-netns", namespace, "-json", "link", "show"))
    return frozenset(link["ifname"] for link in json.loads(listed))


def remove_network(hospital: str) -> None:
    """Remove this machine's leg, the namespace with every bridge in it, and the blackhole routes last."""
    leg = control_interface_name(hospital)
    if (_SETTINGS / "ipv4/conf" / leg).exists():
        # It may vanish with its other end in between.
        gone = attempt(("ip", "link", "del", leg))
        if gone.code != 0 and (_SETTINGS / "ipv4/conf" / leg).exists():
            run(("ip", "link", "del", leg))
    if (_NAMESPACES / namespace_name(hospital)).exists():
        run(("ip", "netns", "del", namespace_name(hospital)))
    metric = blackhole_metric(hospital)
    _batch(tuple(f"route del blackhole {subnet} metric {metric}" for subnet in blackholes(machine_routes(), metric)))


def _batch(commands: tuple[str, ...], *, namespace: str | None = None) -> None:
    if commands:
        where = ("-netns", namespace) if namespace else ()
        run(("ip", *where, "-batch", "-"), stdin="\n".join(commands) + "\n")
