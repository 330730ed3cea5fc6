"""How high everything in a diagram stands: boxes on top of each other, with gaps for lines to pass through."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.render.diagram import box_of, boxes_of
from wardround.render.measure import (
    LABEL_LINE,
    LABEL_LINES,
    chip_width,
    column_width,
    head_height,
    row_height,
)
from wardround.render.routes import Route, Side, route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wardround.render.diagram import Box, Diagram, Net
    from wardround.render.flow_end import Place

TOP: Final = 88
"""Where the columns begin, below title and summary."""

LANE: Final = 9
"""Between two lines that pass a column through the same gap."""

BELOW_ARRIVAL: Final = 8
"""Between an arriving line and what stands below it."""

_DEPARTURE: Final = 14
_GAP: Final = 14
_HEADING: Final = 24
_SLACK: Final = 4


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch from top to bottom."""

    y: int
    height: int

    @property
    def middle(self) -> int:
        """Half-way down."""
        return self.y + self.height // 2

    @property
    def bottom(self) -> int:
        """The lower end."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Tap:
    """Where a net meets a row of a box, and the height that it needs there: an arriving one carries labels."""

    net: int
    place: Place
    column: int
    side: Side
    arrives: bool
    height: int

    @property
    def gutter(self) -> int:
        """The gutter that it leads to."""
        return self.column + (self.side == "right")


@dataclass(frozen=True, slots=True)
class Wiring:
    """A diagram's nets with their routes, and every place where they meet a box."""

    routes: tuple[Route, ...]
    taps: tuple[Tap, ...]


Lanes = dict[tuple[int, int], tuple[int, ...]]
"""The nets that pass through a gap, by column and gap."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Rows and boxes by place, headings by column and text, and each column's gaps: one more than boxes."""

    boxes: dict[Place, Span]
    rows: dict[Place, Span]
    headings: dict[tuple[int, str], int]
    gaps: tuple[tuple[Span, ...], ...]
    bottom: int


def wired(diagram: Diagram) -> Wiring:
    """Find the way of each net and where it meets boxes."""
    column_of = {box.place: at for at, column in enumerate(diagram.columns) for box in boxes_of(column)}
    ends = [(column_of[box_of(net.sources[0])], column_of[box_of(net.destinations[0])]) for net in diagram.nets]
    routes = tuple(route(*each) for each in ends)
    taps = tuple(
        tap
        for at, (net, way, (source, destination)) in enumerate(zip(diagram.nets, routes, ends, strict=True))
        for tap in (
            *(Tap(at, place, source, way.leaves, arrives=False, height=_DEPARTURE) for place in net.sources),
            *(
                Tap(at, place, destination, way.arrives, arrives=True, height=_arrival(net))
                for place in net.destinations
            ),
        )
    )
    return Wiring(routes, taps)


def _arrival(net: Net) -> int:
    return len(net.labels) * LABEL_LINES * LABEL_LINE + BELOW_ARRIVAL


def stacked(diagram: Diagram, wiring: Wiring) -> tuple[Stack, Lanes]:
    """Stack all boxes, and choose the gap through which each net passes each column."""
    # Gaps are chosen by where boxes stand, and widened by what passes them: hence twice.
    lanes = _chosen_lanes(diagram, wiring, _stack(diagram, wiring, {}))
    return _stack(diagram, wiring, lanes), lanes


def _chosen_lanes(diagram: Diagram, wiring: Wiring, stack: Stack) -> Lanes:
    chosen: dict[tuple[int, int], list[int]] = defaultdict(list)
    for at, (net, way) in enumerate(zip(diagram.nets, wiring.routes, strict=True)):
        aim = mean_height(stack, net.destinations)
        for column in way.passes:
            middles = [gap.middle for gap in stack.gaps[column]]
            _, nearest = min((abs(middle - aim), gap) for gap, middle in enumerate(middles))
            chosen[column, nearest].append(at)
    return {gap: tuple(nets) for gap, nets in chosen.items()}


def mean_height(stack: Stack, places: Sequence[Place]) -> float:
    """Give how high some places stand on average."""
    return sum(stack.rows[place].middle for place in places) / len(places)


def _stack(diagram: Diagram, wiring: Wiring, lanes: Lanes) -> Stack:
    demand = _demand(wiring)
    boxes: dict[Place, Span] = {}
    rows: dict[Place, Span] = {}
    headings: dict[tuple[int, str], int] = {}
    gaps: list[tuple[Span, ...]] = []
    for at, column in enumerate(diagram.columns):
        width, chip = column_width(column), chip_width(column)
        own: list[Span] = []
        y = TOP
        for section in column:
            for index, box in enumerate(section.boxes):
                own.append(_gap(y, lanes.get((at, len(own)), ())))
                y = own[-1].bottom
                if index == 0:
                    y += _HEADING
                    headings[at, section.heading] = y - _HEADING // 2 + 2
                top = y
                for place, content in _contents(box, width, chip):
                    rows[place] = Span(y, max(content, demand.get(place, 0)))
                    y = rows[place].bottom
                boxes[box.place] = Span(top, y - top)
        gaps.append((*own, _gap(y, lanes.get((at, len(own)), ()))))
    return Stack(boxes, rows, headings, tuple(gaps), max((each[-1].bottom for each in gaps), default=TOP))


def _gap(y: int, lanes: Sequence[int]) -> Span:
    return Span(y, _GAP + LANE * len(lanes))


def _contents(box: Box, width: int, chip: int) -> list[tuple[Place, int]]:
    return [
        (box.place, head_height(box, width)),
        *((row.place, row_height(row, width, chip)) for row in box.rows),
    ]


def _demand(wiring: Wiring) -> Mapping[Place, int]:
    """Give the height that the taps of each row need, on the side that needs more."""
    sides: dict[tuple[Place, Side], int] = defaultdict(int)
    for tap in wiring.taps:
        sides[tap.place, tap.side] += tap.height
    demand: dict[Place, int] = defaultdict(int)
    for (place, _), height in sides.items():
        demand[place] = max(demand[place], height + _SLACK)
    return demand
