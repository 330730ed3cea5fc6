"""One command on a host over SSH: strict about its key, bounded in time and in what it may answer."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

_CONNECT_SECONDS = 10
_KEY_SIGNS = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "host key is known for")
_FAILED_TO_CONNECT = 255


@dataclass(frozen=True, slots=True)
class Login:
    """How hosts are reached; paths are files on the control node."""

    user: str
    known_hosts_file: str
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """What a host is asked: words, and what they read from their input; limits in seconds and bytes."""

    words: tuple[str, ...]
    text: str = ""
    seconds: float = 120.0
    limit: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host said; `failure` says why it said nothing that counts, and `distrusted` that its key was wrong."""

    output: str
    failure: str = ""
    distrusted: bool = False


def ask(login: Login, address: str, command: Command) -> Answer:
    """Run one command on one host, and never raise for what the host does."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command_of(login, address, command.words), stdin=subprocess.PIPE, stdout=output, stderr=errors
        )
        try:
            process.communicate(command.text.encode(), timeout=command.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return Answer("", f"no answer within {command.seconds:.0f} s")
        except BaseException:
            process.kill()
            process.wait()
            raise
        output.seek(0)
        said = output.read(command.limit + 1)
        errors.seek(0)
        complaint = errors.read(4096).decode(errors="replace").strip()
    if len(said) > command.limit:
        return Answer("", f"it answered more than {command.limit} bytes")
    if process.returncode != 0:
        last = complaint.splitlines()[-1] if complaint else f"{command.words[0]} ended with {process.returncode}"
        silent = "it was not reached: " if process.returncode == _FAILED_TO_CONNECT else ""
        return Answer("", f"{silent}{last}", any(sign in complaint for sign in _KEY_SIGNS))
    return Answer(said.decode(errors="replace"))


def command_of(login: Login, address: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Give the words that run a command on a host over SSH."""
    return ("ssh", *_options(login), f"{login.user}@{address}", shlex.join(words))


def ask_all(login: Login, questions: Mapping[str, tuple[str, Command]], at_once: int) -> dict[str, Answer]:
    """Ask many hosts, some at once; `questions` are address and command by any name, which the answers carry too."""
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        waiting = {name: pool.submit(ask, login, *question) for name, question in questions.items()}
        return {name: each.result() for name, each in waiting.items()}


def _options(login: Login) -> tuple[str, ...]:
    options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={login.known_hosts_file}",
        "GlobalKnownHostsFile=/dev/null",
        f"ConnectTimeout={_CONNECT_SECONDS}",
        "ServerAliveInterval=15",
        "ClearAllForwardings=yes",
    ]
    key = () if login.key_file is None else ("-i", login.key_file, "-o", "IdentitiesOnly=yes")
    return ("-T", *key, *(word for option in options for word in ("-o", option)))
