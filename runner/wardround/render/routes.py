"""Which way a line takes through the columns: where it leaves, which gutters it uses, which columns it passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one net. Gutter `n` is left of column `n`; the last one is right of the last column."""

    leaves: Side
    arrives: Side
    gutters: tuple[int, ...]
    passes: tuple[int, ...]


def route(source: int, destination: int) -> Route:
    """Give the way from a column to a column; inside one column it goes round the right."""
    if source < destination:
        return Route("right", "left", tuple(range(source + 1, destination + 1)), tuple(range(source + 1, destination)))
    if source > destination:
        back = range(source, destination, -1)
        return Route("left", "right", tuple(back), tuple(back)[1:])
    return Route("right", "right", (source + 1,), ())
