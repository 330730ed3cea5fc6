"""An architecture as an engineer reads it."""

from __future__ import annotations

from collections.abc import Iterator

from wardround.model.architecture import Architecture, Parameter
from wardround.report.line import Line, Tone


def architecture_lines(architecture: Architecture, digest: str, *, released: bool) -> Iterator[Line]:
    """Give the architecture's lines."""
    state = "released" if released else "draft"
    yield Line(f"{architecture.name} {architecture.version} ({state}): {architecture.summary}", Tone.HEAD)
    yield Line(f"supported until {architecture.supported_until}, sha256 {digest}", Tone.QUIET)
    for title, pins in (("Composed of", architecture.composes), ("Requires", architecture.requires)):
        if pins:
            yield Line(f"{title}: {', '.join(f'{name} {version}' for name, version in pins.items())}")
    yield from _section("Parameters", (_parameter(*each) for each in sorted(architecture.parameters.items())))
    yield from _section(
        "Components",
        (
            f"{name:<24} {each.platform.value}, {each.criticality.value}, in {' or '.join(each.zones)}: {each.summary}"
            for name, each in sorted(architecture.components.items())
        ),
    )
    yield from _section(
        "Flows",
        (
            f"{flow.id:<9} {', '.join(flow.sources)} → {', '.join(flow.destinations)}: {flow.service}, {flow.purpose}"
            for flow in architecture.flows
        ),
    )
    yield from _section(
        "Controls", (f"{each.id:<9} {each.title}  [{', '.join(each.evidence)}]" for each in architecture.controls)
    )


def _section(title: str, rows: Iterator[str]) -> Iterator[Line]:
    found = list(rows)
    if found:
        yield Line("")
        yield Line(title, Tone.HEAD)
        yield from (Line(f"  {row}") for row in found)


def _parameter(name: str, parameter: Parameter) -> str:
    need = "mandatory" if parameter.required else f"default {parameter.default!r}"
    return f"{name:<26} {parameter.type.value}, {need}: {parameter.description}"
