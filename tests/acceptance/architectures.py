"""The reference architectures from a clean checkout: `python -m tests.acceptance.architectures`, as root.

Clones HEAD into an empty folder where nothing is installed, builds and hardens the community hospital there, asks its
twin what it must refuse, runs the scenarios of its roles and the benchmarks, and prints one line of figures for each
point. Ends with 0 only if every point holds. Output is kept in `logs/acceptance/`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.acceptance.architecture_points import Evidence, decide
from tests.acceptance.main import HOUR, PYTHON, accept, demonstrate, outcomes_in, run, take_down

HOSPITAL: Final = "st-elsewhere"
"""The hospital that pins every architecture; its twin is not built by any other test."""

BASELINE: Final = "baseline"
TESTS: Final = (
    "tests/unit/test_proof_matrix.py",
    "tests/unit/test_design_cases.py",
    "tests/contracts/test_architectures.py",
    "tests/contracts/test_design_files.py",
    "tests/integration/test_proof_packets.py",
)


def gather(clone: Path, environment: Mapping[str, str]) -> Evidence:
    """Run and read everything; a step that fails does not keep the others from being tried."""
    with tempfile.TemporaryDirectory() as results:
        reported = {**environment, "WARDROUND_JUNIT": results}
        demo = demonstrate(clone, environment, HOSPITAL, 2 * HOUR)
        run("refusals", [*PYTHON, "pytest", "tests/hospital"], clone, reported)
        take_down(clone, environment, HOSPITAL)
        run("proofs", [*PYTHON, "pytest", *TESTS], clone, reported)
        outcomes = outcomes_in(Path(results))
    wardround = [*PYTHON, "wardround.cli.main", "--json"]
    pinned = json.loads(run("design", [*wardround, "design", HOSPITAL], clone, environment).output)["architectures"]
    shown = [
        json.loads(run(f"show-{name}", [*wardround, "architecture", "show", name, version], clone, environment).output)
        for name, version in ((each["name"], each["version"]) for each in pinned)
    ]
    roles = roles_beside_the_baseline(shown)
    return Evidence(
        demo=demo,
        pinned=tuple(each["name"] for each in pinned),
        outcomes=outcomes,
        roles=roles,
        molecule=run("molecule", ["make", "molecule", f"SCENARIOS={' '.join(roles)}"], clone, environment, 2 * HOUR),
        proof=run("proof", [*PYTHON, "benchmarks.proof", "--json"], clone, environment),
        gateway=run("gateway", [*PYTHON, "benchmarks.gateway", "--json"], clone, environment),
    )


def roles_beside_the_baseline(architectures: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Give the roles of components that the baseline does not have."""
    known = {role for each in architectures for role in each["everywhere"]["roles"]}
    wanted: set[str] = set()
    for each in architectures:
        roles = {role for component in each["components"].values() for role in component["roles"]}
        (known if each["name"] == BASELINE else wanted).update(roles)
    return tuple(sorted(wanted - known))


if __name__ == "__main__":
    sys.exit(accept(HOSPITAL, (), lambda clone, environment: decide(gather(clone, environment))))
