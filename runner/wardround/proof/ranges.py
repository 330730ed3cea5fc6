"""Sets of whole numbers as ranges: addresses, ports and protocol numbers in the form that packet filters compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Ranges:
    """Numbers as closed ranges, ascending, neither overlapping nor touching: equal sets are equal values."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Ranges:
        """Join any closed ranges; one whose end lies before its start is empty."""
        joined: list[tuple[int, int]] = []
        for low, high in sorted(span for span in spans if span[0] <= span[1]):
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], high))
            else:
                joined.append((low, high))
        return cls(tuple(joined))

    @classmethod
    def one(cls, number: int) -> Ranges:
        """Give the set of a single number."""
        return cls(((number, number),))

    def __contains__(self, number: int) -> bool:
        return any(low <= number <= high for low, high in self.spans)

    def outside(self, highest: int) -> Ranges:
        """Give the numbers from 0 to `highest` that are not in the set."""
        edges = [-1, *(edge for span in self.spans for edge in span), highest + 1]
        return Ranges.of((edges[at] + 1, edges[at + 1] - 1) for at in range(0, len(edges), 2))

    def without(self, other: Ranges) -> Ranges:
        """Give the numbers that are in this set and not in the other."""
        left = self.spans
        for low, high in other.spans:
            left = tuple(
                part
                for first, last in left
                for part in ((first, min(last, low - 1)), (max(first, high + 1), last))
                if part[0] <= part[1]
            )
        return Ranges.of(left)

    def joined(self, *others: Ranges) -> Ranges:
        """Give the numbers that are in any of the sets."""
        return Ranges.of(span for each in (self, *others) for span in each.spans)
