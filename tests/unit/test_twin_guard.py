"""The machine's own network is never hidden by a lab, and a lab never leaks out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_twin_plan import hospital
from wardround.twin.guard import SubnetInUseError, blackhole_commands, blackholes, check_subnets
from wardround.twin.plan import blackhole_metric, lab

pytestmark = pytest.mark.unit

LAB = lab(hospital())
MACHINE = [
    {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
    {"dst": "192.0.2.0/24", "dev": "eth0"},
    {"type": "broadcast", "dst": "192.0.2.255", "dev": "eth0", "table": "local"},
]
PODMAN = json.dumps([{"name": "podman", "subnets": [{"subnet": "10.88.0.0/16"}]}])


def check(routes: Sequence[Mapping[str, object]], resolvers: str = "", podman: str = PODMAN) -> None:
    check_subnets(LAB, json.dumps(routes), resolvers, podman)


def test_a_machine_that_lives_elsewhere_is_fine() -> None:
    check(MACHINE, "nameserver 10.255.255.53\nnameserver fe80::1%eth0\nsearch example.org\n")


def test_the_twins_own_routes_do_not_stop_it() -> None:
    own: list[dict[str, object]] = [
        {"dst": "10.90.1.0/24", "dev": LAB.control_interface},
        {"dst": "10.90.2.0/24", "type": "blackhole", "metric": LAB.blackhole_metric},
    ]
    check(own)


@pytest.mark.parametrize(
    ("routes", "resolvers", "podman", "message"),
    [
        ([{"dst": "10.90.0.0/16", "dev": "tun0"}], "", "[]", "routes to tun0"),
        ([{"dst": "10.90.2.7", "dev": "eth0"}], "", "[]", "10.90.2.7/32"),
        ([{"dst": "10.90.2.0/24", "type": "blackhole", "metric": 4000000001}], "", "[]", "routes to blackhole"),
        ([], "nameserver 10.90.1.53\n", "[]", "resolver"),
        ([], "", '[{"name": "podman", "subnets": [{"subnet": "10.0.0.0/8"}]}]', "podman's network podman"),
    ],
)
def test_what_the_machine_uses_is_refused(
    routes: Sequence[Mapping[str, object]], resolvers: str, podman: str, message: str
) -> None:
    with pytest.raises(SubnetInUseError, match=message):
        check(routes, resolvers, podman)


def test_blackholes_are_laid_once_and_stale_ones_lifted() -> None:
    mark = f"metric {LAB.blackhole_metric} proto 201"
    assert blackhole_commands(LAB, "[]") == (
        f"route add blackhole 10.90.1.0/24 {mark}",
        f"route add blackhole 10.90.2.0/24 {mark}",
    )
    laid = [
        {"type": "blackhole", "dst": subnet, "metric": LAB.blackhole_metric}
        for subnet in ("10.90.1.0/24", "10.90.9.0/24")
    ]
    assert blackhole_commands(LAB, json.dumps(laid)) == (
        f"route del blackhole 10.90.9.0/24 {mark}",
        f"route add blackhole 10.90.2.0/24 {mark}",
    )


def test_another_hospitals_blackholes_are_not_ours() -> None:
    laid = [{"type": "blackhole", "dst": "10.90.1.0/24", "metric": blackhole_metric("st-other")}]
    assert blackholes(json.dumps(laid), LAB.blackhole_metric) == ()


@given(st.integers(min_value=8, max_value=32), st.integers(min_value=0, max_value=2**32 - 1))
def test_any_overlapping_route_is_refused_and_no_other(length: int, address: int) -> None:
    route = IPv4Network((address & (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF, length))
    overlaps = any(route.overlaps(zone.subnet) for zone in LAB.hospital.zones)
    try:
        check([{"dst": str(route), "dev": "eth7"}], podman="[]")
    except SubnetInUseError:
        assert overlaps
    else:
        assert not overlaps
