"""What goes to the terminal: data on stdout, everything else on stderr, colour only where a person looks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Literal

from rich.console import Console
from rich.text import Text

from wardround.report.line import Line, Tone

_STYLES = {
    Tone.PLAIN: "",
    Tone.HEAD: "bold",
    Tone.GOOD: "green",
    Tone.CHANGE: "yellow",
    Tone.BAD: "red",
    Tone.QUIET: "dim",
    Tone.ADDED: "green",
    Tone.REMOVED: "red",
}


class Screen:
    """Two streams: `out` for data, `err` for progress and errors."""

    def __init__(self) -> None:
        """Look at the streams once."""
        # Rich alone would still write bold and dim, which are escape codes too.
        colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
        self.out = Console(file=sys.stdout, soft_wrap=True, highlight=False, emoji=False, color_system=colours)
        self.err = Console(file=sys.stderr, soft_wrap=True, highlight=False, emoji=False, color_system=colours)

    def lines(self, lines: Iterable[Line]) -> None:
        """Print a report."""
        for line in lines:
            self.out.print(Text(line.text, style=_STYLES[line.tone]))

    def data(self, value: Mapping[str, object]) -> None:
        """Print JSON, and nothing else, on stdout."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def document(self, text: str) -> None:
        """Write a document on stdout byte by byte, whatever the terminal's encoding."""
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()

    def note(self, text: str, tone: Tone = Tone.QUIET) -> None:
        """Say something beside the data."""
        self.err.print(Text(text, style=_STYLES[tone]))
