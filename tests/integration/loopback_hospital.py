"""A hospital on addresses of the loopback, where nobody answers: real runs that reach no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.integration.small_project import ROOT
from tests.unit.hospital_samples import architecture_data, manifest

HOSPITAL = "st-test"
SERVER = "127.5.1.11"

TASKS = """---
- name: First thing
  ansible.builtin.copy: {content: x, dest: /nowhere/first, mode: "0600"}
  tags: [first_thing]

- name: Second thing
  ansible.builtin.copy: {content: x, dest: /nowhere/second, mode: "0600"}
  tags: [second_thing]
"""
SPECS = """---
argument_specs:
  main:
    short_description: Two things
    options: {}
"""


def make_hospital(folder: Path) -> Path:
    """Write a project with two managed hosts on the loopback; give its root."""
    project = folder / "project"
    architecture = architecture_data()
    architecture |= {"roles": ["first"], "everywhere": {"roles": ["first"]}}
    architecture["components"] = {"server": {**architecture["components"]["server"], "roles": [], "variables": {}}}
    architecture["flows"] = [flow for flow in architecture["flows"] if "monitor" not in [*flow["from"], *flow["to"]]]
    hospital = manifest()
    hospital["control"]["address"] = "127.5.9.10"
    for name, third in (("servers", 1), ("devices", 2), ("landing", 9)):
        hospital["zones"][name]["subnet"] = f"127.5.{third}.0/24"
    server = {**hospital["hosts"]["srv01"], "address": SERVER}
    hospital["hosts"] = {"srv01": server, "srv02": {**server, "address": "127.5.1.12"}}
    files = {
        "reference_architectures/ward/1.0.0/architecture.yml": yaml.safe_dump(architecture, sort_keys=False),
        f"inventories/{HOSPITAL}/hospital.yml": yaml.safe_dump(hospital, sort_keys=False),
        f"inventories/{HOSPITAL}/known_hosts": "",
        "roles/first/tasks/main.yml": TASKS,
        "roles/first/meta/argument_specs.yml": SPECS,
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    for name in ("playbooks", "plugins"):
        shutil.copytree(ROOT / name, project / name)
    shutil.copyfile(ROOT / "ansible.cfg", project / "ansible.cfg")
    return project


def environment(project: Path, **more: str) -> dict[str, str]:
    """Give the environment of a call in the project, with a state folder of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    places = {"WARDROUND_PROJECT": str(project), "WARDROUND_STATE": str(project.parent / "state")}
    return {**kept, **places, **more}


def wardround(project: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Call the command line as a person or a pipeline does."""
    return subprocess.run(
        [sys.executable, "-m", "wardround.cli.main", *arguments],
        cwd=project,
        env=environment(project, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
