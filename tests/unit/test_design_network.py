"""Zones and addresses: each thing that cannot be so, at its place."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hospital_samples import Data, architecture_data, hospital, manifest, parts
from wardround.design.network import placement_faults, zone_faults

pytestmark = pytest.mark.unit

networks = st.builds(
    lambda address, prefix: str(IPv4Network((address, prefix), strict=False)),
    st.integers(0x0A000000, 0x0A00FFFF),
    st.integers(16, 32),
)


def faults(data: Data) -> set[tuple[str, str]]:
    """Give code and dotted place of every fault of zones and addresses."""
    read = hospital(data)
    found = [*zone_faults(read, parts()), *placement_faults(read, parts())]
    return {(fault.code, ".".join(map(str, fault.path))) for fault in found}


def test_the_sample_is_right() -> None:
    assert faults(manifest()) == set()


@pytest.mark.parametrize(
    ("zone", "subnet", "code"),
    [
        ("servers", "10.0.2.0/25", "WR-131"),
        ("servers", "0.0.0.0/0", "WR-131"),
        ("vendor", "10.0.2.64/32", "WR-131"),
    ],
)
def test_two_zones_may_not_share_addresses(zone: str, subnet: str, code: str) -> None:
    given = manifest()
    given["zones"][zone]["subnet"] = subnet
    assert code in {each for each, _ in faults(given)}


def test_only_an_external_zone_may_be_the_internet() -> None:
    given = manifest()
    given["zones"]["vendor"]["subnet"] = "0.0.0.0/0"
    assert faults(given) == set()


@given(st.lists(networks, min_size=2, max_size=6))
@settings(max_examples=300, deadline=None)
def test_no_overlap_is_ever_accepted(subnets: list[str]) -> None:
    given = manifest()
    given["zones"] = {f"z{number}": {"subnet": subnet} for number, subnet in enumerate(subnets)}
    overlap = any(one.overlaps(other) for one, other in combinations(map(IPv4Network, subnets), 2))
    assert ("WR-131" in {code for code, _ in faults(given)}) == overlap


@pytest.mark.parametrize(
    ("gateway", "code"),
    [("10.0.1.254", None), ("10.0.2.1", "WR-132"), ("10.0.1.0", "WR-143"), ("10.0.1.255", "WR-143")],
)
def test_a_gateway_is_a_host_address_of_its_zone(gateway: str, code: str | None) -> None:
    given = manifest()
    given["zones"]["servers"]["gateway"] = gateway
    assert faults(given) == ({(code, "zones.servers.gateway")} if code else set())


def test_a_zone_needs_room() -> None:
    given = manifest()
    given["zones"]["devices"]["subnet"] = "10.0.2.10/31"
    assert ("WR-140", "zones.devices.subnet") in faults(given)


@pytest.mark.parametrize(
    ("host", "address", "code"),
    [
        ("srv01", "10.0.2.20", "WR-132"),
        ("srv01", "10.0.1.0", "WR-143"),
        ("srv01", "10.0.1.255", "WR-143"),
        ("srv01", "10.0.1.1", "WR-143"),
    ],
)
def test_a_host_has_a_free_address_of_its_zone(host: str, address: str, code: str) -> None:
    given = manifest()
    given["hosts"][host]["address"] = address
    assert faults(given) == {(code, f"hosts.{host}.address")}


@pytest.mark.parametrize(("address", "code"), [("10.0.1.77", "WR-132"), ("10.0.9.1", "WR-143"), ("10.0.9.0", "WR-143")])
def test_so_does_the_control_node(address: str, code: str) -> None:
    given = manifest()
    given["control"]["address"] = address
    assert faults(given) == {(code, "control.address")}


def test_two_hosts_with_one_address_or_card_are_told_at_the_second() -> None:
    given = manifest()
    given["hosts"]["srv02"] = {**given["hosts"]["srv01"], "mac": "02:00:5e:00:02:11"}
    assert faults(given) == {("WR-133", "hosts.srv02.address"), ("WR-134", "hosts.srv02.mac")}


def test_nobody_takes_the_control_nodes_address() -> None:
    given = manifest()
    given["hosts"]["sw01"]["address"] = given["control"]["address"]
    assert faults(given) == {("WR-133", "hosts.sw01.address")}


@pytest.mark.parametrize("zone", ["landing", "nowhere"])
def test_a_host_stands_where_its_component_may(zone: str) -> None:
    given = manifest()
    given["hosts"]["srv01"]["zone"] = zone
    assert faults(given) == {("WR-140", "hosts.srv01.zone")}


def test_a_zone_that_nobody_knows_and_one_that_is_missing() -> None:
    given = manifest()
    given["zones"]["serverz"] = given["zones"].pop("servers")
    assert faults(given) == {("WR-140", "zones.serverz"), ("WR-140", "zones"), ("WR-140", "hosts.srv01")}


def test_the_control_node_stands_in_a_zone_that_is_there() -> None:
    given = manifest()
    given["control"]["zone"] = "attic"
    assert faults(given) == {("WR-140", "control.zone")}


@pytest.mark.parametrize(
    ("address", "code"),
    [("10.0.9.2", None), ("10.0.9.1", None), ("10.0.9.0", "WR-143"), ("10.0.1.1", "WR-132"), ("10.0.9.10", "WR-133")],
)
def test_only_the_gateway_itself_may_be_known_by_a_gateways_address(address: str, code: str | None) -> None:
    data = architecture_data()
    data["components"]["zone_gateway"] = data["components"].pop("switch")
    read = manifest()
    read["hosts"]["sw01"] |= {"component": "zone_gateway", "address": address}
    found = placement_faults(hospital(read), parts(data))
    assert [fault.code for fault in found] == ([code] if code else [])


def test_two_gateways_do_not_share_an_address() -> None:
    data = architecture_data()
    data["components"]["zone_gateway"] = data["components"].pop("switch")
    read = manifest()
    read["hosts"]["sw01"] |= {"component": "zone_gateway", "address": "10.0.9.1"}
    read["hosts"]["sw02"] = read["hosts"]["sw01"]
    assert [fault.code for fault in placement_faults(hospital(read), parts(data))] == ["WR-133"]
