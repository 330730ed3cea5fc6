"""Ports that only a device's manufacturer knows: from the catalogue, for that model's devices, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.hospital_samples import architecture_data, hospital, manifest, parts
from wardround.design.fault import Fault
from wardround.design.flow import resolve_flows
from wardround.model.design import DesignFlow
from wardround.model.device import DeviceCatalogue

pytestmark = pytest.mark.unit

Data = dict[str, Any]
SOURCE = {"title": "Service manual", "revision": "C", "read": "2026-11-22"}


def catalogue(**ports: list[int | str]) -> DeviceCatalogue:
    """A catalogue in which each model listens for https on these ports."""
    models = {name: {"summary": name, "source": SOURCE, "ports": {"https": found}} for name, found in ports.items()}
    return DeviceCatalogue.model_validate_json(json.dumps({"models": models}))


def ward(models: dict[str, str | None]) -> Data:
    """A hospital with a monitor of each name, of these models."""
    given = manifest()
    given["zones"].pop("outside")
    given["zones"].pop("vendor")
    sample = given["hosts"].pop("mon01")
    for number, (name, model) in enumerate(models.items(), start=11):
        given["hosts"][name] = {**sample, "address": f"10.0.2.{number}", "mac": None, "model": model}
    return given


def flows_of(
    given: Data, known: DeviceCatalogue, ports: tuple[object, ...] = ("site",), *, to_device: bool = False
) -> tuple[dict[str, DesignFlow], list[Fault]]:
    """Resolve the flow between monitor and server by a service of these ports."""
    data = architecture_data()
    data["services"]["https"]["ports"] = list(ports)
    if to_device:
        flow = next(each for each in data["flows"] if each["id"] == "F-WRD-03")
        flow["from"], flow["to"] = flow["to"], flow["from"]
    flows, faults = resolve_flows(hospital(given), parts(data), known)
    return {flow.id: flow for flow in flows if flow.id.startswith("F-WRD-03")}, faults


@pytest.mark.parametrize("to_device", [False, True])
def test_the_port_of_the_model_is_filled_in(*, to_device: bool) -> None:
    found, faults = flows_of(ward({"mon01": "cardio"}), catalogue(cardio=[5000, "6000-6010"]), to_device=to_device)
    assert faults == []
    assert found["F-WRD-03"].ports == ("5000", "6000-6010")


def test_ports_that_the_service_has_itself_stay() -> None:
    found, _ = flows_of(ward({"mon01": "cardio"}), catalogue(cardio=[5000]), (443, "site"))
    assert found["F-WRD-03"].ports == ("443", "5000")


@pytest.mark.parametrize("to_device", [False, True])
def test_models_with_other_ports_get_flows_of_their_own(*, to_device: bool) -> None:
    given = ward({"mon01": "cardio", "mon02": "neo", "mon03": "cardio"})
    found, faults = flows_of(given, catalogue(cardio=[5000], neo=[7000, 7001]), to_device=to_device)
    assert faults == []
    ends = {
        name: [str(each) for each in (flow.destinations if to_device else flow.sources)] for name, flow in found.items()
    }
    assert ends == {"F-WRD-03:5000": ["10.0.2.11/32", "10.0.2.13/32"], "F-WRD-03:7000.7001": ["10.0.2.12/32"]}


def test_models_with_the_same_port_share_a_flow() -> None:
    found, _ = flows_of(ward({"mon01": "cardio", "mon02": "neo"}), catalogue(cardio=[5000], neo=[5000]))
    assert list(found) == ["F-WRD-03"]
    assert found["F-WRD-03"].source_hosts == ("mon01", "mon02")


@pytest.mark.parametrize(
    ("model", "path", "said"),
    [
        (None, ("hosts", "mon01"), "host mon01 does not say which model it is"),
        (
            "cardia",
            ("hosts", "mon01", "model"),
            'model "cardia" of host mon01 is not in the catalogue, did you mean "cardio"?',
        ),
        ("mute", ("hosts", "mon01", "model"), 'the catalogue has none for "mute" of host mon01'),
    ],
)
def test_a_port_that_nobody_recorded_is_asked_for_at_its_place(
    model: str | None, path: tuple[str, ...], said: str
) -> None:
    known = catalogue(cardio=[5000], mute=[1])
    silent = known.models["mute"].model_copy(update={"ports": {}})
    _, faults = flows_of(ward({"mon01": model}), DeviceCatalogue(models={**known.models, "mute": silent}))
    assert [(fault.code, fault.path) for fault in faults] == [("WR-145", path)]
    assert said in faults[0].message


def test_every_device_without_a_port_is_named() -> None:
    _, faults = flows_of(ward({"mon01": None, "mon02": "cardio", "mon03": "other"}), catalogue(cardio=[5000]))
    assert [fault.path[1] for fault in faults] == ["mon01", "mon03"]


def test_a_flow_that_sleeps_asks_for_no_port() -> None:
    _, faults = flows_of(ward({}), catalogue())
    assert faults == []


def test_a_flow_between_servers_cannot_have_a_device_port() -> None:
    data = architecture_data()
    data["services"]["dns"]["ports"] = ["site"]
    given = ward({})
    _, faults = resolve_flows(hospital(given), parts(data), catalogue())
    assert [(fault.code, fault.path) for fault in faults if "F-WRD-02" in fault.message] == [("WR-145", ("hosts",))]
