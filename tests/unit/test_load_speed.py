"""Strictness costs no time: a regression shows as a ratio, which a busy machine does not change."""

from __future__ import annotations

import pytest

from benchmarks.load import measure

pytestmark = pytest.mark.unit

LARGEST_RATIO = 1.5


def test_loading_is_about_as_fast_as_plain_parsing() -> None:
    figures = measure(1_000)
    assert figures.ratio < LARGEST_RATIO, figures
