"""The strict YAML reader: what it reads, what it refuses, and that nothing makes it crash, hang or execute."""

from __future__ import annotations

import json
import math
import os
import time
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from wardround.errors import InvalidInputError, Problem
from wardround.load.characters import escaped, forbidden, shown
from wardround.load.places import Place, dotted
from wardround.load.yaml_builder import ALIAS_BUDGET, MAX_DEPTH, MAX_MISTAKES
from wardround.load.yaml_document import MAX_BYTES, Document, parse_document, read_document

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit

SECONDS_FOR_ANY_FILE = 10.0


def parse(text: str) -> Document:
    return parse_document(text.encode(), "hospital.yml")


def problems(raw: bytes | str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInputError) as caught:
        parse_document(raw.encode() if isinstance(raw, str) else raw, "hospital.yml")
    return caught.value.problems


def codes(raw: bytes | str) -> list[str]:
    return [problem.code for problem in problems(raw)]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("104", 104),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("1.5e3", 1500.0),
        ('"104"', "104"),
        ("'true'", "true"),
        *((word, word) for word in ("yes", "no", "on", "off", "Yes", "NO", "True", "FALSE", "y", "n", "Null", "NULL")),
        *(
            (word, word)
            for word in ("0123", "0o17", "0x1f", "0b1", "12:30", "01:00", "190:20:30", "1_000", "+49301234")
        ),
        *(
            (word, word)
            for word in ("12e4567", "1e3", ".5", "5.", ".inf", ".nan", "2026-11-21", "2026-11-21T03:00:00Z")
        ),
        *(
            (word, word)
            for word in ("1.0.0", "10.20.20.10", "00:11:22:33:44:55", "1234567890123456789", "=", "-", "F-1")
        ),
    ],
)
def test_only_true_false_null_and_decimal_numbers_are_not_texts(written: str, value: object) -> None:
    data = parse(f"key: {written}" if written != "-" else 'key: "-"').data
    assert data == {"key": value}
    assert isinstance(data, dict)
    assert type(data["key"]) is type(value)


def test_keys_that_yaml_1_1_takes_for_switches_are_texts() -> None:
    assert parse("on: 1\nno: 2\ny: 3").data == {"on": 1, "no": 2, "y": 3}


def test_knows_where_every_key_and_value_is() -> None:
    places = parse("hosts:\n  pacs01:\n    address: 10.0.0.1\nflows:\n  - {from: a,\n     to: b}\n").places
    assert places.key(("hosts", "pacs01", "address")) == Place(3, 5)
    assert places.value(("hosts", "pacs01", "address")) == Place(3, 14)
    assert places.value(("hosts", "pacs01")) == Place(3, 5)
    assert places.value(("flows", 0)) == Place(5, 5)
    assert places.key(("flows", 0, "to")) == Place(6, 6)


def test_points_at_the_nearest_ancestor_of_what_is_not_there() -> None:
    places = parse("hosts:\n  pacs01:\n    address: 10.0.0.1\n").places
    assert places.value(("hosts", "pacs01", "owner")) == Place(2, 3)
    assert places.value(("windows",)) == Place(1, 1)
    assert places.key(()) == Place(1, 1)


def test_places_in_an_alias_are_those_of_what_it_repeats() -> None:
    document = parse("a: &a\n  b: 1\nc: *a\n")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.places.value(("c",)) == Place(3, 4)
    assert document.places.value(("c", "b")) == Place(2, 6)


def test_windows_line_ends_and_a_leading_byte_order_mark_are_read() -> None:
    document = parse_document(b"\xef\xbb\xbfhospital: a\r\nname: b\r\n", "hospital.yml")
    assert document.data == {"hospital": "a", "name": "b"}
    assert document.places.key(("name",)) == Place(2, 1)
    assert document.problem("WR-107", "x", ("name",)).excerpt == "name: b\n      ^"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: !!str b", "WR-115", (1, 4)),
        ("a: !unsafe b", "WR-115", (1, 4)),
        ("a: ! b", "WR-115", (1, 4)),
        ("!!python/object:os.system a: b", "WR-115", (1, 1)),
        ("a: !!map {b: c}", "WR-115", (1, 4)),
        ("a: !<tag:yaml.org,2002:int> 3", "WR-115", (1, 4)),
        ("%TAG ! tag:x,2000:\n---\na: !b c", "WR-115", (3, 4)),
        ("a: 1\nb: 2\na: 3", "WR-116", (3, 1)),
        ("{a: {b: 1, 'b': 2}}", "WR-116", (1, 12)),
        ("a: *b", "WR-117", (1, 4)),
        ("a: &a [*a]", "WR-117", (1, 8)),
        ("a: {<<: {b: c}}", "WR-118", (1, 5)),
        ("a: 1\n---\nb: 2", "WR-120", (2, 1)),
        ("1: a", "WR-121", (1, 1)),
        ("1.5: a", "WR-121", (1, 1)),
        ("~: a", "WR-121", (1, 1)),
        ("?\n: a", "WR-121", (1, 2)),
        ("? [a]\n: b", "WR-121", (1, 3)),
        ("&a a: b\n*a : c", "WR-121", (2, 1)),
        ("a: 'b", "WR-114", (1, 6)),
        ("a: b: c", "WR-114", (1, 5)),
        ("a:\n\t- b", "WR-114", (2, 1)),
        ('a: "\\q"', "WR-114", (1, 5)),
        ('a: "\\ud800"', "WR-114", (1, 7)),
        ('a: "\\0"', "WR-113", (1, 4)),
        ('"\\u202e": b', "WR-113", (1, 1)),
        ("a: b\rc", "WR-113", (1, 5)),
        ("a: \x85b", "WR-113", (1, 4)),
        ("a: b\u2028c", "WR-113", (1, 5)),
        ("a: b\ufeff", "WR-113", (1, 5)),
        ("a: \x1b[31mred", "WR-113", (1, 4)),
        ("a: \U000e0041", "WR-113", (1, 4)),
    ],
)
def test_refuses_at_the_place(text: str, code: str, place: tuple[int, int]) -> None:
    [problem] = problems(text)
    assert (problem.code, (problem.line, problem.column)) == (code, place)


def test_lists_all_mistakes_of_a_file_in_order() -> None:
    assert codes("a: !x 1\na: 2\n3: 4\n<<: {}\nb: \u202e\nc: [") == [
        "WR-115",
        "WR-116",
        "WR-121",
        "WR-118",
        "WR-113",
        "WR-114",
    ]


def test_a_value_under_a_refused_key_is_still_checked() -> None:
    assert codes("1: {a: !x b}\n? {c: d, c: e}\n: f") == ["WR-121", "WR-115", "WR-121", "WR-116"]


def test_depth_is_bounded_exactly() -> None:
    parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert codes("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == ["WR-119"]


@pytest.mark.parametrize("nesting", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_endless_nesting_ends_at_once(nesting: str) -> None:
    started = time.process_time()
    assert codes(nesting * (MAX_BYTES // len(nesting) // 2))[-1] == "WR-119"
    assert time.process_time() - started < SECONDS_FOR_ANY_FILE


def test_aliases_may_repeat_up_to_a_budget() -> None:
    thousand = ", ".join("a" * 1000)
    within = ALIAS_BUDGET // 1001
    parse(f"a: &a [{thousand}]\nb: [{', '.join(['*a'] * within)}]")
    assert codes(f"a: &a [{thousand}]\nb: [{', '.join(['*a'] * (within + 1))}]") == ["WR-117"]


def test_a_long_text_cannot_be_multiplied_into_gigabytes() -> None:
    assert codes(f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 1000)}]") == ["WR-117"]


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    lines = ["a0: &a0 [" + ", ".join(["ha"] * 10) + "]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]" for i in range(1, 30)]
    assert codes("\n".join(lines)) == ["WR-117"]


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * (MAX_BYTES - 1),
        b"!a b\n" * (MAX_BYTES // 5),
        b"- !a b\n" * (MAX_BYTES // 7),
        b"[" + b"[]," * (MAX_BYTES // 3 - 1) + b"1",
        b'"' + b"\\n" * (MAX_BYTES // 2 - 2) + b'": [',
        b"[" + b"&a a," * (MAX_BYTES // 5 - 1),
        b"#" * MAX_BYTES + b"\n",
    ],
    ids=["nul", "tags", "tagged list", "empty lists", "escapes", "anchors", "comment too large"],
)
def test_the_largest_hostile_files_are_refused_in_bounded_time(raw: bytes) -> None:
    started = time.process_time()
    found = problems(raw)
    assert time.process_time() - started < SECONDS_FOR_ANY_FILE
    assert 1 <= len(found) <= MAX_MISTAKES + 1


def test_a_file_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "hospital.yml"
    with path.open("wb") as stream:
        stream.truncate(100_000_000_000)
    with pytest.raises(InvalidInputError) as caught:
        read_document(path)
    assert [problem.code for problem in caught.value.problems] == ["WR-111"]


def test_eleven_megabytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hospital.yml"
    path.write_bytes(b"# filler\n" * (11_000_000 // 9))
    with pytest.raises(InvalidInputError, match="WR-111 larger than 10 MB"):
        read_document(path)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_readable_file_is_said_so(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "hospital.yml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(InvalidInputError) as caught:
        read_document(path, file="inventories/a/hospital.yml")
    [problem] = caught.value.problems
    assert (problem.code, problem.file) == ("WR-110", "inventories/a/hospital.yml")


def test_the_excerpt_of_an_endless_line_is_a_window_around_the_caret() -> None:
    [problem] = problems("a: [" + "b, " * 100_000 + "!x c]")
    source, caret = problem.excerpt.split("\n")
    assert len(source) <= 100
    assert source[len(caret) - 1 :] == "!x c]"


def test_messages_show_hostile_text_escaped_and_shortened() -> None:
    [problem] = problems('"a\\e[31m' + "x" * 5000 + '": 1\nb: [')[1:]
    assert problem.message.isprintable()
    found = problems('"\\u202e' + "x" * 5000 + '": 1\n"\\u202e' + "x" * 5000 + '": 2')
    assert all(part.isprintable() and len(part) < 200 for p in found for part in (p.message, p.excerpt.split("\n")[0]))


@given(st.text())
def test_shown_text_is_printable_and_short(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 62
    assert escaped(text).isprintable()


@given(st.lists(st.text(max_size=5) | st.integers(0, 9), max_size=4))
def test_a_path_is_written_in_printable_characters(path: list[str | int]) -> None:
    assert dotted(tuple(path)).isprintable()


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text().filter(lambda text: not forbidden(text)),
    lambda children: st.lists(children) | st.dictionaries(st.text().filter(lambda text: not forbidden(text)), children),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSON_VALUES)
def test_json_means_itself(value: object) -> None:
    """JSON is YAML: what any program writes as JSON is read back as the same value."""
    written = json.dumps(value, ensure_ascii=False)
    read = parse(written).data
    assert read == value or _floats_as_texts(read) == _floats_as_texts(value)


def _floats_as_texts(value: object) -> object:
    """Forget the difference between numbers and texts: exponents without a decimal point are texts on purpose."""
    if isinstance(value, dict):
        return {key: _floats_as_texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_floats_as_texts(inner) for inner in value]
    if isinstance(value, float) and not math.isnan(value):
        return repr(value)
    return value


def _refused_or_read(raw: bytes) -> None:
    started = time.process_time()
    found: tuple[Problem, ...] = ()
    try:
        json.dumps(parse_document(raw, "hospital.yml").data, allow_nan=False)
    except InvalidInputError as error:
        found = error.problems or pytest.fail("refused without a reason")
    assert time.process_time() - started < SECONDS_FOR_ANY_FILE
    for problem in found:
        assert problem.code.startswith("WR-1")
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.message.isprintable()


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    _refused_or_read(raw)


YAML_PIECES = st.sampled_from(
    [
        *"-?:,[]{}#&*!|>'\"%@`~ \n\t\0",
        *("a", "b: ", "- ", "? ", "<<: ", "*a ", "&a ", "---\n", "...\n", "%YAML 1.1\n", "%TAG ! x\n", "\r\n", "\r"),
        *("!!python/object/apply:os.system [x]", "!x ", "!<y> ", "true", "12", "1.5", '"\\u202e"', "\u202e", "\ufeff"),
        *("\\", "  ", "\n  ", "\n    ", "|2\n", ">-\n", "=", "\x85", "\ud7ff", "\U0001f600", "é", ".inf", "0x1f"),
    ]
)


@settings(deadline=None, max_examples=500)
@given(st.lists(YAML_PIECES, max_size=40).map("".join))
def test_anything_like_yaml_is_read_or_refused(text: str) -> None:
    _refused_or_read(text.encode())


@settings(deadline=None)
@given(st.lists(YAML_PIECES, max_size=30).map("".join))
def test_reads_nothing_that_pyyaml_refuses(text: str) -> None:
    """What is accepted is YAML to the reference parser too, with the same keys."""
    try:
        document = parse(text)
    except InvalidInputError:
        return
    reference = yaml.load(text.encode(), yaml.CBaseLoader)  # noqa: S506 - the base loader builds only texts
    assert _keys(document.data) == _keys(reference)


def _keys(value: object) -> object:
    if isinstance(value, dict):
        return {key: _keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_keys(inner) for inner in value]
    return None


def test_loading_executes_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for tag in ("!!python/object/apply:os.mkdir", "!!python/object/new:os.mkdir", "!!python/name:os.mkdir"):
        assert codes(f"a: {tag} ['{canary}']") == ["WR-115"]
    assert not canary.exists()
