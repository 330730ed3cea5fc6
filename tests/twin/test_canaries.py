"""Secrets stay in the vault and on the hosts that need them: not in logs, ledger, plans, reports, artifacts or argv."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.twin.small_hospital import (
    NAME,
    ROOT,
    Answer,
    SmallHospital,
    events_of,
    processes_naming,
    run_folders,
    wait_for,
)

pytestmark = [pytest.mark.twin, pytest.mark.timeout(1800)]

HOST = "log01"


@dataclass
class Sampler:
    """Reads the arguments and environments of all processes again and again, and keeps what they said."""

    seen: set[bytes] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._stop.wait(0.05):
            for entry in Path("/proc").iterdir():
                if not entry.name.isdigit() or int(entry.name) == os.getpid():
                    continue
                with contextlib.suppress(OSError):
                    self.seen.add((entry / "cmdline").read_bytes())
                    self.seen.add((entry / "environ").read_bytes())

    @contextlib.contextmanager
    def sampling(self) -> Iterator[None]:
        """Sample while the block runs."""
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def canaries() -> dict[str, str]:
    """Make twenty secrets of the kinds that hospitals have."""
    made = {f"canary_password_{number}": f"Pw-{secrets.token_urlsafe(18)}" for number in range(5)}
    made |= {f"canary_token_{number}": f"tok_{secrets.token_hex(20)}" for number in range(5)}
    made |= {f"canary_url_{number}": f"https://user:{secrets.token_hex(12)}@erp.example" for number in range(5)}
    made |= {f"canary_key_{number}": f"-----BEGIN KEY-----\n{secrets.token_hex(24)}\n-----" for number in range(4)}
    return made | {"accounts_break_glass_password_hash": f"$6${secrets.token_hex(8)}${secrets.token_hex(43)}"}


def forms(secret: str) -> tuple[bytes, ...]:
    """Give the forms in which a secret could leak: plain, base64 and hex, and the telling part of a longer text."""
    core = max(secret.replace("@", "\n").replace(":", "\n").replace("$", "\n").splitlines(), key=len)
    return tuple(
        form
        for text in {secret, core}
        for form in (text.encode(), base64.b64encode(text.encode())[:-3], text.encode().hex().encode())
    )


@pytest.fixture
def vault(hardened: SmallHospital) -> Iterator[dict[str, str]]:
    """Put twenty canaries in the twin's vault; afterwards the former secrets are back in force."""
    folder = hardened.state / NAME / "twin"
    file, before = folder / "secrets.yml", (folder / "secrets.yml").read_bytes()
    made = canaries()
    plain = folder / "plain.yml"
    plain.write_text(yaml.safe_dump(made), encoding="utf-8")
    password = ["--vault-password-file", str(folder / "vault_password")]
    subprocess.run(
        [str(ROOT / ".venv/bin/ansible-vault"), "encrypt", *password, "--output", str(file), str(plain)],
        check=True,
        capture_output=True,
    )
    plain.unlink()
    try:
        yield made
    finally:
        file.write_bytes(before)
        planned = hardened.on_twin("plan", "--limit", HOST, "--tags", "sealed_passwords")
        assert hardened.on_twin("apply", "--plan", planned.data["plan"]).code == 0


def leaks(made: dict[str, str], hospital: SmallHospital, answers: list[Answer], sampler: Sampler) -> list[str]:
    """Look for every canary everywhere that wardround writes."""
    vault_files = {"secrets.yml", "vault_password"}
    places: dict[str, bytes] = {
        str(path): path.read_bytes()
        for folder in (hospital.state, *run_folders())
        for path in folder.rglob("*")
        if path.is_file() and path.name not in vault_files
    }
    places |= {f"output {number}": (each.out + each.err).encode() for number, each in enumerate(answers)}
    places |= {f"process {words[:120]!r}": words for words in sampler.seen}
    return [
        f"{name} in {place}"
        for name, secret in made.items()
        for place, content in places.items()
        if any(form in content for form in forms(secret))
    ]


def test_no_canary_leaves_the_vault(hardened: SmallHospital, vault: dict[str, str]) -> None:
    assert len(vault) == 20
    sampler, answers = Sampler(), []
    with sampler.sampling():
        planned = hardened.on_twin("plan", "--limit", HOST, "-vvvv")
        answers.append(planned)
        assert planned.code == 2, planned.out + planned.err
        applied = hardened.on_twin("apply", "--plan", planned.data["plan"], "-vvvv")
        answers.append(applied)
        assert applied.code == 0, applied.out + applied.err
        assert {change["task"] for change in applied.data["changed"]} == {"Sealed passwords are the declared ones"}
        answers.append(_crash(hardened))
        answers.append(hardened.call("--json", "findings", NAME, "--all"))
        answers.append(hardened.call("--json", "ledger", "runs", NAME))
    assert sampler.seen, "the sampler saw no process"
    assert leaks(vault, hardened, answers, sampler) == []


def _crash(hospital: SmallHospital) -> Answer:
    """Kill wardround in the middle of a run, and wait until the worker has cleared up behind it."""
    before = set(run_folders())
    running = hospital.started("drift", NAME, "--twin", "--limit", HOST, "-vvvv")

    def at_work() -> bool:
        return any(event.get("role") for folder in set(run_folders()) - before for event in events_of(folder))

    wait_for(at_work, 300, "the first role")
    running.send_signal(signal.SIGKILL)
    out, err = running.communicate(timeout=60)
    wait_for(lambda: not (set(run_folders()) - before), 60, "the private folder to go")
    wait_for(lambda: not processes_naming(f"{hospital.project}/playbooks"), 60, "ansible-playbook to end")
    return Answer(running.returncode, out, err)
