"""The site playbook on this machine alone: order, handlers, tags and failures, judged as every run is."""

from __future__ import annotations

import shutil
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.integration.small_project import HERE, ROOT
from tests.unit.judge_samples import host as sample_host
from wardround.drift.judge import Judgement, Scope, judge
from wardround.load.roles import load_roles
from wardround.model.base import JsonValue
from wardround.model.event import TaskEvent
from wardround.model.run import Verdict
from wardround.transport.playbook import PlaybookCall, PlaybookResult, run_playbook

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

SPECS = "---\nargument_specs:\n  main:\n    short_description: A role\n    options: {}\n"

FIRST_MAIN = """---
- name: Files
  ansible.builtin.import_tasks: files.yml
  tags: [files]

- name: Extras
  ansible.builtin.import_tasks: extras.yml
  tags: [extras]
"""

FIRST_FILES = """---
- name: State of the file is read
  ansible.builtin.stat: {path: "{{ folder }}/{{ inventory_hostname }}-file"}
  register: __first_stat

- name: File holds its text
  ansible.builtin.copy:
    content: "text\\n"
    dest: "{{ folder }}/{{ inventory_hostname }}-file"
    mode: "0600"
  notify: First | restart

- name: Both in a block
  when: not (ansible_check_mode and not __first_stat.stat.exists)
  block:
    - name: Link leads to the file
      ansible.builtin.file:
        src: "{{ folder }}/{{ inventory_hostname }}-file"
        dest: "{{ folder }}/{{ inventory_hostname }}-link"
        state: link

    - name: Each folder is there
      ansible.builtin.file:
        path: "{{ folder }}/{{ inventory_hostname }}-{{ item }}"
        state: directory
        mode: "0700"
      loop: [one, two]
"""

FIRST_EXTRAS = """---
- name: Only on another system
  ansible.builtin.file: {path: "{{ folder }}/never", state: touch, mode: "0600"}
  when: ansible_facts['distribution'] == 'Plan 9'

- name: A command that a check cannot foretell
  ansible.builtin.command: touch {{ folder }}/{{ inventory_hostname }}-touched
  args: {creates: "{{ folder }}/{{ inventory_hostname }}-never"}
  changed_when: false
  failed_when: __first_touch.rc | default(0) != 0
  register: __first_touch
"""

FIRST_HANDLERS = """---
- name: First | restart
  ansible.builtin.copy:
    content: restarted
    dest: "{{ folder }}/{{ inventory_hostname }}-restarted"
    mode: "0600"
"""

SECOND_MAIN = """---
- name: Last
  ansible.builtin.import_tasks: last.yml
  tags: [last]
"""

SECOND_LAST = """---
- name: Restart came before this
  ansible.builtin.assert:
    that: inventory_hostname == 'two' or (folder ~ '/' ~ inventory_hostname ~ '-restarted') is exists
    fail_msg: the restart is missing

- name: Last file is there
  ansible.builtin.copy:
    content: last
    dest: "{{ folder }}/{{ inventory_hostname }}-last"
    mode: "0600"
"""

FILES = {
    "first/tasks/main.yml": FIRST_MAIN,
    "first/tasks/files.yml": FIRST_FILES,
    "first/tasks/extras.yml": FIRST_EXTRAS,
    "first/handlers/main.yml": FIRST_HANDLERS,
    "first/meta/argument_specs.yml": SPECS,
    "second/tasks/main.yml": SECOND_MAIN,
    "second/tasks/last.yml": SECOND_LAST,
    "second/meta/argument_specs.yml": SPECS,
}
HOSTS = {"one": ("first", "second"), "two": ("second",)}


class Site:
    """A project with the real playbooks and plugins, and two roles of its own."""

    def __init__(self, folder: Path) -> None:
        self.target = folder / "target"
        self.target.mkdir()
        self.project = folder / "project"
        for name in ("playbooks", "plugins"):
            shutil.copytree(ROOT / name, self.project / name)
        shutil.copyfile(ROOT / "ansible.cfg", self.project / "ansible.cfg")
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.project / "roles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *, check: bool, tags: tuple[str, ...] = ()) -> PlaybookResult:
        hosts: dict[str, JsonValue] = {
            name: {**HERE, "ansible_become": False, "wardround_roles": list(roles), "folder": str(self.target)}
            for name, roles in HOSTS.items()
        }
        inventory: dict[str, JsonValue] = {
            "wardround_managed": {"hosts": hosts, "vars": {"wardround_role_order": ["first", "second"]}}
        }
        call = PlaybookCall(
            project=self.project, playbook="site.yml", inventory=inventory, check=check, tags=tags, forks=2
        )
        return run_playbook(call, lambda _event: None, lambda: False)

    def judge(self, result: PlaybookResult, tags: tuple[str, ...] = ()) -> Judgement:
        hosts = tuple(
            sample_host(name).model_copy(update={"roles": roles, "address": IPv4Address("127.0.0.1")})
            for name, roles in HOSTS.items()
        )
        scope = Scope(hosts=hosts, roles=load_roles(self.project, ("first", "second")), tags=frozenset(tags))
        return judge(scope, result.events)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def verdicts(found: Judgement, host: str) -> dict[str, str]:
    """Give the verdict of each task of a host, of a loop that of its last item."""
    return {task.task: task.verdict.value for task in found.tasks if task.host == host and not task.is_handler}


def tasks_of(result: PlaybookResult) -> list[TaskEvent]:
    """Give the events of what stands in roles; Ansible validates their arguments with tasks of its own."""
    return [each for each in result.events if each.role and not each.handler and each.path.startswith("roles/")]


def order(result: PlaybookResult, host: str) -> list[str]:
    return [
        event.task
        for event in result.events
        if event.host == host and event.path.startswith("roles/") and not event.item
    ]


def test_a_bare_host_a_made_one_and_a_damaged_one(site: Site) -> None:
    bare = site.judge(site.run(check=True))
    assert verdicts(bare, "one") == {
        "File holds its text": "drifted",
        "Link leads to the file": "unknown",
        "Each folder is there": "unknown",
        "Only on another system": "not_applicable",
        "A command that a check cannot foretell": "unknown",
        "Restart came before this": "drifted",
        "Last file is there": "unknown",
    }
    assert list(site.target.iterdir()) == []

    made = site.run(check=False)
    assert made.exit_code == 0, [event for event in made.events if event.outcome == "failed"]
    first = order(made, "one")
    assert first.index("First | restart") == first.index("Restart came before this") - 1
    assert [event.role for event in tasks_of(made) if event.host == "two"] == ["second", "second"]
    assert {path.name for path in site.target.iterdir()} >= {"one-file", "one-link", "one-one", "one-last", "two-last"}

    again = site.run(check=False)
    assert [event.task for event in again.events if event.changed] == []

    clean = site.judge(site.run(check=True))
    assert clean.having(Verdict.DRIFTED, Verdict.FAILED) == ()
    assert {task.task for task in clean.having(Verdict.UNKNOWN)} == {"A command that a check cannot foretell"}
    assert clean.coverage.hosts_seen == 2
    assert clean.coverage.checks == 9

    (site.target / "one-file").write_text("edited\n")
    (site.target / "one-two").rmdir()
    (site.target / "two-last").unlink()
    damaged = site.judge(site.run(check=True))
    assert {(task.host, Path(task.resource).name) for task in damaged.having(Verdict.DRIFTED)} == {
        ("one", "one-file"),
        ("one", "two"),
        ("two", "two-last"),
    }
    [edited] = [task for task in damaged.having(Verdict.DRIFTED) if task.task == "File holds its text"]
    assert edited.diff.splitlines()[-2:] == ["-edited", "+text"]
    assert edited.path == "roles/first/tasks/files.yml:6"
    assert edited.tags == ("files",)


def test_a_tag_runs_one_component_and_the_rest_is_not_missed(site: Site) -> None:
    result = site.run(check=True, tags=("last",))
    assert {event.role for event in tasks_of(result)} == {"second"}
    found = site.judge(result, ("last",))
    assert {task.task for task in found.tasks} == {"Restart came before this", "Last file is there"}


def test_restarts_come_after_each_role_under_a_tag_too(site: Site) -> None:
    result = site.run(check=False, tags=("files", "last"))
    assert result.exit_code == 0, [event for event in result.events if event.outcome == "failed"]
    assert order(result, "one").index("First | restart") < order(result, "one").index("Restart came before this")


def test_a_restart_that_was_notified_happens_though_a_later_task_fails(site: Site) -> None:
    site.write("first/tasks/extras.yml", "---\n- name: Broken\n  ansible.builtin.command: /bin/false\n")
    result = site.run(check=False)
    assert result.complete
    assert (site.target / "one-restarted").read_text() == "restarted"
    found = site.judge(result)
    assert verdicts(found, "one")["Broken"] == "failed"
    assert verdicts(found, "one")["Last file is there"] == "unknown"
    assert verdicts(found, "two")["Last file is there"] == "drifted"


def test_events_of_a_host_name_their_role_and_place(site: Site) -> None:
    result = site.run(check=True)
    planned = {task.path for role in load_roles(site.project, ("first", "second")).values() for task in role.tasks}
    assert {event.path for event in tasks_of(result)} <= planned
    assert {event.role for event in tasks_of(result)} == {"first", "second"}
