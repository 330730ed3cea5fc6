"""What a service said to a probe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """Whether the service does its work, and in which words it said so or not."""

    good: bool
    words: str
