"""At which height each line meets a box or passes a column, so that no two lines lie on each other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.render.stack import BELOW_ARRIVAL, LANE, Span, mean_height

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wardround.render.diagram import Diagram
    from wardround.render.flow_end import Place
    from wardround.render.routes import Side
    from wardround.render.stack import Lanes, Stack, Tap, Wiring

_APART: Final = (8, 5, 3, 1)
"""How far lines of different nets keep from each other: far where there is room, and never on each other."""

_NUDGES: Final = (0, 4, -4, 8, -8, 12, -12)


@dataclass(frozen=True, slots=True)
class Heights:
    """The height of each tap, and of each net in each column that it passes."""

    taps: dict[Tap, int]
    lanes: dict[tuple[int, int], int]


class _Taken:
    """Which heights are in use in each gutter, and by which net."""

    def __init__(self) -> None:
        self._lines: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def settle(self, net: int, gutters: Sequence[int], wanted: Iterable[int], room: range) -> int:
        """Take the first wanted height that is free, else the nearest one in the room that lies on no other line."""
        first, *others = wanted
        nearest = sorted(room, key=lambda height: (abs(height - first), height))
        heights = (first, *(each for each in others if each in room), *nearest)
        free = (
            height
            for apart in _APART
            for height in heights
            if all(self._is_free(net, gutter, height, apart) for gutter in gutters)
        )
        height = next(free, first)
        for gutter in gutters:
            self._lines[gutter].append((height, net))
        return height

    def _is_free(self, net: int, gutter: int, height: int, apart: int) -> bool:
        return all(other == net or abs(line - height) >= apart for line, other in self._lines[gutter])


def settled(diagram: Diagram, wiring: Wiring, stack: Stack, lanes: Lanes) -> Heights:
    """Decide all heights: what passes first, then what arrives with its labels, then what departs."""
    taken = _Taken()
    passing: dict[tuple[int, int], int] = {}
    for (column, gap), nets in lanes.items():
        span = stack.gaps[column][gap]
        for at, net in enumerate(nets):
            lane = span.y + LANE * (at + 1)
            room = range(span.y + 1, span.bottom)
            passing[net, column] = taken.settle(net, (column, column + 1), (lane,), room)
    heights: dict[Tap, int] = {}
    slots = _slots(diagram, wiring, stack)
    for tap in (each for each in wiring.taps if each.arrives):
        line = slots[tap].bottom - BELOW_ARRIVAL
        heights[tap] = taken.settle(tap.net, (tap.gutter,), (line,), range(line - 2, slots[tap].bottom))
    for tap in (each for each in wiring.taps if not each.arrives):
        slot = slots[tap]
        room = range(slot.y + 1, slot.bottom)
        ends = (height for other, height in heights.items() if (other.net, other.gutter) == (tap.net, tap.gutter))
        straight = tuple(each for each in ends if each in room)
        wanted = (*straight, *(slot.middle + nudge for nudge in _NUDGES))
        heights[tap] = taken.settle(tap.net, (tap.gutter,), wanted, room)
    return Heights(heights, passing)


def _slots(diagram: Diagram, wiring: Wiring, stack: Stack) -> dict[Tap, Span]:
    """Give each tap its stretch of its row; what leads up stands above what leads down."""
    faces: dict[tuple[Place, Side], list[Tap]] = defaultdict(list)
    for tap in wiring.taps:
        faces[tap.place, tap.side].append(tap)

    def aim(tap: Tap) -> tuple[float, int, bool]:
        net = diagram.nets[tap.net]
        return mean_height(stack, net.sources if tap.arrives else net.destinations), tap.net, tap.arrives

    slots: dict[Tap, Span] = {}
    for (place, _), taps in faces.items():
        row = stack.rows[place]
        if len(taps) == 1 and not taps[0].arrives:
            slots[taps[0]] = row
            continue
        y = row.y + (row.height - sum(tap.height for tap in taps)) // 2
        for tap in sorted(taps, key=aim):
            slots[tap] = Span(y, tap.height)
            y += tap.height
    return slots
