"""What the proof says of a packet is what the kernel does with it: random rule sets, real packets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.integration.packet_lab import ACK, LEFT, MARKS, RIGHT, TCP, UDP, PacketLab
from tests.integration.ruleset_strategies import CROSSING, ENTERING, OPEN, rulesets
from wardround.proof.listing import read_ruleset
from wardround.proof.packet import Packet, decide
from wardround.proof.ruleset import Ruleset, State
from wardround.proof.walk import Verdict
from wardround.proof.way import Way

pytestmark = pytest.mark.integration

RULESETS = 220
JOINED = """table inet tried {
chain base0 {
type filter hook forward priority 0; policy drop;
ip saddr { 10.11.255.255, 10.12.255.255 } accept
tcp sport != 22 tcp dport != 22 accept
}
}"""
"""Version 1.0.6 of nft loads this rule as "not both ports are 22", and lists it as it stands here."""
KNOWN = {Verdict.ALLOWED: True, Verdict.DENIED: False}


@pytest.fixture(scope="module")
def lab() -> Iterator[PacketLab]:
    with PacketLab() as made:
        yield made


@dataclass(frozen=True)
class Tried:
    """Packets of one way and state, and whether each of them arrived."""

    way: Way
    state: State
    packets: Sequence[Packet]
    passed: Sequence[bool]


def compare(ruleset: Ruleset, tried: Tried, rules: str = "") -> Counter[tuple[Way, State, Verdict]]:
    """Hold each packet's fate against the verdict; an unknown one may have any."""
    tally: Counter[tuple[Way, State, Verdict]] = Counter()
    for packet, arrived in zip(tried.packets, tried.passed, strict=True):
        verdict, decision = decide(ruleset, packet, tried.way, tried.state)
        assert KNOWN.get(verdict, arrived) == arrived, f"{packet} is not {verdict} by {decision}, in\n{rules}"
        tally[tried.way, tried.state, verdict] += 1
    return tally


def test_the_kernel_agrees(lab: PacketLab) -> None:
    tally: Counter[tuple[Way, State, Verdict]] = Counter()
    loaded: list[str] = []

    @settings(max_examples=RULESETS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        rulesets(),
        st.integers(0, 2**32),
    )
    @example(JOINED, 0)
    def agree(rules: str, seed: int) -> None:
        # Fresh connections: tracking forgets those that a rule rejected, and those that nobody used for a while.
        opened = [replace(packet, source_port=packet.source_port + len(loaded)) for packet in OPEN]
        lab.load("")
        for packet in opened:
            lab.establish(packet)
        loaded.append(rules)
        ruleset = read_ruleset(lab.load(rules))
        choice = Random(seed)
        across, inside = choice.sample(CROSSING, 150), choice.sample(ENTERING, 30)
        answers = [packet.answer() for packet in opened]
        for tried in (
            Tried(Way.FORWARDED, State.NEW, across, lab.forwarded(across)),
            Tried(Way.RECEIVED, State.NEW, inside, lab.received(inside)),
            Tried(Way.FORWARDED, State.ESTABLISHED, answers, lab.forwarded(answers, RIGHT, ACK)),
        ):
            tally.update(compare(ruleset, tried, rules))

    agree()
    assert len(loaded) >= 200
    for way, state in ((Way.FORWARDED, State.NEW), (Way.RECEIVED, State.NEW), (Way.FORWARDED, State.ESTABLISHED)):
        figures = {verdict: tally[way, state, verdict] for verdict in Verdict}
        print(f"{way.name} {state}: {', '.join(f'{count} {verdict}' for verdict, count in figures.items())}")
        assert min(figures[Verdict.ALLOWED], figures[Verdict.DENIED]) > 200, figures
        assert figures[Verdict.UNKNOWN] < sum(figures.values()) / 2, figures


def test_the_lab_sees_a_wrong_verdict(lab: PacketLab) -> None:
    """The comparison above can fail: the same packets against the listing of other rules."""
    packet = Packet(OPEN[0].source, OPEN[0].destination, TCP, 1000, 80, incoming=LEFT, outgoing=RIGHT)
    head = "type filter hook forward priority 0;"
    denied = lab.load(f"table inet tried {{ chain c {{ {head} policy drop; ip saddr 10.11.255.255 accept; }}; }}")
    accepting = lab.load(f"table inet tried {{ chain c {{ {head} policy accept; }}; }}")
    passed = lab.forwarded([packet])
    assert passed == [True]
    tried = Tried(Way.FORWARDED, State.NEW, [packet], passed)
    compare(read_ruleset(accepting), tried)
    with pytest.raises(AssertionError):
        compare(read_ruleset(denied), tried)


@pytest.mark.parametrize(
    ("hook", "rule", "verdict", "arrives"),
    [
        # nft prints neither of these conditions, and the packet is UDP.
        ("forward priority 0", "reject with tcp reset", Verdict.ALLOWED, True),
        ("forward priority 0", "tcp dport != 22 drop", Verdict.ALLOWED, True),
        # Before connection tracking no packet is new yet, and every one is invalid.
        ("prerouting priority -300", "ct state new drop", Verdict.UNKNOWN, True),
        ("prerouting priority -300", "ct state invalid drop", Verdict.UNKNOWN, False),
        ("prerouting priority -150", "ct state new drop", Verdict.DENIED, False),
        # There is no way out yet, or no way in any more.
        ("prerouting priority 0", f'oifname "{RIGHT}" drop', Verdict.ALLOWED, True),
        ("postrouting priority 0", f'oifname "{RIGHT}" drop', Verdict.DENIED, False),
        # A limit that is kept lets pass; a set that rules fill may hold anything.
        ("forward priority 0", "limit rate over 1000/second drop", Verdict.ALLOWED, True),
        ("forward priority 0", "ip saddr @seen drop", Verdict.UNKNOWN, True),
        # Marks change nothing that is understood; the address they would go to does.
        ("prerouting priority -150", "meta mark set 1", Verdict.ALLOWED, True),
        ("prerouting priority -150", "ip daddr set 10.12.0.77", Verdict.UNKNOWN, True),
    ],
)
def test_traps(lab: PacketLab, hook: str, rule: str, verdict: Verdict, *, arrives: bool) -> None:
    packet = Packet(OPEN[0].source, OPEN[0].destination, UDP, 1000, 80, incoming=LEFT, outgoing=RIGHT)
    marks = ", ".join(map(str, MARKS.values()))
    text = f"""table inet tried {{
        set seen {{ type ipv4_addr; size 10; flags dynamic; }}
        chain unused {{ add @seen {{ ip saddr }}; }}
        chain c {{ type filter hook {hook}; policy accept; ip saddr {{ {marks} }} accept; {rule}; }}
    }}"""
    ruleset = read_ruleset(lab.load(text))
    assert decide(ruleset, packet)[0] is verdict
    assert lab.forwarded([packet]) == [arrives]
