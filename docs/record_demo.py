"""Draw `docs/demo.svg` from a real recording of the demonstration.

    python docs/record_demo.py                    run `make demo` on a terminal of its own, then draw what it showed
    python docs/record_demo.py --from FILE        draw a recording that was kept before (`--keep FILE`)
    python docs/record_demo.py -- COMMAND ...     record another command

Nothing is drawn when the command fails: a picture of a failure must not pass for the demonstration.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = ROOT / "docs" / "demo.svg"
DEMO: Final = ("make", "--no-print-directory", "demo")
COLUMNS: Final = 110
ROWS: Final = 50

_TOKEN: Final = re.compile(
    r"\x1b\[(?P<numbers>[0-9;?]*)(?P<action>[A-Za-z])"  # CSI: cursor, erasing, colour (ECMA-48)
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: titles and links
    r"|\x1b[ -/]*[^\[\] -/]"  # all else of one escape: character sets, keypad
    r"|(?P<move>[\r\n])"
    r"|(?P<text>[^\x1b\r\n]+)"
)
_WEB_FONT: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")
_OUTSIDE: Final = re.compile(r"url\(|href=|@import", re.IGNORECASE)


def record(command: Sequence[str]) -> tuple[int, str]:
    """Run a command on a pseudo-terminal, pass its output on, and give its exit code and all that it wrote."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    written = bytearray()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, cwd=ROOT, env=environment
    ) as process:
        os.close(follower)
        while chunk := _read(leader):
            written += chunk
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    os.close(leader)
    return process.returncode, written.decode(errors="replace")


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:
        # Linux answers EIO when the last process has closed its end.
        return b""


def last_screen(recording: str) -> str:
    """Give what a recording left on the screen, colours included: lines that were drawn over or erased are gone."""
    lines, row, overwrite = [""], 0, False
    for token in _TOKEN.finditer(recording):
        move, action, text = token["move"], token["action"], token["text"]
        if move == "\n":
            row, overwrite = row + 1, False
            if row == len(lines):
                lines.append("")
        elif move == "\r":
            overwrite = True
        elif action == "A":
            row = max(0, row - int(token["numbers"] or 1))
        elif action == "K":
            lines[row] = ""
        elif action == "m" or text:
            if overwrite and text:
                lines[row], overwrite = "", False
            lines[row] += token[0]
    return "\n".join(line.rstrip() for line in lines).rstrip()


def draw(screen: str, title: str) -> str:
    """Draw a screen as an SVG that loads nothing from anywhere: the reader's own monospaced font shows it."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(screen))
    picture = _WEB_FONT.sub("", console.export_svg(title=title, theme=MONOKAI, unique_id="demo"))
    outside = [
        found[0] + picture[found.end() : found.end() + 40]
        for found in _OUTSIDE.finditer(picture)
        if not picture.startswith("#", found.end())
    ]
    if outside:
        message = f"the picture would load from elsewhere: {outside}"
        raise ValueError(message)
    return picture


def main() -> int:
    """Record or read, then draw; gives the command's exit code."""
    parser = argparse.ArgumentParser(description="Draw docs/demo.svg from a real recording.")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="draw this recording, run nothing")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep the recording")
    parser.add_argument("--output", type=Path, default=PICTURE, metavar="FILE")
    parser.add_argument("command", nargs="*", default=list(DEMO), help="what to record")
    given = parser.parse_args()
    if given.source is not None:
        code, recording = 0, given.source.read_bytes().decode(errors="replace")
    else:
        code, recording = record(given.command)
    if given.keep is not None:
        given.keep.write_bytes(recording.encode())
    if code != 0:
        sys.stderr.write(f"{shlex.join(given.command)} ended with {code}; nothing drawn\n")
        return code
    shown = shlex.join(word for word in given.command if word != "--no-print-directory")
    prompt = f"\x1b[2m$\x1b[0m {shown}\n"
    given.output.write_text(draw(prompt + last_screen(recording), shown), encoding="utf-8")
    sys.stderr.write(f"{given.output} drawn\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
