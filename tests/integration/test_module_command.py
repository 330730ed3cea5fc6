"""How our modules run a command of the host: everything that it said, and nothing of what Ansible sends the module."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = """
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

module = AnsibleModule(argument_spec={"command": {"type": "list"}, "data": {"type": "raw"}})
code, out, err = run_command(module, module.params["command"], module.params["data"])
module.exit_json(code=code, out=out, err=err)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A library with a module that does nothing else."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "said.py").write_text(MODULE, encoding="utf-8")
    return tmp_path


def said(project: Path, *command: str, data: str | None = None) -> dict[str, Any]:
    """What the module returns when Ansible runs it on this machine."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ansible", "adhoc", "localhost", "--connection=local", "--module-name=said"),
            *("--module-path", str(project / "library"), "--args", json.dumps({"command": command, "data": data})),
            *("--extra-vars", json.dumps({"ansible_python_interpreter": sys.executable})),
        ],
        cwd=ROOT,
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(project),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.host_list",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_LOCAL_TEMP": str(project / "tmp"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout.partition("=> ")[2])
    return found


def test_everything_that_was_said_arrives(project: Path) -> None:
    script = "import sys; print('a' * 300_000); print('b' * 300_000, file=sys.stderr); sys.exit(3)"
    found = said(project, sys.executable, "-c", script)
    assert (found["code"], len(found["out"]), len(found["err"])) == (3, 300_001, 300_001)


def test_a_slow_command_is_waited_for(project: Path) -> None:
    assert said(project, "sh", "-c", "sleep 1.2; echo done")["out"] == "done\n"


def test_data_is_passed_on_and_nothing_else(project: Path) -> None:
    assert said(project, "cat", data="line\n")["out"] == "line\n"
    assert said(project, "cat")["out"] == ""


def test_messages_are_in_the_c_locale(project: Path) -> None:
    assert said(project, "sh", "-c", "echo $LC_ALL")["out"] == "C\n"


def test_a_missing_command_is_named(project: Path) -> None:
    found = said(project, "no-such-command")
    assert found["msg"] == "no-such-command cannot be run: No such file or directory"
