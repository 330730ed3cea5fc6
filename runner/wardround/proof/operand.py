"""Left sides of comparisons: which field of a packet a rule looks at, and what a comparison with it demands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.proof.ranges import Ranges
from wardround.proof.ruleset import ICMP_PROTOCOLS, IPV4, Condition, Field, Through, Unreadable, Within
from wardround.proof.vocabulary import PROTOCOLS, UnknownWordError, highest, numbers
from wardround.proof.wording import value_words

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAMILIES: Final = {"ip": IPV4, "ip6": 6}
_ICMP: Final = {"icmp": IPV4, "icmpv6": 6}
_PORTS: Final = {"sport": Field.SOURCE_PORT, "dport": Field.DESTINATION_PORT}
_ADDRESSES: Final = {"saddr": Field.SOURCE, "daddr": Field.DESTINATION}
_WITH_PORTS: Final = frozenset({"tcp", "udp", "dccp", "sctp", "udplite"})
_META: Final = {"l4proto": Field.PROTOCOL, "nfproto": Field.FAMILY, "protocol": Field.FAMILY}
_INTERFACES: Final = {"iif": True, "iifname": True, "oif": False, "oifname": False}
_EQUAL: Final = frozenset({"==", "in"})


@dataclass(frozen=True, slots=True)
class Number:
    """A field that is compared as a number; nft(8) takes `guards` for granted and does not print them."""

    field: Field
    family: int | None = None
    guards: tuple[Condition, ...] = ()

    def compare(self, operator: str, values: Sequence[object]) -> tuple[Condition, ...]:
        """Give the conditions of a comparison with one value, or with the members of a set.

        Raises:
            UnknownWordError: a value or the operator is not understood.
        """
        meant = Ranges.of(span for value in values for span in numbers(self.field, self.family, value).spans)
        top = highest(self.field, self.family)
        if operator in _EQUAL:
            found = meant
        elif operator == "!=":
            found = meant.outside(top)
        elif len(values) == len(meant.spans) == 1 and operator in {"<", "<=", ">", ">="}:
            low, high = meant.spans[0]
            edges = {"<": (0, low - 1), "<=": (0, high), ">": (high + 1, top), ">=": (low, top)}
            found = Ranges.of([edges[operator]])
        else:
            raise UnknownWordError(f"operator {operator}")
        return (*self.guards, Within(self.field, found))


@dataclass(frozen=True, slots=True)
class Interface:
    """The interface that a packet comes in or goes out by."""

    incoming: bool

    def compare(self, operator: str, values: Sequence[object]) -> tuple[Condition, ...]:
        """Give the condition of a comparison with interface names.

        Raises:
            UnknownWordError: an interface is not given by name, or the operator is not understood.
        """
        names = tuple(value for value in values if isinstance(value, str) and value.strip("*") and "\\" not in value)
        if len(names) != len(values) or operator not in _EQUAL | {"!="}:
            raise UnknownWordError(f"interfaces {values!r}")
        return (Through(self.incoming, names, negated=operator == "!="),)


Operand = Number | Interface


def operand(left: object) -> Operand | None:
    """Give the field that a left side means; nothing where it is not understood."""
    match left:
        case {"payload": {"protocol": str(protocol), "field": str(field)}}:
            return _header(protocol, field)
        case {"meta": {"key": "l4proto" | "nfproto" | "protocol" as key}}:
            return Number(_META[key])
        case {"ct": {"key": "state", **rest}} if not rest:
            return Number(Field.STATE)
        case {"meta": {"key": "iif" | "iifname" | "oif" | "oifname" as key}}:
            return Interface(_INTERFACES[key])
        case _:
            return None


def _header(protocol: str, field: str) -> Number | None:
    """Give a field of a header; `th` is the header of any protocol that has ports."""
    match protocol, field:
        case "ip" | "ip6", "saddr" | "daddr":
            family = _FAMILIES[protocol]
            return Number(_ADDRESSES[field], family, (_family(family),))
        case "ip", "protocol":
            return Number(Field.PROTOCOL, guards=(_family(IPV4),))
        case "th", "sport" | "dport":
            return Number(_PORTS[field])
        case _, "sport" | "dport" if protocol in _WITH_PORTS:
            return Number(_PORTS[field], guards=(_protocol(PROTOCOLS[protocol]),))
        case "icmp" | "icmpv6", "type":
            family = _ICMP[protocol]
            return Number(Field.ICMP_TYPE, family, (_family(family), _protocol(ICMP_PROTOCOLS[family])))
        case _:
            return None


def compare(left: object, operator: str, values: Sequence[object]) -> tuple[Condition, ...]:
    """Give the conditions of a comparison; one that is not understood becomes an unreadable condition."""
    found = operand(left)
    try:
        if found is not None:
            return found.compare(operator, values)
    except UnknownWordError:
        return doubt(left, operator, values)
    return (_unreadable(left, operator, values),)


def doubt(left: object, operator: str, values: Sequence[object]) -> tuple[Condition, ...]:
    """Give a comparison whose words may not be what the kernel does: what it takes for granted, and no more."""
    return (*_guards(operand(left)), _unreadable(left, operator, values))


def implied_by_reject(reason: object) -> tuple[Condition, ...]:
    """Give what nft(8) takes for granted behind a kind of rejection and does not print."""
    match reason:
        case {"type": "tcp reset"}:
            return (_protocol(PROTOCOLS["tcp"]),)
        case {"type": "icmp"}:
            return (_family(IPV4),)
        case {"type": "icmpv6"}:
            return (_family(6),)
        case _:
            return ()


def _guards(found: Operand | None) -> tuple[Condition, ...]:
    return found.guards if isinstance(found, Number) else ()


def _unreadable(left: object, operator: str, values: Sequence[object]) -> Unreadable:
    return Unreadable(f"{value_words(left)} {operator} {', '.join(map(value_words, values))}")


def _family(number: int) -> Within:
    return Within(Field.FAMILY, Ranges.one(number))


def _protocol(number: int) -> Within:
    return Within(Field.PROTOCOL, Ranges.one(number))
