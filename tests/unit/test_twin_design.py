"""What a design becomes as a twin."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest

from tests.unit.hospital_samples import architecture_data, design, manifest
from wardround.render.gateway import forward_rules
from wardround.twin.plan import TwinTenant, lab
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


def link(host: str = "tenant") -> tuple[dict[str, Any], dict[str, Any]]:
    """Give an architecture and a manifest with an ERP outside and the connector that looks for it."""
    data, given = architecture_data(), manifest()
    data["parameters"]["tenant_host"] = {"type": "hostname", "required": True, "description": "Name of the ERP"}
    given["parameters"] = {"ward": {"tenant_host": "erp.cloud.example"}}
    server = data["components"]["server"]
    variables = {**server["variables"], "erp_connector_tenant_host": {"parameter": "tenant_host"}}
    data["components"]["erp_connector"] = {**server, "count": {"min": 1}, "variables": variables}
    given["hosts"]["link01"] = {**given["hosts"]["srv01"], "component": "erp_connector", "address": "10.0.1.12"}
    data["components"]["erp_tenant"] = {**data["components"]["monitor"], "zones": ["vendor"], "criticality": "low"}
    given["zones"]["vendor"] = {"subnet": "203.0.113.0/24"}
    outside = {**given["hosts"]["mon01"], "component": "erp_tenant", "mac": None}
    given["hosts"][host] = {**outside, "address": "203.0.113.9"}
    return data, given


def test_the_erp_of_a_hospital_with_a_connector_is_a_real_one() -> None:
    data, given = link()
    built = from_design(design(given, data))
    assert built.tenant == TwinTenant(
        name="tenant",
        zone="vendor",
        address=IPv4Address("203.0.113.9"),
        tls_name="erp.cloud.example",
        caller="link01",
        architecture="ward",
    )
    assert [each.name for each in built.bystanders] == ["mon01", "sw01", "tenant"]


def test_only_one_erp_is_real() -> None:
    data, given = link()
    given["hosts"]["another"] = {**given["hosts"]["tenant"], "address": "203.0.113.10"}
    built = from_design(design(given, data))
    assert [(each.name, isinstance(each, TwinTenant)) for each in built.bystanders] == [
        ("another", True),
        ("mon01", False),
        ("sw01", False),
        ("tenant", False),
    ]


def test_without_a_connector_or_at_a_public_address_no_erp_is_real() -> None:
    data, given = link()
    del given["hosts"]["link01"], data["components"]["erp_connector"]
    built = from_design(design(given, data))
    assert built.tenant is None
    assert "tenant" in {each.name for each in built.bystanders}
    data, given = link()
    given["zones"]["vendor"] = {"subnet": "8.8.8.0/24"}
    given["hosts"]["tenant"]["address"] = "8.8.8.8"
    assert from_design(design(given, data)).tenant is None
