"""What is hashed and stored does not depend on a database, a clock's zone or the order of keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wardround.ledger.chain import canonical, link_hash
from wardround.ledger.lifecycle import TEXT_LIMIT, bounded
from wardround.ledger.tables import moment_text, storable

pytestmark = pytest.mark.unit

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Away from both ends of the calendar, where another zone's moment has no year left.
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001  the bounds take the drawn zone
PAYLOADS = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@settings(deadline=None)
@given(ANY_TEXT)
def test_every_text_becomes_storable(text: str) -> None:
    stored = storable(text)
    assert "\x00" not in stored
    stored.encode("utf-8")
    assert storable(stored) == stored


@settings(deadline=None)
@given(st.text().filter(lambda text: "\x00" not in text))
def test_an_ordinary_text_is_stored_as_it_is(text: str) -> None:
    assert storable(text) == text


def test_what_cannot_be_stored_is_replaced_one_by_one() -> None:
    assert storable("a\x00b\ud800c\udfffd") == "a\u2400b\ufffdc\ufffdd"


@settings(deadline=None)
@given(MOMENTS)
def test_a_moments_text_gives_the_moment_back(moment: datetime) -> None:
    text = moment_text(moment)
    assert len(text) == len("2026-11-21T20:59:13.000042Z")
    assert datetime.fromisoformat(text) == moment
    assert datetime.fromisoformat(text).utcoffset() == timedelta(0)


@settings(deadline=None)
@given(MOMENTS, MOMENTS)
def test_moments_sort_as_text(one: datetime, other: datetime) -> None:
    assert (moment_text(one) < moment_text(other)) == (one < other)


def test_a_moments_text_is_fixed() -> None:
    assert moment_text(datetime(2026, 3, 1, 1, 2, 3, 4, tzinfo=UTC)) == "2026-03-01T01:02:03.000004Z"


@settings(deadline=None)
@given(PAYLOADS)
def test_a_payload_comes_back_from_its_canonical_text(payload: dict[str, object]) -> None:
    text = canonical(payload)  # type: ignore[arg-type]  # hypothesis cannot say that these are JSON values
    assert json.loads(text) == payload
    assert storable(text) == text


def test_a_canonical_text_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": [1, 2.5], "a": {"d": None, "c": "ü"}}) == '{"a":{"c":"ü","d":null},"b":[1,2.5]}'


def test_what_json_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"coverage": float("nan")})


FIELDS = st.tuples(*[st.none() | st.text() | st.integers() | st.binary()] * 7)


@settings(deadline=None)
@given(FIELDS, FIELDS)
def test_different_events_hash_differently(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    assume(one != other)
    assert link_hash(one) != link_hash(other)


def test_the_hash_is_fixed() -> None:
    """A changed rule would make every ledger in the field look forged."""
    fields = (1, "2026-03-01T01:02:03.000004Z", "st-elsewhere", None, "noted", '{"ü":1}', "0" * 64)
    assert link_hash(fields) == "3193f79adc0091d67660d4484b00db5645b751f5cfa5a41d9251cc280ef4c104"


@settings(deadline=None)
@given(st.integers(0, 3 * TEXT_LIMIT))
def test_a_text_is_cut_only_above_the_limit(length: int) -> None:
    text = "x" * length
    kept = bounded(text)
    if length <= TEXT_LIMIT:
        assert kept == text
    else:
        assert kept.startswith("x" * TEXT_LIMIT)
        assert f"… {length - TEXT_LIMIT} more characters" in kept
