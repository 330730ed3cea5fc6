"""Cells hold exactly what no set tells apart, and examples lie in their cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardround.proof.axis import Services, Side, Zone
from wardround.proof.partition import bits, divide
from wardround.proof.ranges import Ranges
from wardround.proof.ruleset import PORT_PROTOCOLS, Field, Through, Unreadable, Within

pytestmark = pytest.mark.unit

TOP = 40
numbers = st.integers(0, TOP)
sets = st.lists(st.tuples(numbers, numbers), max_size=4).map(Ranges.of)


def members(found: Ranges) -> set[int]:
    return {number for number in range(TOP + 1) if number in found}


@given(st.lists(st.tuples(numbers, numbers), max_size=5))
def test_ranges_are_the_set_that_they_were_made_of(spans: list[tuple[int, int]]) -> None:
    found = Ranges.of(spans)
    assert members(found) == {number for low, high in spans for number in range(low, high + 1)}
    assert all(high + 1 < low for (_, high), (low, _) in zip(found.spans, found.spans[1:], strict=False))


@given(sets, sets)
def test_ranges_are_joined_and_taken_away_as_sets_are(one: Ranges, other: Ranges) -> None:
    assert members(one.without(other)) == members(one) - members(other)
    assert members(one.joined(other)) == members(one) | members(other)
    assert members(one.outside(TOP)) == set(range(TOP + 1)) - members(one)
    assert one.without(other).joined(Ranges.of([*one.spans, *other.spans])) == one.joined(other)


@given(st.lists(sets, max_size=5), sets)
def test_cells_are_what_no_set_tells_apart(given_sets: list[Ranges], universe: Ranges) -> None:
    found = divide(given_sets, universe)
    signatures = {tuple(number in each for each in given_sets) for number in members(universe)}
    shown = {tuple(low in each for each in given_sets) for low, _ in found.cells}
    assert shown == signatures
    assert len(found.cells) == len(signatures)
    for each in given_sets:
        inside = set(bits(found.masks[each]))
        for cell, (low, high) in enumerate(found.cells):
            assert all((number in each) == (cell in inside) for number in range(low, high + 1))


@given(st.lists(st.tuples(st.sampled_from([6, 17, 47, 1]), st.sampled_from([22, 53, 443]), st.booleans()), max_size=4))
def test_every_service_is_in_the_cells_of_what_it_meets(wanted: list[tuple[int, int, bool]]) -> None:
    asked = [
        condition
        for protocol, port, is_source in wanted
        for condition in (
            Within(Field.PROTOCOL, Ranges.one(protocol)),
            Within(Field.SOURCE_PORT if is_source else Field.DESTINATION_PORT, Ranges.of([(port, port + 9)])),
            Within(Field.ICMP_TYPE, Ranges.one(port % 256)),
        )
    ]
    services = Services(4, asked)
    for cell in bits(services.full):
        protocol, source, destination, kind = services.example(cell)
        values = {Field.PROTOCOL: protocol}
        if protocol in PORT_PROTOCOLS:
            values |= {Field.SOURCE_PORT: source, Field.DESTINATION_PORT: destination}
        if protocol == 1:
            values |= {Field.ICMP_TYPE: kind}
        for condition in asked:
            must, may = services.masks(condition)
            known = values.get(condition.field)
            assert bool(must >> cell & 1) == (known is not None and known in condition.numbers)
            assert bool(may >> cell & 1) == (known is None or known in condition.numbers)
    assert services.masks(Unreadable("?")) == (0, services.full)


def test_zones_behind_unknown_interfaces_may_use_any() -> None:
    zones = (Zone("a", Ranges.of([(0, 9)]), "eth0"), Zone("b", Ranges.of([(10, 19)])))
    side = Side(zones, [Ranges.of([(5, 14)])])
    first, second = side.zone_masks
    assert side.masks(Through(incoming=True, names=("eth0",))) == (first, side.full)
    assert side.masks(Through(incoming=True, names=("eth*",), negated=True)) == (0, second)
    assert side.masks(Through(incoming=True, names=("lo",), negated=True)) == (side.full, side.full)
    assert [side.zones[side.zone_of[cell]].name for cell in bits(side.full)] == ["a", "a", "b", "b"]
    assert [side.example(cell) for cell in bits(side.full)] == [1, 6, 11, 16]
