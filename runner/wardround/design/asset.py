"""Assets: every host must say whose it is, when it may be touched and what the ward does without it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wardround.design.fault import Fault, did_you_mean
from wardround.model.base import Criticality, Platform

if TYPE_CHECKING:
    from wardround.design.parts import Parts
    from wardround.model.hospital import Hospital, Host

_CRITICAL = frozenset({Criticality.LIFE, Criticality.HIGH})


def criticality_of(host: Host, parts: Parts) -> Criticality:
    """Give the host's own criticality, else its component's."""
    return host.criticality or parts.components[host.component].component.criticality


def asset_faults(hospital: Hospital, parts: Parts) -> list[Fault]:
    """Name hosts of unknown components and assets that must not be changed for want of an answer (IEC 80001-1)."""
    faults: list[Fault] = []
    for name, host in hospital.hosts.items():
        if host.component not in parts.components:
            hint = did_you_mean(host.component, parts.components)
            faults.append(
                Fault(
                    "WR-139",
                    f'host {name} has component "{host.component}", which no pinned architecture knows{hint}',
                    ("hosts", name, "component"),
                    f"known components: {', '.join(sorted(parts.components))}",
                )
            )
            continue
        faults.extend(_unanswered(hospital, parts, name, host))
    faults.extend(_timezone_faults(hospital))
    return faults


def _unanswered(hospital: Hospital, parts: Parts, name: str, host: Host) -> list[Fault]:
    path = ("hosts", name)
    faults = []
    missing = [key for key in ("owner", "window", "restart") if getattr(host, key) is None]
    if criticality_of(host, parts) in _CRITICAL and host.fallback is None:
        missing.append("fallback")
    component = parts.components[host.component].component
    if component.platform is Platform.MANAGED and host.release is None:
        missing.append("release")
    missing += [asked.value for asked in component.asks if getattr(host, asked.value) is None]
    if missing:
        faults.append(
            Fault(
                "WR-138",
                f"host {name} has no {', '.join(missing)}: nothing may be changed on an asset without",
                path,
                f"add {', '.join(missing)} to the host",
            )
        )
    if host.window is not None and host.window not in hospital.windows:
        hint = did_you_mean(host.window, hospital.windows)
        faults.append(
            Fault(
                "WR-137",
                f'host {name} waits for window "{host.window}", which is not defined{hint}',
                (*path, "window"),
                f"known windows: {', '.join(sorted(hospital.windows)) or 'none'}",
            )
        )
    if host.owner is not None and host.owner not in hospital.contacts:
        hint = did_you_mean(host.owner, hospital.contacts)
        faults.append(
            Fault(
                "WR-144",
                f'host {name} is owned by "{host.owner}", who is not among the contacts{hint}',
                (*path, "owner"),
                f"known contacts: {', '.join(sorted(hospital.contacts)) or 'none'}",
            )
        )
    return faults


def count_faults(hospital: Hospital, parts: Parts) -> list[Fault]:
    """Name components of which the hospital has fewer or more hosts than its architecture allows."""
    counts: dict[str, int] = {}
    for host in hospital.hosts.values():
        counts[host.component] = counts.get(host.component, 0) + 1
    faults = []
    for name, owned in parts.components.items():
        allowed, have = owned.component.count, counts.get(name, 0)
        hosts = f"{have} host{'' if have == 1 else 's'} of component {name}"
        if have < allowed.min:
            faults.append(
                Fault(
                    "WR-136",
                    f"{hosts}, {owned.architecture} needs at least {allowed.min}",
                    ("hosts",),
                    f"add a host with component: {name}",
                )
            )
        if allowed.max is not None and have > allowed.max:
            faults.append(
                Fault(
                    "WR-136",
                    f"{hosts}, {owned.architecture} allows at most {allowed.max}",
                    ("hosts",),
                    "take one out",
                )
            )
    return faults


def _timezone_faults(hospital: Hospital) -> list[Fault]:
    try:
        ZoneInfo(hospital.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return [
            Fault(
                "WR-147",
                f'unknown time zone "{hospital.timezone}"',
                ("timezone",),
                "use an IANA name such as Europe/Berlin",
            )
        ]
    return []
