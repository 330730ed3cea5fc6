"""What keeps a manifest from becoming a design: each fault with its code and its place in the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ManifestPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake; `path` leads to the key in `hospital.yml` that has to change."""

    code: str
    message: str
    path: ManifestPath
    remedy: str


class UnresolvableError(Exception):
    """The manifest and its architectures do not make a design; carries every fault at once."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Carry the faults in the order of their places."""
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give `, did you mean "x"?` for the nearest known word, or nothing."""
    near = get_close_matches(word, list(known), n=1)
    return f', did you mean "{near[0]}"?' if near else ""
