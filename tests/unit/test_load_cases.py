"""Each folder of tests/cases/load is a file that somebody wrote, and exactly what wardround says about it.

To accept new wording, delete an `expected.txt`, run the test once, and read what it wrote.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from wardround.errors import InvalidInputError
from wardround.load.problems import render_text
from wardround.load.validation import load
from wardround.model.architecture import Architecture
from wardround.model.base import Model
from wardround.model.hospital import Hospital

CASES = Path(__file__).parents[1] / "cases" / "load"
NO_PROBLEM = "no problem"

pytestmark = pytest.mark.cases


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_says_exactly_this(name: str) -> None:
    model: type[Model] = Architecture if name.startswith("architecture") else Hospital
    file = "architecture.yml" if model is Architecture else "hospital.yml"
    try:
        load(CASES / name / "input.yml", model, file=file)
        said = NO_PROBLEM
    except InvalidInputError as error:
        said = render_text(error.problems)
    expected = CASES / name / "expected.txt"
    if not expected.exists():
        expected.write_text(said + "\n", encoding="utf-8")
        pytest.fail(f"wrote {expected.name}; read it, then run again")
    assert said + "\n" == expected.read_text(encoding="utf-8")
