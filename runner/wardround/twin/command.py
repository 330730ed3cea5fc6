"""Programs of this machine: how the twin starts them and reports the ones that fail."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from wardround.errors import MissingToolError, TwinError

TIMEOUT = 600.0
"""Seconds after which a program is given up; the slowest, an image build, takes about 60."""

_SHOWN = 600


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program said: its exit code and both outputs as text."""

    code: int
    stdout: str
    stderr: str


def attempt(argv: tuple[str, ...], *, stdin: str | None = None, timeout: float = TIMEOUT) -> Completed:
    """Run a program to its end and return what it said, whatever its exit code.

    Raises:
        MissingToolError: the program is not installed.
        TwinError: it did not end within `timeout` seconds.
    """
    if shutil.which(argv[0]) is None:
        raise MissingToolError(f"the program {argv[0]} is not installed", remedy="run `wardround doctor` for the list")
    try:
        # A session of its own: podman, interrupted in the middle, leaves a container that nobody can use or remove.
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False, start_new_session=True
        )
    except subprocess.TimeoutExpired as late:
        raise TwinError(f"`{' '.join(argv)}` did not end within {timeout:.0f} s") from late
    return Completed(done.returncode, done.stdout, done.stderr)


def run(argv: tuple[str, ...], *, stdin: str | None = None, timeout: float = TIMEOUT) -> str:
    """Run a program that must succeed and return its standard output.

    Raises:
        TwinError: it ended with another code than 0; the message holds the end of what it said.
    """
    done = attempt(argv, stdin=stdin, timeout=timeout)
    if done.code != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-_SHOWN:]
        raise TwinError(f"`{' '.join(argv)}` ended with {done.code}: {said}")
    return done.stdout
