"""The main job from a clean checkout: `python -m tests.acceptance.main`, as root.

Clones HEAD into an empty folder where nothing is installed, runs `make demo` for a small hospital, `make test` and the
benchmarks there, and prints one line of figures for each point. Ends with 0 only if every point holds. Output is kept
in `logs/acceptance/`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from tests.acceptance.points import Evidence, Point, Ran, decide

ROOT: Final = Path(__file__).resolve().parents[2]
LOGS: Final = ROOT / "logs" / "acceptance"
HOSPITAL: Final = "st-nearby"
"""Whose twin the demonstration builds: one that the machine hardens, breaks and mends in time."""

TESTED: Final = ("small-hospital", "gateway-hospital")
"""Whose twins the tests build."""

FIVE_MISTAKES: Final = "manifest_with_five_mistakes"
IMAGES: Final = "localhost/wardround-host"
HOUR: Final = 3600.0
# Through env, so that a set-up that failed is an exit code like any other.
PYTHON: Final = ("env", ".venv/bin/python", "-m")
_OURS: Final = ("ANSIBLE_", "MOLECULE_", "PYTEST", "PYTHON", "WARDROUND_", "VIRTUAL_ENV", "MAKE", "MFLAGS")


def clean_environment(environment: Mapping[str, str], root: Path) -> dict[str, str]:
    """Give the environment without anything that this checkout or its virtual environment put there."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_OURS)}
    path = [folder for folder in kept.get("PATH", "").split(":") if not Path(folder).is_relative_to(root)]
    return kept | {"PATH": ":".join(path)}


def outcomes_in(folder: Path) -> dict[str, str]:
    """Read every JUnit file of a folder: test id → outcome, the worst where a test reports twice."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.xml")):
        for case in ET.parse(file).getroot().iter("testcase"):  # noqa: S314 - written by our own pytest
            test = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
            outcome = next((kind for kind in ("error", "failure", "skipped") if case.find(kind) is not None), "passed")
            if found.get(test, "passed") == "passed":
                found[test] = "failed" if outcome == "failure" else outcome
    return found


def run(name: str, command: list[str], folder: Path, environment: Mapping[str, str], limit: float = HOUR) -> Ran:
    """Run a command in a session of its own, at most `limit` seconds; NAME.log and NAME.err keep what it says."""
    say(f"{name}: {' '.join(command)}")
    log = LOGS / f"{name}.log"
    started = time.monotonic()
    with log.open("wb") as out, log.with_suffix(".err").open("wb") as err:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            say(f"{name} takes longer than {limit / 60:.0f} min and is ended")
            _end(process)
        except BaseException:
            _end(process)
            raise
    taken = time.monotonic() - started
    say(f"{name}: exit code {process.returncode} after {taken:.0f} s")
    return Ran(process.returncode, taken, log.read_text(encoding="utf-8", errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the command's session to end as Ctrl-C would, and kill what is left of it after a minute."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
            return


def say(text: str) -> None:
    """Tell progress, which is not the result."""
    print(f"acceptance: {text}", file=sys.stderr, flush=True)


def output_of(*command: str) -> str:
    """Give what a quick command says."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def listed(*words: str) -> list[str]:
    """Give the ids that podman lists; none where it is not installed yet."""
    return output_of("podman", *words, "--quiet").split() if shutil.which("podman") else []


@contextlib.contextmanager
def checkout(environment: Mapping[str, str], hospital: str) -> Iterator[Path]:
    """Clone HEAD into an empty folder, and remove the clone and the hospital's twin at the end."""
    with tempfile.TemporaryDirectory(prefix="wardround-acceptance-") as folder:
        clone = Path(folder) / "wardround"
        output_of("git", "clone", "--quiet", "--no-local", str(ROOT), str(clone))
        try:
            yield clone
        finally:
            take_down(clone, environment, hospital)


def take_down(clone: Path, environment: Mapping[str, str], hospital: str) -> None:
    """Remove the demonstration's twin; without `wardround` there is none."""
    if (clone / ".venv/bin/wardround").exists():
        run("down", [".venv/bin/wardround", "twin", "down", hospital], clone, environment)


def demonstrate(clone: Path, environment: Mapping[str, str], hospital: str, limit: float = HOUR) -> Ran:
    """Run the demonstration of a hospital."""
    return run("demo", ["make", "demo", f"HOSPITAL=inventories/{hospital}"], clone, environment, limit)


def twins_in_the_way(hospitals: tuple[str, ...]) -> bool:
    """Tell of twins that are on this machine already: these runs build them anew and take them down."""
    there = {name: listed("ps", "--all", f"--filter=label=wardround.hospital={name}") for name in hospitals}
    for name, containers in there.items():
        if containers:
            say(f"{len(containers)} containers of {name} are there; `wardround twin down {name}` removes them")
    return any(there.values())


def gather(clone: Path, environment: Mapping[str, str]) -> Evidence:
    """Run and read everything; a step that fails does not keep the others from being tried."""
    images_were_there = bool(listed("images", IMAGES))
    demo = demonstrate(clone, environment, HOSPITAL)
    # They measure the hardened twin that the demonstration leaves.
    measure = [*PYTHON, "benchmarks", "--json", "--hospital", HOSPITAL]
    benchmarks = run("benchmarks", measure, clone, environment)
    take_down(clone, environment, HOSPITAL)
    with tempfile.TemporaryDirectory() as results:
        tests = run("test", ["make", "test"], clone, {**environment, "WARDROUND_JUNIT": results}, 4 * HOUR)
        outcomes = outcomes_in(Path(results))
    folder = clone / "inventories" / "five-mistakes"
    folder.mkdir()
    shutil.copy(clone / "tests/cases/load" / FIVE_MISTAKES / "input.yml", folder / "hospital.yml")
    validate = [*PYTHON, "wardround.cli.main", "--json", "validate", folder.name]
    return Evidence(
        demo=demo,
        images_were_there=images_were_there,
        tests=tests,
        outcomes=outcomes,
        scenarios=tuple(sorted(path.parent.name for path in (clone / "molecule").glob("*/molecule.yml"))),
        mistakes=run("mistakes", validate, clone, environment),
        benchmarks=benchmarks,
        readme=text_of(clone / "README.md"),
        picture=text_of(clone / "docs/demo.svg"),
        architecture=text_of(clone / "docs/architecture.md"),
    )


def text_of(file: Path) -> str:
    """Read a file; nothing where there is none."""
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def accept(
    hospital: str, others: tuple[str, ...], points_of: Callable[[Path, Mapping[str, str]], tuple[Point, ...]]
) -> int:
    """Check out HEAD, decide every point there, print them, and give the exit code.

    Args:
        hospital: whose twin is built; it is removed whatever happens.
        others: further twins that must not be on this machine.
        points_of: runs everything in a checkout and an environment, and decides.
    """
    if os.geteuid() != 0:
        say("a twin needs root: run it with sudo")
        return 1
    if twins_in_the_way((hospital, *others)):
        return 1
    LOGS.mkdir(parents=True, exist_ok=True)
    environment = clean_environment(os.environ, ROOT)
    commit = output_of("git", "rev-parse", "--short", "HEAD")
    changed = output_of("git", "status", "--porcelain")
    say(f"commit {commit}{', without the changes that are not committed' if changed else ''}")
    with checkout(environment, hospital) as clone:
        points = points_of(clone, environment)
    print(f"commit {commit}; output in {LOGS.relative_to(ROOT)}/")
    for point in points:
        print(point.line())
    return 0 if all(point.holds for point in points) else 1


if __name__ == "__main__":
    sys.exit(accept(HOSPITAL, TESTED, lambda clone, environment: decide(gather(clone, environment))))
