"""The gateway accepts exactly what the design's flows allow, judged by reading its rules as nftables would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hospital_samples import design
from tests.unit.test_design_resolve import manifests, resolved
from wardround.model.design import Design
from wardround.render.gateway import forward_rules

pytestmark = pytest.mark.unit

RULE = re.compile(
    r"ip saddr (?P<not_from>!= )?\{ (?P<from>[^}]+) \} ip daddr (?P<not_to>!= )?\{ (?P<to>[^}]+) \} "
    r"meta l4proto \{ (?P<protocols>[^}]+) \} th dport \{ (?P<ports>[^}]+) \} ct state new counter accept "
    r'comment "(?P<flow>[^"]+)"'
)


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection."""

    source: IPv4Address
    destination: IPv4Address
    protocol: str
    port: int


network = cache(IPv4Network)


def holds(address: IPv4Address, members: str, negated: str | None) -> bool:
    return any(address in network(each) for each in members.split(", ")) != bool(negated)


def port_in(port: int, ports: list[str]) -> bool:
    return any(int(each.split("-")[0]) <= port <= int(each.split("-")[-1]) for each in ports)


def accepted(rules: str, packet: Packet) -> set[str]:
    """Give the flows whose rules let the packet through."""
    return {
        rule["flow"]
        for rule in RULE.finditer(rules)
        if holds(packet.source, rule["from"], rule["not_from"])
        and holds(packet.destination, rule["to"], rule["not_to"])
        and packet.protocol in rule["protocols"].split(", ")
        and port_in(packet.port, rule["ports"].split(", "))
    }


def allowed(design: Design, packet: Packet) -> set[str]:
    """Give the flows of the design that allow the packet; the whole internet means all that is outside."""
    inside = [zone.subnet for zone in design.zones if zone.kind.value != "external"]

    def meant(address: IPv4Address, networks: tuple[IPv4Network, ...]) -> bool:
        return any(
            not any(address in zone for zone in inside) if each.prefixlen == 0 else address in each for each in networks
        )

    return {
        flow.id
        for flow in design.flows
        if meant(packet.source, flow.sources)
        and meant(packet.destination, flow.destinations)
        and packet.protocol in [each.value for each in flow.protocols]
        and port_in(packet.port, list(flow.ports))
    }


interesting = st.sampled_from(
    [
        "10.0.1.1",
        "10.0.1.11",
        "10.0.1.20",
        "10.0.1.21",
        "10.0.2.11",
        "10.0.2.20",
        "10.0.9.10",
        "10.0.9.11",
        "10.0.3.3",
        "203.0.113.7",
        "203.0.113.8",
        "198.51.100.1",
    ]
).map(IPv4Address)
packets = st.builds(
    Packet,
    interesting,
    interesting,
    st.sampled_from(["tcp", "udp"]),
    st.sampled_from([22, 53, 443, 1812, 1813, 1814, 80]),
)


@given(manifests(), st.lists(packets, min_size=10, max_size=10))
@settings(max_examples=100, deadline=None)
def test_exactly_the_declared_flows_pass(given_manifest: dict[str, object], tried: list[Packet]) -> None:
    found = resolved(given_manifest)
    if found is None:
        return
    rules = forward_rules(found)
    for packet in tried:
        assert accepted(rules, packet) == allowed(found, packet), packet


def test_the_reader_reads_every_rule() -> None:
    rules = forward_rules(design())
    assert len(RULE.findall(rules)) == rules.count(" accept comment ")
    assert "policy drop;" in rules
    assert [line.strip() for line in rules.splitlines()][-3] == 'counter drop comment "D-01"'


def test_the_internet_and_a_host_inside_can_be_ends_of_one_flow() -> None:
    rules = forward_rules(design())
    server, monitor = IPv4Address("10.0.1.11"), IPv4Address("10.0.2.11")
    for target, expected in (("198.51.100.1", True), (str(monitor), True), ("10.0.2.12", False), ("10.0.9.2", False)):
        packet = Packet(server, IPv4Address(target), "udp", 1812)
        assert ("F-WRD-05" in accepted(rules, packet)) == expected, target


def test_a_way_out_is_no_way_into_another_zone() -> None:
    rules = forward_rules(design())
    inside = [IPv4Address("10.0.2.11"), IPv4Address("10.0.9.2")]
    assert not any(accepted(rules, Packet(IPv4Address("10.0.1.11"), each, "tcp", 443)) for each in inside)


def test_members_of_a_set_never_overlap() -> None:
    found = design()
    flow = found.flows[0].model_copy(
        update={"sources": tuple(map(IPv4Network, ["10.0.1.0/24", "10.0.1.11/32", "10.0.0.0/16", "10.1.0.0/24"]))}
    )
    rules = forward_rules(found.model_copy(update={"flows": (flow,)}))
    assert "ip saddr { 10.0.0.0/16, 10.1.0.0/24 }" in rules
