"""resolve: what a manifest becomes, and what it can never become."""

from __future__ import annotations

import json
import random
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hospital_samples import ARCHITECTURE, Data, architecture, design, hospital, manifest
from wardround.design.fault import UnresolvableError
from wardround.design.resolve import Pinned, resolve
from wardround.model.base import Platform
from wardround.model.design import Design

pytestmark = pytest.mark.unit


def codes(data: Data) -> list[str]:
    with pytest.raises(UnresolvableError) as caught:
        design(data)
    return [fault.code for fault in caught.value.faults]


def shuffled(value: object, chance: random.Random) -> object:
    """Give the same data with every mapping in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(each, chance) for each in value] if isinstance(value, list) else value


def test_a_host_gets_its_roles_in_the_architectures_order() -> None:
    roles = {host.name: host.roles for host in design().hosts}
    assert roles == {"srv01": ("first", "second", "third"), "sw01": (), "mon01": ()}


def test_what_is_never_touched_has_nothing_to_be_touched_with() -> None:
    monitor = next(host for host in design().hosts if host.platform is Platform.UNMANAGED)
    assert (monitor.roles, monitor.variables) == ((), {})


def test_a_certificate_name_is_inside_the_hospitals_domain() -> None:
    server = design().managed_hosts()[0]
    assert server.variables["first_names"] == ["srv01.st-test.internal"]


def test_an_external_zone_has_no_gateway_of_ours() -> None:
    gateways = {zone.name: zone.gateway for zone in design().zones}
    assert gateways["outside"] is None
    assert gateways["vendor"] is None
    assert str(gateways["servers"]) == "10.0.1.1"


def test_the_bytes_do_not_depend_on_the_order_of_keys() -> None:
    given = manifest()
    given["parameters"] = {
        "ward": {
            "title": "NORTH",
            "people": [{"name": "ann", "full_name": "Ann", "groups": ["a", "b"], "ssh_keys": ["ssh-ed25519 A"]}],
        }
    }
    first = design(given).model_dump_json()
    for seed in range(20):
        other = shuffled(given, random.Random(seed))
        assert isinstance(other, dict)
        assert design(other).model_dump_json() == first, seed


def test_every_fault_is_told_at_once_in_a_fixed_order() -> None:
    given = manifest()
    given["hosts"]["srv01"]["address"] = "10.9.9.9"
    given["hosts"]["srv01"]["window"] = "nihgt"
    given["hosts"]["mon01"].pop("fallback")
    given["zones"]["devices"]["subnet"] = "10.0.1.0/25"
    given["parameters"] = {"ward": {"title": "lower case"}}
    assert codes(given) == ["WR-138", "WR-132", "WR-132", "WR-137", "WR-142", "WR-131"]
    assert codes(given) == codes(given)


addresses = st.integers(0, 255).map(lambda last: f"10.0.1.{last}") | st.integers(0, 255).map(
    lambda last: f"10.0.2.{last}"
)
subnets = st.builds(
    lambda third, last, prefix: str(IPv4Network((f"10.0.{third}.{last}", prefix), strict=False)),
    st.integers(0, 9),
    st.integers(0, 255),
    st.integers(20, 30),
)


@st.composite
def manifests(draw: st.DrawFn) -> Data:
    """Give manifests that are mostly right, so that both ends of the road are reached."""
    given: dict[str, Any] = manifest()
    for zone in ("servers", "devices"):
        if draw(st.integers(0, 3)) == 0:
            given["zones"][zone]["subnet"] = draw(subnets)
    for component, prefix, third in (("server", "srv", 1), ("monitor", "mon", 2)):
        for number in range(draw(st.integers(0, 4))):
            usual = f"10.0.{third}.{20 + number}"
            given["hosts"][f"{prefix}{number + 10}"] = {
                **given["hosts"][f"{prefix}01"],
                "component": component,
                "address": draw(st.just(usual) | st.just(usual) | addresses),
                "mac": draw(st.none() | st.just(f"02:00:00:00:0{third}:0{number}") | st.just("02:00:5e:00:02:11")),
            }
    return given


def resolved(given: Data) -> Design | None:
    try:
        return design(given)
    except UnresolvableError:
        return None


@given(manifests())
@settings(max_examples=150, deadline=None)
def test_what_resolves_is_sound(given: Data) -> None:
    found = resolved(given)
    if found is None:
        return
    inside = [zone for zone in found.zones if zone.kind.value != "external"]
    assert not any(one.subnet.overlaps(other.subnet) for one, other in combinations(inside, 2))
    subnet = {zone.name: zone.subnet for zone in found.zones}
    assert all(host.address in subnet[host.zone] for host in found.hosts)
    taken = [host.address for host in found.hosts] + [found.control.address]
    assert len(set(taken)) == len(taken)
    macs = [host.mac for host in found.hosts if host.mac]
    assert len(set(macs)) == len(macs)
    for host in found.hosts:
        if host.platform is Platform.UNMANAGED:
            assert not host.roles
            assert not host.variables


def meant(word: str, given: Data) -> list[IPv4Network]:
    """Say which addresses a word of a flow may mean, straight from the manifest."""
    if word == "control":
        return [IPv4Network(given["control"]["address"])]
    if word == "internal":
        return [IPv4Network(given["zones"][zone]["subnet"]) for zone in ("servers", "devices", "landing")]
    if word.startswith("zone:"):
        zone = given["zones"].get(word.removeprefix("zone:"))
        return [IPv4Network(zone["subnet"])] if zone else []
    wanted = "server" if word == "managed" else word
    return [IPv4Network(host["address"]) for host in given["hosts"].values() if host["component"] == wanted]


@given(manifests())
@settings(max_examples=75, deadline=None)
def test_a_flow_reaches_all_of_its_ends_and_nothing_else(given: Data) -> None:
    found = resolved(given)
    if found is None:
        return
    for flow in found.flows:
        declared = next(each for each in ARCHITECTURE["flows"] if each["id"] == flow.id)
        for words, networks in ((declared["from"], flow.sources), (declared["to"], flow.destinations)):
            assert set(networks) == {network for word in words for network in meant(word, given)}


@given(manifests())
@settings(max_examples=75, deadline=None)
def test_a_hosts_rules_are_its_flows(given: Data) -> None:
    found = resolved(given)
    if found is None:
        return
    for host in found.managed_hosts():
        for variable, ends in (("first_inbound", "destinations"), ("first_outbound", "sources")):
            rules = host.variables[variable]
            assert isinstance(rules, list)
            here = {
                flow.id
                for flow in found.flows
                if flow.active
                and any(IPv4Address(host.address) in each for each in getattr(flow, ends) if each.prefixlen > 0)
            }
            assert {rule["flow"] for rule in rules if isinstance(rule, dict)} == here


def test_no_architecture_no_design() -> None:
    with pytest.raises(UnresolvableError) as caught:
        resolve(hospital(), ())
    assert {fault.code for fault in caught.value.faults} == {"WR-139", "WR-140"}


def test_required_architectures_come_first_and_their_roles_too() -> None:
    data = {
        **json.loads(json.dumps(ARCHITECTURE)),
        "name": "upper",
        "roles": ["fourth"],
        "everywhere": {"roles": ["fourth"]},
        "zones": {},
        "components": {},
        "services": {},
        "flows": [],
        "requires": {"ward": "1.0.0"},
    }
    both = (Pinned(architecture(), "0" * 64), Pinned(architecture(data), "1" * 64))
    found = resolve(hospital(), both)
    assert found.role_order == ("first", "second", "third", "fourth")
    assert found.managed_hosts()[0].roles == ("first", "second", "third", "fourth")
