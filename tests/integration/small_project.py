"""A project of one role that works on this machine alone, for tests that run real Ansible."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from wardround.model.base import JsonValue
from wardround.transport.playbook import PlaybookCall
from wardround.transport.processes import MARKER

ROOT = Path(__file__).resolve().parents[2]
HERE: dict[str, JsonValue] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}

CONFIG = """[defaults]
roles_path = roles
callback_plugins = plugins/callback
interpreter_python = auto_silent
gathering = explicit
"""

PLAYBOOK = """---
- name: Apply the role
  hosts: wardround_managed
  gather_facts: false
  roles: [small]
"""


def make_project(folder: Path, tasks: str, handlers: str = "") -> Path:
    """Write a project whose playbook `small.yml` applies a role with these tasks."""
    project = folder / "project"
    role = project / "roles" / "small"
    for path, text in {
        project / "ansible.cfg": CONFIG,
        project / "playbooks" / "small.yml": PLAYBOOK,
        role / "tasks" / "main.yml": tasks,
        role / "handlers" / "main.yml": handlers or "---\n[]\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("callback", "strategy"):
        shutil.copytree(ROOT / "plugins" / name, project / "plugins" / name)
    return project


def call_of(project: Path, variables: dict[str, JsonValue] | None = None, **options: object) -> PlaybookCall:
    """Describe a run of the small project on this machine."""
    hosts: JsonValue = {"here": {**HERE, **(variables or {})}}
    plain: dict[str, object] = {
        "project": project,
        "playbook": "small.yml",
        "inventory": {"wardround_managed": {"hosts": hosts}},
        "check": False,
    }
    return PlaybookCall(**{**plain, **options})  # type: ignore[arg-type]


def marked() -> dict[int, str]:
    """Give id and marker of every living process that belongs to some run."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            values = [each.partition(b"=")[2] for each in environment if each.startswith(f"{MARKER}=".encode())]
            if values:
                found[int(entry.name)] = values[0].decode()
    return found


def wait_for(what: Callable[[], object], seconds: float) -> bool:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.1)
    return bool(what())
