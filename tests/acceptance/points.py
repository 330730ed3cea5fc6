"""The points of the main job, each decided from what was really run and measured. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

DEMO_LIMIT_SECONDS: Final = 900.0
LAWS: Final = "tests/twin/test_hospital_laws.py"
STATE_LAWS: Final = (
    f"{LAWS}::test_apply_then_deep_drift_finds_nothing",
    f"{LAWS}::test_what_is_broken_is_named_and_nothing_else_then_mended",
    f"{LAWS}::test_a_second_apply_changes_nothing",
)
STOPPED_HOST: Final = (f"{LAWS}::test_a_host_that_stops_mid_run_is_unknown_and_the_others_finish",)
INTERRUPTED: Final = (f"{LAWS}::test_ctrl_c_starts_no_further_host_and_leaves_nothing_running",)
CANARIES: Final = ("tests/twin/test_canaries.py::test_no_canary_leaves_the_vault",)
HOUSE: Final = (
    "tests/contracts/test_architecture_document.py::test_every_room_has_a_section_and_every_section_a_room",
    "tests/contracts/test_architecture_document.py::test_a_section_names_only_files_of_its_room",
)
HEADINGS: Final = (
    "Two commands",
    "Glossary",
    "How to add a role",
    "How to add a hospital",
    "How to add an architecture version",
)
MEASURED_VERBS: Final = ("plan", "apply", "drift")
MEASURED_HOSTS: Final = (1, 4, 8)
MEASURED_SIZES: Final = (10, 1_000, 10_000)

_DEMO_END: Final = re.compile(
    r"(\d+) hosts: applied (\d+) changes; second apply changed (\d+); (\d+) faults planted; "
    r"the same (\d+) found, no other; remedied; clean"
)
_SCENARIO_OK: Final = re.compile(r"^molecule (\S+) +\d+ s  ok$", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """A command that was run to its end: exit code, seconds, and what it wrote."""

    code: int
    seconds: float
    output: str


@dataclass(frozen=True)
class Evidence:
    """Everything that was run and read, in one checkout."""

    demo: Ran
    images_were_there: bool
    tests: Ran
    outcomes: Mapping[str, str]
    """Test id → `passed`, `failed`, `error` or `skipped`."""
    scenarios: tuple[str, ...]
    """Names of all Molecule scenarios of the checkout."""
    mistakes: Ran
    benchmarks: Ran
    readme: str
    picture: str
    architecture: str


@dataclass(frozen=True)
class Point:
    """One point with its figures."""

    name: str
    holds: bool
    figures: str

    def line(self) -> str:
        """Give the one line that people read."""
        return f"{'ok' if self.holds else 'FAILED':<6}  {self.name}: {self.figures}"


def decide(evidence: Evidence) -> tuple[Point, ...]:
    """Decide every point; one whose evidence is missing does not hold."""
    outcomes = evidence.outcomes
    return (
        demo_point(evidence.demo, images_were_there=evidence.images_were_there),
        suite_point(evidence.tests, outcomes, evidence.scenarios),
        passed_point("state laws on Debian 12 and 13 hosts", outcomes, STATE_LAWS),
        passed_point("a host stopped mid-run is unknown, exit 3", outcomes, STOPPED_HOST),
        mistakes_point(evidence.mistakes),
        passed_point("Ctrl-C starts nothing more, leaves nothing, exit 130", outcomes, INTERRUPTED),
        passed_point("canary secrets appear nowhere", outcomes, CANARIES),
        benchmarks_point(evidence.benchmarks),
        readme_point(evidence.readme, evidence.picture),
        house_point(evidence.architecture, outcomes),
    )


def demo_point(demo: Ran, *, images_were_there: bool) -> Point:
    """`make demo` keeps its promises within its time, set-up included."""
    name = "make demo"
    end = _DEMO_END.search(demo.output)
    minutes = f"{demo.seconds / 60:.1f} of at most {DEMO_LIMIT_SECONDS / 60:.0f} min"
    if demo.code != 0 or end is None:
        return Point(name, holds=False, figures=f"exit code {demo.code} after {minutes}, without its last line")
    hosts, applied, again, planted, found = map(int, end.groups())
    holds = (
        demo.seconds <= DEMO_LIMIT_SECONDS
        and min(hosts, applied, planted) > 0
        and again == 0
        and planted == found
        and "Where to look next" in demo.output
    )
    images = "images cached" if images_were_there else "images built"
    figures = (
        f"{hosts} hosts, {applied} applied, second apply {again}, {planted} planted, {found} found, clean; "
        f"{minutes} with set-up ({images})"
    )
    return Point(name, holds, figures)


def suite_point(tests: Ran, outcomes: Mapping[str, str], scenarios: tuple[str, ...]) -> Point:
    """`make test` passes, and every scenario was among it."""
    counts = Counter(outcomes.values())
    passed = set(_SCENARIO_OK.findall(tests.output))
    missed = sorted(set(scenarios) - passed)
    holds = tests.code == 0 and counts["passed"] > 0 and bool(scenarios) and not missed
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "no test ran"
    figures = f"{said}; {len(passed)} of {len(scenarios)} Molecule scenarios ok; {tests.seconds / 60:.1f} min"
    if tests.code != 0:
        figures += f"; exit code {tests.code}"
    if missed:
        figures += f"; not ok: {', '.join(missed)}"
    return Point("make test", holds, figures)


def passed_point(name: str, outcomes: Mapping[str, str], needed: Iterable[str]) -> Point:
    """Every needed test ran and passed, with all its parameters."""
    found = {test: _outcomes_of(test, outcomes) for test in needed}
    bad = [
        f"{test.rpartition('::')[2]} {'did not run' if not seen else ' and '.join(sorted(set(seen) - {'passed'}))}"
        for test, seen in found.items()
        if set(seen) != {"passed"}
    ]
    count = sum(len(seen) for seen in found.values())
    return Point(name, not bad, "; ".join(bad) or f"{count} test{'s' if count != 1 else ''} passed")


def _outcomes_of(test: str, outcomes: Mapping[str, str]) -> list[str]:
    return [outcome for ran, outcome in outcomes.items() if ran == test or ran.startswith(f"{test}[")]


def mistakes_point(mistakes: Ran) -> Point:
    """A manifest with five mistakes gives five errors, each with its place, and exit code 4."""
    name = "a manifest with five mistakes, exit 4"
    errors = _rows(_read(mistakes.output), "errors")
    placed = sum(bool(error.get("file") and error.get("line") and error.get("column")) for error in errors)
    holds = mistakes.code == 4 and len(errors) == placed == 5
    return Point(name, holds, f"{len(errors)} errors, {placed} with file, line and column; exit code {mistakes.code}")


def benchmarks_point(benchmarks: Ran) -> Point:
    """Every size was measured: runs by verb and hosts with time, CPU and tasks; load and resolve by hosts."""
    data = _read(benchmarks.output)
    runs = {
        (row.get("verb"), row.get("hosts")): row
        for row in _rows(data, "runs")
        if row.get("seconds") and row.get("cpu_seconds") and row.get("tasks_per_host")
    }
    missed = [f"{verb} {hosts}" for verb in MEASURED_VERBS for hosts in MEASURED_HOSTS if (verb, hosts) not in runs]
    for part in ("load", "resolve"):
        sizes = {row.get("hosts") for row in _rows(data, part)}
        missed += [f"{part} {hosts}" for hosts in MEASURED_SIZES if hosts not in sizes]
    holds = benchmarks.code == 0 and not missed
    if missed:
        return Point("benchmarks", holds, f"exit code {benchmarks.code}; not measured: {', '.join(missed)}")
    told = (f"{verb} {hosts} {runs[verb, hosts]['seconds']:.0f} s" for verb in MEASURED_VERBS for hosts in (1, 8))
    slowest = (f"{part} 10,000 in {_slowest(data, part):.1f} s" for part in ("load", "resolve"))
    return Point("benchmarks", holds, f"exit code {benchmarks.code}; {', '.join((*told, *slowest))}")


def _slowest(data: Mapping[str, Any], part: str) -> float:
    return max(float(row[part]) for row in _rows(data, part))


def readme_point(readme: str, picture: str) -> Point:
    """What it is in five lines, two commands, a picture that loads nothing, glossary and how to add things."""
    title, _, rest = readme.partition("\n")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.strip()]
    headings = set(re.findall(r"^## (.+)$", readme, re.MULTILINE))
    shown = picture.replace("&#160;", " ")
    wanted = {
        "a title": title.startswith("# "),
        "what it is in five lines": 1 <= len(lines) <= 5,
        "`make demo`": "make demo" in readme,
        "`make test`": "make test" in readme,
        "the picture's place": "(docs/demo.svg)" in readme,
        "a picture": "<svg" in picture and "no other" in shown and "second apply changed 0" in shown,
        "a picture that loads nothing": "@font-face" not in picture and "url(" not in picture.replace("url(#", ""),
        **{f"heading {heading!r}": heading in headings for heading in HEADINGS},
    }
    missing = [what for what, there in wanted.items() if not there]
    figures = f"{len(lines)} lines of what it is, {len(headings)} headings, picture of {len(picture) // 1024} KiB"
    return Point("README", not missing, f"{figures}; missing: {', '.join(missing)}" if missing else figures)


def house_point(architecture: str, outcomes: Mapping[str, str]) -> Point:
    """docs/architecture.md is there, and tests held it against the rooms that stand."""
    tested = passed_point("docs/architecture.md", outcomes, HOUSE)
    rooms = len(re.findall(r"^### `", architecture, re.MULTILINE))
    return Point(tested.name, tested.holds and rooms > 0, f"{rooms} rooms described; {tested.figures}")


def _read(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _rows(data: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    rows = data.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
