"""Numbers and addresses divided into cells, so that no rule and no flow can tell two members of a cell apart."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from wardround.proof.ranges import Ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Partition:
    """Cells, each with its widest range; `masks` holds the cells of each set that divided them, a bit a cell."""

    cells: tuple[tuple[int, int], ...]
    masks: Mapping[Ranges, int]

    @property
    def full(self) -> int:
        """All cells."""
        return (1 << len(self.cells)) - 1


def divide(sets: Iterable[Ranges], universe: Ranges) -> Partition:
    """Divide the numbers of the universe by sets of them.

    The line of numbers is cut wherever a set begins or ends; pieces that lie in the same sets become one cell.
    """
    order: Sequence[Ranges] = tuple(dict.fromkeys((*sets, universe)))
    toggles: defaultdict[int, int] = defaultdict(int)
    for at, each in enumerate(order):
        for low, high in each.spans:
            toggles[low] ^= 1 << at
            toggles[high + 1] ^= 1 << at
    inside = 1 << order.index(universe)
    cells: dict[int, tuple[int, int]] = {}
    signature = 0
    points = sorted(toggles)
    for low, following in pairwise(points):
        signature ^= toggles[low]
        if signature & inside:
            known = cells.setdefault(signature, (low, following - 1))
            if following - low > known[1] - known[0] + 1:
                cells[signature] = (low, following - 1)
    masks = [0] * len(order)
    for cell, signature in enumerate(cells):
        left = signature
        while left:
            lowest = left & -left
            masks[lowest.bit_length() - 1] |= 1 << cell
            left ^= lowest
    return Partition(tuple(cells.values()), dict(zip(order, masks, strict=True)))


def bits(mask: int) -> Iterable[int]:
    """Give the positions of the bits of a mask, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
