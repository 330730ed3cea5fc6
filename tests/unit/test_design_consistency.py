"""Architectures: every name that one uses is declared by it or by one that it requires."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hospital_samples import Data, architecture, architecture_data
from wardround.design.consistency import architecture_faults
from wardround.design.parts import in_order, join

pytestmark = pytest.mark.unit


def faults(data: Data, *known: Data) -> list[tuple[str, str]]:
    found = architecture_faults(architecture(data), tuple(architecture(each) for each in known))
    return [(fault.code, ".".join(map(str, fault.path))) for fault in found]


def test_the_sample_is_consistent() -> None:
    assert faults(architecture_data()) == []


def zone_of_a_component(data: Data) -> None:
    data["components"]["server"]["zones"] = ["serverz"]


def role_of_a_component(data: Data) -> None:
    data["components"]["server"]["roles"] = ["secund"]


def role_everywhere(data: Data) -> None:
    data["everywhere"]["roles"] = ["fist"]


def parameter_of_a_variable(data: Data) -> None:
    data["everywhere"]["variables"]["first_title"] = {"parameter": "titel"}


def parameter_of_somebody_else(data: Data) -> None:
    data["everywhere"]["variables"]["first_title"] = {"parameter": "pacs.title"}


def component_deep_inside(data: Data) -> None:
    data["everywhere"]["variables"]["first_title"] = {"list": [{"map": {"a": {"host": "sever", "field": "name"}}}]}


def subnets_of_a_variable(data: Data) -> None:
    data["everywhere"]["variables"]["first_title"] = {"subnets": ["internal", "servers", "serverz"]}


def zones_of_a_variable(data: Data) -> None:
    data["everywhere"]["variables"]["first_title"] = {"zones": ["internal", "servers", "serverz"]}


def service_of_a_flow(data: Data) -> None:
    data["flows"][1]["service"] = "ftp"


def end_of_a_flow(data: Data) -> None:
    data["flows"][1]["to"] = ["server", "zone:serverz"]


def probe(data: Data) -> None:
    data["probes"] = [{"id": "P-AA-01", "kind": "tcp", "from": "server", "to": "sever", "service": "https"}]


def evidence(data: Data) -> None:
    control = {"id": "C-AA-01", "title": "t", "check": "c", "disruption": "none", "confidence": "H"}
    data["controls"] = [{**control, "evidence": ["attestation: yearly", "F-WRD-01", "first:tag", "forth:tag"]}]


def flow_evidence(data: Data) -> None:
    control = {"id": "C-AA-01", "title": "t", "check": "c", "disruption": "none", "confidence": "H"}
    data["controls"] = [{**control, "evidence": ["F-WRD-99"]}]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (zone_of_a_component, "components.server.zones.0"),
        (role_of_a_component, "components.server.roles.0"),
        (role_everywhere, "everywhere.roles.0"),
        (parameter_of_a_variable, "everywhere.variables.first_title"),
        (parameter_of_somebody_else, "everywhere.variables.first_title"),
        (component_deep_inside, "everywhere.variables.first_title"),
        (subnets_of_a_variable, "everywhere.variables.first_title"),
        (zones_of_a_variable, "everywhere.variables.first_title"),
        (service_of_a_flow, "flows.1.service"),
        (end_of_a_flow, "flows.1.to"),
        (probe, "probes.0"),
        (evidence, "controls.0.evidence"),
        (flow_evidence, "controls.0.evidence"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_once(change: Callable[[Data], None], place: str) -> None:
    data = architecture_data()
    change(data)
    assert faults(data) == [("WR-146", place)]


def test_what_is_required_may_be_named() -> None:
    upper = {
        "name": "upper",
        "version": "1.0.0",
        "summary": "s",
        "supported_until": "2030-01-01",
        "requires": {"ward": "1.0.0"},
        "roles": ["fourth"],
        "components": {
            "desk": {
                "summary": "d",
                "platform": "managed",
                "zones": ["servers"],
                "criticality": "low",
                "roles": ["first"],
            }
        },
        "flows": [{"id": "F-UPP-01", "from": ["desk"], "to": ["server"], "service": "https", "purpose": "p"}],
    }
    assert faults(upper, architecture_data()) == []
    assert {code for code, _ in faults(upper)} == {"WR-146"}


@pytest.mark.parametrize("kind", ["components", "services"])
def test_nothing_is_declared_twice(kind: str) -> None:
    upper: dict[str, Any] = {**architecture_data(), "name": "upper", "flows": [], "components": {}, "services": {}}
    name = next(iter(architecture_data()[kind]))
    upper[kind] = {name: architecture_data()[kind][name]}
    assert faults(upper, architecture_data()) == [("WR-146", f"{kind}.{name}")]


def test_a_flow_id_is_used_once() -> None:
    data = architecture_data()
    data["flows"][1]["id"] = data["flows"][0]["id"]
    assert faults(data) == [("WR-146", "flows")]


@pytest.mark.parametrize(
    ("parameter", "fault"),
    [
        ({"type": "string", "pattern": "[", "default": "x"}, ("WR-107", "parameters.title.pattern")),
        ({"type": "string", "pattern": "^[a-z]+$", "default": "X"}, ("WR-142", "parameters.title.default")),
        ({"type": "integer", "minimum": 5, "default": 4}, ("WR-142", "parameters.title.default")),
        ({"type": "addresses", "default": "10.0.0.1"}, ("WR-142", "parameters.title.default")),
    ],
)
def test_a_parameter_allows_its_own_default(parameter: Data, fault: tuple[str, str]) -> None:
    data = architecture_data()
    data["parameters"]["title"] = {"description": "d", **parameter}
    assert faults(data) == [fault]


def upper_with(zone: Data) -> Data:
    """An architecture above the sample that names the sample's zone `servers`, described like this."""
    bare: Data = {"flows": [], "components": {}, "services": {}, "probes": [], "controls": [], "everywhere": {}}
    return {**architecture_data(), **bare, "name": "upper", "zones": {"servers": zone}}


def test_architectures_mean_the_same_by_a_zone() -> None:
    servers = architecture_data()["zones"]["servers"]
    assert faults(upper_with({**servers, "required": True}), architecture_data()) == []
    for change in ({"kind": "device"}, {"purpose": "something else"}):
        assert faults(upper_with({**servers, **change}), architecture_data()) == [("WR-148", "zones.servers")]


@pytest.mark.parametrize("first", [False, True])
def test_a_zone_is_required_where_one_architecture_requires_it(*, first: bool) -> None:
    servers = {**architecture_data()["zones"]["servers"], "required": False}
    lower, upper = architecture_data(), upper_with({**servers, "required": not first})
    lower["zones"]["servers"] = {**servers, "required": first}
    assert join((architecture(lower), architecture(upper))).zones["servers"].required


def upper_ordering(*roles: str) -> Data:
    return {**upper_with(architecture_data()["zones"]["servers"]), "roles": list(roles)}


def test_an_own_role_may_come_before_or_after_any_of_a_required_architecture() -> None:
    lower, upper = architecture_data(), upper_ordering("fifth", "first", "sixth", "third", "seventh")
    assert faults(upper, lower) == []
    order = join((architecture(lower), architecture(upper))).role_order
    assert order == ("fifth", "first", "second", "sixth", "third", "seventh")


def test_a_role_that_nothing_orders_comes_after_those_of_required_architectures() -> None:
    order = join((architecture(architecture_data()), architecture(upper_ordering("fifth")))).role_order
    assert order == ("first", "second", "third", "fifth")


def test_a_role_that_comes_before_a_required_one_takes_no_other_along() -> None:
    baseline = ("mirror", "hardening", "certificates")
    assert in_order([baseline, ("proxy",), ("gateway", "hardening", "radius")]) == (
        *("mirror", "gateway", "hardening", "certificates"),
        *("proxy", "radius"),
    )


def test_an_order_that_another_architecture_has_the_other_way_round_is_told() -> None:
    lower, upper = architecture_data(), upper_ordering("third", "first")
    assert faults(upper, lower) == [("WR-149", "roles")]
    above = {**upper_ordering("eighth"), "name": "above", "zones": {}, "parameters": {}, "roles": ["eighth"]}
    assert ("WR-149", "roles") not in faults(above, lower, upper)


@given(st.lists(st.sets(st.sampled_from("abcdef")).map(lambda roles: tuple(sorted(roles))), max_size=5))
def test_orders_that_agree_are_all_kept(wanted: list[tuple[str, ...]]) -> None:
    order = in_order(wanted)
    assert sorted(order) == sorted({role for roles in wanted for role in roles})
    for roles in wanted:
        assert [role for role in order if role in roles] == list(roles)
