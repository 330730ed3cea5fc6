"""`released.lock`: the digests of all files of all released reference architectures, which never change again."""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wardround.errors import InvalidInputError, Problem, StaleArchitectureError
from wardround.load.characters import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_NAME: Final = "released.lock"
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([a-z][a-z0-9_]*/[0-9]+\.[0-9]+\.[0-9]+)/([\x20-\x7e]+)")


@dataclass(frozen=True)
class ReleasedLock:
    """The lock's content: for each `name/x.y.z` the digest of each of its files."""

    releases: dict[str, dict[str, str]]

    def __contains__(self, release: str) -> bool:
        return release in self.releases

    def check(self, release: str, present: dict[str, str]) -> None:
        """Compare the files of a folder with what was released; a release that is not in the lock passes.

        Raises:
            StaleArchitectureError: a file changed, is missing or was added.

        """
        if release not in self.releases:
            return
        released = self.releases[release]
        faults = [
            *(f"{name} is missing" for name in released if name not in present),
            *(f"{name} was added" for name in present if name not in released),
            *(f"{name} changed" for name in present if name in released and present[name] != released[name]),
        ]
        if faults:
            raise StaleArchitectureError(
                f"released architecture {release.replace('/', ' ')} was touched: {', '.join(sorted(faults))}",
                path=f"reference_architectures/{release}",
                remedy="restore it from version control, or make a new version",
            )

    def with_release(self, release: str, digests: dict[str, str]) -> ReleasedLock:
        """Give a lock that holds one more release."""
        return ReleasedLock({**self.releases, release: digests})

    def text(self) -> str:
        """Write the lock: a line a file, sorted by path."""
        paths = {f"{r}/{name}": digest for r, files in self.releases.items() for name, digest in files.items()}
        return "".join(f"{digest}  {path}\n" for path, digest in sorted(paths.items()))


def read_lock(root: Path) -> ReleasedLock:
    """Read the lock of a library; no file means that nothing is released yet.

    Raises:
        InvalidInputError: a line is not a digest and a path, or a path stands twice.

    """
    path = root / LOCK_NAME
    if not path.exists():
        return ReleasedLock({})
    releases: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    for number, line in enumerate(path.read_bytes().decode("utf-8", errors="replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or match[3] in releases.get(match[2], {}):
            cause = "not a digest, two spaces and a path" if match is None else "the same path again"
            remedy = "restore it from version control; only a release writes this file"
            problems.append(Problem("WR-155", f"{cause}: {shown(line)}", _shown(root), number, 1, remedy=remedy))
        else:
            releases.setdefault(match[2], {})[match[3]] = match[1]
    if problems:
        raise InvalidInputError(tuple(problems))
    return ReleasedLock(releases)


@contextmanager
def one_release_at_a_time(root: Path) -> Iterator[None]:
    """Let no other process release into this library meanwhile."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_lock(root: Path, lock: ReleasedLock) -> None:
    """Replace the lock; a crash leaves the old one or the new one, never a part."""
    draft = root / f".{LOCK_NAME}.draft"
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(lock.text())
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(root / LOCK_NAME)


def _shown(root: Path) -> str:
    return f"{root.name}/{LOCK_NAME}"
