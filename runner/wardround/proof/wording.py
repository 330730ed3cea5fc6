"""A rule in the words of nft(8), from its JSON: what people look for when they open the rule set themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE: Final = frozenset({"accept", "drop", "return", "continue", "masquerade", "notrack"})
_OPERATORS_UNSAID: Final = frozenset({"==", "in"})


def rule_words(expressions: Iterable[object]) -> str:
    """Write the expressions of a rule behind each other."""
    return " ".join(_expression(each) for each in expressions)


def _expression(expression: object) -> str:  # noqa: C901, PLR0911 - one line for each form of a rule
    match expression:
        case {"match": {"op": str(operator), "left": left, "right": right}}:
            said = "" if operator in _OPERATORS_UNSAID else f"{operator} "
            return f"{value_words(left)} {said}{value_words(right)}"
        case {"vmap": {"key": key, "data": data}}:
            return f"{value_words(key)} vmap {value_words(data)}"
        case {"counter": _}:
            return "counter"
        case {"limit": {"rate": rate, "per": per, **rest}}:
            over = "over " if rest.get("inv") else ""
            return f"limit rate {over}{rate}{rest.get('rate_unit', '')}/{per}"
        case {"log": dict(options)}:
            return f'log prefix "{options["prefix"]}"' if "prefix" in options else "log"
        case {"log": None}:
            return "log"
        case {"reject": reason}:
            return f"reject with {reason['type']}" if isinstance(reason, dict) and "type" in reason else "reject"
        case {"jump": {"target": target}}:
            return f"jump {target}"
        case {"goto": {"target": target}}:
            return f"goto {target}"
        case dict() if len(expression) == 1 and _BARE.issuperset(expression):
            return str(next(iter(expression)))
        case _:
            return _as_json(expression)


def value_words(value: object) -> str:  # noqa: PLR0911, C901 - one line for each form that a value has
    """Write a left or right side: a field, an address, a set."""
    match value:
        case str() | int():
            return str(value)
        case {"payload": {"protocol": protocol, "field": field}}:
            return f"{protocol} {field}"
        case {"meta": {"key": key}}:
            return f"meta {key}"
        case {"ct": {"key": key, **rest}} if not rest:
            return f"ct {key}"
        case {"prefix": {"addr": address, "len": length}}:
            return f"{address}/{length}"
        case {"range": [first, last]}:
            return f"{first}-{last}"
        case {"elem": {"val": inner}}:
            return value_words(inner)
        case {"concat": list(parts)}:
            return " . ".join(map(value_words, parts))
        case {"set": list(members)}:
            return f"{{ {', '.join(map(_member, members))} }}"
        case list():
            return ", ".join(map(value_words, value))
        case _:
            return _as_json(value)


def _member(member: object) -> str:
    match member:
        case [key, verdict]:
            return f"{value_words(key)} : {_expression(verdict)}"
        case _:
            return value_words(member)


def _as_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
