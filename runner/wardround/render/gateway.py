"""The rules of a gateway between zones: what no flow allows is dropped, and each flow counts its packets."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from wardround.model.architecture import ZoneKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Network

    from wardround.model.design import Design, DesignFlow

_HEAD = """table inet wardround_gateway {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct state invalid drop
"""
_TAIL = """    limit rate 6/minute log prefix "wardround denied " counter comment "D-01"
    counter drop comment "D-01"
  }
}
"""


def forward_rules(design: Design) -> str:
    """Give an nftables rule set with a rule for each active flow, in the order of the flows' ids.

    A flow that has both the world outside and hosts inside at one end takes a rule for each, under the same id.
    """
    internal = tuple(zone.subnet for zone in design.zones if zone.kind is not ZoneKind.EXTERNAL)
    rules = [rule for flow in design.flows if flow.active for rule in _rules(flow, internal)]
    return _HEAD + "".join(f"    {rule}\n" for rule in rules) + _TAIL


def _rules(flow: DesignFlow, internal: tuple[IPv4Network, ...]) -> Iterator[str]:
    protocols = ", ".join(protocol.value for protocol in flow.protocols)
    ends = product(_selections(flow.sources, internal), _selections(flow.destinations, internal))
    for sources, destinations in ends:
        yield (
            f"ip saddr {sources} ip daddr {destinations} "
            f"meta l4proto {{ {protocols} }} th dport {{ {', '.join(flow.ports)} }} ct state new counter accept "
            f'comment "{flow.id}"'
        )


def _selections(networks: tuple[IPv4Network, ...], internal: tuple[IPv4Network, ...]) -> Iterator[str]:
    # "Outside" is everything that is not inside: a flow to the internet opens no way into another zone.
    if any(network.prefixlen == 0 for network in networks):
        yield f"!= {_set(internal)}"
    named = tuple(network for network in networks if network.prefixlen > 0)
    if named:
        yield _set(named)


def _set(networks: tuple[IPv4Network, ...]) -> str:
    return f"{{ {', '.join(str(network).removesuffix('/32') for network in _apart(networks))} }}"


def _apart(networks: tuple[IPv4Network, ...]) -> list[IPv4Network]:
    """Leave out networks that lie inside another one: nftables refuses overlapping members of a set."""
    kept: list[IPv4Network] = []
    for network in sorted(networks):
        if not kept or not network.subnet_of(kept[-1]):
            kept.append(network)
    return kept
