# SPDX-License-Identifier: GPL-3.0-or-later
"""From flows and zones to what stands in nftables rules: sets whose members do not overlap, and matches."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SHORT = 4
"""As many members stand in the rule itself; a longer group is a named set, and so is one that several flows share."""

Group = tuple[str, ...]


def zone_gateway_rules(flows: list[dict[str, Any]], zones: list[dict[str, Any]]) -> dict[str, Any]:
    """Give zones, named sets, and each flow with what its rule matches."""
    inside = _apart(zone["subnet"] for zone in zones)
    ends = [(flow, _apart(flow["sources"]), _apart(flow["destinations"])) for flow in flows]
    uses = Counter(group for _, *groups in ends for group in groups)
    names: dict[Group, str] = {inside: "inside"}
    for flow, *groups in ends:
        for group, end in zip(groups, ("from", "to"), strict=True):
            if len(group) > SHORT or (len(group) > 1 and uses[group] > 1):
                names.setdefault(group, f"{_object(flow)}.{end}")
    return {
        "zones": [{"name": str(zone["name"]), "subnet": str(IPv4Network(str(zone["subnet"])))} for zone in zones],
        "sets": [{"name": name, "members": list(group)} for group, name in names.items()],
        "flows": [
            {
                "flow": str(flow["flow"]),
                "purpose": " ".join(str(flow["purpose"]).split()),
                "counter": _object(flow),
                "match": f"ip saddr {_selection(sources, names)} ip daddr {_selection(destinations, names)} "
                + _service(flow),
            }
            for flow, sources, destinations in ends
        ],
    }


def _object(flow: dict[str, Any]) -> str:
    """Give the flow's id as a name that nftables takes: a colon would end it."""
    return str(flow["flow"]).replace(":", "/")


def _apart(addresses: Iterable[object]) -> Group:
    """Leave out networks that lie inside another one: nftables refuses overlapping members of a set."""
    kept: list[IPv4Network] = []
    for network in sorted(IPv4Network(str(address), strict=False) for address in addresses):
        if not kept or not network.subnet_of(kept[-1]):
            kept.append(network)
    return tuple(str(network).removesuffix("/32") for network in kept)


def _selection(group: Group, names: dict[Group, str]) -> str:
    if group in names:
        return f"@{names[group]}"
    return group[0] if len(group) == 1 else f"{{ {', '.join(group)} }}"


def _service(flow: dict[str, Any]) -> str:
    ports = ", ".join(str(port) for port in flow["ports"])
    protocols = ", ".join(str(protocol) for protocol in flow["protocols"])
    return f"meta l4proto {{ {protocols} }} th dport {{ {ports} }}"


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"zone_gateway_rules": zone_gateway_rules}
