"""What is kept of a design beside its manifest is what the manifest says today, byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from wardround.load.project import Project
from wardround.verbs.design_document import DesignForm, design_document
from wardround.verbs.opening import load_design

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).resolve().parents[2]
FORMS = {".md": DesignForm.MARKDOWN, ".svg": DesignForm.SVG, ".html": DesignForm.HTML}
KEPT = sorted(path for path in (ROOT / "inventories").glob("*/design.*") if path.suffix in FORMS)


def test_the_example_hospital_shows_its_design() -> None:
    shown = {path.name for path in KEPT if path.parent.name == "st-elsewhere"}
    assert shown == {"design.md", "design.svg"}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_kept_document_is_todays(path: Path) -> None:
    today = design_document(load_design(Project(ROOT), path.parent.name), FORMS[path.suffix])
    folder = path.parent.relative_to(ROOT).as_posix()
    assert path.read_bytes() == today.encode(), f"read what changed: `make docs HOSPITAL={folder}`, then git diff"
