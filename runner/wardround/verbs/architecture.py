"""architecture: look at versions, and freeze one that holds together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardround.errors import UsageError
from wardround.verbs.opening import check_consistency

if TYPE_CHECKING:
    from wardround.load.library import ArchitectureLibrary, LibraryArchitecture
    from wardround.load.project import Project


def newest(library: ArchitectureLibrary, name: str) -> str:
    """Give the newest version of an architecture.

    Raises:
        UsageError: there is no such architecture.

    """
    versions = library.versions(name)
    if not versions:
        raise UsageError(f'architecture "{name}" does not exist', remedy=f"known: {', '.join(library.names())}")
    return versions[-1]


def release_checked(project: Project, name: str, version: str) -> LibraryArchitecture:
    """Release a version whose references all lead somewhere.

    Raises:
        InvalidInputError: a reference leads nowhere, or something that it requires is not released.
        UsageError: it does not exist or is released already.

    """
    library = project.library
    found = library.get(name, version)
    pins = {**found.architecture.composes, **found.architecture.requires}
    required = tuple(each for pin in pins.items() for each in _with_required(library, *pin))
    check_consistency((*required, found))
    return library.release(name, version)


def _with_required(library: ArchitectureLibrary, name: str, version: str) -> tuple[LibraryArchitecture, ...]:
    found = library.get(name, version)
    pins = {**found.architecture.composes, **found.architecture.requires}
    return (*(each for pin in pins.items() for each in _with_required(library, *pin)), found)
