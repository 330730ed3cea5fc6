"""Which track each line takes in a gutter, so that lines do not lie on each other and seldom cross."""

from __future__ import annotations

from dataclasses import dataclass

_CLEARANCE = 6


@dataclass(frozen=True, slots=True)
class Trunk:
    """The part of a net that runs up and down in one gutter, and the heights at which it turns left and right."""

    net: int
    left: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def top(self) -> int:
        """The upper end."""
        return min(self.left + self.right)

    @property
    def bottom(self) -> int:
        """The lower end."""
        return max(self.left + self.right)


def assign(trunks: tuple[Trunk, ...]) -> tuple[tuple[Trunk, ...], ...]:
    """Give the tracks from left to right with their trunks, which share one where they do not meet."""
    tracks: list[tuple[Trunk, ...]] = []
    for trunk in sorted(trunks, key=lambda each: (each.top, each.bottom, each.net)):
        free = next((at for at, track in enumerate(tracks) if track[-1].bottom + _CLEARANCE < trunk.top), None)
        if free is None:
            tracks.append((trunk,))
        else:
            tracks[free] = (*tracks[free], trunk)
    return _with_few_crossings(tracks)


def _with_few_crossings(tracks: list[tuple[Trunk, ...]]) -> tuple[tuple[Trunk, ...], ...]:
    """Swap neighbours as long as that takes crossings away."""
    cost = {
        (one, other): sum(_crossings(left, right) for left in tracks[one] for right in tracks[other])
        for one in range(len(tracks))
        for other in range(len(tracks))
        if one != other
    }
    order = list(range(len(tracks)))
    swapped = True
    while swapped:
        swapped = False
        for at in range(len(order) - 1):
            one, other = order[at], order[at + 1]
            if cost[other, one] < cost[one, other]:
                order[at], order[at + 1] = other, one
                swapped = True
    return tuple(tracks[at] for at in order)


def _crossings(left: Trunk, right: Trunk) -> int:
    """Count the crossings of two trunks where one stands left of the other."""
    return sum(right.top <= height <= right.bottom for height in left.right) + sum(
        left.top <= height <= left.bottom for height in right.left
    )
