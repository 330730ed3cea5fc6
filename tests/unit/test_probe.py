"""Probes: what a host is asked to do for them, and what its words mean."""

from __future__ import annotations

import json
from ipaddress import IPv4Address

import pytest

from wardround.model.architecture import ProbeKind
from wardround.model.base import JsonValue
from wardround.model.design import DesignProbe
from wardround.probe import radius
from wardround.probe.answer import Reply
from wardround.verbs.probe import order_of

pytestmark = pytest.mark.unit

CT: dict[str, JsonValue] = {
    "name": "ct01",
    "mac": "02:00:5e:00:21:11",
    "vlan": 121,
    "zone": "modality_a",
    "supplicant": False,
}
MR = {**CT, "name": "mr01", "mac": "02:00:5e:00:21:12"}
PUMP = {**CT, "name": "pump01", "mac": "02:00:5e:00:41:11", "vlan": 141, "zone": "infusion"}
DEVICES = radius.one_of_each_vlan([CT, MR, PUMP])


def probe(kind: ProbeKind, port: int, tls_name: str, settings: dict[str, JsonValue]) -> DesignProbe:
    return DesignProbe(
        id="P-WRD-01",
        kind=kind,
        source="srv01",
        destination="srv02",
        address=IPv4Address("10.0.1.12"),
        port=port,
        tls_name=tls_name,
        settings=settings,
    )


def test_a_service_is_asked_at_its_own_address() -> None:
    order = order_of(probe(ProbeKind.HTTPS, 443, "srv02.st-test.internal", {"path": "/", "status": 200}))
    assert (order.address, order.port, order.name) == ("10.0.1.12", 443, "srv02.st-test.internal")
    assert (order.tunnel, order.authorities) == ("", "")


def test_a_service_outside_is_asked_through_the_proxy_and_only_its_own_authority_vouches_for_it() -> None:
    page: dict[str, JsonValue] = {"path": "/", "status": 200}
    tenant: dict[str, JsonValue] = {"host": "tenant.erp.example", "port": 443, "authorities": "-----BEGIN"}
    order = order_of(probe(ProbeKind.HTTPS_TUNNEL, 3128, "", page | tenant))
    assert (order.address, order.port) == ("10.0.1.12", 3128)
    assert (order.tunnel, order.name) == ("tenant.erp.example:443", "tenant.erp.example")
    assert order.authorities == "-----BEGIN"


def test_one_device_of_each_vlan_is_asked_about() -> None:
    assert [each.name for each in DEVICES] == ["ct01", "pump01"]


@pytest.mark.parametrize(
    "answer", ["", "sudo: a password is required", "[]", "{}", '[{"said": "accept"}]', "[1, 2]", "7"]
)
def test_an_answer_in_another_form_counts_for_nothing(answer: str) -> None:
    found = radius.judged(DEVICES, answer)
    assert not found.good
    assert "is not understood" in found.words


@pytest.mark.parametrize(
    ("said", "good", "words"),
    [
        (
            [{"said": "accept", "vlan": "121"}, {"said": "accept", "vlan": "141"}],
            True,
            "let in: ct01 into VLAN 121, pump01 into VLAN 141",
        ),
        (
            [{"said": "accept", "vlan": "141"}, {"said": "accept", "vlan": ""}],
            False,
            "ct01 got accept in VLAN 141, pump01 got accept in VLAN none",
        ),
        ([{"said": "accept", "vlan": "121"}, {"said": "reject", "vlan": ""}], False, "pump01 got reject"),
        ({"error": "connection refused"}, False, "no answer that counts: connection refused"),
    ],
)
def test_an_answer_is_judged_by_device_and_vlan(said: object, *, good: bool, words: str) -> None:
    assert radius.judged(DEVICES, json.dumps(said)) == Reply(good=good, words=words)
