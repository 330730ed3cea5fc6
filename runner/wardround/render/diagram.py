"""What the diagram of a design shows: boxes in columns, and nets that join them. Where they stand comes later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.design.flow import CONTROL
from wardround.model.architecture import ZoneKind
from wardround.model.base import Criticality
from wardround.render.design_tables import KINDS, figures, flow_ports, heading, pins
from wardround.render.flow_end import (
    GROUPS,
    Place,
    destination_of,
    end_name,
    group_extent,
    places,
    source_of,
    word_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wardround.model.design import Design, DesignFlow, DesignHost, DesignZone

GROUP: Final = "group"
"""The section of things that stand for many hosts or zones at once."""

_SECTIONS: Final = {GROUP: "all together", **{kind.value: name for kind, name in KINDS.items()}}
_COLUMNS: Final = (
    (ZoneKind.MANAGEMENT.value,),
    (GROUP, ZoneKind.USER.value, ZoneKind.DEVICE.value),
    (ZoneKind.SERVER.value,),
    (ZoneKind.EXTERNAL.value,),
)
"""Kinds of zones from left to right, so that most flows run that way too: who administers, who asks, who serves."""

_CHIPS_OF_A_ROW: Final = 8
_SWEEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Chip:
    """One host; `shape` is its platform, or `control` for the control node."""

    name: str
    address: str
    shape: str
    life: bool
    hint: str


@dataclass(frozen=True, slots=True)
class Row:
    """One component in a zone; `more` hosts are only in the tables."""

    place: Place
    caption: str
    chips: tuple[Chip, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Box:
    """A zone, or a group of hosts or zones that flows name as one."""

    place: Place
    section: str
    title: str
    detail: str
    purpose: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Boxes of one kind that stand together in a column."""

    kind: str
    heading: str
    boxes: tuple[Box, ...]


Column = tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """What one flow's arrow says."""

    id: str
    ports: str
    service: str
    hint: str


@dataclass(frozen=True, slots=True)
class Net:
    """Flows with the same ends, drawn as one line; all sources stand in one column, and so do all destinations."""

    sources: tuple[Place, ...]
    destinations: tuple[Place, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Diagram:
    """All that is drawn."""

    title: str
    pins: str
    figures: str
    columns: tuple[Column, ...]
    nets: tuple[Net, ...]


def box_of(place: Place) -> Place:
    """Give the box that a place is in."""
    return Place(group=place.group, zone=place.zone)


def boxes_of(column: Column) -> tuple[Box, ...]:
    """Give a column's boxes from top to bottom."""
    return tuple(box for section in column for box in section.boxes)


def design_diagram(design: Design) -> Diagram:
    """Give the boxes and nets of a design; the same design always gives the same diagram."""
    flows = [flow for flow in design.flows if flow.active]
    columns = _columns(design, flows)
    column_of = {box.place: index for index, column in enumerate(columns) for box in boxes_of(column)}
    nets = _nets(design, flows, column_of)
    return Diagram(heading(design), pins(design), figures(design), _untangled(columns, nets), nets)


def _columns(design: Design, flows: Sequence[DesignFlow]) -> tuple[Column, ...]:
    named = {word for flow in flows for word in (*flow.source_words, *flow.destination_words)}
    boxes = [
        *(_group_box(design, group) for group in GROUPS if group in named),
        *(_zone_box(design, zone) for zone in design.zones),
    ]
    columns = (
        tuple(
            Section(kind, _SECTIONS[kind], found)
            for kind in kinds
            if (found := tuple(box for box in boxes if box.section == kind))
        )
        for kinds in _COLUMNS
    )
    return tuple(column for column in columns if column)


def _group_box(design: Design, group: str) -> Box:
    return Box(Place(group=group), GROUP, word_name(group), group_extent(design, group), "", ())


def _zone_box(design: Design, zone: DesignZone) -> Box:
    here = [host for host in design.hosts if host.zone == zone.name]
    components = sorted({host.component for host in here})
    rows = [_row(zone.name, component, here) for component in components]
    if design.control.zone == zone.name:
        address = str(design.control.address)
        chip = Chip("control", address, CONTROL, life=False, hint=f"the control node, {address}")
        rows.insert(0, Row(Place(zone=zone.name, component=CONTROL), "control node", (chip,), 0))
    vlan = f" VLAN {zone.vlan}" if zone.vlan is not None else ""
    return Box(Place(zone=zone.name), zone.kind.value, zone.name, f"{zone.subnet}{vlan}", zone.purpose, tuple(rows))


def _row(zone: str, component: str, hosts: Sequence[DesignHost]) -> Row:
    chips = tuple(_chip(host) for host in hosts if host.component == component)
    # Where nearly all fit, a row more says more than "1 more".
    shown = len(chips) if len(chips) <= _CHIPS_OF_A_ROW + 1 else _CHIPS_OF_A_ROW
    return Row(Place(zone=zone, component=component), component, chips[:shown], len(chips) - shown)


def _chip(host: DesignHost) -> Chip:
    return Chip(
        host.name,
        str(host.address),
        host.platform.value,
        host.criticality is Criticality.LIFE,
        f"{host.name}: {host.component}, {host.platform.value}, criticality {host.criticality.value}, "
        f"owner {host.owner}",
    )


def _nets(design: Design, flows: Sequence[DesignFlow], column_of: Mapping[Place, int]) -> tuple[Net, ...]:
    labels: dict[tuple[tuple[Place, ...], tuple[Place, ...]], list[Label]] = {}
    for flow in flows:
        for sources in _by_column(places(design, source_of(flow)), column_of):
            for destinations in _by_column(places(design, destination_of(flow)), column_of):
                labels.setdefault((sources, destinations), []).append(_label(design, flow))
    return tuple(Net(*ends, tuple(labels[ends])) for ends in sorted(labels))


def _by_column(ends: Sequence[Place], column_of: Mapping[Place, int]) -> list[tuple[Place, ...]]:
    columns = sorted({column_of[box_of(place)] for place in ends})
    return [tuple(place for place in ends if column_of[box_of(place)] == column) for column in columns]


def _label(design: Design, flow: DesignFlow) -> Label:
    ports = flow_ports(flow)
    ends = f"{end_name(design, source_of(flow))} to {end_name(design, destination_of(flow))}"
    return Label(flow.id, ports, flow.service, f"{flow.id}, {flow.service} {ports}: {flow.purpose}; {ends}")


def _untangled(columns: tuple[Column, ...], nets: Sequence[Net]) -> tuple[Column, ...]:
    """Put boxes close to what they are joined with, so that fewer lines cross; ties go by name.

    Each sweep orders the boxes of a section by the mean height of their partners (the barycentre method of layered
    graphs).
    """
    partners: dict[Place, list[Place]] = {}
    for net in nets:
        for source in net.sources:
            for destination in net.destinations:
                partners.setdefault(box_of(source), []).append(box_of(destination))
                partners.setdefault(box_of(destination), []).append(box_of(source))
    for _ in range(_SWEEPS):
        for index in range(len(columns)):
            height = {box.place: _height(at, column) for column in columns for at, box in enumerate(boxes_of(column))}
            ordered = tuple(_ordered(section, partners, height) for section in columns[index])
            columns = (*columns[:index], ordered, *columns[index + 1 :])
    return columns


def _height(at: int, column: Column) -> float:
    return (at + 0.5) / len(boxes_of(column))


def _ordered(section: Section, partners: Mapping[Place, Sequence[Place]], height: Mapping[Place, float]) -> Section:
    def mean(box: Box) -> float:
        heights = [height[place] for place in partners.get(box.place, ())]
        # What nothing joins goes below, out of the way.
        return sum(heights) / len(heights) if heights else 2.0

    return Section(
        section.kind, section.heading, tuple(sorted(section.boxes, key=lambda box: (round(mean(box), 6), box.title)))
    )
