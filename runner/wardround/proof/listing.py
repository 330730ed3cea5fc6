"""The output of `nft -j list ruleset` as a rule set (libnftables-json(5))."""

from __future__ import annotations

import json
from typing import Any, Final

from wardround.errors import RulesetError
from wardround.proof.arms import arms
from wardround.proof.ruleset import Base, Chain, Hook, Rule, Ruleset, Table
from wardround.proof.wording import rule_words

Item = dict[str, Any]
_CHANGING: Final = frozenset({"dynamic", "timeout", "stmt"})
_REMEDY: Final = "collect the rule set again with `nft -j list ruleset`, as root"


def read_ruleset(text: str) -> Ruleset:
    """Read all tables of a host.

    Args:
        text: what `nft -j list ruleset` printed, or `nft -j list table` for a part.

    Raises:
        RulesetError: the text is no such listing, or contradicts itself. What is merely not understood is no error:
            it is kept, and makes the packets that it touches unknown.

    What stops packets outside nftables is in no listing: routes, kernel settings, eBPF programs, iptables-legacy.
    """
    items = _items(text)
    listed = {(table.get("family"), table.get("name")) for table in items.get("table", [])}
    for kind in ("chain", "rule", "set", "map"):
        for item in items.get(kind, []):
            owner = (_word(item, "family"), _word(item, "table"))
            if kind == "rule" and not isinstance(item.get("expr"), list):
                raise RulesetError(f"a rule has no list of expressions: {json.dumps(item)[:200]}", remedy=_REMEDY)
            if owner not in listed:
                raise RulesetError(f"a {kind} belongs to table {' '.join(owner)}, which is not listed", remedy=_REMEDY)
    tables = []
    for table in items.get("table", []):
        if "dormant" not in _flags(table):
            family, name = _word(table, "family"), _word(table, "name")
            tables.append(_table(family, name, items))
    return Ruleset(tuple(tables))


def _items(text: str) -> dict[str, list[Item]]:
    try:
        document = json.loads(text)
    except ValueError as wrong:
        raise RulesetError(f"the listing is no JSON: {wrong}", remedy=_REMEDY) from wrong
    if not isinstance(document, dict) or not isinstance(document.get("nftables"), list):
        raise RulesetError('the listing has no list "nftables"', path="nftables", remedy=_REMEDY)
    found: dict[str, list[Item]] = {}
    for at, entry in enumerate(document["nftables"]):
        if not isinstance(entry, dict) or len(entry) != 1 or not isinstance(next(iter(entry.values())), dict):
            raise RulesetError(f"entry {entry!r} is no object with one name", path=f"nftables[{at}]", remedy=_REMEDY)
        kind, item = next(iter(entry.items()))
        found.setdefault(kind, []).append(item)
    return found


def _table(family: str, name: str, items: dict[str, list[Item]]) -> Table:
    def own(kind: str) -> list[Item]:
        return [item for item in items.get(kind, []) if (item.get("family"), item.get("table")) == (family, name)]

    table = f"{family} {name}"
    rules: dict[str, list[Item]] = {}
    for rule in own("rule"):
        rules.setdefault(_word(rule, "chain"), []).append(rule)
    sets = _sets([*own("set"), *own("map")], own("rule"))
    chains = tuple(
        Chain(
            _word(chain, "name"),
            _base(chain, table),
            tuple(_rule(rule, table, sets) for rule in rules.pop(_word(chain, "name"), [])),
        )
        for chain in own("chain")
    )
    if rules:
        raise RulesetError(f"rules stand in chain {table} {min(rules)}, which is not listed", remedy=_REMEDY)
    _check_targets(table, chains)
    return Table(family, name, chains)


def _sets(listed: list[Item], rules: list[Item]) -> dict[str, list[Any] | None]:
    """Give the members of each set; none where packets or time change what is a member.

    A listing shows such a set only as it was for a moment.
    """
    written = {
        each["set"]["set"].removeprefix("@")
        for rule in rules
        for each in rule["expr"]
        if isinstance(each, dict) and isinstance(each.get("set"), dict) and isinstance(each["set"].get("set"), str)
    }
    return {
        _word(item, "name"): None
        if _word(item, "name") in written or _CHANGING & _flags(item) or _CHANGING & item.keys()
        else item.get("elem", [])
        for item in listed
    }


def _base(chain: Item, table: str) -> Base | None:
    if "hook" not in chain:
        return None
    name = f"{table} {_word(chain, 'name')}"
    try:
        hook = Hook(chain["hook"])
        return Base(_word(chain, "type"), hook, int(chain.get("prio", 0)), chain.get("policy", "accept") == "accept")
    except (TypeError, ValueError) as wrong:
        raise RulesetError(f"base chain {name} is not understood: {wrong}", remedy=_REMEDY) from wrong


def _rule(rule: Item, table: str, sets: dict[str, list[Any] | None]) -> Rule:
    expressions = rule["expr"]
    return Rule(
        table=table,
        chain=_word(rule, "chain"),
        handle=rule.get("handle"),
        comment=str(rule.get("comment", "")),
        text=rule_words(expressions),
        arms=arms(expressions, sets),
    )


def _check_targets(table: str, chains: tuple[Chain, ...]) -> None:
    """Refuse jumps to nowhere and in circles: the kernel accepts neither, so the listing was cut or changed."""
    targets = {chain.name: {arm.target for rule in chain.rules for arm in rule.arms if arm.target} for chain in chains}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            raise RulesetError(f"chains of table {table} jump in a circle: {' → '.join((*way, name))}", remedy=_REMEDY)
        if name not in targets:
            raise RulesetError(f"chain {table} {way[-1]} jumps to {name}, which is not listed", remedy=_REMEDY)
        if name not in done:
            for target in sorted(targets[name]):
                visit(target, (*way, name))
            done.add(name)

    for chain in chains:
        visit(chain.name, ())


def _flags(item: Item) -> frozenset[str]:
    """Give the flags of an entry; some versions of nft write a single one without a list."""
    flags = item.get("flags", [])
    return frozenset([flags] if isinstance(flags, str) else flags)


def _word(item: Item, key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise RulesetError(f"an entry has no {key}: {json.dumps(item)[:200]}", path=key, remedy=_REMEDY)
    return value
