"""Pydantic's faults in wardround's own words, with a code and a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import JsonValue, TypeAdapter

from wardround.load.characters import escaped, shown
from wardround.load.places import dotted
from wardround.load.shape import Location, keys_of
from wardround.model.architecture import Port
from wardround.model.base import FlowId, HostName, MacAddress, Name, Semver
from wardround.model.hospital import ClockTime, Hospital

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

UNKNOWN_KEY: Final = "WR-104"
MISSING_KEY: Final = "WR-105"
WRONG_TYPE: Final = "WR-106"
NOT_ALLOWED: Final = "WR-107"
OUT_OF_RANGE: Final = "WR-108"
BAD_NAME: Final = "WR-109"

EXPECTED: Final = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "none_required": "nothing",
    "date_type": "a date",
    "time_type": "a time",
    "datetime_type": "a date and time",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
}
_SWITCH_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "y", "n"})


_Speaker = Callable[["ErrorDetails", Location], "Wording"]


class Wording(NamedTuple):
    """What to say about one fault."""

    code: str
    message: str
    remedy: str = ""


def worded(error: ErrorDetails, location: Location) -> Wording:
    """Say what one fault is."""
    kind = error["type"]
    if kind in EXPECTED:
        wording = wrong_type([kind], error["input"])
        required = [key for key, is_required in keys_of(location.annotation).items() if is_required]
        return wording._replace(remedy=f"write a mapping with {', '.join(required)}") if required else wording
    speak = _SPEAKERS.get(kind)
    if speak is None:
        # A kind that no model uses yet: pydantic's sentence is better than none.
        return Wording(NOT_ALLOWED, f"{shown(error['input'])} is not allowed: {escaped(error['msg'])}")
    return speak(error, location)


def wrong_type(kinds: Iterable[str], value: JsonValue) -> Wording:
    """Say which types a place takes, and which one it found."""
    wanted = list(dict.fromkeys(EXPECTED[kind] for kind in kinds))
    found = _found(value)
    return Wording(WRONG_TYPE, f"expected {' or '.join(wanted)}, found {found}", _type_remedy(wanted, value))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give the known word that was most likely meant, or nothing."""
    return next(iter(get_close_matches(word[:100], list(known), n=1, cutoff=0.6)), "")


def _unknown_key(_error: ErrorDetails, location: Location) -> Wording:
    key = location.path[-1]
    known = keys_of(location.parent)
    meant = did_you_mean(str(key), known)
    message = f"unknown key {shown(key)}" + (f", did you mean {shown(meant)}?" if meant else "")
    return Wording(UNKNOWN_KEY, message, f"known keys here: {', '.join(known)}" if known else "remove it")


def _missing_key(_error: ErrorDetails, location: Location) -> Wording:
    parent = dotted(location.path[:-1])
    message = f"key {shown(location.path[-1])} is missing"
    return Wording(MISSING_KEY, message, f"add it to {parent}" if parent else "add it")


def _out_of_range(words: str, bound: str) -> _Speaker:
    def speak(error: ErrorDetails, _location: Location) -> Wording:
        message = f"{shown(error['input'])} is out of range"
        return Wording(OUT_OF_RANGE, message, f"it must be {words} {error['ctx'][bound]}")

    return speak


def _wrong_length(adjective: str, words: str, bound: str) -> _Speaker:
    def speak(error: ErrorDetails, _location: Location) -> Wording:
        value: JsonValue = error["input"]
        limit: int = error["ctx"][bound]
        one, many = ("character", "characters") if isinstance(value, str) else ("entry", "entries")
        remedy = f"give {words} {limit} {one if limit == 1 else many}"
        message = f"{shown(value)} is too {adjective}" if value else "must not be empty"
        return Wording(OUT_OF_RANGE, message, remedy)

    return speak


def _found(value: JsonValue) -> str:
    match value:
        case bool() | None | dict() | list():
            return shown(value)
        case str():
            return f"the text {shown(value)}"
        case _:
            return f"the number {shown(value)}"


def _type_remedy(wanted: list[str], value: JsonValue) -> str:
    match value:
        case None:
            return "give it a value, or remove the key"
        case bool() | int() | float() if "a text" in wanted:
            return "put it in quotes"
        case str() if "true or false" in wanted and value.lower() in _SWITCH_WORDS:
            return "write true or false"
        case str() if "a whole number" in wanted and value.isdecimal():
            return "remove the quotes and leading zeros"
        case str() | int() | float() if "a list" in wanted:
            return f"write [{escaped(str(value))[:40]}]"
        case _:
            return f"write {' or '.join(wanted)}"


def _bad_pattern(error: ErrorDetails, location: Location) -> Wording:
    value = shown(error["input"])
    pattern: str = error["ctx"]["pattern"]
    code = BAD_NAME if location.is_key else NOT_ALLOWED
    meaning = _pattern_meanings().get(pattern)
    if meaning is None:
        return Wording(code, f"{value} is not allowed here", f"it must match {pattern}")
    noun, rule = meaning
    return Wording(code, f"{value} is not {noun}", f"write {rule}")


@cache
def _pattern_meanings() -> dict[str, tuple[str, str]]:
    meanings = (
        (Name, "a name", "lower-case letters, digits and underscores, a letter first, at most 41"),
        (HostName, "a host name", "lower-case letters, digits and hyphens, at most 63"),
        (MacAddress, "a MAC address", 'six lower-case pairs, such as "00:11:22:aa:bb:cc"'),
        (Semver, "a version", 'three numbers, such as "1.0.0"'),
        (ClockTime, "a time of day", 'hours and minutes, such as "01:00"'),
        (FlowId, "a flow's id", "F-, two to four capital letters, and a number, such as F-IMG-01"),
    )
    named = {TypeAdapter[str](kind).json_schema()["pattern"]: (noun, rule) for kind, noun, rule in meanings}
    domain = Hospital.model_json_schema()["properties"]["domain"]["pattern"]
    port = next(form["pattern"] for form in TypeAdapter[int | str](Port).json_schema()["anyOf"] if "pattern" in form)
    return named | {
        domain: ("a domain", 'lower-case labels with dots between them, such as "st-elsewhere.example"'),
        port: ("a port", 'a number from 1 to 65535, a range such as "1812-1813", or site'),
    }


def _not_a_choice(error: ErrorDetails, _location: Location) -> Wording:
    value = error["input"]
    expected: str = error["ctx"]["expected"]
    choices = re.findall(r"'([^']*)'", expected) or [expected]
    meant = did_you_mean(value, choices) if isinstance(value, str) else ""
    message = f"{shown(value)} is not allowed here" + (f", did you mean {shown(meant)}?" if meant else "")
    return Wording(NOT_ALLOWED, message, f"allowed: {', '.join(choices)}")


def _not_a_date(error: ErrorDetails, _location: Location) -> Wording:
    message = f"{shown(error['input'])} is not a date: {_reason(error)}"
    return Wording(NOT_ALLOWED, message, "write YYYY-MM-DD")


def _refused(error: ErrorDetails, location: Location) -> Wording:
    value: JsonValue = error["input"]
    if location.annotation is IPv4Address:
        return Wording(
            NOT_ALLOWED, f"{shown(value)} is not an IPv4 address", 'write four numbers, such as "10.20.30.40"'
        )
    if location.annotation is IPv4Network:
        return Wording(NOT_ALLOWED, f"{shown(value)} is not an IPv4 subnet", _subnet_remedy(value))
    if isinstance(value, dict | list):
        return Wording(NOT_ALLOWED, _reason(error))
    return Wording(NOT_ALLOWED, f"{shown(value)} is not allowed: {_reason(error)}")


def _subnet_remedy(value: JsonValue) -> str:
    example = 'write the first address and the length, such as "10.20.30.0/24"'
    if not isinstance(value, str):
        return example
    try:
        return f'the subnet\'s own address is "{ip_network(value, strict=False)}"'
    except ValueError:
        return example


def _reason(error: ErrorDetails) -> str:
    return escaped(str(error["ctx"]["error"]))[:200]


_SPEAKERS: Final[dict[str, _Speaker]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "string_pattern_mismatch": _bad_pattern,
    "enum": _not_a_choice,
    "literal_error": _not_a_choice,
    "date_parsing": _not_a_date,
    "date_from_datetime_parsing": _not_a_date,
    "value_error": _refused,
    "assertion_error": _refused,
    "greater_than": _out_of_range("more than", "gt"),
    "greater_than_equal": _out_of_range("at least", "ge"),
    "less_than": _out_of_range("less than", "lt"),
    "less_than_equal": _out_of_range("at most", "le"),
    "too_short": _wrong_length("short", "at least", "min_length"),
    "string_too_short": _wrong_length("short", "at least", "min_length"),
    "too_long": _wrong_length("long", "at most", "max_length"),
    "string_too_long": _wrong_length("long", "at most", "max_length"),
}
