"""One small hospital for all tests of a whole hospital: building and hardening it is most of the cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.twin.small_hospital import NAME, SmallHospital


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHospital]:
    """A twin of hosts as they come from the distribution; removed at the end, whatever happened."""
    project: Path = tmp_path_factory.mktemp("project")
    hospital = SmallHospital(project)
    try:
        built = hospital.call("twin", "up", NAME)
        assert built.code == 0, built.err
        yield hospital
    finally:
        removed = hospital.call("twin", "down", NAME)
        assert removed.code == 0, removed.err


@pytest.fixture(scope="session")
def applied(bare: SmallHospital) -> dict[str, Any]:
    """What two applies in a row told, after a plan that was made while the hosts were bare."""
    planned = bare.on_twin("plan")
    assert planned.code == 2, planned.out + planned.err
    told: dict[str, Any] = bare.on_twin("apply", "--plan", planned.data["plan"], "--twice").data
    return told


@pytest.fixture(scope="session")
def hardened(bare: SmallHospital, applied: dict[str, Any]) -> SmallHospital:
    """The same twin with the baseline applied, and nothing failed."""
    assert applied["failed"] == applied["again"]["failed"] == []
    return bare
