"""The two mistakes at a gateway that a demonstration makes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hospital_samples import architecture_data, design, manifest
from wardround.model.design import Design
from wardround.proof.attempt import attempts
from wardround.proof.exercise import Change, mistakes
from wardround.proof.result import Kind

pytestmark = pytest.mark.unit

ASSET = {"release": "debian-12", "owner": "it", "window": "night", "restart": "in_window"}


def two_servers_and_a_store(more: dict[str, Any] | None = None) -> Design:
    """Give a hospital with two servers, and a store in another zone that one flow leads to."""
    data, hospital = architecture_data(), manifest()
    data["zones"]["stores"] = {"purpose": "stores", "kind": "server"}
    for name, zones in (("store", ["stores"]), ("client", ["servers"]), ("zone_gateway", ["landing"])):
        data["components"][name] = {"summary": name, "platform": "managed", "zones": zones, "criticality": "medium"}
    data["services"] |= {
        "images": {"protocols": ["tcp"], "ports": [2762], "standard": "DICOM PS3.15"},
        "pages": {"protocols": ["tcp"], "ports": [8443], "standard": "RFC 9110"},
    }
    data["flows"] += [
        {"id": "F-WRD-07", "from": ["client"], "to": ["store"], "service": "images", "purpose": "keep"},
        {"id": "F-WRD-08", "from": ["server"], "to": ["store"], "service": "pages", "purpose": "show"},
        {"id": "F-WRD-09", "from": ["client"], "to": ["server"], "service": "images", "purpose": "same zone"},
    ]
    data |= more or {}
    hospital["zones"]["stores"] = {"subnet": "10.0.3.0/24"}
    hospital["hosts"] |= {
        "sto01": {"component": "store", "address": "10.0.3.11", **ASSET},
        "cli01": {"component": "client", "address": "10.0.1.21", **ASSET},
        "gw01": {"component": "zone_gateway", "address": "10.0.9.3", **ASSET},
    }
    return design(hospital, data)


@given(st.integers(0, 10_000))
def test_what_is_opened_no_flow_allows_and_what_is_closed_one_flow_alone(seed: int) -> None:
    whole = two_servers_and_a_store()
    opened, closed = mistakes(whole, seed)
    assert (opened.change, closed.change) == (Change.OPENED, Change.CLOSED)
    assert closed.difference == (Kind.DENIED, "servers", "stores", "images")
    assert closed.connection == ("cli01", "sto01", "images")
    addresses = {host.name: str(host.address) for host in whole.hosts}
    made = re.search(r"saddr (\S+) ip daddr (\S+) tcp dport (\d+)", opened.command)
    assert made is not None
    (meant,) = [
        each
        for each in attempts(whole)
        if (addresses[each.source], each.address, str(each.port)) == made.groups() and each.protocol.value == "tcp"
    ]
    assert meant == opened.attempt
    assert not meant.flows


def test_a_mistake_is_told_by_hosts_service_and_flow() -> None:
    opened, closed = mistakes(two_servers_and_a_store(), 7)
    assert str(opened).endswith("which no flow allows")
    assert str(closed) == "closed cli01 → sto01 tcp/2762 (images), which F-WRD-07 allows"


def test_the_gateways_role_names_each_mistake_in_a_line() -> None:
    opened, closed = mistakes(two_servers_and_a_store(), 7)
    chain = "inet wardround_gateway forward"
    rule = "ip saddr 10.0.1.21 ip daddr 10.0.3.11 meta l4proto tcp th dport 2762 ct state new accept comment"
    assert closed.is_rule(f'missing: {chain}: {rule} "F-WRD-07"')
    assert not closed.is_rule(f'undeclared: {chain}: {rule} "F-WRD-07"')
    assert not closed.is_rule(f'missing: {chain}: {rule} "F-WRD-77"')
    assert opened.is_rule(f"undeclared: {chain}: {opened.match} accept")
    assert not opened.is_rule(f"missing: {chain}: {opened.match} accept")
    assert not opened.is_rule(f"undeclared: {chain}: {opened.match} drop")


def test_the_same_seed_makes_the_same_mistakes() -> None:
    whole = two_servers_and_a_store()
    assert mistakes(whole, 7) == mistakes(whole, 7)


def test_the_gateway_itself_is_no_end_of_what_it_passes_on() -> None:
    whole = two_servers_and_a_store()
    assert not [each for seed in range(100) for each in mistakes(whole, seed) if "10.0.9.3" in each.command]


@pytest.mark.parametrize("ports", [[2762], ["2700-2800"]])
def test_a_port_of_two_services_is_left_alone(ports: list[int | str]) -> None:
    services = architecture_data()["services"] | {
        "images": {"protocols": ["tcp"], "ports": [2762], "standard": "DICOM PS3.15"},
        "pages": {"protocols": ["tcp"], "ports": ports, "standard": "RFC 9110"},
    }
    whole = two_servers_and_a_store({"services": services})
    made = [each for seed in range(50) for each in mistakes(whole, seed)]
    assert made
    assert 2762 not in {each.attempt.port for each in made}


def test_a_flow_that_a_probe_asks_is_closed_first() -> None:
    probe = {"id": "P-WRD-01", "kind": "tcp", "from": "client", "to": "store", "service": "letters"}
    services = architecture_data()["services"] | {
        "images": {"protocols": ["tcp"], "ports": [2762], "standard": "DICOM PS3.15"},
        "pages": {"protocols": ["tcp"], "ports": [8443], "standard": "RFC 9110"},
        "letters": {"protocols": ["tcp"], "ports": [2575], "standard": "HL7 v2 MLLP"},
    }
    flows = [
        *architecture_data()["flows"],
        {"id": "F-WRD-07", "from": ["client"], "to": ["store"], "service": "images", "purpose": "keep"},
        {"id": "F-WRD-10", "from": ["client"], "to": ["store"], "service": "letters", "purpose": "tell"},
    ]
    whole = two_servers_and_a_store({"services": services, "flows": flows, "probes": [probe]})
    assert {mistakes(whole, seed)[1].attempt.service for seed in range(20)} == {"letters"}


def test_a_hospital_of_one_zone_offers_nothing() -> None:
    assert mistakes(design(manifest(), architecture_data()), 1) == ()
