"""How much room texts and boxes need, in pixels, without asking for a font.

Names and addresses are drawn with a fixed pitch, whose width is known well enough;
prose is measured as if it were wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wardround.render.diagram import boxes_of
from wardround.render.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wardround.render.diagram import Box, Chip, Column, Label, Row

PADDING: Final = 10
CHIP_HEIGHT: Final = 32
CHIP_GAP: Final = 6
CAPTION: Final = 16
TITLE_LINE: Final = 17
DETAIL_LINE: Final = 15
PROSE_LINE: Final = 13
LABEL_LINE: Final = 12
LABEL_LINES: Final = 2
"""Each flow's label: its id and ports, and its service."""

_PITCH: Final = 0.602
_PROSE_PITCH: Final = 0.56
NAME_SIZE: Final = 20
TITLE_SIZE: Final = 13
DETAIL_SIZE: Final = 10.5
PROSE_SIZE: Final = 10.5
HOST_SIZE: Final = 11
ADDRESS_SIZE: Final = 9.5
LABEL_SIZE: Final = 10

_FIRST_WIDE: Final = 0x1100
"""From Hangul on, a character may be as wide as two; taking all of them for wide needs no table."""

_NARROWEST: Final = 150
_WIDEST: Final = 250
_PURPOSE_LINES: Final = 3
_LABEL_CELLS: Final = 24
_ID_CELLS: Final = 15
_HOST_CELLS: Final = 20


def cells(text: str) -> int:
    """Count how many narrow characters a text is wide."""
    return sum(2 if ord(each) >= _FIRST_WIDE else 1 for each in text)


def clipped(text: str, room: int) -> str:
    """Give a text, cut where it is wider than `room` narrow characters."""
    plain = visible(text)
    if cells(plain) <= room:
        return plain
    while plain and cells(plain) > room - 1:
        plain = plain[:-1]
    return f"{plain.rstrip()}…"


def fixed_width(text: str, size: float) -> int:
    """Give the width of a text of fixed pitch."""
    return round(cells(text) * size * _PITCH)


def prose_width(text: str) -> int:
    """Give the width of prose."""
    return round(cells(text) * PROSE_SIZE * _PROSE_PITCH)


def prose_clipped(text: str, width: int, size: float) -> str:
    """Give as much of a text as fits on one line."""
    return clipped(text, int(width / (size * _PROSE_PITCH)))


def purpose_lines(box: Box, width: int) -> tuple[str, ...]:
    """Break a zone's purpose into few lines; the last one is cut where there is more to say."""
    room = int((width - 2 * PADDING) / (PROSE_SIZE * _PROSE_PITCH))
    lines = [""]
    for word in visible(box.purpose).split():
        longer = f"{lines[-1]} {word}".lstrip()
        if not lines[-1] or cells(longer) <= room:
            lines[-1] = longer
        elif len(lines) < _PURPOSE_LINES:
            lines.append(word)
        else:
            lines[-1] = longer
            break
    return tuple(clipped(line, room) for line in lines if line)


def label_texts(label: Label) -> tuple[str, str, str]:
    """Give what a flow's arrow says: id, ports, service."""
    own = clipped(label.id, _ID_CELLS)
    return own, clipped(label.ports, _LABEL_CELLS - cells(own) - 1), clipped(label.service, _LABEL_CELLS)


def label_width(labels: Sequence[Label]) -> int:
    """Give the width of the widest of some labels."""
    texts = [label_texts(label) for label in labels]
    return max(fixed_width(line, LABEL_SIZE) for own, ports, service in texts for line in (f"{own} {ports}", service))


def chip_texts(chip: Chip) -> tuple[str, str]:
    """Give a host's name and address as its chip shows them."""
    return clipped(chip.name, _HOST_CELLS), chip.address


def chip_width(column: Column) -> int:
    """Give the width that all chips of a column share: that of the widest one."""
    chips = [chip for box in boxes_of(column) for row in box.rows for chip in row.chips]
    widths = [
        max(fixed_width(name, HOST_SIZE), fixed_width(address, ADDRESS_SIZE))
        for name, address in (chip_texts(chip) for chip in chips)
    ]
    return max(widths, default=0) + 22


def column_width(column: Column) -> int:
    """Give the width of a column's boxes."""
    boxes = boxes_of(column)
    abreast = 2 if any(len(row.chips) > 1 for box in boxes for row in box.rows) else 1
    wanted = [abreast * (chip_width(column) + CHIP_GAP) - CHIP_GAP]
    wanted += [fixed_width(box.title, TITLE_SIZE) for box in boxes]
    wanted += [fixed_width(box.detail, DETAIL_SIZE) for box in boxes]
    wanted += [fixed_width(row.caption, DETAIL_SIZE) for box in boxes for row in box.rows]
    return min(_WIDEST, max(_NARROWEST, max(wanted) + 2 * PADDING))


def head_height(box: Box, width: int) -> int:
    """Give the height of a box's head: title, detail, purpose."""
    prose = len(purpose_lines(box, width)) * PROSE_LINE
    return PADDING + TITLE_LINE + DETAIL_LINE + prose + (4 if box.rows else PADDING)


def row_height(row: Row, width: int, chip: int) -> int:
    """Give the height of a component's row: its name, and chips in lines."""
    lines = -(-len(row.chips) // chips_abreast(width, chip))
    more = PROSE_LINE if row.more else 0
    return CAPTION + lines * (CHIP_HEIGHT + CHIP_GAP) + more + 4


def chips_abreast(width: int, chip: int) -> int:
    """Count the chips that stand side by side in a box."""
    return max(1, (width - 2 * PADDING + CHIP_GAP) // (chip + CHIP_GAP))
