"""A design's diagram as an SVG that loads nothing, says what it shows, and is readable on white and on black."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wardround.design.flow import CONTROL
from wardround.model.base import Platform
from wardround.render.diagram import GROUP, design_diagram
from wardround.render.escape import markup
from wardround.render.layout import MARGIN, lay_out
from wardround.render.measure import (
    CAPTION,
    CHIP_GAP,
    CHIP_HEIGHT,
    DETAIL_LINE,
    LABEL_LINE,
    LABEL_LINES,
    NAME_SIZE,
    PADDING,
    PROSE_LINE,
    PROSE_SIZE,
    TITLE_LINE,
    chip_texts,
    chips_abreast,
    label_texts,
    prose_clipped,
    prose_width,
    purpose_lines,
)
from wardround.render.stylesheet import STYLE, TONES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wardround.model.design import Design
    from wardround.render.diagram import Chip, Diagram, Row
    from wardround.render.layout import Arrow, Picture, PlacedBox, Wire
    from wardround.render.stack import Span

_LIFE: Final = "life"
_LEGEND: Final = (
    (Platform.MANAGED.value, "managed by Ansible"),
    (Platform.NETWORK.value, "network device"),
    (Platform.UNMANAGED.value, "device that is never touched"),
    (_LIFE, "life depends on it"),
    (CONTROL, "control node"),
)
_LEGEND_HEIGHT: Final = 44


def design_svg(design: Design) -> str:
    """Give the diagram as a file of its own; the same design always gives the same bytes."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{design_figure(design)}'


def design_figure(design: Design) -> str:
    """Give the diagram as an element that an HTML page can hold."""
    diagram = design_diagram(design)
    picture = lay_out(diagram)
    return "".join(f"{line}\n" for line in _lines(diagram, picture))


def _lines(diagram: Diagram, picture: Picture) -> Iterator[str]:
    width = max(picture.width, MARGIN + sum(_legend_step(said) for _, said in _LEGEND))
    height = picture.bottom + _LEGEND_HEIGHT
    room = width - 2 * MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wr-design" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="wr-design-title wr-design-text">'
    )
    yield f'<title id="wr-design-title">{markup(diagram.title)}: zones, hosts and flows</title>'
    yield f'<desc id="wr-design-text">{markup(diagram.pins)} {markup(diagram.figures)} {_ways(diagram)}</desc>'
    yield f"<style>{STYLE}</style>"
    yield f'<rect class="paper" width="{width}" height="{height}"/>'
    yield f'<text class="name" x="{MARGIN}" y="36">{markup(prose_clipped(diagram.title, room, NAME_SIZE))}</text>'
    for y, said in ((56, diagram.pins), (71, diagram.figures)):
        yield f'<text class="prose" x="{MARGIN}" y="{y}">{markup(prose_clipped(said, room, PROSE_SIZE))}</text>'
    for heading in picture.headings:
        yield f'<text class="kind" x="{heading.x}" y="{heading.y}">{markup(heading.text)}</text>'
    for tone, wire in enumerate(picture.wires):
        yield from _wire(wire, tone % TONES)
    for box in picture.boxes:
        yield from _box(box)
    yield from _legend(picture.bottom)
    yield "</svg>"


def _ways(diagram: Diagram) -> str:
    """Say every arrow in words, for those who hear the picture."""
    return " ".join(f"{markup(label.hint)}." for net in diagram.nets for label in net.labels)


def _wire(wire: Wire, tone: int) -> Iterator[str]:
    path = "".join(f"M{each.x1} {each.y1}L{each.x2} {each.y2}" for each in wire.segments)
    yield f'<g class="wire tone{tone}">'
    yield f"<title>{markup('; '.join(label.hint for label in wire.net.labels))}</title>"
    yield f'<path class="casing" d="{path}"/>'
    yield f'<path class="line" d="{path}"/>'
    for x, y in wire.joints:
        yield f'<circle cx="{x}" cy="{y}" r="2.5"/>'
    for arrow in wire.arrows:
        yield f'<path class="head" d="M{arrow.x} {arrow.y}l{-8 * arrow.step} -4v8z"/>'
        yield from _labels(wire, arrow)
    yield "</g>"


def _labels(wire: Wire, arrow: Arrow) -> Iterator[str]:
    y = arrow.y - LABEL_LINES * LABEL_LINE * len(wire.net.labels) + LABEL_LINE - 5
    x = arrow.x - arrow.step * 10
    anchor = "end" if arrow.step > 0 else "start"
    for label in wire.net.labels:
        own, ports, service = (markup(text) for text in label_texts(label))
        yield (
            f'<text class="label" x="{x}" y="{y}" text-anchor="{anchor}"><tspan class="id">{own}</tspan> {ports}</text>'
        )
        yield f'<text class="label" x="{x}" y="{y + LABEL_LINE}" text-anchor="{anchor}">{service}</text>'
        y += LABEL_LINES * LABEL_LINE


def _box(placed: PlacedBox) -> Iterator[str]:
    box, x, y = placed.box, placed.x, placed.whole.y
    dashed = ' stroke-dasharray="5 3"' if box.section == GROUP else ""
    yield f'<g class="box {box.section}">'
    yield f"<title>{markup(' '.join(part for part in (box.title, box.detail, box.purpose) if part))}</title>"
    yield (f'<rect class="zone" x="{x}" y="{y}" width="{placed.width}" height="{placed.whole.height}" rx="6"{dashed}/>')
    y += PADDING + TITLE_LINE - 5
    yield f'<text class="title" x="{x + PADDING}" y="{y}">{markup(box.title)}</text>'
    y += DETAIL_LINE
    yield f'<text class="detail" x="{x + PADDING}" y="{y}">{markup(box.detail)}</text>'
    for line in purpose_lines(box, placed.width):
        y += PROSE_LINE
        yield f'<text class="prose" x="{x + PADDING}" y="{y}">{markup(line)}</text>'
    for row, span in zip(box.rows, placed.rows, strict=True):
        yield from _row(row, span, placed)
    yield "</g>"


def _row(row: Row, span: Span, placed: PlacedBox) -> Iterator[str]:
    left = placed.x + PADDING
    yield f'<path class="rule" d="M{placed.x} {span.y}h{placed.width}"/>'
    yield f'<text class="caption" x="{left}" y="{span.y + CAPTION - 3}">{markup(row.caption)}</text>'
    abreast = chips_abreast(placed.width, placed.chip)
    for at, chip in enumerate(row.chips):
        line, place = divmod(at, abreast)
        x = left + place * (placed.chip + CHIP_GAP)
        y = span.y + CAPTION + 2 + line * (CHIP_HEIGHT + CHIP_GAP)
        yield from _chip(chip, x, y, placed.chip)
    if row.more:
        lines = -(-len(row.chips) // abreast)
        y = span.y + CAPTION + lines * (CHIP_HEIGHT + CHIP_GAP) + PROSE_LINE - 2
        yield f'<text class="prose" x="{left}" y="{y}">and {row.more} more</text>'


def _chip(chip: Chip, x: int, y: int, width: int) -> Iterator[str]:
    name, address = chip_texts(chip)
    middle = x + width // 2
    yield f'<g class="chip{" life" if chip.life else ""}">'
    yield f"<title>{markup(chip.hint)}</title>"
    yield _shape(chip.shape, x, y, width)
    yield f'<text class="host" x="{middle}" y="{y + 14}" text-anchor="middle">{markup(name)}</text>'
    yield f'<text class="address" x="{middle}" y="{y + 26}" text-anchor="middle">{markup(address)}</text>'
    yield "</g>"


def _shape(shape: str, x: int, y: int, width: int, height: int = CHIP_HEIGHT) -> str:
    """Draw a host's outline: its shape says how it may be touched, so that colour does not have to."""
    half = height // 2
    match shape:
        case Platform.UNMANAGED.value:
            return f'<rect class="shape" x="{x}" y="{y}" width="{width}" height="{height}" rx="{half}"/>'
        case Platform.NETWORK.value:
            inner = width - 16
            return f'<path class="shape" d="M{x} {y + half}l8 {-half}h{inner}l8 {half}l-8 {half}h{-inner}z"/>'
        case "control":
            inner = width - 6
            return (
                f'<rect class="shape" x="{x}" y="{y}" width="{width}" height="{height}"/>'
                f'<path class="shape" d="M{x + 3} {y}v{height}m{inner} 0v{-height}"/>'
            )
        case _:
            return f'<rect class="shape" x="{x}" y="{y}" width="{width}" height="{height}" rx="2"/>'


def _legend(top: int) -> Iterator[str]:
    x, y = MARGIN, top + 4
    for shape, said in _LEGEND:
        outline = _shape(Platform.UNMANAGED.value if shape == _LIFE else shape, x, y, 30, 16)
        yield f'<g class="chip{" life" if shape == _LIFE else ""}">{outline}</g>'
        yield f'<text class="prose" x="{x + 36}" y="{y + 12}">{markup(said)}</text>'
        x += _legend_step(said)


def _legend_step(said: str) -> int:
    return 36 + prose_width(said) + MARGIN
