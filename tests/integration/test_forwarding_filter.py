"""A router's own packet filter gives way only to a table that drops forwarded packets by default."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.integration

CHAIN = "table {table} {{ chain other {{ type filter hook {hook} priority 0; policy {policy}; }}; }}"
SOUND = CHAIN.format(table="inet routing", hook="forward", policy="drop")


def asked(folder: Path, loaded: str, *options: str) -> dict[str, Any]:
    """What the module says of the table `inet routing` where a rule set is loaded that nobody else sees."""
    words = [
        *(sys.executable, "-m", "ansible", "adhoc", "localhost", "--connection=local", *options),
        *("--module-path", str(ROOT / "roles/host_firewall/library"), "--module-name=host_firewall_forwarding"),
        *("--args", json.dumps({"table": "inet  routing"})),
        *("--extra-vars", json.dumps({"ansible_python_interpreter": sys.executable})),
    ]
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", 'nft -f - && exec "$@" </dev/null', "asked", *words],
        input=loaded,
        cwd=ROOT,
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.host_list",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout.partition("=> ")[2])
    return found


def test_a_table_that_drops_is_taken(tmp_path: Path) -> None:
    found = asked(tmp_path, SOUND)
    assert (found["changed"], found["msg"]) == (False, "")


@pytest.mark.parametrize(
    "loaded",
    [
        "",
        CHAIN.format(table="inet routing", hook="forward", policy="accept"),
        CHAIN.format(table="inet routing", hook="input", policy="drop"),
        CHAIN.format(table="inet other", hook="forward", policy="drop"),
    ],
    ids=["no table", "accepts", "another hook", "another table"],
)
def test_any_other_is_refused(tmp_path: Path, loaded: str) -> None:
    assert asked(tmp_path, loaded)["msg"].startswith("Forwarding would be unfiltered")


def test_a_table_for_one_family_leaves_the_other_unfiltered(tmp_path: Path) -> None:
    loaded = CHAIN.format(table="ip routing", hook="forward", policy="drop")
    assert asked(tmp_path, loaded)["msg"].startswith("Forwarding would be unfiltered")


def test_a_check_reports_it_instead(tmp_path: Path) -> None:
    found = asked(tmp_path, "", "--check")
    assert (found["changed"], found["msg"]) == (
        True,
        "no chain of table inet routing drops forwarded packets by default",
    )
