"""Random rule sets in nft(8)'s language, and packets that lie on and beside their borders."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from itertools import product
from typing import Final

from hypothesis import strategies as st

from tests.integration.packet_lab import LEFT, MARKS, OWN, RIGHT, TCP, UDP
from wardround.proof.packet import Packet

_V4: Final = ("10.11.0.1", "10.11.0.2", "10.11.0.254", "10.11.1.1", "10.11.128.7")
_LEFT: Final = [ip_address(each) for each in _V4]
_RIGHT: Final = [ip_address(each.replace("10.11", "10.12")) for each in _V4]
_PORTS: Final = [22, 53, 79, 80, 81, 443, 444, 1023, 1024, 65535]
_SOURCE_PORTS: Final = [1000, 1023, 1024, 40000]
# Connections that are open keep ports of their own, so that no other packet belongs to them.
OPEN: Final = tuple(
    Packet(source, destination, protocol, 3000, port, incoming=LEFT, outgoing=RIGHT)
    for source, destination, protocol, port in (
        (_LEFT[0], _RIGHT[0], TCP, 80),
        (_LEFT[1], _RIGHT[2], TCP, 443),
        (_LEFT[0], _RIGHT[1], UDP, 53),
        (_LEFT[3], _RIGHT[3], UDP, 1024),
    )
)


def _across(sources: Sequence[str], destinations: Sequence[str]) -> list[Packet]:
    return [
        Packet(ip_address(source), ip_address(destination), protocol, source_port, port, incoming=LEFT, outgoing=RIGHT)
        for source, destination, protocol, source_port, port in product(
            sources, destinations, (TCP, UDP), _SOURCE_PORTS, _PORTS
        )
    ]


_V4_RIGHT: Final = [each.replace("10.11", "10.12") for each in _V4]
CROSSING: Final = [
    *_across(_V4, _V4_RIGHT),
    *_across(["fd00:11::1", "fd00:11::2"], ["fd00:12::1", "fd00:12:1::1"]),
]
"""Packets from the left to the right."""
ENTERING: Final = [
    Packet(ip_address(source), OWN, UDP, source_port, port, incoming=LEFT)
    for source, source_port, port in product(_V4, _SOURCE_PORTS, _PORTS)
]
"""Packets from the left to the router itself."""
_ADDRESSES: Final = [
    *(
        f"10.{net}.{rest}"
        for net in (11, 12)
        for rest in ("0.1", "0.2", "0.0/24", "0.2-10.{}.1.1", "128.0/17", "0.0/16")
    ),
    "10.0.0.0/8",
    "10.1.255.1",
    "10.11.0.254-10.12.0.1",
]
_SPANS: Final = [each.format(each.split(".")[1]) for each in _ADDRESSES]
_SERVICES: Final = ["22", "53", "80", "443", "65535", "79-81", "1-1023", "444-1024", "1024-65535", "1000-1023"]


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if "." not in text:
        return int(first), int(last or first)
    if last:
        return int(ip_address(first)), int(ip_address(last))
    network = ip_network(first)
    return int(network[0]), int(network[-1])


def _apart(members: list[str]) -> list[str]:
    """Leave out what overlaps: nft(8) refuses it."""
    kept: list[str] = []
    for each in members:
        low, high = _span(each)
        if all(high < _span(other)[0] or low > _span(other)[1] for other in kept):
            kept.append(each)
    return kept


def _members(pool: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique=True).map(_apart)


def _set(pool: list[str]) -> st.SearchStrategy[str]:
    return _members(pool).map(lambda members: f"{{ {', '.join(members)} }}")


_NOT: Final = st.sampled_from(["", "", "!= "])
_ends: Final = st.sampled_from(["saddr", "daddr"])
_ports: Final = st.sampled_from(["sport", "dport", "dport"])
_headers: Final = st.sampled_from(["tcp", "udp", "th"])
_states: Final = st.sampled_from(
    ["new", "established,related", "established", "invalid", "!= new", "!= established", "{ new, established }"]
)
_understood: Final = st.one_of(
    st.builds("ip {} {}{}".format, _ends, _NOT, st.sampled_from(_SPANS)),
    st.builds("ip {} {}{}".format, _ends, _NOT, _set(_SPANS)),
    st.builds("ip {} {}@hosts".format, _ends, _NOT),
    st.builds("{} {} {}{}".format, _headers, _ports, _NOT, st.sampled_from(_SERVICES)),
    st.builds("{} {} {}{}".format, _headers, _ports, _NOT, _set(_SERVICES)),
    st.builds("{} dport {}@services".format, _headers, _NOT),
    st.builds(
        "{} dport {} {}".format, _headers, st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from(["80", "443"])
    ),
    st.builds("ct state {}".format, _states),
    st.sampled_from(
        [
            "meta l4proto tcp",
            "meta l4proto != udp",
            "meta l4proto { tcp, udp }",
            "ip protocol udp",
            "meta nfproto ipv6",
            "ip6 saddr fd00:11::1",
            "ip6 daddr != fd00:12::/64",
            "ip daddr . tcp dport { 10.12.0.1 . 80, 10.12.0.2 . 443, 10.12.0.0/24 . 22 }",
            f'iifname "{LEFT}"',
            'iifname "left*"',
            f'iifname != "{LEFT}"',
            f'oifname "{RIGHT}"',
            f'oifname {{ "lo", "{LEFT}" }}',
            "icmp type echo-request",
            "counter",
        ]
    ),
)
_puzzling: Final = st.sampled_from(
    [
        "ip ttl 64",
        "ip ttl < 10",
        "meta mark 1",
        "tcp flags syn",
        "ip dscp 0",
        "ct direction original",
        "meta length > 20",
    ]
)
_conditions: Final = st.lists(
    st.integers(0, 7).flatmap(lambda chance: _puzzling if chance == 0 else _understood), min_size=1, max_size=3
).map(" ".join)


def _rule(targets: list[str]) -> st.SearchStrategy[str]:
    plain = [
        "accept",
        "drop",
        "accept",
        "drop",
        "reject",
        "reject with tcp reset",
        "return",
        "continue",
        "counter",
        "reject with icmpx admin-prohibited",
    ]
    onward = [f"{word} {target}" for word in ("jump", "goto") for target in targets]
    verdict = st.sampled_from(plain + onward)
    verdicts = st.sampled_from(["accept", "drop", "return", "continue", *onward])
    ports = st.tuples(_members(_SERVICES), verdicts, verdicts)
    hosts = st.tuples(_ends, _members(_SPANS), verdicts, verdicts)
    return st.one_of(
        st.builds("{} {}".format, _conditions, verdict),
        st.builds("{} {}".format, _conditions, verdict),
        st.builds("{} {}".format, _conditions, verdict),
        st.builds(lambda head, map_: f"{head} dport vmap {{ {_pairs(map_[0], map_[1:])} }}", _headers, ports),
        st.builds(lambda map_: f"ip {map_[0]} vmap {{ {_pairs(map_[1], map_[2:])} }}", hosts),
        st.sampled_from(
            [
                "ct state vmap { established : accept, related : accept, invalid : drop }",
                "meta l4proto vmap { tcp : accept, udp : continue }",
                'limit rate 6/minute log prefix "denied " counter',
                "limit rate over 1000000/second drop",
                "limit rate 1000000/second accept",
                "tcp dport vmap @ways",
            ]
        ),
    )


def _pairs(keys: list[str], verdicts: tuple[str, ...]) -> str:
    return ", ".join(f"{key} : {verdicts[at % len(verdicts)]}" for at, key in enumerate(keys))


@st.composite
def rulesets(draw: st.DrawFn) -> str:
    """Give the text of a rule set with one or two tables, base chains at several hooks, and chains to jump to."""
    return "\n".join(
        draw(_table(family, hooks))
        for family, hooks in draw(
            st.sampled_from(
                [
                    [("inet", ["forward 0", "input 0"])],
                    [("inet", ["prerouting -150", "forward 0", "input 10"])],
                    [("inet", ["forward -5", "forward 5", "postrouting 0"])],
                    [("inet", ["forward 0", "input 0"]), ("ip", ["forward 1", "prerouting -300"])],
                    [("ip", ["forward 0", "input 0"])],
                ]
            )
        )
    )


@st.composite
def _table(draw: st.DrawFn, family: str, hooks: list[str]) -> str:
    hosts, services = draw(_set(_SPANS)), draw(_set(_SERVICES))
    lines = [
        f"table {family} tried {{",
        f"set hosts {{ type ipv4_addr; flags interval; elements = {hosts}; }}",
        f"set services {{ type inet_service; flags interval; elements = {services}; }}",
        "map ways { type inet_service : verdict; elements = { 80 : accept, 443 : drop }; }",
    ]
    names = ["third", "second", "first"]
    for at, name in enumerate(names):
        rules = draw(st.lists(_rule(names[:at] if family == "inet" or at else []), max_size=4))
        lines += _chain(name, [], rules, family)
    for at, hook in enumerate(hooks):
        place, priority = hook.split()
        policy = draw(st.sampled_from(["accept", "drop"]))
        head = [f"type filter hook {place} priority {priority}; policy {policy};", f"ip saddr {{ {_marks()} }} accept"]
        lines += _chain(f"base{at}", head, draw(st.lists(_rule(names), min_size=1, max_size=8)), family)
    return "\n".join([*lines, "}"])


def _chain(name: str, head: list[str], rules: list[str], family: str) -> list[str]:
    # A table of IPv4 refuses conditions that only IPv6 packets can meet.
    kept = [rule for rule in rules if family == "inet" or "ip6 " not in rule]
    return [f"chain {name} {{", *head, *kept, "}"]


def _marks() -> str:
    return ", ".join(map(str, MARKS.values()))
