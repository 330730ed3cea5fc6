"""Which wires a twin asks for."""

from __future__ import annotations

import pytest

from tests.unit.test_twin_plan import hospital, routed
from wardround.twin.plan import lab
from wardround.twin.wiring import (
    bridge_commands,
    control_route_commands,
    gateway_commands,
    machine_commands,
    port_commands,
)

pytestmark = pytest.mark.unit

LAB = lab(hospital())


def test_every_zone_gets_a_bridge_and_a_second_call_nothing() -> None:
    commands = bridge_commands(LAB, frozenset({"lo"}))
    bridges = {LAB.bridge("mgmt"), LAB.bridge("imaging")}
    assert {command.split()[2] for command in commands} == bridges
    assert bridge_commands(LAB, frozenset({"lo", LAB.control_port, *bridges})) == ()


def test_a_zone_that_left_the_manifest_loses_its_bridge() -> None:
    present = frozenset({"lo", "wrold", LAB.bridge("mgmt"), LAB.bridge("imaging")})
    assert bridge_commands(LAB, present) == ("link del wrold",)


def test_this_machine_reaches_other_zones_through_the_gateway_only() -> None:
    routes = [command for command in control_route_commands(LAB) if command.startswith("route")]
    assert routes == [f"route replace 10.90.2.0/24 via 10.90.1.1 dev {LAB.control_interface} proto 201"]


def test_a_host_leaves_its_zone_through_the_gateway() -> None:
    assert machine_commands(LAB, LAB.host("infra01")) == (
        "link set eth0 up",
        "address replace 10.90.1.10/24 dev eth0",
        "route replace default via 10.90.1.1 dev eth0",
    )


def test_an_uplink_keeps_its_default_route() -> None:
    assert machine_commands(LAB, LAB.host("patch01"))[2:] == ("route replace 10.90.1.0/24 via 10.90.2.1 dev eth1",)


def test_the_gateway_stands_in_every_zone() -> None:
    addresses = [command.split()[2] for command in gateway_commands(LAB) if command.startswith("address")]
    assert addresses == ["10.90.1.1/24", "10.90.2.1/24"]


def test_a_port_left_behind_is_taken_away_first() -> None:
    legs = LAB.legs(LAB.host("infra01"))
    commands = port_commands(LAB, legs, 4711, frozenset({legs[0].port}))
    assert commands[0] == f"link del {legs[0].port}"
    assert commands[1].endswith(f"name eth0 address {legs[0].mac} netns 4711")
    assert commands[2] == f"link set {legs[0].port} master {LAB.bridge('mgmt')} up"


def test_a_managed_gateway_has_an_address_of_its_own_and_speaks_from_it() -> None:
    routed_lab = lab(routed())
    mgmt, imaging = (leg.interface for leg in routed_lab.gateway_legs())
    assert machine_commands(routed_lab, routed_lab.host("gw01")) == (
        f"link set {mgmt} up",
        f"address replace 10.90.1.1/24 dev {mgmt}",
        f"link set {imaging} up",
        f"address replace 10.90.2.1/24 dev {imaging}",
        f"address replace 10.90.1.2/24 dev {mgmt}",
        f"route replace 10.90.1.0/24 dev {mgmt} scope link src 10.90.1.2",
        f"route replace 10.90.2.0/24 dev {imaging} scope link src 10.90.1.2",
    )


def test_the_other_hosts_do_not_notice_who_the_gateway_is() -> None:
    routed_lab = lab(routed())
    for name in ("infra01", "patch01"):
        assert machine_commands(routed_lab, routed_lab.host(name)) == machine_commands(LAB, LAB.host(name))
    assert control_route_commands(routed_lab) == control_route_commands(LAB)


def test_every_port_of_a_managed_gateway_belongs_to_the_twin() -> None:
    routed_lab = lab(routed())
    ports = {leg.port for leg in routed_lab.gateway_legs()}
    bridges = {routed_lab.bridge(zone.id) for zone in routed_lab.hospital.zones}
    assert bridge_commands(routed_lab, frozenset({"lo", routed_lab.control_port, *bridges, *ports})) == ()
