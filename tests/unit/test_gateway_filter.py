"""What the zone gateway's role writes into its rules: sets that nftables takes, and texts that stay on their line."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roles.zone_gateway.filter_plugins.zone_gateway import SHORT, zone_gateway_rules

pytestmark = pytest.mark.unit

ZONES = [
    {"name": "core", "kind": "server", "subnet": "10.0.1.0/24"},
    {"name": "ward", "kind": "device", "subnet": "10.0.2.0/24"},
]
addresses = st.builds(
    lambda address, prefix: str(IPv4Network((address, prefix), strict=False)),
    st.integers(0x0A000000, 0x0A0003FF),
    st.integers(22, 32),
)


def flow(name: str, sources: Iterable[str], destinations: Iterable[str], **changed: object) -> dict[str, object]:
    return {
        "flow": name,
        "protocols": ["tcp"],
        "ports": ["443"],
        "sources": list(sources),
        "destinations": list(destinations),
        "purpose": "a purpose",
        **changed,
    }


@given(st.lists(st.tuples(st.sets(addresses, min_size=1), st.sets(addresses, min_size=1)), max_size=5))
def test_members_of_a_set_never_overlap_and_hold_all_that_was_declared(ends: list[tuple[set[str], set[str]]]) -> None:
    flows = [flow(f"F-AA-{number}", *both) for number, both in enumerate(ends)]
    sets = {each["name"]: [IPv4Network(member) for member in each["members"]] for each in _rules(flows)["sets"]}
    for members in sets.values():
        assert not any(one.overlaps(other) for one, other in combinations(members, 2))
    for number, both in enumerate(ends):
        for side, declared in zip(("from", "to"), both, strict=True):
            members = sets.get(f"F-AA-{number}.{side}", [IPv4Network("0.0.0.0/0")])
            assert all(any(IPv4Network(address).subnet_of(member) for member in members) for address in declared)


def _rules(flows: list[dict[str, object]]) -> dict[str, Any]:
    return zone_gateway_rules(flows, ZONES)


def match(one: dict[str, object]) -> str:
    (found,) = _rules([one])["flows"]
    return str(found["match"])


def test_a_group_that_is_long_or_shared_is_a_set_with_a_name() -> None:
    long = [f"10.0.1.{number}" for number in range(1, SHORT + 2)]
    shared = ["10.0.2.8", "10.0.2.9"]
    flows = [
        flow("F-AA-01", long, ["10.0.2.1"]),
        flow("F-AA-02:77", shared, ["10.0.1.1"]),
        flow("F-AA-03", ["10.0.1.1"], shared),
    ]
    found = _rules(flows)
    assert [each["name"] for each in found["sets"]] == ["inside", "F-AA-01.from", "F-AA-02/77.from"]
    assert [each["match"].split(" meta ")[0] for each in found["flows"]] == [
        "ip saddr @F-AA-01.from ip daddr 10.0.2.1",
        "ip saddr @F-AA-02/77.from ip daddr 10.0.1.1",
        "ip saddr 10.0.1.1 ip daddr @F-AA-02/77.from",
    ]


def test_a_short_group_of_one_flow_stands_in_its_rule() -> None:
    assert match(flow("F-AA-01", ["10.0.1.2", "10.0.1.1"], ["10.0.2.0/25", "10.0.2.5"])) == (
        "ip saddr { 10.0.1.1, 10.0.1.2 } ip daddr 10.0.2.0/25 meta l4proto { tcp } th dport { 443 }"
    )


def test_all_zones_together_are_inside() -> None:
    inside = [zone["subnet"] for zone in ZONES]
    assert match(flow("F-AA-01", inside, ["10.0.1.1"])).startswith("ip saddr @inside ip daddr 10.0.1.1 ")


def test_a_purpose_is_one_line() -> None:
    found = _rules([flow("F-AA-01", ["10.0.1.1"], ["10.0.2.1"], purpose="one\nadd table inet x\r\x0b two")])
    assert found["flows"][0]["purpose"] == "one add table inet x two"
