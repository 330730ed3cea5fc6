"""Probes: from components to the hosts that ask and those that are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardround.design.variable import value_of
from wardround.model.base import Platform
from wardround.model.design import DesignProbe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wardround.design.parts import Parts
    from wardround.design.variable import Surroundings
    from wardround.model.architecture import Architecture, Probe


def resolve_probes(parts: Parts, around: Surroundings) -> tuple[DesignProbe, ...]:
    """Give every probe for each managed host that may ask and each host that is asked, in the order of their ids.

    Without anything to ask about, such as devices in a hospital that has none, there is no probe.
    """
    found = (
        one
        for architecture in parts.architectures
        for probe in architecture.probes
        for one in _pairs(probe, architecture, parts, around)
    )
    return tuple(sorted(found, key=lambda one: (one.id, one.source, one.destination)))


def _pairs(probe: Probe, architecture: Architecture, parts: Parts, around: Surroundings) -> Iterator[DesignProbe]:
    port = int(str(parts.services[probe.service].ports[0]).partition("-")[0])
    for source in around.by_component.get(probe.source, ()):
        if source.platform is not Platform.MANAGED:
            continue
        settings = {
            name: value_of(setting, architecture.name, source, around)
            for name, setting in sorted(probe.settings.items())
        }
        if [] in settings.values():
            continue
        for destination in around.by_component.get(probe.destination, ()):
            yield DesignProbe(
                id=probe.id,
                kind=probe.kind,
                source=source.name,
                destination=destination.name,
                address=destination.address,
                port=port,
                tls_name=destination.fqdn if probe.tls else "",
                settings=settings,
            )
