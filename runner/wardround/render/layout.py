"""Where everything in a diagram stands: columns of boxes, and between them gutters in which lines run up and down.

All lengths are pixels. Every line has a track of its own in each gutter that it uses, and passes a column only through
the gap between two boxes, so no line runs behind a box or along another line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.render.diagram import boxes_of
from wardround.render.heights import Heights, settled
from wardround.render.measure import chip_width, column_width, label_width
from wardround.render.stack import Span, stacked, wired
from wardround.render.tracks import Trunk, assign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wardround.render.diagram import Box, Diagram, Net
    from wardround.render.routes import Side
    from wardround.render.stack import Stack, Wiring

MARGIN: Final = 24
_TRACK: Final = 11
_GUTTER_EDGE: Final = 14
_LABEL_ROOM: Final = 12
"""Beside an arrow's label, for the arrow's head."""


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box at its place: the whole, and the stretch of each of its rows."""

    box: Box
    x: int
    width: int
    chip: int
    whole: Span
    rows: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class PlacedHeading:
    """A section's name above its boxes."""

    text: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight line, across or up and down."""

    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """Where a line meets the box that it leads to; `step` is 1 where it points to the right, else -1."""

    x: int
    y: int
    step: int


@dataclass(frozen=True, slots=True)
class Wire:
    """One net on paper; joints are where it branches."""

    net: Net
    segments: tuple[Segment, ...]
    joints: tuple[tuple[int, int], ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole diagram with every place decided; wires come in the order of where they arrive."""

    width: int
    bottom: int
    headings: tuple[PlacedHeading, ...]
    boxes: tuple[PlacedBox, ...]
    wires: tuple[Wire, ...]


@dataclass(frozen=True, slots=True)
class _Paper:
    """Where columns begin, and where each net runs up and down in each gutter that it uses."""

    columns: tuple[int, ...]
    width: int
    tracks: dict[tuple[int, int], int]


def lay_out(diagram: Diagram) -> Picture:
    """Decide every place; the same diagram always gives the same picture."""
    wiring = wired(diagram)
    stack, lanes = stacked(diagram, wiring)
    heights = settled(diagram, wiring, stack, lanes)
    trunks = {
        (at, gutter): _trunk(at, gutter, wiring, heights)
        for at, way in enumerate(wiring.routes)
        for gutter in way.gutters
    }
    paper = _paper(diagram, wiring, trunks)
    wires = [_wire(at, diagram, wiring, heights, trunks, paper) for at in range(len(diagram.nets))]
    return Picture(
        paper.width,
        stack.bottom,
        tuple(PlacedHeading(text, paper.columns[column], y) for (column, text), y in stack.headings.items()),
        _boxes(diagram, stack, paper),
        tuple(sorted(wires, key=lambda wire: [(arrow.x, arrow.y) for arrow in wire.arrows])),
    )


def _trunk(net: int, gutter: int, wiring: Wiring, heights: Heights) -> Trunk:
    """Collect the heights at which a net enters and leaves a gutter."""
    own = [tap for tap in wiring.taps if (tap.net, tap.gutter) == (net, gutter)]
    left = {heights.taps[tap] for tap in own if tap.side == "right"}
    right = {heights.taps[tap] for tap in own if tap.side == "left"}
    left |= {heights.lanes[each] for each in heights.lanes.keys() & {(net, gutter - 1)}}
    right |= {heights.lanes[each] for each in heights.lanes.keys() & {(net, gutter)}}
    return Trunk(net, tuple(sorted(left)), tuple(sorted(right)))


def _paper(diagram: Diagram, wiring: Wiring, trunks: Mapping[tuple[int, int], Trunk]) -> _Paper:
    columns: list[int] = []
    tracks: dict[tuple[int, int], int] = {}
    x = 0
    for gutter in range(len(diagram.columns) + 1):
        ways = assign(tuple(trunk for (_, where), trunk in trunks.items() if where == gutter))
        if ways:
            x += _label_room(diagram, wiring, gutter, "right") + _GUTTER_EDGE
            tracks |= {(trunk.net, gutter): x + _TRACK * at for at, way in enumerate(ways) for trunk in way}
            x += _TRACK * (len(ways) - 1) + _GUTTER_EDGE + _label_room(diagram, wiring, gutter, "left")
        if not ways or gutter == len(diagram.columns):
            x += MARGIN
        if gutter < len(diagram.columns):
            columns.append(x)
            x += column_width(diagram.columns[gutter])
    return _Paper(tuple(columns), x, tracks)


def _label_room(diagram: Diagram, wiring: Wiring, gutter: int, side: Side) -> int:
    """Give the room that labels need in a gutter, beside the boxes whose left or right side it is."""
    arriving = (tap for tap in wiring.taps if tap.arrives and (tap.gutter, tap.side) == (gutter, side))
    return max((label_width(diagram.nets[tap.net].labels) + _LABEL_ROOM for tap in arriving), default=0)


def _wire(  # noqa: PLR0913, PLR0917 - a line on paper is where all earlier decisions meet
    net: int,
    diagram: Diagram,
    wiring: Wiring,
    heights: Heights,
    trunks: Mapping[tuple[int, int], Trunk],
    paper: _Paper,
) -> Wire:
    way = wiring.routes[net]
    segments: list[Segment] = []
    joints: list[tuple[int, int]] = []
    arrows: list[Arrow] = []
    for gutter in way.gutters:
        trunk, x = trunks[net, gutter], paper.tracks[net, gutter]
        segments.append(Segment(x, trunk.top, x, trunk.bottom))
        turns = (*trunk.left, *trunk.right)
        joints += [(x, y) for y in sorted(set(turns)) if trunk.top < y < trunk.bottom]
    for column in way.passes:
        y = heights.lanes[net, column]
        segments.append(Segment(paper.tracks[net, column], y, paper.tracks[net, column + 1], y))
    for tap in (each for each in wiring.taps if each.net == net):
        edge = paper.columns[tap.column] + (column_width(diagram.columns[tap.column]) if tap.side == "right" else 0)
        y = heights.taps[tap]
        segments.append(Segment(paper.tracks[net, tap.gutter], y, edge, y))
        if tap.arrives:
            arrows.append(Arrow(edge, y, 1 if tap.side == "left" else -1))
    drawn = tuple(each for each in segments if (each.x1, each.y1) != (each.x2, each.y2))
    return Wire(diagram.nets[net], drawn, tuple(joints), tuple(arrows))


def _boxes(diagram: Diagram, stack: Stack, paper: _Paper) -> tuple[PlacedBox, ...]:
    return tuple(
        PlacedBox(
            box,
            x,
            column_width(column),
            chip_width(column),
            stack.boxes[box.place],
            tuple(stack.rows[row.place] for row in box.rows),
        )
        for column, x in zip(diagram.columns, paper.columns, strict=True)
        for box in boxes_of(column)
    )
