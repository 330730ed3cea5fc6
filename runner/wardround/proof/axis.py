"""The axes of all packets: who sends, who receives, and by which protocol and ports; each divided into cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.proof.packet import through
from wardround.proof.partition import Partition, bits, divide
from wardround.proof.ranges import Ranges
from wardround.proof.ruleset import (
    ICMP_PROTOCOLS,
    PORT_PROTOCOLS,
    Condition,
    Field,
    Through,
    Unreadable,
    Within,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_PORTS: Final = Ranges(((0, 65535),))
_BYTE: Final = Ranges(((0, 255),))
_USUAL_SOURCE_PORT: Final = 40000


@dataclass(frozen=True, slots=True)
class Zone:
    """A named part of the addresses of one family, not shared with another zone.

    `interface` is the interface behind which the zone lies, seen from the host whose rules are asked, if that is known.
    """

    name: str
    addresses: Ranges
    interface: str | None = None


class Side:
    """The addresses at one end of the packets, divided by zones, rules and flows."""

    def __init__(self, zones: tuple[Zone, ...], divided_by: Iterable[Ranges]) -> None:
        """Divide the addresses of the zones."""
        universe = Ranges().joined(*(zone.addresses for zone in zones))
        self._partition: Partition = divide((*(zone.addresses for zone in zones), *divided_by), universe)
        self.zones = zones
        self.zone_masks = tuple(self._partition.masks[zone.addresses] for zone in zones)
        self.full = self._partition.full
        self.zone_of = [0] * len(self._partition.cells)
        for at, mask in enumerate(self.zone_masks):
            for cell in bits(mask):
                self.zone_of[cell] = at

    def of(self, addresses: Ranges) -> int:
        """Give the cells of addresses that took part in the division."""
        return self._partition.masks[addresses]

    def masks(self, condition: Condition) -> tuple[int, int]:
        """Give the cells that certainly meet a condition on this side, and those that may."""
        match condition:
            case Within(_, numbers):
                mask = self._partition.masks[numbers]
                return mask, mask
            case Through(_, names, negated):
                must = may = 0
                for zone, mask in zip(self.zones, self.zone_masks, strict=True):
                    found = through(names, zone.interface)
                    must |= mask if found is not None and found != negated else 0
                    may |= mask if found is None or found != negated else 0
                return must, may
            case Unreadable():
                return 0, self.full

    def example(self, cell: int) -> int:
        """Give an address of a cell; not the first one where there are more, for that may name a network."""
        low, high = self._partition.cells[cell]
        return low + 1 if high > low + 1 else low


@dataclass(frozen=True, slots=True)
class _Block:
    """The cells of some protocols that nothing tells apart: `first` and how many stand behind each other."""

    protocol: int
    first: int
    size: int


class Services:
    """Protocols, ports and ICMP types, divided by rules and flows."""

    def __init__(self, family: int, divided_by: Iterable[Within]) -> None:
        """Divide them; ports only for protocols that have ports, types only for the family's ICMP."""
        sets: dict[Field, list[Ranges]] = {}
        for each in divided_by:
            sets.setdefault(each.field, []).append(each.numbers)
        apart = sorted({*PORT_PROTOCOLS, ICMP_PROTOCOLS[family]})
        self._protocols = divide([*sets.get(Field.PROTOCOL, []), *map(Ranges.one, apart)], _BYTE)
        self._sources = divide(sets.get(Field.SOURCE_PORT, []), _PORTS)
        self._destinations = divide(sets.get(Field.DESTINATION_PORT, []), _PORTS)
        self._types = divide(sets.get(Field.ICMP_TYPE, []), _BYTE)
        self._icmp = ICMP_PROTOCOLS[family]
        blocks = []
        first = 0
        for protocol, _ in self._protocols.cells:
            blocks.append(_Block(protocol, first, self._size(protocol)))
            first += blocks[-1].size
        self._blocks = tuple(blocks)
        self.full = (1 << first) - 1
        self._with_ports = self._cells_of(PORT_PROTOCOLS)
        self.icmp = self._cells_of({self._icmp})

    def masks(self, condition: Condition) -> tuple[int, int]:
        """Give the cells that certainly meet a condition on protocol, ports or type, and those that may."""
        if not isinstance(condition, Within):
            return 0, self.full
        mask = self._mask(condition)
        if condition.field in {Field.SOURCE_PORT, Field.DESTINATION_PORT}:
            # What stands where other protocols have no ports is not compared by anyone on purpose.
            return mask, mask | (self.full & ~self._with_ports)
        if condition.field is Field.ICMP_TYPE:
            return mask, mask | (self.full & ~self.icmp)
        return mask, mask

    def of(self, protocol: int, ports: Ranges) -> int:
        """Give the cells of one protocol with some destination ports that took part in the division."""
        return self._cells_of({protocol}) & self._mask(Within(Field.DESTINATION_PORT, ports))

    def example(self, cell: int) -> tuple[int, int, int, int]:
        """Give protocol, source port, destination port and ICMP type of a packet in a cell."""
        block = next(each for each in self._blocks if each.first <= cell < each.first + each.size)
        at = cell - block.first
        if block.protocol in PORT_PROTOCOLS:
            source, destination = divmod(at, len(self._destinations.cells))
            usual = _one_of(self._sources.cells[source], _USUAL_SOURCE_PORT)
            return block.protocol, usual, _one_of(self._destinations.cells[destination], 1), 0
        if block.protocol == self._icmp:
            return block.protocol, 0, 0, self._types.cells[at][0]
        return block.protocol, 0, 0, 0

    def _size(self, protocol: int) -> int:
        if protocol in PORT_PROTOCOLS:
            return len(self._sources.cells) * len(self._destinations.cells)
        return len(self._types.cells) if protocol == self._icmp else 1

    def _cells_of(self, protocols: Iterable[int]) -> int:
        wanted = set(protocols)
        return sum(((1 << block.size) - 1) << block.first for block in self._blocks if block.protocol in wanted)

    def _mask(self, condition: Within) -> int:
        match condition.field:
            case Field.PROTOCOL:
                known = self._protocols.masks[condition.numbers]
                return sum(((1 << self._blocks[at].size) - 1) << self._blocks[at].first for at in bits(known))
            case Field.ICMP_TYPE:
                return self._repeated({self._icmp}, self._types.masks[condition.numbers])
            case Field.DESTINATION_PORT:
                row = self._destinations.masks[condition.numbers]
                width = len(self._destinations.cells)
                block = sum(row << (at * width) for at in range(len(self._sources.cells)))
                return self._repeated(PORT_PROTOCOLS, block)
            case _:
                width = len(self._destinations.cells)
                row = (1 << width) - 1
                block = sum(row << (at * width) for at in bits(self._sources.masks[condition.numbers]))
                return self._repeated(PORT_PROTOCOLS, block)

    def _repeated(self, protocols: Iterable[int], block: int) -> int:
        wanted = set(protocols)
        return sum(block << each.first for each in self._blocks if each.protocol in wanted)


def _one_of(span: tuple[int, int], wanted: int) -> int:
    low, high = span
    return min(max(wanted, low), high)
