"""The library of reference architectures: exact versions in folders of their own, the released ones frozen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from wardround.errors import InvalidInputError, Problem, StaleArchitectureError, UsageError
from wardround.load.digests import digest_of, file_digests
from wardround.load.released_lock import ReleasedLock, one_release_at_a_time, read_lock, write_lock
from wardround.load.validation import Loaded, load
from wardround.load.wording import did_you_mean
from wardround.model.architecture import Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wardround.load.places import DocumentPath
    from wardround.load.yaml_document import Document

FOLDER: Final = "reference_architectures"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_VERSION: Final = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")


@dataclass(frozen=True)
class LibraryArchitecture:
    """One version as it stands in the library; `digest` is the SHA-256 of all names and contents of its folder."""

    loaded: Loaded[Architecture]
    digest: str
    released: bool

    @property
    def architecture(self) -> Architecture:
        """The architecture itself."""
        return self.loaded.model

    @property
    def label(self) -> str:
        """Name and version, as people say it: `pacs 1.0.0`."""
        return f"{self.architecture.name} {self.architecture.version}"


@dataclass(frozen=True)
class _Pin:
    """Somebody asks for a version: where that is written, and through which chain one got there."""

    name: str
    version: str
    document: Document
    path: DocumentPath
    chain: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def way(self) -> str:
        return " → ".join((*self.chain, self.label))

    def problem(self, code: str, message: str, remedy: str) -> Problem:
        return self.document.problem(code, message, self.path, remedy=remedy)


@dataclass
class _Resolution:
    """The work of one resolve."""

    chosen: dict[str, _Pin] = field(default_factory=dict)
    ordered: list[LibraryArchitecture] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class ArchitectureLibrary:
    """Reads `reference_architectures/<name>/<x.y.z>/architecture.yml` below a project's root."""

    def __init__(self, project: Path) -> None:
        self._root = project / FOLDER

    def names(self) -> tuple[str, ...]:
        """Give the names of all architectures, sorted."""
        return tuple(name for name in _folders(self._root, _NAME) if _folders(self._root / name, _VERSION))

    def versions(self, name: str) -> tuple[str, ...]:
        """Give the versions of an architecture, oldest first; none where it does not exist."""
        if not _NAME.fullmatch(name):
            return ()
        versions = _folders(self._root / name, _VERSION)
        return tuple(sorted(versions, key=lambda version: [int(part) for part in version.split(".")]))

    def get(self, name: str, version: str) -> LibraryArchitecture:
        """Load one version.

        Raises:
            UsageError: there is no such architecture or version.
            InvalidInputError: it holds mistakes, or is not the architecture that its folder says.
            StaleArchitectureError: it was released and has changed since.

        """
        lock = read_lock(self._root)
        if version not in self.versions(name):
            _refuse_missing_release(lock, name, version)
            message, remedy = self._absence(name, version)
            raise UsageError(message, path=f"{FOLDER}/{name}", remedy=remedy)
        return self._load(name, version, lock)

    def resolve(
        self, document: Document, pins: Mapping[str, str], path: DocumentPath = ("architecture",)
    ) -> tuple[LibraryArchitecture, ...]:
        """Load what a document pins, with all that this requires or is composed of; what is required comes first.

        The order is the same however the pins are ordered.

        `path` is where the pins stand in the document.

        Raises:
            InvalidInputError: with every missing, invalid, conflicting or circular pin.
            StaleArchitectureError: one of them was released and has changed since.

        """
        inner = [_Pin(name, pins[name], document, (*path, name), (document.file,)) for name in sorted(pins)]
        return self._resolve(inner)

    def check_releases(self) -> None:
        """Compare every released version with the lock.

        Raises:
            StaleArchitectureError: one of them changed or is gone.
            InvalidInputError: the lock itself, or something in a released folder, cannot be read.

        """
        lock = read_lock(self._root)
        for release in lock.releases:
            name, version = release.split("/")
            if version not in self.versions(name):
                _refuse_missing_release(lock, name, version)
            lock.check(release, file_digests(self._root / name / version))

    def release(self, name: str, version: str) -> LibraryArchitecture:
        """Freeze a version for ever: validate it and write its digests into `released.lock`.

        Raises:
            UsageError: it does not exist or is released already.
            InvalidInputError: it, or something it pins, holds mistakes or is not released itself.
            StaleArchitectureError: something that it pins was released and has changed since.

        """
        with one_release_at_a_time(self._root):
            found = self.get(name, version)
            if found.released:
                raise UsageError(f"{found.label} is released already", remedy="copy it to a new version")
            self._demand_released_pins(found)
            lock = read_lock(self._root).with_release(f"{name}/{version}", file_digests(self._root / name / version))
            write_lock(self._root, lock)
        return self.get(name, version)

    def _load(self, name: str, version: str, lock: ReleasedLock) -> LibraryArchitecture:
        folder = self._root / name / version
        digests = file_digests(folder)
        lock.check(f"{name}/{version}", digests)
        loaded = load(folder / "architecture.yml", Architecture, file=f"{FOLDER}/{name}/{version}/architecture.yml")
        said = {"name": (loaded.model.name, name), "version": (loaded.model.version, version)}
        problems = tuple(
            loaded.document.problem(
                "WR-151", f'{key} "{inside}" lies in folder "{outside}"', (key,), remedy="make both the same"
            )
            for key, (inside, outside) in said.items()
            if inside != outside
        )
        if problems:
            raise InvalidInputError(problems)
        return LibraryArchitecture(loaded, digest_of(digests), released=f"{name}/{version}" in lock)

    def _visit(self, pin: _Pin, lock: ReleasedLock, resolution: _Resolution) -> None:
        if pin.label in pin.chain:
            message = f"the requirements go round in a circle: {pin.way}"
            resolution.problems.append(pin.problem("WR-153", message, "remove one of the requirements"))
            return
        other = resolution.chosen.setdefault(pin.name, pin)
        if other is not pin:
            if other.version != pin.version:
                message = f"two versions of {pin.name}: {other.way}, and {pin.way}"
                resolution.problems.append(pin.problem("WR-152", message, "pin the same version on both ways"))
            return
        if pin.version not in self.versions(pin.name):
            _refuse_missing_release(lock, pin.name, pin.version)
            message, remedy = self._absence(pin.name, pin.version)
            resolution.problems.append(pin.problem("WR-150", message, remedy))
            return
        try:
            found = self._load(pin.name, pin.version, lock)
        except InvalidInputError as error:
            resolution.problems.extend(error.problems)
            return
        for inner in _pins_of(found, pin.chain):
            self._visit(inner, lock, resolution)
        resolution.ordered.append(found)

    def _resolve(self, pins: list[_Pin]) -> tuple[LibraryArchitecture, ...]:
        resolution = _Resolution()
        lock = read_lock(self._root)
        for pin in pins:
            self._visit(pin, lock, resolution)
        if resolution.problems:
            raise InvalidInputError(
                tuple(sorted(resolution.problems, key=lambda each: (each.file, each.line, each.column)))
            )
        return tuple(resolution.ordered)

    def _demand_released_pins(self, found: LibraryArchitecture) -> None:
        pins = _pins_of(found, ())
        released = {each.label for each in self._resolve(pins) if each.released}
        problems = tuple(
            pin.problem("WR-156", f"{pin.label} is not released, so it may still change", "release that first")
            for pin in pins
            if pin.label not in released
        )
        if problems:
            raise InvalidInputError(problems)

    def _absence(self, name: str, version: str) -> tuple[str, str]:
        """Give message and remedy for a version that is not there."""
        versions = self.versions(name)
        if versions:
            return f"{name} has no version {version}", f"versions: {', '.join(versions)}"
        meant = did_you_mean(name, self.names())
        message = f'architecture "{name}" does not exist' + (f', did you mean "{meant}"?' if meant else "")
        return message, f"known: {', '.join(self.names())}"


def _pins_of(found: LibraryArchitecture, chain: tuple[str, ...]) -> list[_Pin]:
    document = found.loaded.document
    inner_chain = (*chain, found.label)
    return [
        _Pin(name, version, document, (key, name), inner_chain)
        for key, pins in (("composes", found.architecture.composes), ("requires", found.architecture.requires))
        for name, version in sorted(pins.items())
    ]


def _refuse_missing_release(lock: ReleasedLock, name: str, version: str) -> None:
    if f"{name}/{version}" in lock:
        raise StaleArchitectureError(
            f"released architecture {name} {version} is gone",
            path=f"{FOLDER}/{name}/{version}",
            remedy="restore it from version control",
        )


def _folders(parent: Path, pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Give the real folders whose whole name fits; a symbolic link to a folder is none."""
    if not parent.is_dir() or parent.is_symlink():
        return ()
    return tuple(
        sorted(
            entry.name
            for entry in parent.iterdir()
            if pattern.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink()
        )
    )
