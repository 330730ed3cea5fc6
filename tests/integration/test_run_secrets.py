"""Secrets of the vault: used by a run, and told by it to nobody, not even at the highest verbosity or in a crash."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.integration.small_project import call_of, make_project, marked
from wardround.transport.playbook import PlaybookResult, run_playbook

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

CANARIES = [f"canary-{number:02d}-Zq7wXv" for number in range(20)]

TASKS = """---
- name: Secrets
  ansible.builtin.include_vars:
    file: "{{ wardround_secrets_file }}"
  no_log: true

- name: Secrets are in a file
  ansible.builtin.copy:
    content: "{{ secrets | join('\\n') }}\\n"
    dest: "{{ folder }}/secrets"
    mode: "0600"
  no_log: true
  diff: false

- name: A loop over secrets
  ansible.builtin.lineinfile:
    path: "{{ folder }}/lines"
    line: "{{ item }}"
    create: true
    mode: "0600"
  loop: "{{ secrets }}"
  no_log: true
  diff: false

- name: A command that is fed a secret
  ansible.builtin.command:
    cmd: cat
    stdin: "{{ secrets[0] }}"
  changed_when: false
  no_log: true

- name: The last one
  ansible.builtin.command: "{{ last }}"
  changed_when: false

- name: A failure that knows a secret
  ansible.builtin.fail:
    msg: "{{ secrets[1] }}"
  no_log: true
"""


@pytest.fixture
def vault(tmp_path: Path) -> tuple[Path, Path]:
    """Give an encrypted file of canaries and the file of its password."""
    password, secrets = tmp_path / "vault_password", tmp_path / "secrets.yml"
    password.write_text("canary-of-the-vault\n")
    password.chmod(0o600)
    secrets.write_text("secrets:\n" + "".join(f"  - {canary}\n" for canary in CANARIES))
    vault = Path(sys.executable).with_name("ansible-vault")
    subprocess.run([vault, "encrypt", f"--vault-password-file={password}", secrets], check=True, capture_output=True)
    assert not told(secrets.read_text())
    return secrets, password


def told(text: str) -> list[str]:
    """Give the canaries that a text tells."""
    return [canary for canary in [*CANARIES, "canary-of-the-vault"] if canary in text]


class Sampler:
    """Reads argv and environment of every process of every new run, again and again."""

    def __init__(self) -> None:
        self.seen = ""
        self.samples = 0
        self._before = set(marked().values())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        known: set[str] = set()
        while not self._stop.wait(0.05):
            for process, marker in marked().items():
                if marker in self._before:
                    continue
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        known.add((Path("/proc") / str(process) / name).read_text(errors="replace"))
                self.samples += 1
            self.seen = "\n".join(known)


def run(
    folder: Path, vault: tuple[Path, Path], last: str, *, kill: bool, fast: bool = False
) -> tuple[PlaybookResult, Sampler, Path]:
    project = make_project(folder, TASKS)
    variables = {"folder": str(folder), "wardround_secrets_file": str(vault[0]), "last": last}
    call = call_of(
        project,
        {**variables},
        verbosity=4,
        vault_password_file=str(vault[1]),
        fast=fast,
    )
    private: list[Path] = []

    def watch() -> bool:
        for process, marker in worker(folder):
            private.append(Path(marker))
            if kill and (folder / "lines").exists():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        return False

    with Sampler() as sampler:
        result = run_playbook(call, lambda _event: None, watch)
    return result, sampler, private[0]


def worker(folder: Path) -> Iterator[tuple[int, str]]:
    """Give the process and private folder of the worker whose run works in `folder`."""
    for process in marked():
        with contextlib.suppress(OSError):
            words = (Path("/proc") / str(process) / "cmdline").read_text().split("\0")
            there = (Path("/proc") / str(process) / "cwd").readlink()
            if "wardround.transport.worker" in words and there == folder / "project":
                yield process, words[-2]


@pytest.mark.parametrize("fast", [False, True], ids=["plain", "fast"])
def test_a_whole_run_tells_no_secret(tmp_path: Path, vault: tuple[Path, Path], *, fast: bool) -> None:
    result, sampler, private = run(tmp_path, vault, "/bin/true", kill=False, fast=fast)
    assert told((tmp_path / "secrets").read_text()) == CANARIES, "the run could read the vault"
    assert [event.task for event in result.events][-1] == "A failure that knows a secret"
    assert told(result.output + repr(result)) == []
    assert told("".join(event.model_dump_json() for event in result.events)) == []
    assert sampler.samples > 0
    assert told(sampler.seen) == []
    assert not private.exists()


def test_a_crash_tells_no_secret(tmp_path: Path, vault: tuple[Path, Path]) -> None:
    result, sampler, private = run(tmp_path, vault, "sleep 300", kill=True)
    assert not result.complete
    assert (tmp_path / "lines").exists(), "it crashed before it knew a secret"
    assert told(result.output + repr(result)) == []
    assert told("".join(event.model_dump_json() for event in result.events)) == []
    assert told(sampler.seen) == []
    assert not private.exists()


def test_the_private_folder_is_for_its_owner_alone(tmp_path: Path, vault: tuple[Path, Path]) -> None:
    project = make_project(tmp_path, TASKS)
    modes: set[tuple[str, int]] = set()

    def watch() -> bool:
        for _, folder in worker(tmp_path):
            with contextlib.suppress(OSError):
                modes.add(("folder", Path(folder).stat().st_mode & 0o777))
                modes.update(
                    (name, (Path(folder) / name).stat().st_mode & 0o777)
                    for name in ("run.json", "inventory/hosts.json", "inventory", "env")
                )
        return False

    variables = {"folder": str(tmp_path), "wardround_secrets_file": str(vault[0]), "last": "/bin/true"}
    run_playbook(call_of(project, {**variables}, vault_password_file=str(vault[1])), lambda _event: None, watch)
    assert modes == {("folder", 0o700), ("run.json", 0o600), ("inventory/hosts.json", 0o600), ("inventory", 0o700)} | {
        ("env", 0o700)
    }
