"""Ports that only a device's manufacturer knows: filled from the device model, one flow for each set of ports."""

from __future__ import annotations

from ipaddress import IPv4Network
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

from wardround.design.fault import Fault, did_you_mean
from wardround.model.base import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.design.parts import Parts
    from wardround.model.design import DesignFlow
    from wardround.model.device import DeviceCatalogue
    from wardround.model.hospital import Hospital

SITE = "site"
"""The port of a service that has none of its own."""

Ports = tuple[str, ...]
Side = Literal["source", "destination"]


def with_device_ports(
    flow: DesignFlow, hospital: Hospital, parts: Parts, catalogue: DeviceCatalogue
) -> tuple[list[DesignFlow], list[Fault]]:
    """Give a flow the ports of its devices, and name every device whose port nobody recorded.

    The devices that are connected to decide; where there are none, those that connect. Models with other ports get a
    flow of their own, `F-LAB-01:4001`, so that no device reaches the port of another model.
    """
    listening = _devices(flow.destination_hosts, hospital, parts)
    devices = listening or _devices(flow.source_hosts, hospital, parts)
    if not devices:
        return [], [_fault(flow, "and no device of this hospital takes part in it", ("hosts",))]
    groups: dict[Ports, list[str]] = {}
    faults: list[Fault] = []
    for name in devices:
        found = _ports(flow, name, hospital, catalogue)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            groups.setdefault(found, []).append(name)
    side: Side = "destination" if listening else "source"
    flows = [_narrowed(flow, side, names, hospital) for names in groups.values()]
    named = zip(flows, groups, strict=True)
    return [_with_ports(each, ports, only=len(groups) == 1) for each, ports in sorted(named, key=itemgetter(1))], faults


def _devices(names: Iterable[str], hospital: Hospital, parts: Parts) -> list[str]:
    owned = ((name, parts.components.get(hospital.hosts[name].component)) for name in names)
    return [name for name, each in owned if each is not None and each.component.platform is Platform.UNMANAGED]


def _ports(flow: DesignFlow, name: str, hospital: Hospital, catalogue: DeviceCatalogue) -> Ports | Fault:
    model = hospital.hosts[name].model
    if model is None:
        return _fault(flow, f"and host {name} does not say which model it is", ("hosts", name))
    known = catalogue.models.get(model)
    if known is None:
        hint = did_you_mean(model, catalogue.models)
        return _fault(
            flow, f'and model "{model}" of host {name} is not in the catalogue{hint}', ("hosts", name, "model")
        )
    ports = known.ports.get(flow.service)
    if ports is None:
        return _fault(flow, f'and the catalogue has none for "{model}" of host {name}', ("hosts", name, "model"))
    return tuple(str(port) for port in ports)


def _fault(flow: DesignFlow, why: str, path: tuple[str, ...]) -> Fault:
    return Fault(
        "WR-145",
        f'flow {flow.id} ({flow.purpose}): only the device model knows the port of "{flow.service}", {why}',
        path,
        "name the device's model, and record its port with its source in reference_architectures/device_models.yml",
    )


def _narrowed(flow: DesignFlow, side: Side, names: list[str], hospital: Hospital) -> DesignFlow:
    addresses = tuple(sorted(IPv4Network(hospital.hosts[name].address) for name in names))
    return flow.model_copy(update={f"{side}_hosts": tuple(names), f"{side}s": addresses})


def _with_ports(flow: DesignFlow, ports: Ports, *, only: bool) -> DesignFlow:
    return flow.model_copy(
        update={
            "id": flow.id if only else f"{flow.id}:{'.'.join(ports)}",
            "ports": (*(port for port in flow.ports if port != SITE), *ports),
        }
    )
