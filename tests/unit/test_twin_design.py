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
