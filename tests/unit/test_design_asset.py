"""Assets: who answers for them, when they may be touched, how many there must be."""

from __future__ import annotations

import pytest

from tests.unit.hospital_samples import Data, architecture_data, hospital, manifest, parts
from wardround.design.asset import asset_faults, count_faults

pytestmark = pytest.mark.unit


def faults(data: Data, of: Data | None = None) -> list[tuple[str, str, str]]:
    read, joined = hospital(data), parts(of)
    return [
        (fault.code, ".".join(map(str, fault.path)), fault.message)
        for fault in (*asset_faults(read, joined), *count_faults(read, joined))
    ]


@pytest.mark.parametrize("key", ["owner", "window", "restart", "release"])
def test_an_asset_without_an_answer_is_refused(key: str) -> None:
    given = manifest()
    given["hosts"]["srv01"].pop(key)
    [(code, place, message)] = faults(given)
    assert (code, place) == ("WR-138", "hosts.srv01")
    assert key in message


@pytest.mark.parametrize("criticality", ["life", "high", "medium", "low"])
def test_critical_assets_need_a_way_to_work_on_by_hand(criticality: str) -> None:
    given = manifest()
    given["hosts"]["srv01"]["criticality"] = criticality
    assert bool(faults(given)) == (criticality in {"life", "high"})


def test_a_release_is_only_asked_of_managed_hosts() -> None:
    given = manifest()
    assert "release" not in given["hosts"]["mon01"]
    assert faults(given) == []


@pytest.mark.parametrize(("key", "code"), [("window", "WR-137"), ("owner", "WR-144"), ("component", "WR-139")])
def test_a_word_that_leads_nowhere_gets_a_hint(key: str, code: str) -> None:
    given = manifest()
    host = given["hosts"]["srv01"]
    right = host[key]
    given["hosts"]["srv02"] = {**host, "address": "10.0.1.12", key: right + "x"}
    [(found, place, message)] = faults(given)
    assert (found, place) == (code, f"hosts.srv02.{key}")
    assert f'did you mean "{right}"?' in message


@pytest.mark.parametrize(("count", "code"), [({"min": 2}, "WR-136"), ({"min": 0, "max": 1}, None), ({"min": 1}, None)])
def test_a_component_has_as_many_hosts_as_its_architecture_allows(count: Data, code: str | None) -> None:
    data = architecture_data()
    data["components"]["server"]["count"] = count
    assert [each for each, _, _ in faults(manifest(), data)] == ([code] if code else [])


def test_too_many_are_as_wrong_as_too_few() -> None:
    data = architecture_data()
    data["components"]["server"]["count"] = {"max": 1}
    given = manifest()
    given["hosts"]["srv02"] = {**given["hosts"]["srv01"], "address": "10.0.1.12"}
    [(code, place, message)] = faults(given, data)
    assert (code, place) == ("WR-136", "hosts")
    assert "at most 1" in message


@pytest.mark.parametrize("zone", ["Europe/Berln", "Europe", "../../etc/passwd", "+01:00", "Europe/Berlin\n"])
def test_a_time_zone_is_one_of_iana(zone: str) -> None:
    given = manifest()
    given["timezone"] = zone
    assert [code for code, _, _ in faults(given)] == ["WR-147"]


@pytest.mark.parametrize("key", ["mac", "model", "support_end", "approval", "aet"])
def test_an_architecture_may_ask_more_of_a_device(key: str) -> None:
    data, given = architecture_data(), manifest()
    data["components"]["monitor"]["asks"] = [key]
    given["hosts"]["mon01"].pop(key, None)
    [(code, place, message)] = faults(given, data)
    assert (code, place) == ("WR-138", "hosts.mon01")
    assert f"has no {key}:" in message
