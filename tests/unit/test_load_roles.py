"""Roles as data: which task is a check, where it stands and under which tags it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from wardround.errors import UsageError
from wardround.load.roles import load_roles
from wardround.model.role import Role

pytestmark = pytest.mark.unit

SPECS = """---
argument_specs:
  main:
    options:
      small_b: {type: str}
      small_a: {type: str}
"""

MAIN = """---
- name: Component
  ansible.builtin.import_tasks: component.yml
  tags: [component]

- name: Always there
  ansible.builtin.import_tasks:
    file: always.yml
  tags: always
"""

COMPONENT = """---
- name: A file
  ansible.builtin.copy: {content: x, dest: /x}
  tags: [extra]

- name: In a block
  when: small_a
  tags: [blocked]
  block:
    - name: Inside
      ansible.builtin.file:
        path: /y
  rescue:
    - name: When that failed
      ansible.builtin.file: {path: /z}

# Reading proves nothing …
- name: Probe
  ansible.builtin.command: sshd -T
  changed_when: false
- name: Reading
  ansible.builtin.stat: {path: /x}
# … unless it is held against something.
- name: Held
  ansible.builtin.command: sshd -T
  changed_when: false
  failed_when: "'no' not in __x.stdout"
- name: Counted
  ansible.builtin.stat: {path: /x}
  changed_when: not __x.stat.exists
- ignore_unreachable: true
  become_method: sudo
  throttle: 1
  ansible.builtin.shell: id
"""


@pytest.fixture
def role(tmp_path: Path) -> Role:
    for name, text in {
        "tasks/main.yml": MAIN,
        "tasks/component.yml": COMPONENT,
        "tasks/always.yml": "---\n- name: Secret\n  ansible.builtin.set_fact: {x: !unsafe '{{ y }}'}\n",
        "handlers/main.yml": "---\n- name: Small | restart\n  ansible.builtin.systemd: {name: x}\n",
        "meta/argument_specs.yml": SPECS,
    }.items():
        path = tmp_path / "roles" / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_roles(tmp_path, ("small",))["small"]


def test_tasks_are_in_the_order_in_which_they_run(role: Role) -> None:
    assert [task.name for task in role.tasks] == [
        "A file",
        "Inside",
        "When that failed",
        "Probe",
        "Reading",
        "Held",
        "Counted",
        "ansible.builtin.shell",
        "Secret",
    ]


def test_only_what_says_something_of_the_host_is_a_check(role: Role) -> None:
    checks = [task.name for task in role.tasks if task.is_check]
    assert checks == ["A file", "Inside", "When that failed", "Held", "Counted", "ansible.builtin.shell"]


def test_tags_come_from_all_above(role: Role) -> None:
    tags = {task.name: task.tags for task in role.tasks}
    assert tags["A file"] == ("component", "extra")
    assert tags["Inside"] == ("blocked", "component")
    assert tags["Secret"] == ("always",)
    assert role.tags == {"component", "extra", "blocked", "always"}


def test_a_place_is_the_line_of_the_task(role: Role) -> None:
    lines = COMPONENT.splitlines()
    for task in role.tasks:
        file, _, line = task.path.rpartition(":")
        if file.endswith("component.yml") and task.name != "ansible.builtin.shell":
            assert lines[int(line) - 1].strip() == f"- name: {task.name}"


def test_handlers_and_variables_are_named(role: Role) -> None:
    assert (role.handlers, role.variables) == (("Small | restart",), ("small_a", "small_b"))


def test_a_role_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='role "absent" does not exist'):
        load_roles(tmp_path, ("absent",))


def test_a_file_that_holds_no_tasks_is_said(tmp_path: Path, role: Role) -> None:
    assert role.tasks
    path = tmp_path / "roles" / "small" / "tasks" / "always.yml"
    path.write_text("---\nname: not a list\n")
    with pytest.raises(UsageError, match="a task file is a list of tasks"):
        load_roles(tmp_path, ("small",))
