"""One small hospital for all tests of a whole hospital: building and hardening it is most of the cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.twin.small_hospital import SmallHospital


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHospital]:
    """A twin of hosts as they come from the distribution; removed at the end, whatever happened."""
    with SmallHospital(tmp_path_factory.mktemp("project")).up() as hospital:
        yield hospital


@pytest.fixture(scope="session")
def applied(bare: SmallHospital) -> dict[str, Any]:
    """What two applies in a row told, after a plan that was made while the hosts were bare."""
    return bare.applied_twice()


@pytest.fixture(scope="session")
def hardened(bare: SmallHospital, applied: dict[str, Any]) -> SmallHospital:
    """The same twin with the baseline applied, and nothing failed."""
    assert applied["failed"] == applied["again"]["failed"] == []
    return bare
