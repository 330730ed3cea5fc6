"""From data to models: one problem for each mistake, in words a hospital engineer understands, at the right place."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, JsonValue, model_validator

from wardround.errors import InvalidInputError, Problem
from wardround.load.places import dotted
from wardround.load.validation import load, validate
from wardround.load.yaml_builder import MAX_MISTAKES
from wardround.load.yaml_document import parse_document
from wardround.model.architecture import Architecture
from wardround.model.base import Model, Name
from wardround.model.hospital import Hospital

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit


class Cable(Model):
    length: Annotated[int, Field(ge=1, le=100)]
    colour: Literal["red", "green"] = "red"


class Radio(Model):
    band: Annotated[str, Field(min_length=2, max_length=5)]
    colour: Literal["blue"] = "blue"


class Rack(Model):
    name: Name
    links: Annotated[dict[Name, Cable | Radio], Field(min_length=1)] = Field(default_factory=dict)
    sizes: Annotated[tuple[int | str, ...], Field(min_length=1)] = (1,)
    open: bool = False
    notes: JsonValue = None

    @model_validator(mode="after")
    def _open_racks_have_links(self) -> Rack:
        if self.open and not self.links:
            message = "an open rack has links"
            raise ValueError(message)
        return self


def problems(text: str, model: type[Model] = Rack) -> list[Problem]:
    document = parse_document(text.encode(), "rack.yml")
    with pytest.raises(InvalidInputError) as caught:
        validate(document, model)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "code", "place", "path", "message"),
    [
        ("name: a\nopne: true", "WR-104", "2:1", "opne", 'unknown key "opne", did you mean "open"?'),
        ("name: a\nxyzzy: true", "WR-104", "2:1", "xyzzy", 'unknown key "xyzzy"'),
        ("nam: a", "WR-104", "1:1", "nam", 'unknown key "nam", did you mean "name"?'),
        ("open: false", "WR-105", "1:1", "name", 'key "name" is missing'),
        ("name: 1", "WR-106", "1:7", "name", "expected a text, found the number 1"),
        ("name:", "WR-106", "1:6", "name", "expected a text, found nothing"),
        ("name: [a]", "WR-106", "1:7", "name", "expected a text, found a list"),
        ("name: a\nopen: yes", "WR-106", "2:7", "open", 'expected true or false, found the text "yes"'),
        ("name: a\nsizes: 3", "WR-106", "2:8", "sizes", "expected a list, found the number 3"),
        ("name: a\nsizes: [true]", "WR-106", "2:9", "sizes[0]", "expected a whole number or a text, found true"),
        ("name: a\nsizes: []", "WR-108", "2:8", "sizes", "must not be empty"),
        ("name: A b", "WR-107", "1:7", "name", '"A b" is not a name'),
        ("name: a\nopen: true", "WR-107", "1:1", "", "an open rack has links"),
        ("name: a\nlinks: {A: {length: 3}}", "WR-109", "2:9", "links.A", '"A" is not a name'),
        ("name: a\nlinks: {a: {length: 0}}", "WR-108", "2:21", "links.a.length", "0 is out of range"),
        ("name: a\nlinks: {a: {lenght: 3}}", "WR-104", "2:13", "links.a.lenght",
         'unknown key "lenght", did you mean "length"?'),
        ("name: a\nlinks: {a: {band: x}}", "WR-108", "2:19", "links.a.band", '"x" is too short'),
        ("name: a\nlinks: {a: {band: abcdef}}", "WR-108", "2:19", "links.a.band", '"abcdef" is too long'),
        ("name: a\nlinks: {a: {length: 3, colour: gren}}", "WR-107", "2:32", "links.a.colour",
         '"gren" is not allowed here, did you mean "green"?'),
        ("name: a\nlinks: {a: {q: 3}}", "WR-107", "2:12", "links.a", "a mapping of no known form"),
        ("name: a\nlinks: {a: 3}", "WR-106", "2:12", "links.a", "expected a mapping, found the number 3"),
        ("- a", "WR-106", "1:1", "", "expected a mapping, found a list"),
        ("# nothing", "WR-122", "1:1", "", "the file is empty"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_and_where(text: str, code: str, place: str, path: str, message: str) -> None:
    [problem] = problems(text)
    assert (problem.code, f"{problem.line}:{problem.column}", problem.path, problem.message) == (
        code,
        place,
        path,
        message,
    )


def test_a_kind_of_fault_without_words_of_its_own_is_still_told() -> None:
    class Times(Model):
        ratio: Annotated[float, Field(allow_inf_nan=False, multiple_of=0.5)]
        pair: tuple[int, int]

    found = problems("ratio: 0.3\npair: [1, 2, 3]", Times)
    assert [problem.code for problem in found] == ["WR-107", "WR-108"]
    assert "multiple" in found[0].message


def test_a_misspelt_key_beside_the_right_one_leaves_nothing_missing() -> None:
    assert [problem.code for problem in problems("name: a\nnmae: b")] == ["WR-104"]


def test_bad_entries_do_not_make_their_list_too_short() -> None:
    assert [problem.code for problem in problems("name: a\nsizes: [1.5]\nlinks: {a: {length: 300}}")] == [
        "WR-106",
        "WR-108",
    ]


def test_all_problems_come_in_the_order_of_the_file() -> None:
    found = problems("sizes: x\nlinks:\n  B: {length: x}\n  c: {band: 1}\nopen: 1\nnane: a\n")
    assert [problem.line for problem in found] == [1, 3, 3, 4, 5, 6]


def test_hostile_values_are_escaped_and_shortened() -> None:
    [problem] = problems("name: '" + "é%{{" * 5_000 + "'")
    assert len(problem.message) < 120
    [problem] = problems('name: "a\\nb"')
    assert problem.message == r'"a\nb" is not a name'


def test_a_file_full_of_mistakes_is_refused_in_bounded_time() -> None:
    started = time.process_time()
    found = problems("\n".join(f"k{number}: 1" for number in range(200_000)))
    assert time.process_time() - started < 10
    assert len(found) == MAX_MISTAKES + 1
    assert str(found[-1]) == "rack.yml WR-123 more than 1000 mistakes; only the first are listed"


def test_load_reads_a_file_and_keeps_its_document(tmp_path: Path) -> None:
    path = tmp_path / "rack.yml"
    path.write_text("name: a\nlinks: {a: {length: 3}}\n", encoding="utf-8")
    loaded = load(path, Rack, file="racks/rack.yml")
    assert loaded.model.links == {"a": Cable(length=3)}
    problem = loaded.document.problem("WR-150", "too long a cable", ("links", "a", "length"))
    assert str(problem) == "racks/rack.yml:2:21 WR-150 too long a cable"


KEYS = st.sampled_from(
    [
        *("name", "version", "hospital", "zones", "hosts", "components", "roles", "variables", "everywhere", "flows"),
        *("from", "to", "subnet", "address", "a", "A!", "services", "ports", "own", "value", "summary", "platform"),
    ]
)
SCALARS: st.SearchStrategy[JsonValue] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        "",
        "a",
        "managed",
        "10.0.0.1",
        "10.0.0.0/8",
        "1.0.0",
        "2026-01-01",
        "x" * 3000,
        "\u00e9",
        "::1",
    ]
)
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6))


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(KEYS, DATA, max_size=8), st.sampled_from([Architecture, Hospital, Rack]))
def test_any_data_is_a_model_or_a_list_of_problems(data: dict[str, Any], model: type[Model]) -> None:
    document = replace(parse_document(b"", "x.yml"), data=data)
    found: tuple[Problem, ...] = ()
    try:
        validate(document, model)
    except InvalidInputError as error:
        found = error.problems or pytest.fail("refused without a reason")
    for problem in found:
        assert problem.code.startswith("WR-1")
        assert problem.message.isprintable()
        assert len(problem.message) < 500


@settings(deadline=None)
@given(st.lists(KEYS | st.integers(0, 3), max_size=4))
def test_a_path_that_is_not_there_still_has_a_place(path: list[str | int]) -> None:
    document = parse_document(b"hosts:\n  a: [1, {b: c}]\n", "x.yml")
    problem = document.problem("WR-150", "x", tuple(path))
    assert problem.line in {1, 2}
    assert problem.path == dotted(tuple(path))
