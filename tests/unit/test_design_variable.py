"""Role variables: each form of source, with the value that it has for a host."""

from __future__ import annotations

from ipaddress import IPv4Network, collapse_addresses

import pytest

from tests.unit.hospital_samples import Data, architecture_data, design, manifest

pytestmark = pytest.mark.unit


def value(source: Data, host: str = "srv01") -> object:
    """Give what a variable with this source holds on a host."""
    data = architecture_data()
    data["everywhere"]["variables"] = {"first_value": source}
    given = manifest()
    given["hosts"]["srv02"] = {
        **given["hosts"]["srv01"],
        "address": "10.0.1.12",
        "criticality": "high",
        "fallback": "x",
    }
    return next(each for each in design(given, data).hosts if each.name == host).variables["first_value"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"value": {"a": [1, True, None]}}, {"a": [1, True, None]}),
        ({"parameter": "title"}, "WARD"),
        ({"parameter": "ward.title"}, "WARD"),
        ({"own": "name"}, "srv01"),
        ({"own": "fqdn"}, "srv01.st-test.internal"),
        ({"own": "names"}, ["srv01.st-test.internal"]),
        ({"own": "address"}, "10.0.1.11"),
        ({"own": "addresses"}, ["10.0.1.11"]),
        ({"own": "zone"}, "servers"),
        ({"own": "component"}, "server"),
        ({"own": "criticality"}, "medium"),
        ({"own": "owner"}, "it"),
        ({"own": "window"}, "night"),
        ({"own": "restart"}, "in_window"),
        ({"own": "criticality", "one_of": ["life", "high"]}, False),
        ({"hosts": "server", "field": "address"}, ["10.0.1.11", "10.0.1.12"]),
        ({"hosts": "managed", "field": "name"}, ["srv01", "srv02"]),
        ({"hosts": "monitor", "field": "fqdn"}, ["mon01.st-test.internal"]),
        ({"host": "server", "field": "name"}, "srv01"),
        (
            {"host": "server", "format": "https://{fqdn}:{address}/{name}"},
            "https://srv01.st-test.internal:10.0.1.11/srv01",
        ),
        ({"subnets": ["internal"]}, ["10.0.2.0/24", "10.0.9.0/24", "10.0.1.0/24"]),
        ({"subnets": ["device", "landing"]}, ["10.0.2.0/24", "10.0.9.0/24"]),
        (
            {"zones": ["device", "servers"]},
            [
                {"name": "devices", "kind": "device", "subnet": "10.0.2.0/24", "gateway": "10.0.2.1"},
                {"name": "servers", "kind": "server", "subnet": "10.0.1.0/24", "gateway": "10.0.1.1"},
            ],
        ),
        (
            {"records": "managed"},
            [{"name": "srv01", "address": "10.0.1.11"}, {"name": "srv02", "address": "10.0.1.12"}],
        ),
        (
            {
                "each": ["server", "monitor"],
                "entry": {"is": {"own": "name"}, "mac": {"own": "mac"}, "may": {"value": [1]}},
            },
            [
                {"is": "mon01", "mac": "02:00:5e:00:02:11", "may": [1]},
                {"is": "srv01", "mac": None, "may": [1]},
                {"is": "srv02", "mac": None, "may": [1]},
            ],
        ),
        (
            {"join": [{"hosts": "server", "field": "name"}, {"value": ["a"]}, {"host": "switch", "field": "name"}]},
            ["srv01", "srv02", "a", "sw01"],
        ),
        ({"records": "network"}, [{"name": "sw01", "address": "10.0.9.2"}]),
        ({"hospital": "domain"}, "st-test.internal"),
        ({"hospital": "control_network"}, "10.0.9.10/32"),
        ({"list": [{"value": 1}, {"hospital": "name"}]}, [1, "St. Test"]),
        ({"map": {"a": {"host": "server", "field": "name"}}}, {"a": "srv01"}),
    ],
)
def test_a_source_has_this_value(source: Data, expected: object) -> None:
    assert value(source) == expected


def test_a_test_is_about_the_host_itself() -> None:
    assert value({"own": "criticality", "one_of": ["life", "high"]}, "srv02") is True


def test_certificates_name_only_managed_hosts_by_names_inside_the_domain() -> None:
    assert value({"records": "certificates"}) == [
        {"subject": f"srv0{each}", "names": [f"srv0{each}.st-test.internal"], "addresses": [f"10.0.1.1{each}"]}
        for each in (1, 2)
    ]


def devices_of(**changes: Data) -> tuple[list[Data], list[Data]]:
    """Give the devices and the certificates of a hospital whose hosts are changed so."""
    data = architecture_data()
    data["everywhere"]["variables"] = {
        "first_devices": {"devices": "all"},
        "first_subjects": {"records": "certificates"},
    }
    given = manifest()
    for name, change in changes.items():
        given["hosts"][name] = {**given["hosts"][name], **change}
    given["zones"]["devices"]["vlan"] = 102
    found: Data = design(given, data).managed_hosts()[0].variables
    return found["first_devices"], found["first_subjects"]


def test_a_device_has_the_vlan_of_its_zone() -> None:
    assert devices_of()[0] == [
        {
            "name": "mon01",
            "fqdn": "mon01.st-test.internal",
            "mac": "02:00:5e:00:02:11",
            "address": "10.0.2.11",
            "zone": "devices",
            "vlan": 102,
            "criticality": "life",
            "supplicant": False,
        }
    ]


def test_a_server_with_a_mac_address_is_no_device() -> None:
    assert [each["name"] for each in devices_of(srv01={"mac": "02:00:5e:00:01:11"})[0]] == ["mon01"]


def test_a_device_that_nobody_could_tell_is_left_out() -> None:
    assert devices_of(mon01={"mac": None})[0] == []


def test_a_supplicant_is_a_device_whatever_it_is_and_may_have_a_certificate() -> None:
    devices, subjects = devices_of(mon01={"mac": None, "supplicant": True}, sw01={"supplicant": True})
    assert [(each["name"], each["vlan"], each["supplicant"]) for each in devices] == [
        ("mon01", 102, True),
        ("sw01", None, True),
    ]
    assert [each["subject"] for each in subjects] == ["mon01", "srv01", "sw01"]


def test_a_supplicant_s_mac_address_alone_tells_nobody() -> None:
    data = architecture_data()
    data["everywhere"]["variables"] = {"first_devices": {"devices": "by_mac"}}
    given = manifest()
    found: Data = design(given, data).managed_hosts()[0].variables
    assert [each["name"] for each in found["first_devices"]] == ["mon01"]
    given["hosts"]["mon01"]["supplicant"] = True
    assert design(given, data).managed_hosts()[0].variables["first_devices"] == []


def test_a_component_without_hosts_gives_nothing() -> None:
    data = architecture_data()
    data["components"]["extra"] = {**data["components"]["switch"], "variables": {}}
    data["everywhere"]["variables"] = {
        "first_host": {"host": "extra", "field": "name"},
        "first_hosts": {"hosts": "extra", "field": "name"},
        "first_text": {"host": "extra", "format": "http://{address}"},
    }
    found = design(of=data).managed_hosts()[0].variables
    assert [found[f"first_{each}"] for each in ("host", "hosts", "text")] == [None, [], ""]


def test_a_component_says_more_than_everywhere() -> None:
    data = architecture_data()
    data["components"]["server"]["variables"] = {"first_title": {"value": "own"}}
    assert design(of=data).managed_hosts()[0].variables["first_title"] == "own"


def test_a_rule_says_who_may_reach_what() -> None:
    inbound = design().managed_hosts()[0].variables["first_inbound"]
    assert isinstance(inbound, list)
    assert inbound[0] == {
        "flow": "F-WRD-01",
        "protocols": ["tcp"],
        "ports": ["22"],
        "peers": ["10.0.9.10"],
        "purpose": "work",
    }
    assert [rule["flow"] for rule in inbound if isinstance(rule, dict)] == ["F-WRD-01", "F-WRD-02", "F-WRD-03"]


def test_a_flow_to_the_outside_leads_into_no_zone() -> None:
    rules = value({"flows": "outbound"})
    assert isinstance(rules, list)
    (updates,) = [rule for rule in rules if rule["flow"] == "F-WRD-04"]
    networks = [IPv4Network(peer) for peer in updates["peers"]]
    inside = [IPv4Network(subnet) for subnet in ("10.0.1.0/24", "10.0.2.0/24", "10.0.9.0/24")]
    assert not any(network.overlaps(zone) for network in networks for zone in inside)
    assert list(collapse_addresses([*networks, *inside])) == [IPv4Network("0.0.0.0/0")]


def test_a_gateway_forwards_every_active_flow_between_its_ends() -> None:
    forwarded = value({"flows": "forwarded"})
    assert isinstance(forwarded, list)
    assert forwarded[0] == {
        "flow": "F-WRD-01",
        "protocols": ["tcp"],
        "ports": ["22"],
        "sources": ["10.0.9.10"],
        "destinations": ["10.0.1.11", "10.0.1.12"],
        "purpose": "work",
    }
    active = [flow.id for flow in design().flows if flow.active]
    assert [rule["flow"] for rule in forwarded if isinstance(rule, dict)] == active


def test_a_flow_that_has_no_ends_here_is_not_forwarded() -> None:
    given = manifest()
    del given["hosts"]["mon01"]
    data = architecture_data()
    data["everywhere"]["variables"] = {"first_value": {"flows": "forwarded"}}
    found = design(given, data).managed_hosts()[0].variables["first_value"]
    assert isinstance(found, list)
    assert "F-WRD-03" not in [rule["flow"] for rule in found if isinstance(rule, dict)]
