"""Flows: which hosts and addresses each end means, and which flows sleep."""

from __future__ import annotations

import pytest

from tests.unit.hospital_samples import architecture_data, design, hospital, manifest, parts
from wardround.design.flow import Endpoints
from wardround.model.design import DesignFlow

pytestmark = pytest.mark.unit


def flow(name: str) -> DesignFlow:
    return next(each for each in design().flows if each.id == name)


@pytest.mark.parametrize(
    ("word", "hosts", "networks"),
    [
        ("server", ["srv01"], ["10.0.1.11/32"]),
        ("managed", ["srv01"], ["10.0.1.11/32"]),
        ("control", [], ["10.0.9.10/32"]),
        ("zone:devices", ["mon01"], ["10.0.2.0/24"]),
        ("zone:outside", [], ["0.0.0.0/0"]),
        ("zone:attic", [], []),
        ("internal", ["mon01", "srv01", "sw01"], ["10.0.1.0/24", "10.0.2.0/24", "10.0.9.0/24"]),
        ("nobody", [], []),
    ],
)
def test_a_word_means_these(word: str, hosts: list[str], networks: list[str]) -> None:
    ends = Endpoints(hospital(), parts())
    assert list(ends.hosts((word,))) == hosts
    assert [str(network) for network in ends.networks((word,))] == networks


def test_a_host_of_an_external_zone_is_not_internal() -> None:
    data = architecture_data()
    data["components"]["peer"] = {
        "summary": "somebody else's server",
        "platform": "unmanaged",
        "zones": ["vendor"],
        "criticality": "low",
    }
    given = manifest()
    given["hosts"]["peer01"] = {**given["hosts"]["mon01"], "component": "peer", "address": "203.0.113.7", "mac": None}
    found = design(given, data)
    names = next(each for each in found.flows if each.id == "F-WRD-02").source_hosts
    assert names == ("mon01", "srv01", "sw01")


def test_ports_are_texts_and_ranges_stay_ranges() -> None:
    assert flow("F-WRD-05").ports == ("1812-1813",)
    assert flow("F-WRD-03").ports == ("443", "8443")


def test_a_flow_without_one_end_sleeps() -> None:
    given = manifest()
    given["hosts"].pop("mon01")
    sleeping = [each.id for each in design(given).flows if not each.active]
    assert sleeping == ["F-WRD-03"]


def test_flows_are_in_the_order_of_their_ids() -> None:
    data = architecture_data()
    data["flows"].reverse()
    assert [each.id for each in design(of=data).flows] == sorted(each["id"] for each in data["flows"])
