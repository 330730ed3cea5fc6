"""One small hospital for all tests of a whole hospital: building and hardening it is most of the cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
def hardened(bare: SmallHospital) -> SmallHospital:
    """The same twin with the baseline applied once, from a plan that was made while the hosts were bare."""
    planned = bare.on_twin("plan")
    assert planned.code == 2, planned.out + planned.err
    applied = bare.on_twin("apply", "--plan", planned.data["plan"])
    assert applied.code == 0, applied.out + applied.err
    assert applied.data["failed"] == []
    return bare
