"""docs/architecture.md describes the house that stands: every room, and no file that is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "runner" / "wardround"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
SECTIONS = {match[1]: match[2] for match in re.finditer(r"^### `(\w+)/`\n(.*?)(?=^##)", TEXT, re.DOTALL | re.MULTILINE)}


def test_every_room_has_a_section_and_every_section_a_room() -> None:
    assert sorted(SECTIONS) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_a_section_names_only_files_of_its_room(room: str) -> None:
    named = set(re.findall(r"`(\w+\.py)`", SECTIONS[room]))
    assert named, "a room is described by its files"
    assert sorted(named - {path.name for path in (PACKAGE / room).glob("*.py")}) == []


def test_every_path_in_it_exists() -> None:
    paths = re.findall(r"`((?:plugins|playbooks|molecule|tests|benchmarks|roles)/[\w/.]*)`", TEXT)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    inside = re.findall(r"`((?:model|load|design|ledger|twin|drift|transport)/[\w/]+\.py)`", TEXT)
    assert [path for path in inside if not (PACKAGE / path).exists()] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\[[^\]]+\]\(([^)#:]+)\)", TEXT)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
