"""A diagram that a reader can trust: lines lead from where a flow begins to where it ends, and hide nothing."""

from __future__ import annotations

from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hospital_samples import Data, architecture_data, design, manifest
from wardround.load.project import Project
from wardround.model.design import Design
from wardround.render.diagram import Box, Diagram, Net, box_of, boxes_of, design_diagram
from wardround.render.flow_end import Place
from wardround.render.layout import MARGIN, Picture, PlacedBox, Segment, Wire, lay_out
from wardround.render.measure import clipped, label_width
from wardround.render.routes import Route, route
from wardround.render.stylesheet import DARK, LIGHT, Palette
from wardround.render.svg import design_svg
from wardround.render.tracks import Trunk, assign
from wardround.verbs.opening import load_design

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("management", "user", "device", "server", "external")


@st.composite
def hospitals(draw: st.DrawFn) -> Design:
    """Give hospitals of any shape: zones of every kind, empty and crowded ones, flows in all directions."""
    architecture, hospital = architecture_data(), manifest()
    architecture |= {"zones": {}, "components": {}, "flows": [], "parameters": {}, "everywhere": {}, "roles": []}
    hospital |= {"zones": {}, "hosts": {}}
    kinds = ["management", *draw(st.lists(st.sampled_from(KINDS), max_size=9))]
    for number, kind in enumerate(kinds):
        zone = f"{kind}_{number}"
        architecture["zones"][zone] = {"purpose": "what it is for " * draw(st.integers(1, 9)), "kind": kind}
        hospital["zones"][zone] = {"subnet": f"10.1.{number}.0/24"}
        for component in range(draw(st.integers(0, 2))):
            _add_hosts(architecture, hospital, zone, f"kind_{number}_{component}", draw)
    hospital["control"] = {"zone": "management_0", "address": "10.1.0.250"}
    words = ["managed", "internal", "control", *(f"zone:{zone}" for zone in architecture["zones"])]
    words += list(architecture["components"])
    ends = st.lists(st.sampled_from(words), min_size=1, max_size=3, unique=True)
    for number in range(draw(st.integers(0, 14))):
        flow = {"id": f"F-WRD-{number:02}", "purpose": "work", "from": draw(ends), "to": draw(ends)}
        architecture["flows"].append({**flow, "service": draw(st.sampled_from(sorted(architecture["services"])))})
    return design(hospital, architecture)


def _add_hosts(architecture: Data, hospital: Data, zone: str, component: str, draw: st.DrawFn) -> None:
    platform = draw(st.sampled_from(("managed", "network", "unmanaged")))
    architecture["components"][component] = {
        "summary": "x",
        "platform": platform,
        "zones": [zone],
        "criticality": draw(st.sampled_from(("life", "low"))),
    }
    subnet = hospital["zones"][zone]["subnet"].removesuffix("0/24")
    first = 10 + 60 * int(component[-1])
    for number in range(draw(st.sampled_from((1, 2, 3, 9, 25)))):
        host: dict[str, Any] = {"component": component, "address": f"{subnet}{first + number}", "owner": "it"}
        host |= {"window": "night", "restart": "never", "fallback": "x"}
        host |= {"release": "debian-12", "restart": "in_window"} if platform == "managed" else {}
        host |= {"mac": f"02:00:00:{zone[-1]:0>2}:{component[-1]:0>2}:{number:02}"} if platform == "unmanaged" else {}
        hospital["hosts"][f"{component.replace('_', '-')}-{number}"] = host


@cache
def st_elsewhere() -> Design:
    return load_design(Project(ROOT), "st-elsewhere")


def drawn(of: Design) -> tuple[Diagram, Picture]:
    diagram = design_diagram(of)
    return diagram, lay_out(diagram)


def inside(segment: Segment, box: PlacedBox) -> bool:
    """Say whether a line enters a box, its edge not counted."""
    left, right = sorted((segment.x1, segment.x2))
    top, bottom = sorted((segment.y1, segment.y2))
    return left < box.x + box.width and right > box.x and top < box.whole.bottom and bottom > box.whole.y


def overlap(one: Segment, other: Segment) -> bool:
    """Say whether two lines lie on each other for some length; crossing is not that."""
    for across in ("x", "y"):
        along = "y" if across == "x" else "x"
        fixed = {getattr(line, f"{across}{end}") for line in (one, other) for end in (1, 2)}
        (first, last), (begin, end) = (
            sorted((getattr(line, f"{along}1"), getattr(line, f"{along}2"))) for line in (one, other)
        )
        if len(fixed) == 1 and max(first, begin) < min(last, end):
            return True
    return False


def joined(wire: Wire) -> bool:
    """Say whether all of a net's lines hang together."""
    reached, waiting = {wire.segments[0]}, set(wire.segments[1:])
    while near := {line for line in waiting if any(touch(line, other) for other in reached)}:
        reached |= near
        waiting -= near
    return not waiting


def touch(one: Segment, other: Segment) -> bool:
    return (
        max(min(one.x1, one.x2), min(other.x1, other.x2)) <= min(max(one.x1, one.x2), max(other.x1, other.x2))
    ) and (max(min(one.y1, one.y2), min(other.y1, other.y2)) <= min(max(one.y1, one.y2), max(other.y1, other.y2)))


def row_of(place: Place, placed: dict[Place, PlacedBox]) -> tuple[int, int]:
    """Give where a place's row begins and ends; a box's own is its head."""
    box = placed[box_of(place)]
    for row, span in zip(box.box.rows, box.rows, strict=True):
        if row.place == place:
            return span.y, span.bottom
    assert place == box.box.place
    return box.whole.y, box.rows[0].y if box.rows else box.whole.bottom


def ends_at(wire: Wire, place: Place, placed: dict[Place, PlacedBox]) -> list[tuple[int, int]]:
    """Give the points at which a net meets a place's row on the edge of its box."""
    box = placed[box_of(place)]
    top, bottom = row_of(place, placed)
    points = {point for line in wire.segments for point in ((line.x1, line.y1), (line.x2, line.y2))}
    return [(x, y) for x, y in points if x in {box.x, box.x + box.width} and top <= y <= bottom]


def check_picture(of: Design) -> None:
    diagram, picture = drawn(of)
    placed = {box.box.place: box for box in picture.boxes}
    assert len(placed) == sum(len(boxes_of(column)) for column in diagram.columns)
    for one, other in combinations(picture.boxes, 2):
        apart = one.x + one.width < other.x or other.x + other.width < one.x
        assert apart or one.whole.bottom < other.whole.y or other.whole.bottom < one.whole.y
    assert sorted(map(repr, (wire.net for wire in picture.wires))) == sorted(map(repr, diagram.nets))
    for wire in picture.wires:
        assert joined(wire)
        assert not [box for box in picture.boxes if any(inside(line, box) for line in wire.segments)]
        heads = {(arrow.x, arrow.y) for arrow in wire.arrows}
        assert len(heads) == len(wire.net.destinations)
        for place in wire.net.destinations:
            assert heads & set(ends_at(wire, place, placed)), place
        for place in wire.net.sources:
            assert set(ends_at(wire, place, placed)) - heads, place
        assert all(min(line.x1, line.x2) > 0 and max(line.x1, line.x2) < picture.width for line in wire.segments)
    for wire, another in combinations(picture.wires, 2):
        assert not [(a, b) for a in wire.segments for b in another.segments if overlap(a, b)], (wire.net, another.net)


@given(hospitals())
@settings(deadline=None, max_examples=60)
def test_lines_lead_from_source_to_destination_and_hide_nothing(of: Design) -> None:
    check_picture(of)


def test_the_example_hospital_is_drawn_soundly() -> None:
    check_picture(st_elsewhere())


def test_lines_between_everybody_keep_apart() -> None:
    architecture, hospital = architecture_data(), manifest()
    architecture |= {"flows": [], "everywhere": {}, "roles": []}
    for component in architecture["components"].values():
        component |= {"roles": [], "variables": {}}
    ends = [*architecture["components"], "managed", "internal", "control", "zone:outside", "zone:vendor"]
    for number, (source, destination) in enumerate(product(ends, ends)):
        flow = {"id": f"F-WRD-{number:02}", "from": [source], "to": [destination], "purpose": "work"}
        architecture["flows"].append({**flow, "service": "dns"})
    check_picture(design(hospital, architecture))


def test_every_active_flow_is_an_arrow_with_its_name() -> None:
    diagram, _ = drawn(st_elsewhere())
    said = sorted({label.id for net in diagram.nets for label in net.labels})
    assert said == [flow.id for flow in st_elsewhere().flows if flow.active]


def test_labels_have_room_beside_their_arrow() -> None:
    _, picture = drawn(st_elsewhere())
    for wire in picture.wires:
        for arrow in wire.arrows:
            end = arrow.x - arrow.step * (10 + label_width(wire.net.labels))
            own = {line.x1 for line in wire.segments if line.x1 == line.x2}
            assert all(arrow.step * (end - x) >= 0 for x in own)


def test_flows_of_everybody_are_drawn_once() -> None:
    diagram, _ = drawn(st_elsewhere())
    everybody = [net for net in diagram.nets if Place(group="managed") in (*net.sources, *net.destinations)]
    assert everybody
    assert all(len(net.sources) == len(net.destinations) == 1 for net in everybody)


def test_a_flow_that_means_some_hosts_only_leads_to_them() -> None:
    resolved = st_elsewhere()
    flow = next(each for each in resolved.flows if each.id == "F-LOG-01")
    some = flow.model_copy(update={"source_hosts": ("pacs01",)})
    [net] = design_diagram(resolved.model_copy(update={"flows": (some,)})).nets
    assert net.sources == (Place(zone="imaging_core", component="pacs_archive"),)


def test_flows_with_the_same_ends_share_a_line() -> None:
    diagram, _ = drawn(st_elsewhere())
    assert ["F-INF-01", "F-INF-02"] in [[label.id for label in net.labels] for net in diagram.nets]


def test_a_crowd_is_counted_instead_of_drawn() -> None:
    data = manifest()
    for number in range(40):
        data["hosts"][f"srv{number + 10}"] = {**data["hosts"]["srv01"], "address": f"10.0.1.{number + 20}"}
    diagram, _ = drawn(design(data))
    [row] = [row for box in _all_boxes(diagram) for row in box.rows if row.caption == "server"]
    assert (len(row.chips), row.more) == (8, 33)
    assert "and 33 more" in design_svg(design(data))


def _all_boxes(diagram: Diagram) -> list[Box]:
    return [box for column in diagram.columns for box in boxes_of(column)]


def test_hosts_are_told_apart_by_shape_and_not_by_colour_alone() -> None:
    diagram, _ = drawn(design())
    shapes = {chip.name: chip.shape for box in _all_boxes(diagram) for row in box.rows for chip in row.chips}
    assert shapes == {"srv01": "managed", "sw01": "network", "mon01": "unmanaged", "control": "control"}


def test_a_hospital_without_flows_is_its_zones() -> None:
    data = architecture_data()
    data["flows"] = []
    diagram, picture = drawn(design(of=data))
    assert (diagram.nets, picture.wires) == ((), ())
    assert min(box.x for box in picture.boxes) == MARGIN


@pytest.mark.parametrize(
    ("ends", "way"),
    [
        ((0, 1), Route("right", "left", (1,), ())),
        ((0, 3), Route("right", "left", (1, 2, 3), (1, 2))),
        ((3, 1), Route("left", "right", (3, 2), (2,))),
        ((2, 2), Route("right", "right", (3,), ())),
    ],
)
def test_a_line_takes_the_gutters_between_its_ends(ends: tuple[int, int], way: Route) -> None:
    assert route(*ends) == way


def test_tracks_are_shared_by_lines_that_do_not_meet() -> None:
    upper, lower, both = Trunk(0, (0,), (20,)), Trunk(1, (40,), (60,)), Trunk(2, (10,), (50,))
    tracks = assign((upper, lower, both))
    assert sorted(tuple(trunk.net for trunk in track) for track in tracks) == [(0, 1), (2,)]


def test_tracks_are_ordered_so_that_lines_do_not_cross() -> None:
    steep, flat = Trunk(0, (0,), (100,)), Trunk(1, (50,), (150,))
    assert [track[0].net for track in assign((steep, flat))] == [1, 0]
    assert [track[0].net for track in assign((Trunk(0, (100,), (0,)), Trunk(1, (150,), (50,))))] == [0, 1]


def test_a_text_is_cut_where_it_is_too_wide() -> None:
    assert clipped("eight888", 8) == "eight888"
    assert clipped("nine nine", 8) == "nine ni…"
    assert clipped("漢字漢字", 5) == "漢字…"


def luminance(colour: str) -> float:
    """Give the relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_lines_stand_out(palette: Palette) -> None:
    for ground in (palette.paper, *palette.grounds.values()):
        assert contrast(palette.ink, ground) >= 4.5
        assert contrast(palette.soft, ground) >= 4.5
        assert contrast(palette.edge, ground) >= 3
    assert all(contrast(tone, palette.paper) >= 4.5 for tone in palette.tones)


def test_a_net_begins_and_ends_in_one_column() -> None:
    diagram, _ = drawn(design())
    at = {box.place: index for index, column in enumerate(diagram.columns) for box in boxes_of(column)}

    def columns(net: Net) -> tuple[int, int]:
        return len({at[box_of(place)] for place in net.sources}), len({at[box_of(place)] for place in net.destinations})

    assert {columns(net) for net in diagram.nets} == {(1, 1)}
