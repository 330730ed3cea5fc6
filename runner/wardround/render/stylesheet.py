"""The diagram's colours and letters; every text has a contrast of at least 4.5 to 1, on white as on black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wardround.render.measure import (
    ADDRESS_SIZE,
    DETAIL_SIZE,
    HOST_SIZE,
    LABEL_SIZE,
    NAME_SIZE,
    PROSE_SIZE,
    TITLE_SIZE,
)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one mode: grounds by the kind of zone, and tones that tell lines apart."""

    paper: str
    ink: str
    soft: str
    edge: str
    grounds: dict[str, str]
    tones: tuple[str, ...]


LIGHT: Final = Palette(
    paper="#ffffff",
    ink="#1f2328",
    soft="#50575f",
    edge="#6e7781",
    grounds={
        "group": "#ffffff",
        "management": "#f1ebfb",
        "user": "#e6f4e9",
        "device": "#fff2df",
        "server": "#e6f0fd",
        "external": "#eef0f2",
    },
    tones=("#0550ae", "#8a3500", "#116329", "#7038c4", "#a40e26", "#0a6770"),
)
DARK: Final = Palette(
    paper="#0d1117",
    ink="#e6edf3",
    soft="#adb6c0",
    edge="#7d8590",
    grounds={
        "group": "#0d1117",
        "management": "#211a36",
        "user": "#12281a",
        "device": "#2e2311",
        "server": "#11233d",
        "external": "#1d2229",
    },
    tones=("#79c0ff", "#ffa657", "#7ee787", "#d2a8ff", "#ff938a", "#56d4dd"),
)
TONES: Final = len(LIGHT.tones)

_SCOPE: Final = ".wr-design"
_FIXED: Final = "ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono','Liberation Mono',monospace"
_PROSE: Final = "system-ui,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif"


def _rule(selector: str, declarations: str) -> str:
    # Scoped, because inside an HTML page these rules would hold for the whole page.
    return f"{_SCOPE} {selector}{{{declarations}}}"


def _colours(palette: Palette) -> str:
    return "".join(
        (
            _rule("text", f"fill:{palette.ink}"),
            _rule(".prose", f"fill:{palette.soft}"),
            _rule(".kind", f"fill:{palette.soft}"),
            _rule(".detail", f"fill:{palette.soft}"),
            _rule(".address", f"fill:{palette.soft}"),
            _rule(".paper", f"fill:{palette.paper}"),
            _rule(".casing", f"stroke:{palette.paper}"),
            _rule(".zone", f"stroke:{palette.edge}"),
            _rule(".rule", f"stroke:{palette.edge}"),
            _rule(".shape", f"fill:{palette.paper};stroke:{palette.edge}"),
            _rule(".life .shape", f"stroke:{palette.ink}"),
            *(_rule(f".{kind} .zone", f"fill:{ground}") for kind, ground in palette.grounds.items()),
            *(
                _rule(f".tone{at} .line", f"stroke:{tone}")
                + _rule(f".tone{at} .head", f"fill:{tone}")
                + _rule(f".tone{at} .label", f"fill:{tone}")
                + _rule(f".tone{at} circle", f"fill:{tone}")
                for at, tone in enumerate(palette.tones)
            ),
        )
    )


STYLE: Final = "".join(
    (
        _rule("text", f"font-family:{_FIXED}"),
        _rule(".name", f"font:600 {NAME_SIZE}px {_PROSE}"),
        _rule(".prose", f"font:{PROSE_SIZE}px {_PROSE}"),
        _rule(".kind", f"font:600 12px {_PROSE}"),
        _rule(".title", f"font-size:{TITLE_SIZE}px;font-weight:700"),
        _rule(".detail", f"font-size:{DETAIL_SIZE}px"),
        _rule(".caption", f"font-size:{DETAIL_SIZE}px"),
        _rule(".host", f"font-size:{HOST_SIZE}px;font-weight:700"),
        _rule(".address", f"font-size:{ADDRESS_SIZE}px"),
        _rule(".label", f"font-size:{LABEL_SIZE}px"),
        _rule(".id", "font-weight:700"),
        _rule(".rule", "stroke-width:.5;fill:none"),
        _rule(".line", "stroke-width:1.6;fill:none;stroke-linecap:round"),
        _rule(".casing", "stroke-width:5;fill:none"),
        _rule(".life .shape", "stroke-width:2.5"),
        _colours(LIGHT),
        f"@media screen and (prefers-color-scheme:dark){{{_colours(DARK)}}}",
    )
)
"""Everything, the light palette first: paper, and who knows no dark mode, is white."""
