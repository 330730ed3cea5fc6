"""nftables itself takes the gateway's rules; nothing is loaded."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.small_project import ROOT
from tests.unit.hospital_samples import design
from wardround.load.project import Project
from wardround.model.design import Design
from wardround.render.gateway import forward_rules
from wardround.verbs.opening import load_design

pytestmark = pytest.mark.integration

HOSPITALS = Project(ROOT).hospitals()


def check(rules: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Let nft read the rules without loading them."""
    file = folder / "rules.nft"
    file.write_text(rules, encoding="utf-8")
    return subprocess.run(["nft", "-c", "-f", file], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "resolved", [design(), *(load_design(Project(ROOT), name) for name in HOSPITALS)], ids=["sample", *HOSPITALS]
)
def test_nftables_takes_the_rules(resolved: Design, tmp_path: Path) -> None:
    done = check(forward_rules(resolved), tmp_path)
    assert done.returncode == 0, done.stderr


def test_nftables_would_have_told(tmp_path: Path) -> None:
    assert check(forward_rules(design()).replace("udp", "uddp"), tmp_path).returncode != 0
