"""The rules of a gateway between zones: what no flow allows is dropped, and each flow counts its packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardround.model.architecture import ZoneKind

if TYPE_CHECKING:
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
    """Give an nftables rule set with one rule for each active flow, in the order of the flows' ids."""
    internal = tuple(zone.subnet for zone in design.zones if zone.kind is not ZoneKind.EXTERNAL)
    return _HEAD + "".join(f"    {_rule(flow, internal)}\n" for flow in design.flows if flow.active) + _TAIL


def _rule(flow: DesignFlow, internal: tuple[IPv4Network, ...]) -> str:
    protocols = ", ".join(protocol.value for protocol in flow.protocols)
    return (
        f"ip saddr {_addresses(flow.sources, internal)} ip daddr {_addresses(flow.destinations, internal)} "
        f"meta l4proto {{ {protocols} }} th dport {{ {', '.join(flow.ports)} }} ct state new counter accept "
        f'comment "{flow.id}"'
    )


def _addresses(networks: tuple[IPv4Network, ...], internal: tuple[IPv4Network, ...]) -> str:
    # "Outside" is everything that is not inside: a flow to the internet opens no way into another zone.
    outside = any(network.prefixlen == 0 for network in networks)
    members = ", ".join(str(network).removesuffix("/32") for network in _apart(internal if outside else networks))
    return f"!= {{ {members} }}" if outside else f"{{ {members} }}"


def _apart(networks: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
    """Leave out networks that lie inside another one: nftables refuses overlapping members of a set."""
    return tuple(
        network for network in networks if not any(network != other and network.subnet_of(other) for other in networks)
    )
