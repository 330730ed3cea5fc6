"""The guard of this machine's own network: which lab subnets may be used here, and the routes that keep them in."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from wardround.errors import TwinError
from wardround.twin.command import run
from wardround.twin.plan import Lab

PROTOCOL = "201"
"""Routing protocol number (rtnetlink(7)) that marks every route that a twin makes; not used by any daemon."""


class SubnetInUseError(TwinError):
    """A zone's subnet is already used on this machine, by a route, a podman network, a resolver or another twin.

    Twins use the hospital's real addresses, so a hospital that overlaps this machine's own network cannot be twinned
    here. Use another machine, or a copy of the manifest with other subnets.
    """

    code = "WR-702"


def check_subnets(lab: Lab, routes: str, resolvers: str, podman_networks: str) -> None:
    """Refuse subnets that this machine needs for itself.

    Args:
        lab: the twin that is about to be built.
        routes: output of `ip -json route show table all`.
        resolvers: the text of resolv.conf(5).
        podman_networks: output of `podman network inspect`, whose subnets have no route before the first container.
    """
    for zone in lab.hospital.zones:
        for used, what in _used(lab, routes, resolvers, podman_networks):
            if zone.subnet.overlaps(used):
                raise SubnetInUseError(
                    f"zone {zone.id}'s subnet {zone.subnet} overlaps {used}, {what}",
                    path=f"{lab.hospital.name}.zones.{zone.id}.subnet",
                    remedy="use a machine whose own network does not overlap the hospital's",
                )


def blackhole_commands(lab: Lab, routes: str) -> tuple[str, ...]:
    """Return the `ip` commands for blackhole routes that are missing or no longer wanted."""
    wanted = [str(zone.subnet) for zone in lab.hospital.zones]
    present = blackholes(routes, lab.blackhole_metric)
    mark = f"metric {lab.blackhole_metric} proto {PROTOCOL}"
    stale = [f"route del blackhole {subnet} {mark}" for subnet in present if subnet not in wanted]
    return (*stale, *(f"route add blackhole {subnet} {mark}" for subnet in wanted if subnet not in present))


def blackholes(routes: str, metric: int) -> tuple[str, ...]:
    """Return the subnets of the blackhole routes with a hospital's metric."""
    return tuple(
        _network(route["dst"])
        for route in json.loads(routes or "[]")
        if route.get("type") == "blackhole" and route.get("metric") == metric
    )


def machine_routes() -> str:
    """Return every IPv4 route of this machine as JSON text."""
    return run(("ip", "-4", "-json", "route", "show", "table", "all"))


def _used(lab: Lab, routes: str, resolvers: str, podman_networks: str) -> list[tuple[IPv4Network, str]]:
    used = [(ip_network(block), "which is reserved") for block in ("127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")]
    for route in json.loads(routes or "[]"):
        own = route.get("dev") == lab.control_interface or route.get("metric") == lab.blackhole_metric
        if route["dst"] != "default" and not own:
            device = route.get("dev", route.get("type", "a table"))
            used.append((ip_network(_network(route["dst"])), f"which this machine routes to {device}"))
    for line in resolvers.splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and isinstance(ip_address(words[1]), IPv4Address):
            used.append((ip_network(words[1]), "this machine's resolver"))
    used += [
        (ip_network(subnet["subnet"]), f"podman's network {network['name']}")
        for network in json.loads(podman_networks or "[]")
        for subnet in network.get("subnets") or ()
    ]
    return [(network, what) for network, what in used if isinstance(network, IPv4Network)]


def _network(destination: str) -> str:
    return destination if "/" in destination else f"{destination}/32"
