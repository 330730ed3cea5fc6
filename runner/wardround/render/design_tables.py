"""A design as tables: the words that Markdown and HTML share, before either escapes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.model.architecture import ZoneKind
from wardround.render.flow_end import destination_of, end_name, source_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.model.design import Design, DesignFlow, DesignZone

KINDS: Final = {
    ZoneKind.MANAGEMENT: "administration",
    ZoneKind.USER: "people",
    ZoneKind.DEVICE: "medical devices",
    ZoneKind.SERVER: "servers",
    ZoneKind.EXTERNAL: "outside the hospital",
}
"""What people call each kind of zone, in the order in which documents and diagrams show them."""

_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """One table with what introduces it; every row has a cell for each column."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def heading(design: Design) -> str:
    """Give the document's title."""
    return f"{design.name} ({design.hospital})"


def pins(design: Design) -> str:
    """Say which versions of which reference architectures the hospital stands on."""
    return f"Reference architectures: {', '.join(f'{each.name} {each.version}' for each in design.architectures)}."


def figures(design: Design) -> str:
    """Say how large the hospital is."""
    managed = len(design.managed_hosts())
    counted = (
        (len(design.zones), "zones"),
        (managed, "managed hosts"),
        (len(design.hosts) - managed, "other assets"),
        (sum(flow.active for flow in design.flows), "active flows"),
        (len(design.controls), "controls"),
    )
    return f"In figures: {', '.join(f'{name} {number}' for number, name in counted)}."


def ordered_zones(design: Design) -> tuple[DesignZone, ...]:
    """Give the zones by kind, then by name."""
    kinds = list(KINDS)
    return tuple(sorted(design.zones, key=lambda zone: (kinds.index(zone.kind), zone.name)))


def flow_ports(flow: DesignFlow) -> str:
    """Give protocols and ports: `tcp 80,443`."""
    return f"{'/'.join(protocol.value for protocol in flow.protocols)} {','.join(flow.ports)}"


def design_tables(design: Design) -> tuple[Table, ...]:
    """Give all tables of a design, in the order in which they are read."""
    idle = tuple(flow for flow in design.flows if not flow.active)
    return (
        _zones(design),
        _hosts(design),
        _windows(design),
        _flows(design, "Flows", "What no flow allows is denied.", (flow for flow in design.flows if flow.active)),
        *(
            (_flows(design, "Inactive flows", "Allowed by the design; one end has no member here.", idle),)
            if idle
            else ()
        ),
        _controls(design),
    )


def _zones(design: Design) -> Table:
    return Table(
        "Zones",
        "",
        ("Zone", "Kind", "Purpose", "Subnet", "Gateway", "VLAN"),
        tuple(
            (
                zone.name,
                KINDS[zone.kind],
                zone.purpose,
                str(zone.subnet),
                _or_nothing(zone.gateway),
                _or_nothing(zone.vlan),
            )
            for zone in ordered_zones(design)
        ),
    )


def _hosts(design: Design) -> Table:
    columns = (
        *("Zone", "Host", "Component", "Address", "Platform", "System"),
        *("Owner", "Criticality", "Window", "Restart", "Fallback"),
    )
    rows = tuple(
        (
            host.zone,
            host.name,
            host.component,
            str(host.address),
            host.platform.value,
            _or_nothing(host.release or host.model),
            host.owner,
            host.criticality.value,
            host.window,
            host.restart.value,
            _or_nothing(host.fallback),
        )
        for zone in ordered_zones(design)
        for host in design.hosts
        if host.zone == zone.name
    )
    control = f"The control node stands in zone {design.control.zone} at {design.control.address}."
    return Table("Hosts", f"Unmanaged hosts are never touched. {control}", columns, rows)


def _windows(design: Design) -> Table:
    return Table(
        "Change windows",
        f"Times are those of {design.timezone}.",
        ("Window", "Days", "From", "To"),
        tuple(
            (each.name, ", ".join(each.window.days), str(each.window.start), str(each.window.end))
            for each in design.windows
        ),
    )


def _flows(design: Design, title: str, note: str, flows: Iterable[DesignFlow]) -> Table:
    return Table(
        title,
        note,
        ("Flow", "From", "To", "Service", "Ports", "Purpose", "Standard"),
        tuple(
            (
                flow.id,
                end_name(design, source_of(flow)),
                end_name(design, destination_of(flow)),
                flow.service,
                flow_ports(flow),
                flow.purpose,
                flow.standard,
            )
            for flow in flows
        ),
    )


def _controls(design: Design) -> Table:
    return Table(
        "Controls",
        "A role's task proves a control on every host that has the role.",
        ("Control", "Requirement", "Check", "Evidence"),
        tuple(
            (each.id, each.title, each.check, "; ".join(_evidence(design, word) for word in each.evidence))
            for each in design.controls
        ),
    )


def _evidence(design: Design, word: str) -> str:
    """Add to how many hosts the evidence comes from: a role that no host has proves nothing."""
    role, colon, tag = word.partition(":")
    if not colon or tag.startswith(" "):
        return word
    hosts = sum(role in host.roles for host in design.hosts)
    return f"{word} ({hosts} {'host' if hosts == 1 else 'hosts'})"


def _or_nothing(value: object) -> str:
    return _NOTHING if value is None else str(value)
