"""Probes: who asks whom, and with which words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.hospital_samples import architecture, architecture_data, design, manifest
from wardround.model.architecture import NEEDED_SETTINGS, ProbeKind
from wardround.model.design import DesignProbe
from wardround.probe.radius import one_of_each_vlan

pytestmark = pytest.mark.unit

ECHO: dict[str, Any] = {
    "id": "P-WRD-01",
    "kind": "dicom_echo",
    "from": "server",
    "to": "server",
    "service": "https",
    "tls": True,
    "settings": {"calling": {"own": "name"}, "called": {"parameter": "title"}},
}


def probes(*given: dict[str, Any]) -> tuple[DesignProbe, ...]:
    """Resolve probes of a hospital with two servers."""
    data, hospital = architecture_data(), manifest()
    data["probes"] = list(given)
    hospital["hosts"]["srv02"] = {**hospital["hosts"]["srv01"], "address": "10.0.1.12"}
    return design(hospital, data).probes


def test_each_host_that_may_ask_asks_each_that_is_asked() -> None:
    found = probes(ECHO)
    assert [(each.source, each.destination) for each in found] == [
        ("srv01", "srv01"),
        ("srv01", "srv02"),
        ("srv02", "srv01"),
        ("srv02", "srv02"),
    ]
    assert found[1].settings == {"called": "WARD", "calling": "srv01"}
    assert (str(found[1].address), found[1].port, found[1].tls_name) == ("10.0.1.12", 443, "srv02.st-test.internal")


def test_a_device_never_asks() -> None:
    assert probes({**ECHO, "from": "monitor", "settings": ECHO["settings"]}) == ()


def test_without_tls_there_is_no_name() -> None:
    (found, *_) = probes({**ECHO, "tls": False, "kind": "tcp", "settings": {}})
    assert found.tls_name == ""


RADIUS: dict[str, Any] = {
    **ECHO,
    "kind": "radius_mab",
    "service": "radius",
    "tls": False,
    "settings": {"devices": {"devices": "by_mac"}},
}


def test_a_probe_about_devices_is_told_of_them() -> None:
    given = manifest()
    given["hosts"]["mon01"]["mac"] = "02:00:5e:00:01:21"
    data = {**architecture_data(), "probes": [RADIUS]}
    (found,) = design(given, data).probes
    assert found.port == 1812
    assert [each.mac for each in one_of_each_vlan(found.settings["devices"])] == ["02:00:5e:00:01:21"]


def test_a_probe_that_has_nothing_to_ask_about_is_none() -> None:
    given = manifest()
    given["hosts"]["mon01"] |= {"mac": "02:00:5e:00:01:21", "supplicant": True}
    assert design(given, {**architecture_data(), "probes": [RADIUS]}).probes == ()


@pytest.mark.parametrize("kind", ["radius_mab", "https_tunnel"])
def test_a_probe_that_is_asked_in_clear_has_no_tls_with_whom_it_asks(kind: str) -> None:
    settings = {name: {"value": "x"} for name in NEEDED_SETTINGS[ProbeKind(kind)]}
    data = {**architecture_data(), "probes": [{**RADIUS, "kind": kind, "settings": settings, "tls": True}]}
    with pytest.raises(ValidationError, match="has no TLS with the host that it asks"):
        architecture(data)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("dicom_echo", {}), ("tcp", {"calling": {"value": 1}}), ("https", {"path": {"value": "/"}})],
)
def test_a_probe_has_the_settings_of_its_kind(kind: str, settings: dict[str, Any]) -> None:
    data = {**architecture_data(), "probes": [{**ECHO, "kind": kind, "settings": settings}]}
    with pytest.raises(ValidationError, match=f"a probe of kind {kind} has the settings"):
        architecture(data)
