"""SHA-256 of files and folders: the same content gives the same digest on every machine."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from wardround.errors import InvalidInputError, Problem
from wardround.load.characters import escaped

_NOT_CONTENT: Final = frozenset({"__pycache__"})
"""What running the code leaves beside it; nobody wrote it and it differs between interpreters."""


def file_digests(folder: Path) -> dict[str, str]:
    """Give the SHA-256 of every file below a folder by its path inside, sorted by path.

    Raises:
        InvalidInputError: the folder cannot be read, or holds anything but plain files and folders: a symbolic link
            would let content from elsewhere pass under the digest.

    """
    digests: dict[str, str] = {}
    problems: list[Problem] = []
    _collect(folder, "", digests, problems)
    if problems:
        raise InvalidInputError(tuple(problems))
    return dict(sorted(digests.items()))


def tree_digest(folder: Path) -> str:
    """Give one SHA-256 for all names and contents below a folder.

    Raises:
        InvalidInputError: as `file_digests`.

    """
    return digest_of(file_digests(folder))


def digest_of(digests: dict[str, str]) -> str:
    """Give one SHA-256 for the digests of many files."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _collect(folder: Path, inside: str, digests: dict[str, str], problems: list[Problem]) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        problems.append(Problem("WR-110", f"cannot be read: {error.strerror}", str(folder)))
        return
    for entry in entries:
        name = f"{inside}{entry.name}"
        mode = entry.stat(follow_symlinks=False).st_mode
        if not _is_plain(entry.name):
            message = f'"{escaped(entry.name)}" is no name for a file here'
            problems.append(Problem("WR-154", message, str(folder), remedy="rename it"))
        elif stat.S_ISDIR(mode):
            if entry.name not in _NOT_CONTENT:
                _collect(Path(entry.path), f"{name}/", digests, problems)
        elif stat.S_ISREG(mode):
            digests[name] = _file_digest(Path(entry.path))
        else:
            message = "not a plain file; links and devices are not allowed here"
            problems.append(Problem("WR-154", message, entry.path, remedy="put the file itself here"))


def _is_plain(name: str) -> bool:
    return name.isprintable() and name.isascii()


def _file_digest(path: Path) -> str:
    # O_NOFOLLOW: the entry may have become a link since it was listed.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
