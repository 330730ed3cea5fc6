"""The project on disk: its root, its hospitals and where each file of a hospital lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wardround.errors import InvalidInputError, UsageError
from wardround.load.characters import shown
from wardround.load.library import FOLDER, ArchitectureLibrary
from wardround.load.validation import Loaded, load
from wardround.load.wording import did_you_mean
from wardround.model.hospital import Hospital

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT_VARIABLE: Final = "WARDROUND_PROJECT"
_LANDMARKS: Final = (FOLDER, "roles")


@dataclass(frozen=True)
class HospitalFolder:
    """One hospital's files: `inventories/<name>/`. Only the manifest has to exist."""

    project: Path
    name: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.project / "inventories" / self.name

    @property
    def manifest(self) -> Path:
        """What the hospital pins, answers and owns."""
        return self.path / "hospital.yml"

    @property
    def waivers(self) -> Path:
        """Findings accepted for a time."""
        return self.path / "waivers.yml"

    @property
    def secrets(self) -> Path:
        """The hospital's vault, encrypted by ansible-vault."""
        return self.path / "secrets.yml"

    @property
    def known_hosts(self) -> Path:
        """The SSH host keys, the only ones that are ever accepted."""
        return self.path / "known_hosts"

    def shown(self, path: Path) -> str:
        """Give a path as messages name it: relative to the project."""
        return path.relative_to(self.project).as_posix()

    def load_manifest(self) -> Loaded[Hospital]:
        """Read and validate the manifest.

        Raises:
            InvalidInputError: with every mistake in it, or it names another hospital than its folder.

        """
        loaded = load(self.manifest, Hospital, file=self.shown(self.manifest))
        if loaded.model.hospital != self.name:
            message = f'hospital "{loaded.model.hospital}" lies in folder "{self.name}"'
            remedy = "make both the same; ledger and locks go by this name"
            raise InvalidInputError((loaded.document.problem("WR-157", message, ("hospital",), remedy=remedy),))
        return loaded


@dataclass(frozen=True)
class Project:
    """A checkout that holds reference architectures, roles and hospitals."""

    root: Path

    @property
    def library(self) -> ArchitectureLibrary:
        """The project's reference architectures."""
        return ArchitectureLibrary(self.root)

    def hospitals(self) -> tuple[str, ...]:
        """Give the names of all hospitals, sorted; folders that start with `_` or `.` are templates, not hospitals."""
        inventories = self.root / "inventories"
        if not inventories.is_dir():
            return ()
        folders = (manifest.parent.name for manifest in inventories.glob("*/hospital.yml"))
        return tuple(sorted(name for name in folders if not name.startswith(("_", "."))))

    def hospital(self, given: str) -> HospitalFolder:
        """Find a hospital by its name, its folder or its manifest.

        Raises:
            UsageError: there is none.

        """
        name = self._name_in(given)
        known = self.hospitals()
        if name in known:
            return HospitalFolder(self.root, name)
        meant = did_you_mean(name, known)
        raise UsageError(
            f"hospital {shown(name)} does not exist" + (f', did you mean "{meant}"?' if meant else ""),
            path="inventories",
            remedy=f"known: {', '.join(known)}" if known else "add one: wardround onboard",
        )

    def _name_in(self, given: str) -> str:
        """Give the name in `st-elsewhere`, `inventories/st-elsewhere/` or `…/st-elsewhere/hospital.yml`."""
        if "/" not in given and given not in {".", "hospital.yml"}:
            return given
        path = Path(given).absolute()
        folder = path.parent if path.name == "hospital.yml" else path
        # A folder of the same name elsewhere is another hospital.
        return folder.name if folder.parent.resolve() == (self.root / "inventories").resolve() else given


def find_project(given: Path | None, environment: Mapping[str, str], here: Path) -> Project:
    """Find the project: as given, else as `WARDROUND_PROJECT` says, else upwards from `here`.

    Raises:
        UsageError: there is no project at the place that was named, or none above.

    """
    named = given or (Path(environment[ROOT_VARIABLE]) if environment.get(ROOT_VARIABLE) else None)
    if named is not None:
        root = named.expanduser().absolute()
        if not _is_project(root):
            raise UsageError(
                f"{shown(str(named))} is not a project", remedy=f"name a folder that holds {' and '.join(_LANDMARKS)}"
            )
        return Project(root)
    for folder in (here.absolute(), *here.absolute().parents):
        if _is_project(folder):
            return Project(folder)
    raise UsageError(
        "no project here or in any folder above",
        path=str(here),
        remedy=f"change into the checkout, or give --project or {ROOT_VARIABLE}",
    )


def _is_project(folder: Path) -> bool:
    return all((folder / landmark).is_dir() for landmark in _LANDMARKS)
