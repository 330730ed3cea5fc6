"""Names and checks of a twin, decided without touching the machine."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardround.errors import TwinError
from wardround.twin.plan import (
    INTERFACE_LIMIT,
    TwinBystander,
    TwinControl,
    TwinHospital,
    TwinHost,
    TwinTenant,
    TwinZone,
    blackhole_metric,
    container_name,
    control_interface_name,
    interface_names,
    lab,
    mac_address,
)

pytestmark = pytest.mark.unit

TENANT = TwinTenant(
    name="erp",
    zone="imaging",
    address=IPv4Address("10.90.2.40"),
    tls_name="erp.st-test.internal",
    caller="infra01",
    architecture="way_out",
)
KEYS = st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=200)


def hospital(**changed: object) -> TwinHospital:
    usual = TwinHospital(
        name="st-test",
        zones=(
            TwinZone(id="mgmt", subnet=IPv4Network("10.90.1.0/24"), gateway=IPv4Address("10.90.1.1")),
            TwinZone(id="imaging", subnet=IPv4Network("10.90.2.0/24"), gateway=IPv4Address("10.90.2.1"), vlan=20),
        ),
        hosts=(
            TwinHost(name="infra01", zone="mgmt", address=IPv4Address("10.90.1.10"), release="debian-12"),
            TwinHost(
                name="patch01", zone="imaging", address=IPv4Address("10.90.2.10"), release="debian-13", uplink=True
            ),
        ),
        control=TwinControl(zone="mgmt", address=IPv4Address("10.90.1.5")),
        forward_rules="table inet lab {}\n",
    )
    return usual.model_copy(update=changed)


@given(KEYS)
def test_interface_names_are_short_unique_and_stable(keys: list[str]) -> None:
    names = interface_names("st-test", keys)
    assert list(names) == keys
    assert len(set(names.values())) == len(keys)
    assert all(len(name) <= INTERFACE_LIMIT and name.startswith("wr") for name in names.values())
    assert interface_names("st-test", keys) == names


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_two_hospitals_share_no_name(one: str, other: str) -> None:
    if one != other:
        assert control_interface_name(one) != control_interface_name(other)
        assert container_name(one, "pacs01") != container_name(other, "pacs01")


@given(st.text(min_size=1), st.text(min_size=1))
def test_made_up_addresses_are_local_and_unicast(name: str, key: str) -> None:
    first = int(mac_address(name, key).split(":")[0], 16)
    assert first & 0b11 == 0b10
    assert len(mac_address(name, key)) == 17


def test_a_blackhole_is_the_last_resort_and_tells_whose_it_is() -> None:
    assert 0xF000_0000 <= blackhole_metric("st-test") <= 0xFFFF_FFFF
    assert blackhole_metric("st-test") != blackhole_metric("st-other")


def test_this_machines_leg_is_found_by_the_hospitals_name_alone() -> None:
    assert lab(hospital()).control_interface == control_interface_name("st-test")


def test_an_uplink_leaves_podman_its_interface() -> None:
    wanted = lab(hospital())
    assert [leg.interface for leg in wanted.legs(wanted.host("patch01"))] == ["eth1"]
    assert [leg.interface for leg in wanted.legs(wanted.host("infra01"))] == ["eth0"]
    assert [str(leg.address) for leg in wanted.gateway_legs()] == ["10.90.1.1", "10.90.2.1"]


def test_a_mac_of_the_manifest_is_kept() -> None:
    host = TwinHost(
        name="infra01",
        zone="mgmt",
        address=IPv4Address("10.90.1.10"),
        mac="00:11:22:33:44:55",
        release="debian-12",
    )
    wanted = lab(hospital(hosts=(host,)))
    assert wanted.legs(host)[0].mac == "00:11:22:33:44:55"


def test_an_erp_is_known_among_bystanders_and_no_host() -> None:
    assert hospital().tenant is None
    plain = TwinBystander(name="ct01", zone="imaging", address=IPv4Address("10.90.2.31"))
    wanted = lab(hospital(bystanders=(plain, TENANT)))
    assert wanted.hospital.tenant == TENANT
    assert [str(leg.address) for leg in wanted.legs(wanted.machine("erp"))] == ["10.90.2.40"]
    with pytest.raises(TwinError, match="no managed host erp"):
        wanted.host("erp")


def test_an_unknown_host_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TwinError, match="infra01, patch01"):
        lab(hospital()).host("infra1")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"zones": (TwinZone(id="mgmt", subnet=IPv4Network("8.8.8.0/24"), gateway=IPv4Address("8.8.8.1")),)},
            "is public",
        ),
        (
            {"zones": (TwinZone(id="mgmt", subnet=IPv4Network("10.90.1.0/24"), gateway=IPv4Address("10.91.1.1")),)},
            "outside 10.90.1.0/24",
        ),
        (
            {
                "zones": (
                    TwinZone(id="mgmt", subnet=IPv4Network("10.90.0.0/16"), gateway=IPv4Address("10.90.1.1")),
                    TwinZone(id="imaging", subnet=IPv4Network("10.90.2.0/24"), gateway=IPv4Address("10.90.2.1")),
                )
            },
            "overlap",
        ),
        ({"control": TwinControl(zone="mgmt", address=IPv4Address("10.90.2.5"))}, "not in zone mgmt"),
        ({"control": TwinControl(zone="mgmt", address=IPv4Address("10.90.1.10"))}, "share the address 10.90.1.10"),
        ({"control": TwinControl(zone="mgmt", address=IPv4Address("10.90.1.1"))}, "the gateway of mgmt"),
        ({"control": TwinControl(zone="nowhere", address=IPv4Address("10.90.1.5"))}, "not in zone nowhere"),
    ],
)
def test_what_cannot_be_built_is_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(TwinError, match=message):
        lab(hospital(**changed))


def routed(**changed: object) -> TwinHospital:
    """The usual hospital, whose gateway is a managed host."""
    gateway = TwinHost(
        name="gw01", zone="mgmt", address=IPv4Address("10.90.1.2"), release="debian-13", gateway=True
    ).model_copy(update=changed)
    return hospital(hosts=(gateway, *hospital().hosts))


ADDRESSES = st.integers(1, 254).map(lambda number: IPv4Address(f"10.90.1.{number}"))


@given(ADDRESSES)
def test_a_gateway_that_is_managed_stands_in_every_zone_under_names_of_its_own(address: IPv4Address) -> None:
    if str(address) in {"10.90.1.5", "10.90.1.10"}:
        with pytest.raises(TwinError, match=re.escape(f"share the address {address}")):
            lab(routed(address=address))
        return
    wanted = lab(routed(address=address))
    legs = wanted.legs(wanted.host("gw01"))
    assert legs == wanted.gateway_legs()
    assert [(leg.zone.id, str(leg.address)) for leg in legs] == [("mgmt", "10.90.1.1"), ("imaging", "10.90.2.1")]
    others = [leg for host in wanted.hospital.hosts if not host.gateway for leg in wanted.legs(host)]
    names = [leg.port for leg in (*legs, *others)]
    assert len(set(names)) == len(names)
    assert all(len(leg.interface) <= INTERFACE_LIMIT for leg in legs)
    assert wanted.container("gw01") == container_name("st-test", "gw01")


def test_the_gateways_card_is_the_one_in_its_own_zone() -> None:
    legs = lab(routed(mac="00:11:22:33:44:55")).gateway_legs()
    assert [leg.mac == "00:11:22:33:44:55" for leg in legs] == [True, False]


def test_a_twin_has_a_gateway_of_its_own_or_a_managed_one() -> None:
    assert lab(hospital()).gateway_host is None
    managed = lab(routed()).gateway_host
    assert managed is not None
    assert managed.name == "gw01"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"address": IPv4Address("10.90.2.2")}, "not in zone mgmt"),
        ({"address": IPv4Address("10.90.2.1")}, "not in zone mgmt"),
        ({"uplink": True}, "one gateway, whose only networks are the zones"),
    ],
)
def test_a_gateway_that_cannot_be_built_is_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(TwinError, match=message):
        lab(routed(**changed))


def test_nobody_but_the_gateway_has_a_gateways_address() -> None:
    taken = hospital().hosts[0].model_copy(update={"address": IPv4Address("10.90.1.1")})
    with pytest.raises(TwinError, match="infra01 and the gateway of mgmt"):
        lab(hospital(hosts=(taken,)))
    gateway = routed(address=IPv4Address("10.90.1.1")).hosts[0]
    with pytest.raises(TwinError, match="infra01 and gw01 share"):
        lab(hospital(hosts=(gateway, taken)))


def test_two_gateways_are_refused() -> None:
    one = routed().hosts[0]
    two = one.model_copy(update={"name": "gw02", "address": IPv4Address("10.90.1.3")})
    with pytest.raises(TwinError, match="gw01 and gw02: a twin has one gateway"):
        lab(hospital(hosts=(one, two)))
