"""Resolve: one hospital manifest and its architectures in, one design out. Pure, and the same bytes every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardround.design.asset import asset_faults, count_faults, criticality_of
from wardround.design.fault import Fault, UnresolvableError
from wardround.design.flow import resolve_flows
from wardround.design.network import gateway_of, host_zone, is_external, placement_faults, zone_faults
from wardround.design.parameter import answer
from wardround.design.parts import Parts, join
from wardround.design.probe import resolve_probes
from wardround.design.secret import resolve_secrets
from wardround.design.variable import Surroundings, surroundings, value_of
from wardround.model.base import Platform
from wardround.model.design import Design, DesignHost, DesignWindow, DesignZone, PinnedArchitecture
from wardround.model.device import DeviceCatalogue

if TYPE_CHECKING:
    from wardround.model.architecture import Architecture
    from wardround.model.base import JsonValue
    from wardround.model.hospital import Hospital


@dataclass(frozen=True, slots=True)
class Pinned:
    """An architecture with the digest of its folder."""

    architecture: Architecture
    digest: str


def resolve(hospital: Hospital, pinned: tuple[Pinned, ...], catalogue: DeviceCatalogue | None = None) -> Design:
    """Turn a manifest into its design; `pinned` has required architectures before those that require them.

    Raises:
        UnresolvableError: every fault of the manifest at once, in the order of their places.

    """
    parts = join(tuple(each.architecture for each in pinned))
    answers, faults = answer(hospital, parts)
    flows, flow_faults = resolve_flows(hospital, parts, catalogue or DeviceCatalogue())
    every = [
        *faults,
        *zone_faults(hospital, parts),
        *asset_faults(hospital, parts),
        *placement_faults(hospital, parts),
        *count_faults(hospital, parts),
        *flow_faults,
    ]
    if every:
        raise UnresolvableError(tuple(sorted(every, key=_by_place)))
    zones = _zones(hospital, parts)
    bare = tuple(_bare_host(hospital, parts, name) for name in sorted(hospital.hosts))
    around = surroundings(hospital, answers, bare, zones, flows)
    return Design(
        hospital=hospital.hospital,
        name=hospital.name,
        timezone=hospital.timezone,
        domain=hospital.domain,
        architectures=tuple(
            PinnedArchitecture(name=each.architecture.name, version=each.architecture.version, digest=each.digest)
            for each in pinned
        ),
        control=hospital.control,
        role_order=parts.role_order,
        zones=zones,
        hosts=tuple(_with_variables(host, parts, around) for host in bare),
        flows=flows,
        probes=resolve_probes(parts, around),
        controls=parts.controls(),
        windows=tuple(DesignWindow(name=name, window=window) for name, window in sorted(hospital.windows.items())),
        secrets=resolve_secrets(parts, around),
    )


def _by_place(fault: Fault) -> tuple[str, ...]:
    return (*(str(step) for step in fault.path), "", fault.code, fault.message)


def _zones(hospital: Hospital, parts: Parts) -> tuple[DesignZone, ...]:
    return tuple(
        DesignZone(
            name=name,
            kind=parts.zones[name].kind,
            purpose=parts.zones[name].purpose,
            subnet=zone.subnet,
            gateway=zone.gateway if is_external(parts, name) else gateway_of(zone),
            vlan=zone.vlan,
        )
        for name, zone in sorted(hospital.zones.items())
    )


def _bare_host(hospital: Hospital, parts: Parts, name: str) -> DesignHost:
    host = hospital.hosts[name]
    owned = parts.components[host.component]
    zone = host_zone(hospital, parts, name)
    # The faults above cover these; resolution would not have come here.
    assert zone is not None and host.owner is not None and host.window is not None and host.restart is not None  # noqa: S101, PT018
    wanted = frozenset(owned.component.roles)
    if owned.component.platform is Platform.MANAGED:
        wanted |= parts.everywhere_roles()
    return DesignHost(
        name=name,
        fqdn=f"{name}.{hospital.domain}",
        component=host.component,
        architecture=owned.architecture,
        platform=owned.component.platform,
        zone=zone,
        address=host.address,
        mac=host.mac,
        model=host.model,
        aet=host.aet,
        release=host.release,
        owner=host.owner,
        window=host.window,
        restart=host.restart,
        fallback=host.fallback,
        criticality=criticality_of(host, parts),
        roles=tuple(role for role in parts.role_order if role in wanted),
        variables={},
    )


def _with_variables(host: DesignHost, parts: Parts, around: Surroundings) -> DesignHost:
    if host.platform is Platform.UNMANAGED:
        return host
    values: dict[str, JsonValue] = {}
    for architecture, variables in parts.everywhere_variables():
        for name, source in variables.items():
            values[name] = value_of(source, architecture, host, around)
    own = parts.components[host.component]
    for name, source in own.component.variables.items():
        values[name] = value_of(source, own.architecture, host, around)
    return host.model_copy(update={"variables": dict(sorted(values.items()))})
