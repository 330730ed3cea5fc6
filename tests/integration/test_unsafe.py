"""A hospital's texts are data: whatever they hold arrives on the target byte by byte, and none of it is ever run."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.small_project import HERE, ROOT
from tests.unit.hospital_samples import architecture_data, manifest
from wardround.load.characters import forbidden
from wardround.load.project import Project
from wardround.model.base import JsonValue
from wardround.render.inventory import MANAGED_GROUP, Connection, inventory, unsafe
from wardround.transport.playbook import PlaybookCall, run_playbook
from wardround.verbs.opening import load_design

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

HOSTILE = [
    "{{ lookup('pipe', 'touch CANARY') }}",
    "{% for x in lookup('pipe', 'touch CANARY') %}{{ x }}{% endfor %}",
    "{{ '' if lookup('ansible.builtin.pipe', 'touch CANARY') else '' }}",
    "$(touch CANARY)",
    "`touch CANARY`",
    "; touch CANARY #",
    "' ; touch CANARY ; '",
    '" ; touch CANARY ; "',
    "{{ 1 + 1 }}",
    "{{ undefined_name }}",
    "{# a comment #}",
    "{{",
    "{%",
    "}}",
    "--help",
    "-e x=1",
    "=cmd|' /C calc'!A0",
    "!unsafe x",
    "!vault |",
    "$ANSIBLE_VAULT;1.1;AES256",
    "@/etc/passwd",
    "a: b",
    "[1, 2]",
    '{"a": 1}',
    "None",
    "true",
    "0x10",
    "1e3",
    " leading and trailing ",
    "two\nlines\n",
    "\n\n",
    "tab\there",
    "back\\slash \\n \\u0041",
    "quote ' double \" both",
    "Müller, 漢字, 😀",
    "%s %(x)s %d",
    "omit",
    "__omit_place_holder__",
    "",
]

PLAYBOOK = """---
- name: Write what arrived
  hosts: wardround_managed
  gather_facts: false
  tasks:
    - name: All texts are in one file
      ansible.builtin.copy:
        content: "{{ first_texts | map('b64encode') | join('\\n') }}"
        dest: "{{ target }}/encoded"
        mode: "0600"
    - name: Each hostile text is a file
      ansible.builtin.copy:
        content: "{{ item }}"
        dest: "{{ target }}/text-{{ number }}"
        mode: "0600"
      loop: "{{ first_texts[:hostile | int] }}"
      loop_control: {index_var: number}
    - name: A text is an argument
      ansible.builtin.command:
        argv: "{{ ['printf', '%s|'] + first_texts[:hostile | int] }}"
      register: __said
      changed_when: false
    - name: What the command said is a file
      ansible.builtin.copy:
        content: "{{ __said.stdout | b64encode }}"
        dest: "{{ target }}/arguments"
        mode: "0600"
    - name: The hospital's name is a file
      ansible.builtin.copy:
        content: "{{ first_hospital }}"
        dest: "{{ target }}/hospital"
        mode: "0600"
"""

DIRECT = len(HOSTILE) // 3
"""So many hostile texts, from the start, are written one by one as well."""

texts = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"]) | st.sampled_from("{}%#$()'\"\\`-!&*|>@\n\t "), max_size=40
).filter(lambda text: forbidden(text) is None)


def make_project(folder: Path, given_texts: list[str]) -> Project:
    """Write a hospital whose parameters hold the texts, in a project with the real plugins and configuration."""
    project = folder / "project"
    architecture = architecture_data()
    architecture["parameters"]["texts"] = {"type": "strings", "default": [], "description": "texts"}
    architecture["roles"] = []
    architecture["everywhere"] = {
        "variables": {"first_texts": {"parameter": "texts"}, "first_hospital": {"hospital": "name"}}
    }
    architecture["components"]["server"] |= {"roles": [], "variables": {}}
    hospital = manifest()
    hospital["name"] = HOSTILE[0].replace("CANARY", str(folder / "CANARY"))
    hospital["parameters"] = {"ward": {"texts": given_texts}}
    for path, data in {
        project / "reference_architectures" / "ward" / "1.0.0" / "architecture.yml": architecture,
        project / "inventories" / "st-test" / "hospital.yml": hospital,
    }.items():
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    (project / "roles").mkdir()
    (project / "playbooks").mkdir()
    (project / "playbooks" / "probe.yml").write_text(PLAYBOOK, encoding="utf-8")
    shutil.copytree(ROOT / "plugins", project / "plugins")
    shutil.copyfile(ROOT / "ansible.cfg", project / "ansible.cfg")
    return Project(project)


def by_plain_ansible(project: Project, extra: dict[str, JsonValue]) -> None:
    """Run the playbook as a hospital's own staff would, through the inventory plugin."""
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", "inventories/st-test/hospital.yml", "playbooks/probe.yml", "-e", json.dumps({**HERE, **extra})],
        cwd=project.root,
        env={**os.environ, "ANSIBLE_CONFIG": str(project.root / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def by_the_runner(project: Project, extra: dict[str, JsonValue], *, fast: bool = False) -> None:
    """Run the playbook as wardround does, with a throw-away inventory."""
    design = load_design(project, "st-test")
    hosts: dict[str, Any] = inventory(design, Connection("root", "/dev/null"), None)
    marked: dict[str, Any] = {group: unsafe(content) for group, content in hosts.items()}
    for host in marked[MANAGED_GROUP]["hosts"].values():
        host |= {**HERE, **extra}
    call = PlaybookCall(project=project.root, playbook="probe.yml", inventory=marked, check=False, fast=fast)
    result = run_playbook(call, lambda _event: None, lambda: False)
    assert result.exit_code == 0, [event for event in result.events if event.outcome == "failed"]


def by_the_fast_runner(project: Project, extra: dict[str, JsonValue]) -> None:
    """Run the playbook as wardround does when it is in a hurry."""
    by_the_runner(project, extra, fast=True)


@pytest.mark.parametrize("way", [by_plain_ansible, by_the_runner, by_the_fast_runner])
@given(found=st.lists(texts, min_size=150, max_size=150))
@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
def test_texts_arrive_byte_by_byte_and_are_never_run(
    way: Callable[[Project, dict[str, JsonValue]], None], found: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("unsafe")
    canary, target = folder / "CANARY", folder / "target"
    target.mkdir()
    sent = [text.replace("CANARY", str(canary)) for text in HOSTILE] + found
    way(make_project(folder, sent), {"target": str(target), "hostile": DIRECT})
    encoded = (target / "encoded").read_text().split("\n")
    assert [base64.b64decode(line).decode() for line in encoded] == sent
    for number, text in enumerate(sent[:DIRECT]):
        assert (target / f"text-{number}").read_text(encoding="utf-8") == text
    said = base64.b64decode((target / "arguments").read_text()).decode()
    assert said == "".join(f"{text}|" for text in sent[:DIRECT])
    assert (target / "hospital").read_text(encoding="utf-8") == HOSTILE[0].replace("CANARY", str(canary))
    assert not canary.exists()
