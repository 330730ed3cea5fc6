"""Points of the main job hold only on evidence; what did not run does not hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.resolve import hospital
from tests.acceptance.main import clean_environment, outcomes_in
from tests.acceptance.points import (
    CANARIES,
    HEADINGS,
    HOUSE,
    INTERRUPTED,
    MEASURED_HOSTS,
    MEASURED_SIZES,
    MEASURED_VERBS,
    STATE_LAWS,
    STOPPED_HOST,
    Evidence,
    Ran,
    benchmarks_point,
    decide,
    demo_point,
    mistakes_point,
    passed_point,
    readme_point,
    suite_point,
)

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
DEMO = (
    "8 hosts: applied 512 changes; second apply changed 0; 19 faults planted; the same 19 found, no other; remedied; "
    "clean  (600 s)\nWhere to look next:\n"
)
MISTAKES = {"errors": [{"file": "hospital.yml", "line": 1, "column": 2}] * 5}
BENCHMARKS: dict[str, list[dict[str, object]]] = {
    "runs": [
        {"verb": verb, "hosts": hosts, "seconds": 10.0, "cpu_seconds": 5.0, "tasks_per_host": 150}
        for verb in MEASURED_VERBS
        for hosts in MEASURED_HOSTS
    ],
    "load": [{"hosts": hosts, "load": 1.2} for hosts in MEASURED_SIZES],
    "resolve": [{"hosts": hosts, "resolve": 0.8} for hosts in MEASURED_SIZES],
}
README = "# wardround\n\nOne.\nTwo.\n\n## Two commands\nmake demo, make test ![x](docs/demo.svg)\n" + "".join(
    f"## {heading}\n" for heading in HEADINGS
)
PICTURE = "<svg>second&#160;apply&#160;changed&#160;0 the&#160;same&#160;19&#160;found,&#160;no&#160;other</svg>"


def evidence() -> Evidence:
    """Give evidence on which every point holds."""
    needed = (*STATE_LAWS, *STOPPED_HOST, *INTERRUPTED, *CANARIES, *HOUSE)
    return Evidence(
        demo=Ran(0, 600.0, DEMO),
        images_were_there=False,
        tests=Ran(0, 3000.0, "molecule accounts                   120 s  ok\n"),
        outcomes=dict.fromkeys(needed, "passed"),
        scenarios=("accounts",),
        mistakes=Ran(4, 1.0, json.dumps(MISTAKES)),
        benchmarks=Ran(0, 60.0, json.dumps(BENCHMARKS)),
        readme=README,
        picture=PICTURE,
        architecture="### `model/`\n",
    )


def test_every_point_holds_on_full_evidence() -> None:
    points = decide(evidence())
    assert [point.line() for point in points if not point.holds] == []
    assert len({point.name for point in points}) == len(points) == 10
    assert all(point.line().startswith("ok ") and "\n" not in point.line() for point in points)


def test_no_point_holds_on_nothing() -> None:
    nothing = Ran(127, 0.0, "")
    points = decide(Evidence(nothing, True, nothing, {}, (), nothing, nothing, "", "", ""))  # noqa: FBT003 - by place
    assert [point.line() for point in points if point.holds] == []
    assert all(point.line().startswith("FAILED") for point in points)


@pytest.mark.parametrize(
    "demo",
    [
        Ran(1, 600.0, DEMO),
        Ran(0, 901.0, DEMO),
        Ran(0, 600.0, DEMO.replace("same 19", "same 18")),
        Ran(0, 600.0, DEMO.replace("changed 0", "changed 1")),
        Ran(0, 600.0, DEMO.replace("512", "0")),
        Ran(0, 600.0, DEMO.replace("clean", "dirty")),
        Ran(0, 600.0, DEMO.replace("Where", "Nowhere")),
    ],
)
def test_a_demonstration_that_breaks_a_promise_does_not_hold(demo: Ran) -> None:
    assert not demo_point(demo, images_were_there=True).holds


def test_the_demonstration_says_whether_it_had_to_build_images() -> None:
    assert "images built" in demo_point(Ran(0, 600.0, DEMO), images_were_there=False).figures
    assert "images cached" in demo_point(Ran(0, 600.0, DEMO), images_were_there=True).figures


@pytest.mark.parametrize(
    ("tests", "scenarios"),
    [
        (Ran(1, 60.0, "molecule accounts  9 s  ok\n"), ("accounts",)),
        (Ran(0, 60.0, "molecule accounts  9 s  timed out\n"), ("accounts",)),
        (Ran(0, 60.0, "molecule accounts  9 s  ok\n"), ("accounts", "drift")),
        (Ran(0, 60.0, ""), ()),
    ],
)
def test_a_scenario_that_is_missing_or_bad_does_not_hold(tests: Ran, scenarios: tuple[str, ...]) -> None:
    assert not suite_point(tests, {"a::b": "passed"}, scenarios).holds


@pytest.mark.parametrize(
    ("outcomes", "holds"),
    [
        ({"a::b": "passed"}, True),
        ({"a::b[1]": "passed", "a::b[2]": "passed"}, True),
        ({"a::b[1]": "passed", "a::b[2]": "skipped"}, False),
        ({"a::b": "skipped"}, False),
        ({"a::bc": "passed"}, False),
        ({}, False),
    ],
)
def test_a_needed_test_must_have_passed_with_all_parameters(outcomes: Mapping[str, str], *, holds: bool) -> None:
    assert passed_point("point", outcomes, ("a::b",)).holds is holds


@pytest.mark.parametrize(
    "told",
    [
        Ran(1, 1.0, json.dumps(MISTAKES)),
        Ran(4, 1.0, json.dumps({"errors": MISTAKES["errors"][:4]})),
        Ran(4, 1.0, json.dumps({"errors": [{"file": "hospital.yml", "line": 0, "column": 0}] * 5})),
        Ran(4, 1.0, "Traceback"),
    ],
)
def test_mistakes_need_five_places_and_the_exit_code(told: Ran) -> None:
    assert not mistakes_point(told).holds


@pytest.mark.parametrize("part", ["runs", "load", "resolve"])
def test_a_size_that_was_not_measured_is_named(part: str) -> None:
    fewer = {**BENCHMARKS, part: BENCHMARKS[part][:-1]}
    point = benchmarks_point(Ran(0, 1.0, json.dumps(fewer)))
    assert not point.holds
    assert "not measured" in point.figures


@pytest.mark.parametrize("part", ["make demo", "## Glossary", "docs/demo.svg", "# wardround"])
def test_a_readme_that_lacks_a_part_does_not_hold(part: str) -> None:
    assert not readme_point(README.replace(part, ""), PICTURE).holds


@pytest.mark.parametrize("picture", ["", "<svg>other</svg>", PICTURE.replace("<svg>", "<svg>url(//x)")])
def test_a_picture_must_be_of_the_demonstration_and_load_nothing(picture: str) -> None:
    assert not readme_point(README, picture).holds


def test_the_environment_forgets_this_checkout(tmp_path: Path) -> None:
    given = {
        "HOME": "/home/x",
        "PATH": f"{tmp_path}/.venv/bin:/usr/bin",
        "VIRTUAL_ENV": f"{tmp_path}/.venv",
        "ANSIBLE_CONFIG": f"{tmp_path}/ansible.cfg",
        "MAKEFLAGS": "-j2",
        "http_proxy": "http://proxy.example:3128",
    }
    assert clean_environment(given, tmp_path) == {
        "HOME": "/home/x",
        "PATH": "/usr/bin",
        "http_proxy": "http://proxy.example:3128",
    }


def test_a_session_leaves_its_results_in_the_folder_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "other.xml").write_text(
        '<testsuites><testsuite><testcase classname="tests.unit.x" name="a"><failure/></testcase>'
        '<testcase classname="tests.unit.x" name="b[1]"><skipped/></testcase></testsuite></testsuites>'
    )
    file = "tests/unit/test_ledger_address.py"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", file]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "WARDROUND_JUNIT": str(tmp_path)}, check=True)
    found = outcomes_in(tmp_path)
    assert found.pop("tests/unit/x.py::a") == "failed"
    assert found.pop("tests/unit/x.py::b[1]") == "skipped"
    assert set(found.values()) == {"passed"}
    assert all(test.startswith(f"{file}::") for test in found)


def test_resolution_is_measured_at_the_sizes_that_are_asked_for() -> None:
    assert [len(hospital(size)[0].hosts) for size in MEASURED_SIZES] == list(MEASURED_SIZES)
