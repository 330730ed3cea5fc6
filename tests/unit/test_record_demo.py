"""The picture of the demonstration shows what was left on the screen, and loads nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from docs.record_demo import draw, last_screen

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("recording", "screen"),
    [
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("10 %\r90 %\rdone\r\n", "done"),
        ("\x1b[?25lspins\r\x1b[2Kspins on\r\n\x1b[?25h\r\x1b[1A\x1b[2Kstopped\r\nnext\r\n", "stopped\nnext"),
        ("\x1b[1mbold\x1b[0m\r\n", "\x1b[1mbold\x1b[0m"),
        ("a\x1b]8;;x\x07link\x1b]8;;\x07\x1b(B\r\n", "alink"),
    ],
)
def test_only_what_was_left_on_the_screen_is_kept(recording: str, screen: str) -> None:
    assert last_screen(recording) == screen


def test_a_picture_is_xml_that_loads_nothing() -> None:
    picture = draw("\x1b[32mclean\x1b[0m", "make demo")
    texts = "".join(ET.fromstring(picture).itertext()).replace("\xa0", " ")  # noqa: S314 - made by the line above
    assert "clean" in texts
    assert "make demo" in texts
    assert "@font-face" not in picture
    assert "url(" not in picture.replace("url(#", "")


def test_text_that_looks_like_a_way_out_is_refused() -> None:
    with pytest.raises(ValueError, match="elsewhere"):
        draw("@import", "made up")


def test_a_command_that_fails_is_not_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "demo.svg"
    command = [sys.executable, "docs/record_demo.py", "--output", str(picture), "--", "sh", "-c", "echo out; exit 3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "out" in done.stdout
    assert not picture.exists()
