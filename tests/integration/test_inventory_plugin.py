"""Plain Ansible works: the inventory plugin reads a manifest, and the playbook takes what it gives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.small_project import HERE, ROOT
from wardround.load.project import Project
from wardround.render.inventory import groups_of, host_variables
from wardround.verbs.opening import load_design

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

MANIFEST = "inventories/st-elsewhere/hospital.yml"


def ansible(
    program: str, *arguments: str, project: Path = ROOT, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Call a program of Ansible the way a person in the checkout does."""
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=project,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(project / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the project's inventory side, to damage."""
    for folder in ("inventories", "reference_architectures", "plugins"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copyfile(ROOT / "ansible.cfg", tmp_path / "ansible.cfg")
    (tmp_path / "roles").mkdir()
    return tmp_path


def test_the_graph_shows_managed_hosts_in_their_groups() -> None:
    done = ansible("ansible-inventory", "-i", MANIFEST, "--graph")
    assert done.returncode == 0, done.stderr
    graph = done.stdout
    design = load_design(Project(ROOT), "st-elsewhere")
    for host in design.hosts:
        assert (f"--{host.name}\n" in graph) == (host in design.managed_hosts()), host.name
    for host in design.managed_hosts():
        assert all(f"@{group}:" in graph for group in groups_of(host))


def test_the_list_holds_exactly_the_designs_variables() -> None:
    done = ansible("ansible-inventory", "-i", MANIFEST, "--list")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["_meta"]["hostvars"]
    design = load_design(Project(ROOT), "st-elsewhere")
    assert set(found) == {host.name for host in design.managed_hosts()}
    for host in design.managed_hosts():
        given = plain(found[host.name])
        assert isinstance(given, dict)
        assert {name: given[name] for name in host_variables(host)} == host_variables(host), host.name
        assert given["wardround_role_order"] == list(design.role_order)
        assert "StrictHostKeyChecking=yes" in str(given["ansible_ssh_common_args"])


def plain(value: object) -> object:
    """Take the marks off that say a text is data."""
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"] if set(value) == {"__ansible_unsafe"} else {k: plain(v) for k, v in value.items()}
        )
    return [plain(each) for each in value] if isinstance(value, list) else value


def test_the_site_playbook_takes_the_inventory_and_narrows() -> None:
    done = ansible(
        "ansible-playbook",
        "-i",
        MANIFEST,
        "playbooks/site.yml",
        "--check",
        "--list-hosts",
        "--limit",
        "component_patch_mirror",
    )
    assert done.returncode == 0, done.stderr
    assert "mirror01" in done.stdout
    assert "pacs01" not in done.stdout
    done = ansible(
        "ansible-playbook", "-i", MANIFEST, "playbooks/site.yml", "--check", "--syntax-check", "--tags", "sshd"
    )
    assert done.returncode == 0, done.stderr


def test_mistakes_of_the_manifest_are_said_at_their_places(copy: Path) -> None:
    manifest = copy / MANIFEST
    manifest.write_text(
        manifest.read_text().replace("10.20.1.12", "10.20.1.11").replace("window: sunday_night", "window: no")
    )
    done = ansible("ansible-inventory", "-i", MANIFEST, "--list", project=copy)
    assert done.returncode != 0, "a hospital that cannot be read must never look like one without hosts"
    assert done.returncode == 4
    assert "WR-133" in done.stderr
    assert "infra01" not in done.stdout
    assert f"{MANIFEST}:" in done.stderr


def test_an_interpreter_without_wardround_is_no_hospital_without_hosts(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['wardround'] = None\n")
    done = ansible("ansible-inventory", "-i", MANIFEST, "--list", environment={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 4
    assert "the wardround package is not importable here" in done.stderr


def test_nothing_beside_the_manifest_brings_variables_in(copy: Path) -> None:
    folder = copy / "inventories" / "st-elsewhere"
    canary = copy / "canary"
    for name in ("group_vars/all.yml", "host_vars/infra01.yml", "group_vars/wardround_managed.yml"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"planted: \"{{{{ lookup('pipe', 'touch {canary}') }}}}\"\n")
    done = ansible(
        "ansible", "-i", MANIFEST, "infra01", "-e", json.dumps(HERE), "-m", "debug", "-a", "var=planted", project=copy
    )
    assert "VARIABLE IS NOT DEFINED" in done.stdout or "undefined" in done.stdout, done.stdout + done.stderr
    assert not canary.exists()


@pytest.mark.parametrize("name", ["other.yml", "hospital.yaml"])
def test_only_a_manifest_is_read_as_one(copy: Path, name: str) -> None:
    shutil.move(copy / MANIFEST, copy / "inventories" / "st-elsewhere" / name)
    done = ansible("ansible-inventory", "-i", f"inventories/st-elsewhere/{name}", "--list", project=copy)
    assert "infra01" not in done.stdout
