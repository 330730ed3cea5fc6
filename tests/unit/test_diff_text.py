"""Differences: unified, bounded in size and time, and harmless on a terminal."""

from __future__ import annotations

import random
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.judge_samples import edited
from wardround.drift.diff_text import LINE_LIMIT, TEXT_LIMIT, WIDTH_LIMIT, diff_text, harmless, shortened
from wardround.model.event import FileDiff

pytestmark = pytest.mark.unit


def test_a_difference_is_unified() -> None:
    assert diff_text(edited("a\nb\nc\n", "a\nB\nc\n")).splitlines() == [
        "--- /etc/x",
        "+++ /etc/x",
        "@@ -1,3 +1,3 @@",
        " a",
        "-b",
        "+B",
        " c",
    ]


def test_a_folder_of_the_moment_is_not_part_of_a_difference() -> None:
    header = "/dev/shm/wr-u74n3u4b/tmp/ansible-local-25923e31q0mpt/tmpg6yrbcyu/apt.conf.j2"  # noqa: S108 - a text
    lines = diff_text((FileDiff(before="", after="a\n", after_header=header),)).splitlines()
    assert lines[:2] == ["--- ", "+++ apt.conf.j2"]


def test_what_a_module_prepared_is_shown_as_it_is() -> None:
    assert diff_text((FileDiff(prepared="+ line\n- other\n"),)) == "+ line\n- other"


def test_no_difference_is_no_text() -> None:
    assert diff_text(edited("a", "a")) == ""
    assert diff_text(()) == ""


def test_a_difference_of_line_ends_is_said() -> None:
    assert diff_text(edited("a\r\n", "a\n")) == "  /etc/x: only line ends differ"


def test_many_lines_are_cut_and_counted() -> None:
    lines = diff_text((FileDiff(prepared="x\n" * 1000),)).splitlines()
    assert len(lines) == LINE_LIMIT + 1
    assert lines[-1] == "… 800 more lines"


def hostile_pair() -> tuple[str, str]:
    """Two texts on which finding the smallest difference takes hours: few distinct lines, none of them frequent."""
    chance = random.Random(7)
    words = [chr(0x4E00 + number) for number in range(150)]
    return "\n".join(chance.choices(words, k=16000)), "\n".join(chance.choices(words, k=16000))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n" * 5_000_000, "b\n" * 5_000_000),
        ("x" * 10_000_000, "y" * 10_000_000),
        ("", "\x1b[2J" * 2_500_000),
        hostile_pair(),
    ],
    ids=["many lines", "one long line", "escapes", "hard to compare"],
)
def test_ten_megabytes_take_no_time_and_no_room(before: str, after: str) -> None:
    started = time.process_time()
    shown = diff_text(edited(before, after))
    assert time.process_time() - started < 10
    assert len(shown) <= (LINE_LIMIT + 1) * (WIDTH_LIMIT + 1)
    assert shown


def test_a_large_replaced_block_keeps_its_context() -> None:
    before = "\n".join(["head", *(f"old {number}" for number in range(1500)), "tail"])
    after = "\n".join(["head", *(f"new {number}" for number in range(1500)), "tail"])
    lines = diff_text(edited(before, after)).splitlines()
    assert lines[:5] == ["--- /etc/x", "+++ /etc/x", "@@ -1,1501 +1,1501 @@", " head", "-old 0"]


def test_a_small_change_in_a_large_file_is_shown_as_one() -> None:
    lines = [str(number) for number in range(50_000)]
    changed = [*lines[:30_000], "x", *lines[30_001:]]
    shown = diff_text(edited("\n".join(lines), "\n".join(changed))).splitlines()
    assert shown[2:] == ["@@ -29998,7 +29998,7 @@", *_around(29997), "-30000", "+x", *_around(30001)]


def _around(first: int) -> list[str]:
    return [f" {number}" for number in range(first, first + 3)]


def test_a_small_change_among_equal_lines_is_shown_as_one() -> None:
    lines = ["a"] * 1000
    shown = diff_text(edited("\n".join(lines), "\n".join([*lines[:500], "x", *lines[500:]])))
    assert [line for line in shown.splitlines()[2:] if line[0] in "+-"] == ["+x"]


edits = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12).map(
    lambda lines: "".join(f"{each}\n" for each in lines)
)


@given(edits, edits)
@settings(max_examples=300, deadline=None)
def test_a_difference_says_what_the_standard_library_says(before: str, after: str) -> None:
    """The places of hunks and the text that they lead to are those of a plain comparison of the whole."""
    shown = diff_text(edited(before, after)).splitlines()
    assert patched(before.splitlines(), shown) == after.splitlines()


def patched(lines: list[str], difference: list[str]) -> list[str]:
    """Apply a unified difference the way patch does, refusing what does not fit."""
    found: list[str] = []
    at = 0
    for line in difference[2:]:
        if line.startswith("@@"):
            start, _, length = line.split()[1].removeprefix("-").partition(",")
            first = int(start) if length == "0" else int(start) - 1
            found += lines[at:first]
            at = first
        elif line[:1] == "+":
            found.append(line[1:])
        else:
            assert lines[at] == line[1:]
            found += [line[1:]] if line[:1] == " " else []
            at += 1
    return found + lines[at:]


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_nothing_steers_a_terminal(text: str) -> None:
    for shown in (harmless(text), shortened(text), diff_text((FileDiff(prepared=text),)).replace("\n", "")):
        assert not [
            each for each in shown if each != "\t" and unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ümlaut 漢字 😀", "plain ümlaut 漢字 😀"),
        ("a\tb", "a\tb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u2028b", "a\\u2028b"),
        ("\x00\x07\r\n", "\\x00\\x07\\r\\n"),
        ("\x9b2J", "\\x9b2J"),
        ("\ud800", "\\ud800"),
    ],
)
def test_characters_that_act_are_shown_by_their_escape(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_a_short_text_says_that_it_was_cut() -> None:
    assert shortened("a" * TEXT_LIMIT) == "a" * TEXT_LIMIT
    assert shortened("a" * (TEXT_LIMIT + 1)) == "a" * (TEXT_LIMIT - 1) + "…"
    assert len(shortened("\x1b" * TEXT_LIMIT)) == TEXT_LIMIT
