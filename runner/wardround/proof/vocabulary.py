"""The words that nft(8) prints instead of numbers, and the numbers behind them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final

from wardround.proof.ranges import Ranges
from wardround.proof.ruleset import ALL_ADDRESSES, IPV4, Field, State

# IANA's protocol numbers under the names that Debian's /etc/protocols and nft(8) give them.
PROTOCOLS: Final = {
    "icmp": 1,
    "igmp": 2,
    "ipencap": 4,
    "ipip": 4,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "ipv6": 41,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "ospf": 89,
    "pim": 103,
    "ipcomp": 108,
    "comp": 108,
    "vrrp": 112,
    "l2tp": 115,
    "sctp": 132,
    "udplite": 136,
}
_ICMP: Final = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "info-request": 15,
    "info-reply": 16,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}
_ICMPV6: Final = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "mld-listener-reduction": 132,
    "nd-router-solicit": 133,
    "nd-router-advert": 134,
    "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136,
    "nd-redirect": 137,
    "router-renumbering": 138,
    "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142,
    "mld2-listener-report": 143,
}
_ICMP_TYPES: Final = {IPV4: _ICMP, 6: _ICMPV6}
# What may stand beside a member of a set without a say in whether it is one.
_QUIET: Final = frozenset({"comment", "counter"})
_FAMILIES: Final = {"ipv4": 4, "ipv6": 6, "ip": 4, "ip6": 6}
_HIGHEST: Final = {
    Field.FAMILY: 255,
    Field.STATE: len(State) - 1,
    Field.PROTOCOL: 255,
    Field.SOURCE_PORT: 65535,
    Field.DESTINATION_PORT: 65535,
    Field.ICMP_TYPE: 255,
}
_ADDRESSES: Final = (Field.SOURCE, Field.DESTINATION)


class UnknownWordError(ValueError):
    """A value that has no number here; what compares with it is not understood."""


def highest(field: Field, family: int | None) -> int:
    """Give the largest number that a field can hold; addresses depend on the family."""
    return ALL_ADDRESSES[family or IPV4] if field in _ADDRESSES else _HIGHEST[field]


def numbers(field: Field, family: int | None, value: object) -> Ranges:
    """Give the numbers that one value of a listing means: a word, a number, a prefix or a range.

    Raises:
        UnknownWordError: the value has another form, or is a word that is not known.
    """
    match value:
        case "*":
            return Ranges(((0, highest(field, family)),))
        case {"elem": {"val": inner, **rest}} if _QUIET.issuperset(rest):
            return numbers(field, family, inner)
        case {"range": [first, last]}:
            return Ranges.of([(_number(field, family, first), _number(field, family, last))])
        case {"prefix": {"addr": str(address), "len": int(length)}} if field in _ADDRESSES:
            try:
                network = ip_network(f"{address}/{length}")
            except ValueError as wrong:
                raise UnknownWordError(str(wrong)) from wrong
            if network.version != family:
                raise UnknownWordError(f"{network} is of another address family")
            return Ranges(((int(network[0]), int(network[-1])),))
        case _:
            return Ranges.one(_number(field, family, value))


def _number(field: Field, family: int | None, value: object) -> int:
    found: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str):
        found = _address(value, family) if field in _ADDRESSES else _words(field, family).get(value)
    if found is None or not 0 <= found <= highest(field, family):
        raise UnknownWordError(f"{value!r} is no {field}")
    return found


def _address(text: str, family: int | None) -> int | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return int(address) if address.version == family else None


def _words(field: Field, family: int | None) -> dict[str, int]:
    match field:
        case Field.PROTOCOL:
            return PROTOCOLS
        case Field.ICMP_TYPE:
            return _ICMP_TYPES[family or IPV4]
        case Field.STATE:
            return {state.value: state.number for state in State}
        case Field.FAMILY:
            return _FAMILIES
        case _:
            return {}
