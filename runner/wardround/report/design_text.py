"""A design as an engineer reads it: zones, hosts and flows."""

from __future__ import annotations

from collections.abc import Iterator

from wardround.model.base import Platform
from wardround.model.design import Design
from wardround.report.line import Line, Tone, count


def design_lines(design: Design) -> Iterator[Line]:
    """Give the design's lines."""
    managed = design.managed_hosts()
    pins = ", ".join(f"{each.name} {each.version}" for each in design.architectures)
    yield Line(f"{design.name} ({design.hospital}): {pins}", Tone.HEAD)
    yield Line(
        f"{count(len(managed), 'managed host')}, {count(len(design.hosts) - len(managed), 'other asset')}, "
        f"{count(len(design.zones), 'zone')}, {count(sum(flow.active for flow in design.flows), 'active flow')}, "
        f"{count(len(design.controls), 'control')}"
    )
    for zone in design.zones:
        yield Line("")
        yield Line(f"{zone.name}  {zone.subnet}  {zone.purpose}", Tone.HEAD)
        for host in design.hosts:
            if host.zone == zone.name:
                touched = "" if host.platform is Platform.MANAGED else f"  ({host.platform.value})"
                yield Line(
                    f"  {host.name:<12} {host.address!s:<15} {host.component}, {host.criticality.value}{touched}"
                )
    yield Line("")
    yield Line("Flows", Tone.HEAD)
    for flow in design.flows:
        ports = f"{'/'.join(protocol.value for protocol in flow.protocols)} {','.join(flow.ports)}"
        idle = "" if flow.active else "  (one end has no member here)"
        yield Line(
            f"  {flow.id:<9} {flow.service:<16} {ports:<12} {flow.purpose}{idle}",
            Tone.PLAIN if flow.active else Tone.QUIET,
        )
