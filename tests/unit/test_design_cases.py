"""Each folder of tests/cases/design is a manifest that somebody wrote, and exactly what wardround says about it.

A case about architectures brings its own; the others share one.

To accept new wording, delete an `expected.txt`, run the test once, and read what it wrote.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from wardround.errors import InvalidInputError
from wardround.load.library import FOLDER
from wardround.load.problems import render_text
from wardround.load.project import Project
from wardround.verbs.opening import load_design

CASES = Path(__file__).parents[1] / "cases" / "design"
HOSPITAL = "st-case"

pytestmark = pytest.mark.cases


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir() if path.name != FOLDER))
def test_says_exactly_this(name: str, tmp_path: Path) -> None:
    own = CASES / name / FOLDER
    shutil.copytree(own if own.is_dir() else CASES / FOLDER, tmp_path / FOLDER)
    manifest = tmp_path / "inventories" / HOSPITAL / "hospital.yml"
    manifest.parent.mkdir(parents=True)
    shutil.copyfile(CASES / name / "hospital.yml", manifest)
    try:
        said = f"{len(load_design(Project(tmp_path), HOSPITAL).hosts)} hosts"
    except InvalidInputError as error:
        said = render_text(error.problems)
    expected = CASES / name / "expected.txt"
    if not expected.exists():
        expected.write_text(said + "\n", encoding="utf-8")
        pytest.fail(f"wrote {expected.name}; read it, then run again")
    assert said + "\n" == expected.read_text(encoding="utf-8")
