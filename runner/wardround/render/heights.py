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

_APART: Final = 8
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

    def settle(self, net: int, gutters: Sequence[int], wanted: Iterable[int]) -> int:
        """Take the first wanted height that is free; where none is, the first one, and lines touch."""
        heights = tuple(wanted)
        free = (height for height in heights if all(self._is_free(net, gutter, height) for gutter in gutters))
        height = next(free, heights[0])
        for gutter in gutters:
            self._lines[gutter].append((height, net))
        return height

    def _is_free(self, net: int, gutter: int, height: int) -> bool:
        return all(other == net or abs(line - height) >= _APART for line, other in self._lines[gutter])


def settled(diagram: Diagram, wiring: Wiring, stack: Stack, lanes: Lanes) -> Heights:
    """Decide all heights: what passes first, then what arrives with its labels, then what departs."""
    taken = _Taken()
    passing = {
        (net, column): taken.settle(
            net, (column, column + 1), (stack.gaps[column][gap].y + LANE * (at + 1) + nudge for nudge in _NUDGES)
        )
        for (column, gap), nets in lanes.items()
        for at, net in enumerate(nets)
    }
    heights: dict[Tap, int] = {}
    slots = _slots(diagram, wiring, stack)
    for tap in (each for each in wiring.taps if each.arrives):
        lowest = slots[tap].bottom - BELOW_ARRIVAL
        heights[tap] = taken.settle(tap.net, (tap.gutter,), (lowest, lowest + 4, lowest - 2, lowest + 2))
    for tap in (each for each in wiring.taps if not each.arrives):
        slot = slots[tap]
        straight = (height for other, height in heights.items() if (other.net, other.gutter) == (tap.net, tap.gutter))
        wanted = (*straight, *(slot.middle + nudge for nudge in _NUDGES))
        room = range(slot.y + 1, slot.bottom)
        heights[tap] = taken.settle(tap.net, (tap.gutter,), (each for each in wanted if each in room))
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
