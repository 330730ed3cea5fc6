"""Problems as text, as JSON and as GitHub annotations."""

from __future__ import annotations

import json

import pytest

from wardround.errors import InvalidInputError, LockedError, Problem
from wardround.load.problems import as_report, problems_of, render_annotations, render_text

pytestmark = pytest.mark.unit

PROBLEM = Problem(
    code="WR-104",
    message='unknown key "adress", did you mean "address"?',
    file="inventories/x/hospital.yml",
    line=14,
    column=5,
    path="hosts.pacs01.adress",
    remedy="known keys here: address",
    excerpt="    adress: 10.0.0.1\n    ^",
)


def test_text_has_place_excerpt_and_remedy() -> None:
    assert render_text([PROBLEM]) == (
        'inventories/x/hospital.yml:14:5 WR-104 unknown key "adress", did you mean "address"?\n'
        "  14 |     adress: 10.0.0.1\n"
        "     |     ^\n"
        "     = known keys here: address"
    )


def test_text_of_a_problem_with_the_whole_file_has_no_line() -> None:
    assert render_text([Problem("WR-111", "larger than 10 MB", "a.yml")]) == "a.yml WR-111 larger than 10 MB"


def test_json_has_exactly_the_promised_fields() -> None:
    report = json.loads(json.dumps(as_report([PROBLEM])))
    assert report == {
        "schema_version": 1,
        "errors": [
            {
                "code": "WR-104",
                "file": "inventories/x/hospital.yml",
                "line": 14,
                "column": 5,
                "path": "hosts.pacs01.adress",
                "message": 'unknown key "adress", did you mean "address"?',
                "remedy": "known keys here: address",
            }
        ],
    }


def test_annotations_are_escaped_as_github_demands() -> None:
    hostile = Problem("WR-107", "100%\n::error::x", "a,b:c%.yml", 3, 7, remedy="")
    assert render_annotations([PROBLEM, hostile]) == (
        "::error file=inventories/x/hospital.yml,line=14,col=5,title=WR-104::"
        'unknown key "adress", did you mean "address"? (known keys here: address)\n'
        "::error file=a%2Cb%3Ac%25.yml,line=3,col=7,title=WR-107::100%25%0A::error::x"
    )


def test_annotations_without_a_place_name_only_the_file() -> None:
    assert render_annotations([Problem("WR-111", "large", "a.yml")]) == "::error file=a.yml,title=WR-111::large"


def test_every_error_can_be_shown_as_problems() -> None:
    assert problems_of(InvalidInputError((PROBLEM,))) == (PROBLEM,)
    [problem] = problems_of(LockedError("another run holds it", path="st-elsewhere", remedy="wait"))
    assert (problem.code, problem.file, problem.remedy) == ("WR-501", "st-elsewhere", "wait")
