"""The proof finds every disagreement between design and rules, with evidence that holds, and no other."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hospital_samples import design
from tests.unit.listing_samples import (
    ACCEPT,
    ANSWERS,
    DROP,
    RETURN,
    Expression,
    chain,
    destination,
    flow_rules,
    forward,
    goto,
    jump,
    match,
    meta,
    payload,
    port,
    ruleset,
    source,
    state,
)
from tests.unit.test_gateway_rules import Packet as Tried
from tests.unit.test_gateway_rules import allowed as designed
from wardround.proof.packet import Packet, decide
from wardround.proof.prove import prove_gateway, prove_host
from wardround.proof.result import OTHER, Difference, Kind, Proof
from wardround.proof.ruleset import Ruleset, State
from wardround.proof.walk import Verdict
from wardround.proof.way import Way

pytestmark = pytest.mark.unit

DESIGN = design()
FLOWS = flow_rules(DESIGN)
NAMES = {6: "tcp", 17: "udp"}
SERVICES = {
    "ssh": ({"tcp"}, {22}),
    "dns": ({"udp", "tcp"}, {53}),
    "radius": ({"udp"}, {1812, 1813}),
    "https": ({"tcp"}, {443, 8443}),
}
PUZZLE = match(meta("mark"), 1)


def prove(*rules: tuple[str, list[Expression]], answers: list[Expression] = ANSWERS) -> Proof:
    return prove_gateway(DESIGN, forward(("answers", answers), *rules))


def told(proof: Proof) -> set[tuple[Kind, str, str, str, str, tuple[str, ...]]]:
    """Give each difference as kind, source, destination, service, the deciding rule's comment or words, and flows."""
    return {
        (
            each.kind,
            each.source,
            each.destination,
            each.service,
            each.decision.comment or each.decision.text,
            each.flows,
        )
        for each in proof.differences()
    }


def flow(number: int) -> list[Expression]:
    return dict(FLOWS)[f"F-WRD-0{number}"]


def zone_of(address: object) -> str:
    around = [zone for zone in DESIGN.zones if ip_address(str(address)) in zone.subnet]
    return max(around, key=lambda zone: zone.subnet.prefixlen).name


def test_the_rules_of_the_design_agree_with_it() -> None:
    proof = prove(*FLOWS)
    assert proof.agrees
    assert list(proof.differences()) == []
    assert proof.services == ("dns", "https", "radius", "ssh", OTHER)
    # Five zones, each with the four others, and all of IPv6 among itself.
    assert proof.compared == (5 * 4 + 1) * len(proof.services)


def test_planted_an_accept_above_a_drop() -> None:
    planted = ("planted", [source("10.0.2.0/24"), port("1-65535"), ACCEPT])
    guard = ("guard", [source("10.0.2.0/24"), destination("10.0.9.0/24"), DROP])
    assert prove(guard, *FLOWS).agrees
    found = told(prove(planted, guard, *FLOWS))
    assert (Kind.ALLOWED, "devices", "landing", "ssh", "planted", ()) in found
    assert (Kind.ALLOWED, "devices", "landing", OTHER, "planted", ()) in found
    assert {each[1] for each in found} == {"devices"}
    assert not any(each[3] == "radius" for each in found), "radius is UDP"


def test_planted_a_drop_above_an_accept() -> None:
    planted = ("planted", [destination("10.0.1.11"), port("443"), DROP])
    assert prove(*FLOWS, planted).agrees
    found = told(prove(planted, *FLOWS))
    assert found == {(Kind.DENIED, "devices", "servers", "https", "planted", ("F-WRD-03",))}
    ((difference),) = prove(planted, *FLOWS).differences()
    assert str(difference.example) == "tcp 10.0.2.11:40000 → 10.0.1.11:443"
    assert str(difference.decision).startswith("inet t forward handle 3: ip daddr { 10.0.1.11 } tcp dport { 443 } drop")


def test_planted_a_broad_prefix_that_shadows_a_flow() -> None:
    planted = ("planted", [source("10.0.0.0/22"), destination("0.0.0.0/1"), port("53", protocol="th"), DROP])
    assert prove(*FLOWS, planted).agrees
    found = told(prove(planted, *FLOWS))
    assert found == {(Kind.DENIED, "devices", "servers", "dns", "planted", ("F-WRD-02",))}


def test_a_flow_left_out_and_an_open_policy_are_told_apart() -> None:
    found = told(prove(*(rule for rule in FLOWS if rule[0] != "F-WRD-06")))
    assert found == {(Kind.DENIED, "vendor", "devices", "https", "policy drop", ("F-WRD-06",))}
    proof = prove_gateway(DESIGN, Ruleset(()))
    kinds = set(proof.matrix().values())
    assert kinds == {frozenset({Kind.ALLOWED})}
    # Only where the design allows a whole service between whole zones does an open gateway agree with it.
    assert len(proof.matrix()) == proof.compared - 1
    assert ("vendor", "devices", "https") not in proof.matrix()


def test_answers_that_stay_away_break_a_flow() -> None:
    found = told(prove(*FLOWS, answers=[state("invalid"), DROP]))
    assert {each[0] for each in found} == {Kind.ANSWER_DENIED}
    assert {each[5][0] for each in found} == {rule[0] for rule in FLOWS}
    one = [state("established"), match(payload("tcp", "sport"), 22, "!="), ACCEPT]
    proof = prove(*FLOWS, ("udp", [state("established"), match(meta("l4proto"), "udp"), ACCEPT]), answers=one)
    assert told(proof) == {(Kind.ANSWER_DENIED, "landing", "servers", "ssh", "policy drop", ("F-WRD-01",))}
    (difference,) = proof.differences()
    assert str(difference.example) == "tcp 10.0.1.11:22 → 10.0.9.10:40000"


def test_unknown_is_only_what_a_puzzle_decides() -> None:
    assert prove(*FLOWS, ("why", [PUZZLE, DROP])).agrees
    found = told(prove(("why", [PUZZLE, port("22"), DROP]), *FLOWS))
    assert found == {(Kind.UNKNOWN, "landing", "servers", "ssh", "why", ("F-WRD-01",))}
    found = told(prove(*FLOWS, ("why", [PUZZLE, source("203.0.113.7"), port("22"), ACCEPT])))
    assert {each[:4] for each in found} == {
        (Kind.UNKNOWN, "vendor", zone, "ssh") for zone in ("devices", "landing", "outside", "servers")
    }


def test_protocols_that_no_service_names_are_compared_too() -> None:
    tunnel = ("tunnel", [source("10.0.2.0/24"), match(meta("l4proto"), "gre"), ACCEPT])
    echo = ("echo", [source("10.0.9.0/24"), match(payload("icmp", "type"), "echo-request"), ACCEPT])
    proof = prove(*FLOWS, tunnel, echo)
    assert {(each.source, each.service) for each in proof.differences()} == {("devices", OTHER), ("landing", OTHER)}
    assert {str(each.example).split(" 10.")[0] for each in proof.differences()} == {"gre", "icmp type 8"}


def test_ipv6_is_allowed_by_no_design() -> None:
    proof = prove(*FLOWS, ("six", [match(payload("ip6", "daddr"), "fd00::1"), ACCEPT]))
    found = {each[:4] for each in told(proof)}
    assert found == {(Kind.ALLOWED, "(ipv6)", "(ipv6)", service) for service in proof.services}
    assert {str(each.example.destination) for each in proof.differences()} == {"fd00::1"}


def test_interfaces_of_zones_count() -> None:
    bound = [("bound", [match(meta("iifname"), "eth9"), *flow(1)]), *FLOWS[1:]]
    rules = forward(ANSWERS, *bound)
    assert prove_gateway(DESIGN, rules, {"landing": "eth9"}).agrees
    found = told(prove_gateway(DESIGN, rules))
    assert found == {(Kind.UNKNOWN, "landing", "servers", "ssh", "bound", ("F-WRD-01",))}
    found = told(prove_gateway(DESIGN, rules, {"landing": "eth8"}))
    assert found == {(Kind.DENIED, "landing", "servers", "ssh", "policy drop", ("F-WRD-01",))}


def test_a_host_is_compared_in_both_directions() -> None:
    (host,) = (each for each in DESIGN.hosts if each.name == "srv01")
    inbound = [rule for rule in FLOWS if rule[0] in {"F-WRD-01", "F-WRD-02", "F-WRD-03"}]
    outbound = [rule for rule in FLOWS if rule[0] in {"F-WRD-04", "F-WRD-05"}]
    # A flow between all zones starts at the host, too.
    outbound.append(("F-WRD-02", [source("10.0.1.11"), destination("10.0.1.11"), port("53", protocol="th"), ACCEPT]))
    echo: list[Expression] = [match(payload("icmp", "type"), "echo-request"), ACCEPT]
    both = [("answers", ANSWERS), ("echo", echo)]
    rules = ruleset(
        chain("in", *both, *inbound, hook="input", policy="drop"),
        chain("out", *both, *outbound, hook="output", policy="drop"),
    )
    received, sent = prove_host(DESIGN, host, rules)
    assert told(received) == set()
    assert told(sent) == set()
    opened = ruleset(
        chain("in", *both, *inbound, ("open", [port("8080"), ACCEPT]), hook="input", policy="drop"),
        chain("out", *both, *outbound[1:], hook="output", policy="drop"),
    )
    received, sent = prove_host(DESIGN, host, opened)
    assert {each[1:5] for each in told(received)} == {
        (zone, "servers", OTHER, "open") for zone in ("devices", "landing", "outside", "servers", "vendor")
    } | {("(ipv6)", "(ipv6)", OTHER, "open")}
    assert told(sent) == {
        (Kind.DENIED, "servers", zone, "https", "policy drop", ("F-WRD-04",)) for zone in ("outside", "vendor")
    }


NETWORKS = [
    "10.0.1.0/24",
    "10.0.1.11",
    "10.0.2.0/24",
    "10.0.2.11",
    "10.0.9.10",
    "203.0.113.7",
    "10.0.0.0/8",
    "0.0.0.0/0",
]
some_networks = st.lists(st.sampled_from(NETWORKS[:6]), min_size=1, max_size=2, unique=True)
conditions: st.SearchStrategy[Expression] = st.one_of(
    st.builds(
        lambda networks, operator: source(*networks, operator=operator), some_networks, st.sampled_from(["==", "!="])
    ),
    st.builds(destination, st.sampled_from(NETWORKS)),
    st.builds(
        lambda ports, protocol: port(ports, protocol=protocol),
        st.sampled_from(["22", "53", "443", "1-1812", "1813-9000"]),
        st.sampled_from(["tcp", "udp", "th"]),
    ),
    st.builds(lambda low: match(payload("tcp", "sport"), low, ">"), st.sampled_from([1023, 40000])),
    st.sampled_from([state("new"), state("established"), match(meta("l4proto"), "tcp"), PUZZLE]),
)
verdicts = st.sampled_from([ACCEPT, DROP, RETURN, jump("one"), goto("two"), jump("two")])
own_rules = st.lists(st.builds(lambda met, end: [*met, end], st.lists(conditions, max_size=3), verdicts), max_size=5)
last_rules = st.lists(
    st.builds(lambda met, end: [*met, end], st.lists(conditions, max_size=2), st.sampled_from([ACCEPT, DROP, RETURN])),
    max_size=3,
)
packets = st.builds(
    Packet,
    st.sampled_from(["10.0.1.11", "10.0.1.12", "10.0.2.11", "10.0.2.99", "10.0.9.10", "203.0.113.7", "8.8.8.8"]).map(
        ip_address
    ),
    st.sampled_from(["10.0.1.11", "10.0.1.12", "10.0.2.11", "10.0.2.99", "10.0.9.10", "203.0.113.7", "8.8.8.8"]).map(
        ip_address
    ),
    st.sampled_from([6, 17]),
    st.sampled_from([1023, 1024, 40000, 40001]),
    st.sampled_from([22, 53, 443, 8443, 1812, 1813, 1814, 80]),
)


def flows_of(packet: Packet) -> set[str]:
    if packet.protocol not in NAMES:
        return set()
    return designed(
        DESIGN,
        Tried(
            IPv4Address(str(packet.source)),
            IPv4Address(str(packet.destination)),
            NAMES[packet.protocol],
            packet.destination_port,
        ),
    )


def services_of(packet: Packet) -> set[str]:
    named = {
        name
        for name, (protocols, ports) in SERVICES.items()
        if NAMES.get(packet.protocol) in protocols and packet.destination_port in ports
    }
    return named or {OTHER}


def kind_of(rules: Ruleset, packet: Packet) -> Kind | None:
    """Judge one packet as the proof should."""
    verdict, _ = decide(rules, packet)
    expected = bool(flows_of(packet))
    if verdict is Verdict.ALLOWED and expected:
        answer, _ = decide(rules, packet.answer(), Way.FORWARDED, State.ESTABLISHED)
        return {Verdict.DENIED: Kind.ANSWER_DENIED, Verdict.UNKNOWN: Kind.ANSWER_UNKNOWN}.get(answer)
    disagreements = {(Verdict.ALLOWED, False): Kind.ALLOWED, (Verdict.DENIED, True): Kind.DENIED}
    return Kind.UNKNOWN if verdict is Verdict.UNKNOWN else disagreements.get((verdict, expected))


def holds(rules: Ruleset, difference: Difference) -> None:
    """Check that a difference's own packet shows what it says."""
    answered = difference.kind in {Kind.ANSWER_DENIED, Kind.ANSWER_UNKNOWN}
    first = difference.example.answer() if answered else difference.example
    asked = State.ESTABLISHED if answered else State.NEW
    decided = decide(rules, difference.example, Way.FORWARDED, asked)
    assert decided[1] == difference.decision
    if difference.example.source.version == 4:
        assert kind_of(rules, first) is difference.kind
        assert set(difference.flows) <= flows_of(first)
        assert bool(difference.flows) == bool(flows_of(first))
        assert (difference.source, difference.destination) == (zone_of(first.source), zone_of(first.destination))
        assert difference.service in services_of(first)


@settings(max_examples=50, deadline=None)
@given(
    own_rules, last_rules, last_rules, st.sampled_from(["accept", "drop"]), st.lists(packets, min_size=40, max_size=40)
)
def test_every_packet_is_a_member_of_its_cell(
    own: list[list[Expression]],
    one: list[list[Expression]],
    two: list[list[Expression]],
    policy: str,
    tried: list[Packet],
) -> None:
    rules = ruleset(
        chain("two", *two),
        chain("one", *one),
        chain("base", *own, *(expressions for _, expressions in FLOWS), hook="forward", policy=policy),
    )
    proof = prove_gateway(DESIGN, rules)
    matrix = proof.matrix()
    for packet in tried:
        source_zone, destination_zone = zone_of(packet.source), zone_of(packet.destination)
        kind = kind_of(rules, packet)
        if kind is not None and source_zone != destination_zone:
            for service in services_of(packet):
                assert kind in matrix[source_zone, destination_zone, service], packet
    for difference in proof.differences():
        holds(rules, difference)


def test_zones_inside_zones_keep_their_own_addresses() -> None:
    inner = DESIGN.zones[0].model_copy(update={"name": "inner", "subnet": ip_network("10.0.1.128/25")})
    nested = DESIGN.model_copy(update={"zones": (*DESIGN.zones, inner)})
    rules = forward(ANSWERS, *FLOWS, ("inside", [source("10.0.1.129"), destination("10.0.2.11"), ACCEPT]))
    assert {each.source for each in prove_gateway(nested, rules).differences()} == {"inner"}


def test_an_example_is_of_its_zone_even_where_evidence_is_shared() -> None:
    proof = prove(*FLOWS, ("open", [port("22"), ACCEPT]))
    for difference in proof.differences():
        if difference.example.source.version == 4:
            assert zone_of(difference.example.destination) == difference.destination
            assert replace(difference.example).destination_port == 22
