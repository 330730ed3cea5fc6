"""From the JSON of a rule to its arms: what must hold together, and what then follows (libnftables-json(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wardround.proof.operand import compare, doubt, implied_by_reject
from wardround.proof.ruleset import Action, Arm, Condition, Unreadable
from wardround.proof.wording import rule_words, value_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Alternatives = list[tuple[Condition, ...]]
# They neither decide about a packet nor change what later rules see of it.
_HARMLESS: Final = frozenset({"counter", "log", "last", "secmark", "ct helper", "ct timeout", "ct expectation"})
# Whether the rule goes on behind them depends on what else passes; a full set, for one, ends the rule.
_RATES: Final = frozenset({"quota", "ct count", "set"})
_FINAL: Final = {
    "accept": Action.ACCEPT,
    "drop": Action.DROP,
    "reject": Action.REJECT,
    "return": Action.RETURN,
}
_TO_CHAINS: Final = {"jump": Action.JUMP, "goto": Action.GOTO}
# Senders are taken to be where routes to them lead, so a rule that asks for it meets all packets, or none.
_REVERSE_PATH: Final = {"saddr", "iif"}
_SEEN_BY_RULES: Final = frozenset({"saddr", "daddr", "protocol", "nexthdr", "sport", "dport", "type"})


def arms(expressions: Sequence[object], sets: Mapping[str, Sequence[object] | None]) -> tuple[Arm, ...]:
    """Read the expressions of a rule.

    Args:
        expressions: the rule's `expr` of `nft -j list ruleset`.
        sets: the members of the table's named sets and maps; none where rules or time change them.
    """
    found: list[Arm] = []
    met: Alternatives = [()]
    merged = _merged(expressions)
    for place, expression in enumerate(expressions):
        name, body = _named(expression)
        if place in merged:
            met = _both(met, [merged[place]])
        elif name == "match":
            met = _both(met, _matched(body, sets))
        elif name == "vmap":
            found += [Arm((*one, *more), action, target) for one in met for more, action, target in _mapped(body, sets)]
            break
        elif name == "limit" or name in _RATES:
            met = _both(met, _limited(name, body, expressions))
        elif (decided := _verdict(expression)) is not None:
            action, target = decided
            implied = implied_by_reject(body) if action is Action.REJECT else ()
            found += [Arm((*one, *implied), action, target) for one in met]
            break
        elif name == "continue":
            break
        elif not _harmless(name, body):
            found += [Arm(one, Action.OPAQUE) for one in met]
    return tuple(found)


def _merged(expressions: Sequence[object]) -> dict[int, tuple[Condition, ...]]:
    """Give the comparisons of a rule, by their place, that nft may have joined into one when it loaded the rule.

    nft 1.0.6 compares neighbouring fields of a header at once: `tcp sport != 22 tcp dport != 22` is loaded as "not both
    are 22", and listed as before. Which fields it joins differs between versions, so all of a header are doubted.
    """
    unequal: dict[str, dict[int, tuple[Condition, ...]]] = {}
    for place, expression in enumerate(expressions):
        match expression:
            case {"match": {"op": "!=", "left": {"payload": {"protocol": str(header)}} as left, "right": right}}:
                if isinstance(right, str | int) or (isinstance(right, dict) and "prefix" in right):
                    unequal.setdefault(header, {})[place] = doubt(left, "!=", [right])
    return {place: met for found in unequal.values() if len(found) > 1 for place, met in found.items()}


def _both(met: Alternatives, more: Alternatives) -> Alternatives:
    return [(*one, *other) for one in met for other in more]


def _named(expression: object) -> tuple[str, object]:
    if isinstance(expression, dict) and len(expression) == 1:
        return next(iter(expression.items()))
    return "", expression


def _matched(body: object, sets: Mapping[str, Sequence[object] | None]) -> Alternatives:
    match body:
        case {"op": "==", "left": {"fib": {"result": "oif", "flags": list(flags)}}, "right": bool(reachable)} if (
            set(flags) == _REVERSE_PATH
        ):
            return [()] if reachable else []
        case {"op": str(operator), "left": left, "right": right}:
            members = _members(right, sets)
            plain_list = isinstance(right, list) and operator != "in"
            if members is None or plain_list:
                return [(Unreadable(f"{value_words(left)} {operator} {value_words(right)}"),)]
            match left:
                case {"concat": list(parts)}:
                    return _concatenated(parts, operator, members)
            return [compare(left, operator, members)]
        case _:
            return [(Unreadable(value_words(body)),)]


def _members(right: object, sets: Mapping[str, Sequence[object] | None]) -> Sequence[object] | None:
    """Give the members of a right side, a single value being the only member of its own set."""
    match right:
        case {"set": list(members)} | list(members):
            return members
        case {"set": str(name)}:
            return sets.get(name.removeprefix("@"))
        case str() if right.startswith("@"):
            return sets.get(right.removeprefix("@"))
        case _:
            return [right]


def _concatenated(parts: Sequence[object], operator: str, members: Sequence[object]) -> Alternatives:
    values = [_concatenation(member) for member in members]
    if operator not in {"==", "in"} or any(value is None or len(value) != len(parts) for value in values):
        return [(Unreadable(f"{value_words({'concat': parts})} {operator} {value_words(list(members))}"),)]
    return [
        tuple(condition for part, each in zip(parts, value, strict=True) for condition in compare(part, "==", [each]))
        for value in values
        if value is not None
    ]


def _concatenation(member: object) -> Sequence[object] | None:
    match member:
        case {"concat": list(values)}:
            return values
        case {"elem": {"val": {"concat": list(values)}, **rest}}:
            # What else stands beside the values counts for each of them.
            return [{"elem": {"val": value, **rest}} for value in values]
        case _:
            return None


def _pair(member: object) -> tuple[object, object] | None:
    match member:
        case [value, verdict]:
            return value, verdict
        case _:
            return None


def _mapped(
    body: object, sets: Mapping[str, Sequence[object] | None]
) -> Iterator[tuple[tuple[Condition, ...], Action, str]]:
    match body:
        case {"key": key, "data": data}:
            members = _members(data, sets)
        case _:
            key, members = None, None
    pairs = [pair for member in members or () if (pair := _pair(member))]
    if members is None or len(pairs) != len(members):
        yield (), Action.OPAQUE, ""
        return
    named = [value for value, _ in pairs if value != "*"]
    for value, verdict in pairs:
        if _named(verdict)[0] == "continue":
            continue
        decided = _verdict(verdict) or (Action.OPAQUE, "")
        met = _matched({"op": "!=", "left": key, "right": {"set": named}}, {}) if value == "*" else _key(key, value)
        for conditions in met:
            yield (conditions, *decided)


def _key(key: object, value: object) -> Alternatives:
    return _matched({"op": "==", "left": key, "right": {"set": [value]}}, {})


def _limited(name: str, body: object, expressions: Sequence[object]) -> Alternatives:
    """Say when a rate is met.

    What passes as long as a rate is kept passes, and what only too high a rate stops is not stopped; where the rate
    decides otherwise, nobody can say from the rules alone.
    """
    over = isinstance(body, dict) and bool(body.get("inv"))
    verdicts = [decided[0] for each in expressions if (decided := _verdict(each)) is not None]
    named = not isinstance(body, dict)
    if name == "limit" and not named and not over and verdicts == [Action.ACCEPT]:
        return [()]
    if name == "limit" and not named and over and verdicts in ([Action.DROP], [Action.REJECT]):
        return []
    return [(Unreadable(rule_words([{name: body}])),)]


def _verdict(expression: object) -> tuple[Action, str] | None:
    name, body = _named(expression)
    match body:
        case {"target": str(target)} if name in _TO_CHAINS:
            return _TO_CHAINS[name], target
        case _:
            return (_FINAL[name], "") if name in _FINAL else None


def _harmless(name: str, body: object) -> bool:
    """Whether a statement leaves alone what rules are understood to look at: marks and header options may change."""
    match name, body:
        case "mangle", {"key": {"meta": _} | {"ct": _} | {"tcp option": _}}:
            return True
        case "mangle", {"key": {"payload": {"field": str(field)}}}:
            return field not in _SEEN_BY_RULES
        case _:
            return name in _HARMLESS
