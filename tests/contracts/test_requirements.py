"""What is installed: declared, hashed, explained, and from no particular place."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ["requirements.lock", "requirements-dev.lock"]

DISTRIBUTION_OF = {"yaml": "pyyaml", "pydantic_core": "pydantic"}
"""Where the name that is imported is not the name that is asked for: pydantic pins its own core."""

PROCESS_ONLY = {"ansible", "ansible-core"}
"""Run, never imported: see docs/decisions/0002."""


def normalised(requirement: str) -> str:
    """Reduce a requirement to the distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()


def declared(*, extras: bool = True) -> set[str]:
    requirements = list(PROJECT["dependencies"])
    if extras:
        requirements += [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    return {normalised(requirement) for requirement in requirements} - {"wardround"}


def locked(lock: str) -> dict[tuple[str, str], str]:
    """Map each distribution and its marker to its version."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    pins = [re.fullmatch(r"(\S+)==(\S+)(?: ; (.*?))? \\", line) for line in lines if not line.startswith("    ")]
    assert pins
    return {(normalised(pin[1]), pin[3] or ""): pin[2] for pin in pins if pin}


def imported(package: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], path


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock: str) -> None:
    pin = re.compile(r"[a-z0-9-]+(\[[a-z,]+\])?==[0-9a-z.!+]+( ; .*)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not pin.fullmatch(line) and not digest.fullmatch(line)] == []


def test_development_runs_what_a_site_runs() -> None:
    development = locked("requirements-dev.lock")
    assert {pin: version for pin, version in locked("requirements.lock").items() if development[pin] != version} == {}


def test_the_locks_hold_everything_that_is_declared() -> None:
    assert declared() - {name for name, _ in locked("requirements-dev.lock")} == set()
    assert declared(extras=False) - {name for name, _ in locked("requirements.lock")} == set()


def test_every_dependency_has_its_reason() -> None:
    records = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    named = set(re.findall(r"`([A-Za-z][\w.-]*)`", records))
    unexplained = {name for name in declared() if name not in named and not name.startswith("types-")}
    assert unexplained == set()


def test_what_is_imported_is_declared() -> None:
    known = declared() | {normalised(name) for name in sys.stdlib_module_names} | {"wardround"}
    foreign = {
        f"{path.relative_to(ROOT)}: {module}"
        for module, path in imported(ROOT / "runner")
        if normalised(DISTRIBUTION_OF.get(module, module)) not in known
    }
    assert foreign == set()


def test_what_every_site_installs_is_used() -> None:
    used = {normalised(DISTRIBUTION_OF.get(module, module)) for module, _ in imported(ROOT / "runner")}
    assert declared(extras=False) - used - PROCESS_ONLY == set()


def test_plugins_say_that_they_are_under_ansibles_licence() -> None:
    plugins = sorted([*(ROOT / "plugins").rglob("*.py"), *ROOT.glob("roles/*/library/*.py")])
    assert plugins
    unsaid = [path for path in plugins if "SPDX-License-Identifier: GPL-3.0-or-later" not in path.read_text("utf-8")]
    assert unsaid == []
