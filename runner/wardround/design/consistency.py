"""What architectures promise each other: every name that one uses is declared by it or by one that it requires."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from wardround.design.fault import Fault, did_you_mean
from wardround.design.flow import MANAGED, WORDS, ZONE_PREFIX
from wardround.design.parameter import refusal
from wardround.design.parts import in_order
from wardround.model.architecture import Architecture, ZoneKind
from wardround.model.source import (
    FromEach,
    FromFormat,
    FromHost,
    FromHosts,
    FromJoin,
    FromList,
    FromMap,
    FromParameter,
    FromSubnets,
    FromZones,
    Source,
    Variables,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.design.fault import ManifestPath

_ZONE_WORDS = frozenset({"internal", *(kind.value for kind in ZoneKind)})


def architecture_faults(architecture: Architecture, known: tuple[Architecture, ...]) -> tuple[Fault, ...]:
    """Name every reference in `architecture` that leads nowhere; `known` are the architectures that it requires."""
    whole = (*known, architecture)
    return (
        *_parameter_faults(architecture),
        *_component_faults(architecture, whole),
        *_flow_faults(architecture, whole),
        *_probe_faults(architecture, whole),
        *_secret_faults(architecture, whole),
        *_control_faults(architecture, whole),
        *_double_faults(architecture, known),
        *_zone_faults(architecture, known),
        *_order_faults(architecture, known),
    )


def _names(values: Iterable[Iterable[str]]) -> frozenset[str]:
    return frozenset(name for each in values for name in each)


def _nowhere(kind: str, word: str, known: Iterable[str], path: ManifestPath) -> Fault:
    names = sorted(known)
    return Fault(
        "WR-146",
        f'{kind} "{word}" is not declared{did_you_mean(word, names)}',
        path,
        f"known: {', '.join(names) or 'none'}",
    )


def _parameter_faults(architecture: Architecture) -> list[Fault]:
    faults = []
    for name, parameter in architecture.parameters.items():
        path: ManifestPath = ("parameters", name)
        try:
            re.compile(parameter.pattern or "")
        except re.error as error:
            faults.append(
                Fault(
                    "WR-107",
                    f'the pattern of parameter "{name}" is no regular expression: {error}',
                    (*path, "pattern"),
                    "mend the pattern",
                )
            )
            continue
        reason = refusal(parameter, parameter.default) if parameter.default is not None else ""
        if reason:
            faults.append(
                Fault(
                    "WR-142",
                    f'the default of parameter "{name}" {reason}',
                    (*path, "default"),
                    "mend the default, or what it is held against",
                )
            )
    return faults


def _component_faults(architecture: Architecture, whole: tuple[Architecture, ...]) -> list[Fault]:
    zones = _names(each.zones for each in whole)
    roles = _names(each.roles for each in whole)
    faults: list[Fault] = []
    blocks: list[tuple[ManifestPath, tuple[str, ...], Variables]] = [
        (("everywhere",), architecture.everywhere.roles, architecture.everywhere.variables)
    ]
    for name, component in architecture.components.items():
        path: ManifestPath = ("components", name)
        blocks.append((path, component.roles, component.variables))
        faults.extend(
            _nowhere("zone", zone, zones, (*path, "zones", index))
            for index, zone in enumerate(component.zones)
            if zone not in zones
        )
    for path, used, variables in blocks:
        faults.extend(
            _nowhere("role", role, roles, (*path, "roles", index))
            for index, role in enumerate(used)
            if role not in roles
        )
        for variable, source in variables.items():
            faults.extend(_source_faults(source, architecture, whole, (*path, "variables", variable)))
    return faults


def _source_faults(
    source: Source, architecture: Architecture, whole: tuple[Architecture, ...], path: ManifestPath
) -> list[Fault]:
    components = _names(each.components for each in whole)
    faults: list[Fault] = []
    inner: Iterable[Source] = ()
    match source:
        case FromParameter(parameter=parameter):
            owner, _, name = parameter.rpartition(".")
            declared = next((each.parameters for each in whole if each.name == (owner or architecture.name)), {})
            faults = [] if name in declared else [_nowhere("parameter", parameter, declared, path)]
        case FromHosts(hosts=component) | FromHost(host=component) | FromFormat(host=component):
            good = component in components or component == MANAGED
            faults = [] if good else [_nowhere("component", component, components, path)]
        case FromSubnets(subnets=words) | FromZones(zones=words):
            known = _ZONE_WORDS | _names(each.zones for each in whole)
            faults = [_nowhere("selection of zones", word, known, path) for word in words if word not in known]
        case FromEach(each=meant, entry=entry):
            faults = [_nowhere("component", one, components, path) for one in meant if one not in components]
            inner = entry.values()
        case FromList(list=sources) | FromJoin(join=sources):
            inner = sources
        case FromMap(map=named):
            inner = named.values()
    return [*faults, *(fault for each in inner for fault in _source_faults(each, architecture, whole, path))]


def _flow_faults(architecture: Architecture, whole: tuple[Architecture, ...]) -> list[Fault]:
    services = _names(each.services for each in whole)
    endpoints = (
        WORDS
        | _names(each.components for each in whole)
        | {f"{ZONE_PREFIX}{zone}" for each in whole for zone in each.zones}
    )
    faults = []
    for index, flow in enumerate(architecture.flows):
        if flow.service not in services:
            faults.append(_nowhere("service", flow.service, services, ("flows", index, "service")))
        for side, words in (("from", flow.sources), ("to", flow.destinations)):
            faults.extend(
                _nowhere("endpoint", word, endpoints, ("flows", index, side)) for word in words if word not in endpoints
            )
    return faults


def _probe_faults(architecture: Architecture, whole: tuple[Architecture, ...]) -> list[Fault]:
    services = _names(each.services for each in whole)
    components = _names(each.components for each in whole)
    faults: list[Fault] = []
    for index, probe in enumerate(architecture.probes):
        path: ManifestPath = ("probes", index)
        if probe.service not in services:
            faults.append(_nowhere("service", probe.service, services, (*path, "service")))
        faults.extend(
            _nowhere("component", word, components, path)
            for word in (probe.source, probe.destination)
            if word not in components
        )
        for name, setting in probe.settings.items():
            faults.extend(_source_faults(setting, architecture, whole, (*path, "settings", name)))
    return faults


def _secret_faults(architecture: Architecture, whole: tuple[Architecture, ...]) -> list[Fault]:
    known = [name for each in whole for name, secret in each.secrets.items() if secret.same_as is None]
    lost = [
        _nowhere("secret", secret.same_as, known, ("secrets", variable, "same_as"))
        for variable, secret in architecture.secrets.items()
        if secret.same_as is not None and secret.same_as not in known
    ]
    return lost + [
        fault
        for variable, secret in architecture.secrets.items()
        if secret.names is not None
        for fault in _source_faults(secret.names, architecture, whole, ("secrets", variable, "names"))
    ]


def _control_faults(architecture: Architecture, whole: tuple[Architecture, ...]) -> list[Fault]:
    flows = {flow.id for each in whole for flow in each.flows}
    probes = {probe.id for each in whole for probe in each.probes}
    roles = _names(each.roles for each in whole)
    faults = []
    for index, control in enumerate(architecture.controls):
        for evidence in control.evidence:
            path: ManifestPath = ("controls", index, "evidence")
            if evidence.startswith(("attestation: ", "elsewhere: ")):
                continue
            if evidence.startswith("F-"):
                if evidence not in flows:
                    faults.append(_nowhere("flow", evidence, flows, path))
            elif evidence.startswith("P-"):
                if evidence not in probes:
                    faults.append(_nowhere("probe", evidence, probes, path))
            elif evidence.partition(":")[0] not in roles:
                faults.append(_nowhere("role", evidence.partition(":")[0], roles, path))
    return faults


def _double_faults(architecture: Architecture, known: tuple[Architecture, ...]) -> list[Fault]:
    faults: list[Fault] = []
    for kind, mine, theirs in (
        ("components", architecture.components, _names(each.components for each in known)),
        ("services", architecture.services, _names(each.services for each in known)),
    ):
        faults.extend(
            Fault(
                "WR-146",
                f'{kind} "{name}" is declared by a required architecture too',
                (kind, name),
                "use the declared one, or another name",
            )
            for name in mine
            if name in theirs
        )
    flow_ids = [flow.id for each in (*known, architecture) for flow in each.flows]
    faults.extend(
        Fault("WR-146", f"flow id {flow} is used twice", ("flows",), "give each flow an id of its own")
        for flow in sorted({one for one in flow_ids if flow_ids.count(one) > 1})
    )
    return faults


def _zone_faults(architecture: Architecture, known: tuple[Architecture, ...]) -> list[Fault]:
    """Name zones that another architecture means differently: two of them would share a subnet unseen."""
    return [
        Fault(
            "WR-148",
            f'zone "{name}" is for "{zone.purpose}" ({zone.kind.value}) here, '
            f'but for "{other.purpose}" ({other.kind.value}) in {each.name} {each.version}',
            ("zones", name),
            "describe it in the same words, or give it another name",
        )
        for name, zone in architecture.zones.items()
        for each in known
        if (other := each.zones.get(name)) is not None and (other.kind, other.purpose) != (zone.kind, zone.purpose)
    ]


def _order_faults(architecture: Architecture, known: tuple[Architecture, ...]) -> list[Fault]:
    """Name an order of roles that one architecture asks for and that the others make impossible, where it comes up."""
    if _disordered(known):
        return []
    return [
        Fault(
            "WR-149",
            f'role "{first}" is to come before "{second}" in {each.name} {each.version}, '
            "but the other way round in another architecture",
            ("roles",),
            "order roles of other architectures as those do",
        )
        for each, first, second in _disordered((*known, architecture))
    ]


def _disordered(whole: tuple[Architecture, ...]) -> list[tuple[Architecture, str, str]]:
    order = in_order(each.roles for each in whole)
    return [
        (each, first, second)
        for each in whole
        for first, second in pairwise(each.roles)
        if order.index(first) > order.index(second)
    ]
