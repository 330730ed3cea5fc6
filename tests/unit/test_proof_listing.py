"""A listing is read as the kernel means it, and what is not understood stays visible."""

from __future__ import annotations

import json

import pytest

from tests.unit.listing_samples import (
    ACCEPT,
    DROP,
    RETURN,
    Expression,
    chain,
    forward,
    jump,
    listing,
    match,
    meta,
    named,
    payload,
    port,
    ruleset,
    source,
    state,
    value,
)
from wardround.errors import RulesetError
from wardround.load.catalogue import explain
from wardround.proof.listing import read_ruleset
from wardround.proof.ranges import Ranges
from wardround.proof.ruleset import Action, Arm, Base, Field, Hook, Through, Unreadable, Within

pytestmark = pytest.mark.unit

IPV4 = Within(Field.FAMILY, Ranges.one(4))
IPV6 = Within(Field.FAMILY, Ranges.one(6))
TCP = Within(Field.PROTOCOL, Ranges.one(6))
TEN = (10 << 24, (11 << 24) - 1)
SET = "hosts"
NOWHERE = "0.0.0.0"  # noqa: S104 - an address, not a socket's


def arms(*expressions: Expression) -> tuple[Arm, ...]:
    (table,) = forward(list(expressions)).tables
    return table.chains[0].rules[0].arms


def ranges(*spans: tuple[int, int]) -> Ranges:
    return Ranges.of(spans)


@pytest.mark.parametrize(
    ("expression", "conditions"),
    [
        (source("10.0.0.0/8"), (IPV4, Within(Field.SOURCE, ranges(TEN)))),
        (
            source("10.0.0.0/8", operator="!="),
            (IPV4, Within(Field.SOURCE, ranges((0, TEN[0] - 1), (TEN[1] + 1, 2**32 - 1)))),
        ),
        (
            source("10.0.0.1", "10.0.0.2-10.0.0.9"),
            (IPV4, Within(Field.SOURCE, ranges((TEN[0] + 1, TEN[0] + 9)))),
        ),
        (match(payload("ip6", "daddr"), "::5"), (IPV6, Within(Field.DESTINATION, Ranges.one(5)))),
        (match(payload("ip", "daddr"), NOWHERE, "!="), (IPV4, Within(Field.DESTINATION, ranges((1, 2**32 - 1))))),
        (port("22", "80-90"), (TCP, Within(Field.DESTINATION_PORT, ranges((22, 22), (80, 90))))),
        (match(payload("th", "sport"), 53), (Within(Field.SOURCE_PORT, Ranges.one(53)),)),
        (match(payload("tcp", "dport"), 1024, "<"), (TCP, Within(Field.DESTINATION_PORT, ranges((0, 1023))))),
        (match(payload("tcp", "dport"), 1024, "<="), (TCP, Within(Field.DESTINATION_PORT, ranges((0, 1024))))),
        (match(payload("tcp", "dport"), 1024, ">"), (TCP, Within(Field.DESTINATION_PORT, ranges((1025, 65535))))),
        (match(payload("tcp", "dport"), 1024, ">="), (TCP, Within(Field.DESTINATION_PORT, ranges((1024, 65535))))),
        (
            match(meta("l4proto"), {"set": ["tcp", "udp", 200]}),
            (Within(Field.PROTOCOL, ranges((6, 6), (17, 17), (200, 200))),),
        ),
        (match(payload("ip", "protocol"), "tcp"), (IPV4, TCP)),
        (match(meta("nfproto"), "ipv6"), (IPV6,)),
        (match(meta("protocol"), "ip"), (IPV4,)),
        (state("established", "related"), (Within(Field.STATE, ranges((1, 2))),)),
        (match({"ct": {"key": "state"}}, "established", "!="), (Within(Field.STATE, ranges((0, 0), (2, 4))),)),
        (
            match(payload("icmp", "type"), "echo-request"),
            (IPV4, Within(Field.PROTOCOL, Ranges.one(1)), Within(Field.ICMP_TYPE, Ranges.one(8))),
        ),
        (
            match(payload("icmpv6", "type"), "echo-request"),
            (IPV6, Within(Field.PROTOCOL, Ranges.one(58)), Within(Field.ICMP_TYPE, Ranges.one(128))),
        ),
        (match(meta("iifname"), {"set": ["eth0", "wg*"]}), (Through(incoming=True, names=("eth0", "wg*")),)),
        (match(meta("oif"), "lo", "!="), (Through(incoming=False, names=("lo",), negated=True),)),
        (match(payload("ip", "saddr"), f"@{SET}"), (IPV4, Within(Field.SOURCE, ranges((TEN[0] + 1, TEN[0] + 7))))),
    ],
    ids=lambda each: json.dumps(each)[:60] if isinstance(each, dict) else "",
)
def test_comparisons_become_sets_of_numbers(expression: Expression, conditions: tuple[object, ...]) -> None:
    members = [{"range": ["10.0.0.1", "10.0.0.5"]}, {"elem": {"val": "10.0.0.6", "comment": "six"}}, "10.0.0.7"]
    (table,) = ruleset(
        named("set", SET, members, flags=["interval"]), chain("c", [expression, ACCEPT], hook="forward")
    ).tables
    assert table.chains[0].rules[0].arms == (Arm(conditions, Action.ACCEPT),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "expression",
    [
        match(meta("mark"), 1),
        match(payload("tcp", "flags"), "syn", "in"),
        match(payload("ip", "ttl"), 3),
        match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"),
        match({"ct": {"key": "ip saddr", "dir": "original"}}, "10.0.0.1"),
        match(payload("ip", "saddr"), "@nowhere"),
        match(payload("ip", "saddr"), "@timed"),
        match(payload("ip", "saddr"), "@written"),
        match(payload("ip", "saddr"), "@counted"),
        match(payload("ip", "saddr"), {"set": [{"elem": {"val": "10.0.0.1", "limit": {"rate": 1, "per": "day"}}}]}),
        match(payload("ip", "saddr"), "fe80::1"),
        match(payload("ip", "saddr"), {"prefix": {"addr": "10.0.0.1", "len": 8}}),
        match(meta("l4proto"), "a-protocol-from-elsewhere"),
        match(meta("iif"), 7),
        match(payload("tcp", "dport"), {"set": [1, 2]}, "<"),
        match({"ct": {"key": "state"}}, ["new", "established"], "!="),
        match(
            {"concat": [payload("ip", "saddr"), payload("tcp", "dport")]}, {"set": [{"concat": ["10.0.0.1", 1]}]}, "!="
        ),
        {"match": {"op": "=="}},
        {"limit": "named"},
        {"quota": {"val": 1, "val_unit": "bytes"}},
        {"ct count": {"val": 3}},
        {"set": {"op": "add", "elem": payload("ip", "saddr"), "set": "@written"}},
    ],
    ids=lambda each: json.dumps(each)[:70],
)
def test_what_is_not_understood_is_an_unreadable_condition(expression: Expression) -> None:
    (table,) = ruleset(
        named("set", "timed", ["10.0.0.1"], flags="timeout"),
        named("set", "written", ["10.0.0.1"]),
        named("set", "counted", ["10.0.0.1"], stmt=[{"limit": {"rate": 1, "per": "day"}}]),
        chain("c", [expression, ACCEPT], hook="forward"),
        chain("d", [{"set": {"op": "add", "elem": payload("ip", "saddr"), "set": "@written"}}]),
    ).tables
    ((arm,),) = (rule.arms for rule in table.chains[0].rules)
    assert any(isinstance(condition, Unreadable) for condition in arm.conditions)
    assert arm.action is Action.ACCEPT


@pytest.mark.parametrize(
    "statement",
    [
        {"dnat": {"addr": "10.0.0.1"}},
        {"masquerade": None},
        {"notrack": None},
        {"queue": {"num": 0}},
        {"flow": {"op": "add", "flowtable": "@f"}},
        {"mangle": {"key": payload("ip", "saddr"), "value": "10.0.0.1"}},
        {"xt": {"type": "target", "name": "TPROXY"}},
        {"vmap": {"key": payload("tcp", "dport"), "data": "@nowhere"}},
        {"something of tomorrow": {}},
    ],
    ids=lambda each: next(iter(each)),
)
def test_a_statement_that_is_not_understood_may_do_anything(statement: Expression) -> None:
    found = arms(port("80"), statement)
    assert [arm.action for arm in found] == [Action.OPAQUE]
    assert found[0].conditions == (TCP, Within(Field.DESTINATION_PORT, Ranges.one(80)))


@pytest.mark.parametrize(
    "statement",
    [
        {"counter": {"packets": 1, "bytes": 2}},
        {"log": {"prefix": "x"}},
        {"log": None},
        {"mangle": {"key": meta("mark"), "value": 1}},
        {"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}}, "value": 1}},
        {"mangle": {"key": payload("ip", "dscp"), "value": 1}},
        {"continue": None},
    ],
    ids=lambda each: json.dumps(each)[:40],
)
def test_a_statement_without_a_say_decides_nothing(statement: Expression) -> None:
    assert arms(port("80"), statement) == ()
    if "continue" not in statement:
        assert [arm.action for arm in arms(statement, DROP)] == [Action.DROP]


def test_limits_count_as_kept() -> None:
    limit, over = ({"limit": {"rate": 5, "per": "second", **more}} for more in ({}, {"inv": True}))
    assert arms(limit, ACCEPT) == (Arm((), Action.ACCEPT),)
    assert arms(over, DROP) == ()
    assert isinstance(arms(limit, DROP)[0].conditions[0], Unreadable)
    assert isinstance(arms(over, ACCEPT)[0].conditions[0], Unreadable)
    assert isinstance(arms(limit, RETURN)[0].conditions[0], Unreadable)
    assert arms(limit, {"log": None}) == ()


def test_senders_are_where_routes_to_them_lead() -> None:
    reverse = {"fib": {"result": "oif", "flags": ["saddr", "iif"]}}
    assert arms(match(reverse, right=False), DROP) == ()
    assert arms(match(reverse, right=True), ACCEPT) == (Arm((), Action.ACCEPT),)
    for left, right in ((reverse, "eth0"), ({"fib": {"result": "oif", "flags": ["saddr"]}}, False)):
        assert isinstance(arms(match(left, right), DROP)[0].conditions[0], Unreadable)


def test_what_nft_takes_for_granted_behind_a_reject_counts() -> None:
    assert arms({"reject": {"type": "tcp reset"}}) == (Arm((TCP,), Action.REJECT),)
    assert arms({"reject": {"type": "icmpv6", "expr": "no-route"}}) == (Arm((IPV6,), Action.REJECT),)
    assert arms({"reject": None}) == (Arm((), Action.REJECT),)


def test_unequal_ports_in_one_rule_may_have_been_joined_by_nft() -> None:
    sport, dport = (match(payload("tcp", field), 22, "!=") for field in ("sport", "dport"))
    (joined,) = arms(sport, {"counter": {}}, dport, ACCEPT)
    assert [type(condition) for condition in joined.conditions] == [Within, Unreadable, Within, Unreadable]
    assert joined.conditions[0] == joined.conditions[2] == TCP
    (alone,) = arms(sport, match(payload("tcp", "dport"), {"set": [22, 23]}, "!="), ACCEPT)
    assert not any(isinstance(condition, Unreadable) for condition in alone.conditions)


def test_a_verdict_map_has_an_arm_for_each_key_that_decides() -> None:
    key = payload("tcp", "dport")
    data = {"set": [[22, ACCEPT], [value("80-90"), {"continue": None}], ["*", DROP]]}
    found = arms({"vmap": {"key": key, "data": data}})
    assert found == (
        Arm((TCP, Within(Field.DESTINATION_PORT, Ranges.one(22))), Action.ACCEPT),
        Arm((TCP, Within(Field.DESTINATION_PORT, ranges((0, 21), (23, 79), (91, 65535)))), Action.DROP),
    )


def test_concatenations_hold_part_by_part() -> None:
    left = {"concat": [payload("ip", "saddr"), payload("tcp", "dport")]}
    members = [{"concat": ["10.0.0.1", 80]}, {"concat": [value("10.0.0.0/8"), value("1-9")]}]
    found = arms(match(left, {"set": members}), ACCEPT)
    assert [arm.conditions[1:] for arm in found] == [
        (Within(Field.SOURCE, Ranges.one(TEN[0] + 1)), TCP, Within(Field.DESTINATION_PORT, Ranges.one(80))),
        (Within(Field.SOURCE, ranges(TEN)), TCP, Within(Field.DESTINATION_PORT, ranges((1, 9)))),
    ]


def test_chains_keep_place_and_rules_their_words() -> None:
    (table,) = ruleset(
        chain("own", ("F-1", [source("10.0.0.0/8", "10.1.0.1"), port("80"), {"counter": {}}, ACCEPT])),
        chain("base", [jump("own")], hook="input", priority=-5, policy="drop"),
    ).tables
    own, base = table.chains
    assert base.base == Base("filter", Hook.INPUT, -5, accepts=False)
    assert own.base is None
    assert str(own.rules[0]) == (
        'inet t own handle 2: ip saddr { 10.0.0.0/8, 10.1.0.1 } tcp dport { 80 } counter accept comment "F-1"'
    )
    assert base.rules[0].arms == (Arm((), Action.JUMP, "own"),)


def test_a_table_that_sleeps_is_not_there() -> None:
    text = listing(chain("c", hook="forward", policy="drop")).replace(
        '"name": "t"', '"name": "t", "flags": ["dormant"]', 1
    )
    assert read_ruleset(text).tables == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("table inet t {", "no JSON"),
        ('{"nftables": [{"table": {"family": "ip", "name": "t", "flags": ', "no JSON"),
        ("[]", '"nftables"'),
        ('{"nftables": ["chain"]}', "'chain'"),
        ('{"nftables": [{"table": {"family": "ip"}}]}', "no name"),
        ('{"nftables": [{"chain": {"family": "ip", "table": "t", "name": "c"}}]}', "table ip t"),
        (listing([{"rule": {"chain": "gone", "expr": []}}]), "inet t gone"),
        (listing(chain("c", [jump("gone")])), "jumps to gone"),
        (listing(chain("a", [jump("b")]), chain("b", [jump("a")])), "a → b → a"),
        (listing(chain("c", hook="backward")), "backward"),
        (listing([{"chain": {"name": "c"}}, {"rule": {"chain": "c", "expr": None}}]), "no list"),
    ],
)
def test_a_listing_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(RulesetError) as refused:
        read_ruleset(text)
    assert words in refused.value.message
    assert refused.value.remedy
    assert refused.value.code == "WR-901"


def test_the_error_is_explained() -> None:
    assert "packet filter" in explain("WR-901")
