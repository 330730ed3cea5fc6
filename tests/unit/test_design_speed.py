"""Resolution stays linear in the number of hosts: a regression shows as a ratio, which a busy machine leaves alone."""

from __future__ import annotations

import pytest

from benchmarks.resolve import measure

pytestmark = pytest.mark.unit

LARGEST_RATIO = 10.0
LARGEST_GROWTH = 3.0


def test_resolving_takes_a_few_times_as_long_as_reading_the_result() -> None:
    small, large = measure(1_000), measure(4_000)
    assert small.ratio < LARGEST_RATIO, small
    assert large.ratio < small.ratio * LARGEST_GROWTH, (small, large)
