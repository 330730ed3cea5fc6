"""What a design becomes as a twin."""

from __future__ import annotations

import pytest

from tests.unit.hospital_samples import architecture_data, design, manifest
from wardround.render.gateway import forward_rules
from wardround.twin.plan import lab
from wardround.verbs.twin import from_design

pytestmark = pytest.mark.unit


def test_the_gateway_is_the_twins_own_where_no_host_is_one() -> None:
    built = from_design(design())
    assert [(host.name, host.gateway) for host in built.hosts] == [("srv01", False)]
    assert built.forward_rules == forward_rules(design())


@pytest.mark.parametrize("address", ["10.0.9.1", "10.0.9.2"])
def test_a_host_that_is_the_gateway_is_the_twins_gateway(address: str) -> None:
    data, given = architecture_data(), manifest()
    data["components"]["zone_gateway"] = {**data["components"].pop("switch"), "platform": "managed"}
    given["hosts"]["sw01"] |= {"component": "zone_gateway", "release": "debian-13", "address": address}
    given["hosts"]["sw02"] = {**given["hosts"]["sw01"], "address": "10.0.9.3"}
    built = from_design(design(given, data))
    assert {host.name: host.gateway for host in built.hosts} == {"srv01": False, "sw01": True, "sw02": False}
    wanted = lab(built)
    assert [str(leg.address) for leg in wanted.legs(wanted.host("sw01"))] == ["10.0.2.1", "10.0.9.1", "10.0.1.1"]
    assert [str(leg.address) for leg in wanted.legs(wanted.host("sw02"))] == ["10.0.9.3"]


def test_what_nobody_manages_from_here_is_a_bystander() -> None:
    built = from_design(design())
    assert [(each.name, str(each.address)) for each in built.bystanders] == [
        ("mon01", "10.0.2.11"),
        ("sw01", "10.0.9.2"),
    ]
    assert {zone.id for zone in built.zones} == {"devices", "landing", "servers"}


@pytest.mark.parametrize(
    ("subnet", "address", "known"),
    [("203.0.113.0/24", "203.0.113.9", True), ("8.8.8.0/24", "8.8.8.8", False), ("0.0.0.0/0", "203.0.113.9", False)],
)
def test_a_host_outside_stands_by_where_its_addresses_are_nobodys(subnet: str, address: str, *, known: bool) -> None:
    data, given = architecture_data(), manifest()
    data["components"]["tenant"] = {**data["components"]["monitor"], "zones": ["vendor"], "criticality": "low"}
    given["zones"]["vendor"] = {"subnet": subnet}
    if subnet == "0.0.0.0/0":
        del given["zones"]["outside"]
    given["hosts"]["tenant"] = {**given["hosts"]["mon01"], "component": "tenant", "address": address, "mac": None}
    built = from_design(design(given, data))
    assert ("tenant" in {each.name for each in built.bystanders}) is known
    assert ("vendor" in {zone.id for zone in built.zones}) is known
    if known:
        assert next(str(zone.gateway) for zone in built.zones if zone.id == "vendor") == "203.0.113.1"
        assert lab(built).gateway_legs()
