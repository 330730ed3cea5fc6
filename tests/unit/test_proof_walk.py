"""A packet's way through base chains, jumps and policies is the kernel's (nft(8), CHAINS and VERDICT STATEMENT)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from tests.unit.listing_samples import (
    ACCEPT,
    ANSWERS,
    DROP,
    RETURN,
    Expression,
    chain,
    destination,
    forward,
    goto,
    jump,
    listing,
    match,
    meta,
    payload,
    port,
    ruleset,
    source,
    state,
    together,
)
from wardround.proof.listing import read_ruleset
from wardround.proof.packet import Packet, decide
from wardround.proof.ruleset import Ruleset, State
from wardround.proof.walk import Verdict
from wardround.proof.way import Way

pytestmark = pytest.mark.unit

PACKET = Packet(ip_address("10.0.1.5"), ip_address("10.0.2.7"), 6, 40000, 443)
PUZZLE = match(meta("mark"), 1)
ALLOWED, DENIED, UNKNOWN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNKNOWN


def verdict(rules: Ruleset, packet: Packet = PACKET, way: Way = Way.FORWARDED, of: State = State.NEW) -> Verdict:
    return decide(rules, packet, way, of)[0]


def test_the_first_rule_that_decides_wins_and_is_named() -> None:
    found, decision = decide(forward(("one", [port("443"), ACCEPT]), ("two", [DROP])), PACKET)
    assert found is ALLOWED
    assert str(decision) == 'inet t forward handle 2: tcp dport { 443 } accept comment "one"'
    assert verdict(forward([DROP], [port("443"), ACCEPT])) is DENIED


@pytest.mark.parametrize("policy", ["accept", "drop"])
def test_the_policy_takes_what_no_rule_decides(policy: str) -> None:
    found, decision = decide(forward([port("22"), DROP if policy == "accept" else ACCEPT], policy=policy), PACKET)
    assert found is (ALLOWED if policy == "accept" else DENIED)
    assert (decision.text, decision.handle) == (f"policy {policy}", None)


def test_nothing_filters_where_no_base_chain_stands() -> None:
    for rules in (Ruleset(()), ruleset(chain("c", [DROP])), ruleset(chain("c", [DROP], hook="input"))):
        found, decision = decide(rules, PACKET)
        assert found is ALLOWED
        assert "no base chain" in str(decision)


def test_accept_ends_one_base_chain_and_drop_all() -> None:
    early = ruleset(chain("early", [ACCEPT], hook="forward", priority=-10))
    late = ruleset(chain("late", [DROP], hook="forward", priority=10), family="ip")
    assert verdict(together(early, late)) is DENIED
    assert verdict(together(late, early)) is DENIED
    early = ruleset(chain("early", [DROP], hook="forward", priority=-10))
    late = ruleset(chain("late", [ACCEPT], hook="forward", priority=10), family="ip")
    assert verdict(together(late, early)) is DENIED


def test_priority_decides_who_is_named() -> None:
    rules = ruleset(
        chain("late", ("late", [DROP]), hook="forward", priority=10),
        chain("early", ("early", [DROP]), hook="forward", priority=-10),
        chain("first", [ACCEPT], hook="prerouting", priority=99),
    )
    assert decide(rules, PACKET)[1].comment == "early"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([[jump("sub")], [ACCEPT]], DENIED),
        ([[port("22"), jump("sub")], [ACCEPT]], ALLOWED),
        ([[jump("back")], [ACCEPT]], ALLOWED),
        ([[jump("empty")], [ACCEPT]], ALLOWED),
        ([[goto("empty")], [ACCEPT]], DENIED),
        ([[goto("back")], [ACCEPT]], DENIED),
        ([[RETURN], [ACCEPT]], DENIED),
        ([[jump("onward")], [ACCEPT]], ALLOWED),
        ([[jump("over")], [ACCEPT]], ALLOWED),
        ([[{"vmap": {"key": payload("tcp", "dport"), "data": {"set": [[443, jump("sub")]]}}}], [ACCEPT]], DENIED),
    ],
)
def test_jump_comes_back_and_goto_does_not(rules: list[list[Expression]], expected: Verdict) -> None:
    found = ruleset(
        chain("sub", [port("443"), DROP]),
        chain("back", [port("443"), RETURN], [DROP]),
        chain("empty"),
        # What a chain goes to comes back to whoever jumped to the chain.
        chain("onward", [goto("empty")], [DROP]),
        chain("over", [jump("back")], [RETURN], [DROP]),
        chain("base", *rules, hook="forward", policy="drop"),
    )
    assert verdict(found) is expected


def test_answers_are_another_question() -> None:
    rules = forward(ANSWERS, [state("new"), source("10.0.1.0/24"), ACCEPT])
    assert verdict(rules) is ALLOWED
    assert verdict(rules, PACKET.answer(), of=State.ESTABLISHED) is ALLOWED
    assert verdict(rules, PACKET.answer()) is DENIED
    assert verdict(forward([state("new"), ACCEPT]), PACKET.answer(), of=State.ESTABLISHED) is DENIED


def test_address_translation_is_asked_for_first_packets_only() -> None:
    rules = ruleset(chain("n", [DROP], hook="prerouting", kind="nat"))
    assert verdict(rules) is DENIED
    assert verdict(rules, of=State.ESTABLISHED) is ALLOWED


def test_a_family_sees_its_own_packets() -> None:
    other = replace(PACKET, source=ip_address("fd00::1"), destination=ip_address("fd00::2"))
    rules = {family: ruleset(chain("c", [DROP], hook="forward"), family=family) for family in ("ip", "ip6", "inet")}
    assert [verdict(rules[family]) for family in rules] == [DENIED, ALLOWED, DENIED]
    assert [verdict(rules[family], other) for family in rules] == [ALLOWED, DENIED, DENIED]
    assert verdict(forward([source("0.0.0.0/0"), ACCEPT]), other) is DENIED


def test_each_way_has_its_hooks() -> None:
    hooks = ("prerouting", "input", "forward", "output", "postrouting")
    rules = {hook: ruleset(chain("c", [DROP], hook=hook)) for hook in hooks}
    stopped = {way: [hook for hook in hooks if verdict(rules[hook], way=way) is DENIED] for way in Way}
    assert stopped == {
        Way.FORWARDED: ["prerouting", "forward", "postrouting"],
        Way.RECEIVED: ["prerouting", "input"],
        Way.SENT: ["output", "postrouting"],
    }


@pytest.mark.parametrize(
    ("rules", "policy", "expected"),
    [
        ([[PUZZLE, ACCEPT]], "drop", UNKNOWN),
        ([[PUZZLE, DROP]], "accept", UNKNOWN),
        ([[PUZZLE, DROP]], "drop", DENIED),
        ([[PUZZLE, ACCEPT]], "accept", ALLOWED),
        ([[port("22"), PUZZLE, ACCEPT]], "drop", DENIED),
        ([[PUZZLE, RETURN], [ACCEPT]], "drop", UNKNOWN),
        ([[PUZZLE, jump("sub")], [ACCEPT]], "drop", UNKNOWN),
        ([[PUZZLE, goto("sub")], [DROP]], "accept", DENIED),
        ([[PUZZLE, goto("empty")], [ACCEPT]], "drop", UNKNOWN),
        ([[{"dnat": {"addr": "10.9.9.9"}}], [DROP]], "drop", UNKNOWN),
        ([[port("22"), {"dnat": {"addr": "10.9.9.9"}}], [DROP]], "drop", DENIED),
        ([[DROP], [{"dnat": {"addr": "10.9.9.9"}}]], "drop", DENIED),
        ([[{"vmap": {"key": meta("mark"), "data": {"set": [[1, ACCEPT], [2, DROP]]}}}]], "accept", UNKNOWN),
        ([[{"vmap": {"key": meta("mark"), "data": {"set": [[1, DROP], [2, DROP]]}}}]], "drop", DENIED),
        ([[match(payload("th", "dport"), 443), ACCEPT]], "drop", ALLOWED),
    ],
)
def test_unknown_is_what_a_puzzle_can_change(rules: list[list[Expression]], policy: str, expected: Verdict) -> None:
    found = ruleset(chain("sub", [DROP]), chain("empty"), chain("base", *rules, hook="forward", policy=policy))
    assert verdict(found) is expected


def test_a_puzzle_is_named() -> None:
    found, decision = decide(forward(("why", [PUZZLE, ACCEPT])), PACKET)
    assert (found, decision.comment) == (UNKNOWN, "why")


def test_a_later_base_chain_can_still_prove_a_puzzle_away() -> None:
    rules = ruleset(chain("puzzle", [PUZZLE, DROP], hook="prerouting"), chain("base", hook="forward", policy="drop"))
    assert verdict(rules) is DENIED


def test_ports_of_what_has_no_ports_are_unknown() -> None:
    rules = forward([match(payload("th", "dport"), 443), ACCEPT])
    assert verdict(rules, replace(PACKET, protocol=47)) is UNKNOWN
    assert verdict(forward([port("443"), ACCEPT]), replace(PACKET, protocol=47)) is DENIED


@pytest.mark.parametrize(
    ("expression", "named", "unnamed"),
    [
        (match(meta("iifname"), "eth1"), ALLOWED, UNKNOWN),
        (match(meta("iifname"), "eth*"), ALLOWED, UNKNOWN),
        (match(meta("iifname"), "eth1", "!="), DENIED, UNKNOWN),
        (match(meta("iifname"), {"set": ["eth2", "lo"]}), DENIED, UNKNOWN),
        (match(meta("iifname"), "lo"), DENIED, DENIED),
        (match(meta("oifname"), "lo", "!="), ALLOWED, ALLOWED),
    ],
)
def test_interfaces_count_where_they_are_known(expression: Expression, named: Verdict, unnamed: Verdict) -> None:
    rules = forward([expression, ACCEPT])
    assert verdict(rules, replace(PACKET, incoming="eth1", outgoing="eth2")) is named
    assert verdict(rules) is unnamed


def test_chains_of_frames_may_stop_what_they_see() -> None:
    base = forward([port("443"), ACCEPT])
    for family, hook in (("netdev", "ingress"), ("bridge", "forward"), ("arp", "input"), ("inet", "ingress")):
        silent = read_ruleset(listing(chain("c", hook=hook), family=family))
        strict = read_ruleset(listing(chain("c", [destination("10.9.9.9"), DROP], hook=hook), family=family))
        assert verdict(together(silent, base)) is ALLOWED
        assert verdict(together(strict, base)) is UNKNOWN
        assert verdict(together(strict, base), replace(PACKET, destination_port=22)) is DENIED


def test_a_packet_is_written_as_people_read_it() -> None:
    assert str(PACKET) == "tcp 10.0.1.5:40000 → 10.0.2.7:443"
    six = replace(PACKET, source=ip_address("fd00::1"), destination=ip_address("fd00::2"), protocol=17)
    assert str(six) == "udp [fd00::1]:40000 → [fd00::2]:443"
    assert str(replace(PACKET, protocol=1, icmp_type=8)) == "icmp type 8 10.0.1.5 → 10.0.2.7"
    assert str(replace(PACKET, protocol=47)) == "gre 10.0.1.5 → 10.0.2.7"
    assert str(replace(PACKET, protocol=200)) == "protocol 200 10.0.1.5 → 10.0.2.7"
