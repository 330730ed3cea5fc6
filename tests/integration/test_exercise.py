"""Two mistakes by hand at a gateway, made for real in a namespace: the prover and the gateway's role name these two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.small_project import HERE, ROOT
from tests.integration.test_zone_gateway_rules import of_design
from tests.unit.test_proof_exercise import two_servers_and_a_store
from wardround.proof.exercise import Mistake, mistakes
from wardround.proof.listing import read_ruleset
from wardround.proof.prove import prove_gateway

pytestmark = pytest.mark.integration

WHOLE = two_servers_and_a_store()
RULES = of_design(WHOLE)
LIBRARY = ROOT / "roles/zone_gateway/library"
SCRIPT = 'set -e; nft -f "$1"; sh -e "$2"; nft -j list ruleset > "$3"; shift 3; exec "$@"'


def after(made: tuple[Mistake, ...], folder: Path) -> tuple[str, list[str]]:
    """Make mistakes where nobody else sees them; give the kernel's listing, and what the role's check says of it."""
    rules, commands, listing = (folder / name for name in ("rules.nft", "by_hand.sh", "listing.json"))
    rules.write_text(RULES, encoding="utf-8")
    commands.write_text("".join(f"{each.command}\n" for each in made), encoding="utf-8")
    # The module is given the table alone, as the role gives it.
    declared = RULES.partition("delete table inet wardround_gateway\n")[2]
    check = [
        *(sys.executable, "-m", "ansible", "adhoc", "localhost", "--connection=local", "--check"),
        *("--module-name=zone_gateway_ruleset", "--module-path", str(LIBRARY)),
        *("--args", json.dumps({"content": declared}), "--extra-vars", json.dumps(HERE)),
    ]
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", SCRIPT, "by-hand", rules, commands, listing, *check],
        cwd=ROOT,
        env={
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "HOME": str(folder),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.host_list",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.partition("=> ")[2])
    assert isinstance(said["msg"], str)
    return listing.read_text(encoding="utf-8"), said["msg"].split("; ") if said["msg"] else []


def test_without_a_mistake_nothing_is_named(tmp_path: Path) -> None:
    listing, lines = after((), tmp_path)
    assert prove_gateway(WHOLE, read_ruleset(listing)).agrees
    assert lines == []


@pytest.mark.parametrize("seed", range(3))
def test_both_mistakes_are_named_and_no_other(seed: int, tmp_path: Path) -> None:
    made = mistakes(WHOLE, seed)
    assert len(made) == 2
    listing, lines = after(made, tmp_path)
    found = prove_gateway(WHOLE, read_ruleset(listing)).differences()
    assert {(each.kind, each.source, each.destination, each.service) for each in found} == {
        each.difference for each in made
    }
    assert len(lines) == 2
    assert all(any(each.is_rule(line) for line in lines) for each in made)
