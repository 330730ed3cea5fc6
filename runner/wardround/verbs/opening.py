"""Opening a hospital: manifest, architectures and site-local overlay become its design, or mistakes with places."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wardround.design.consistency import architecture_faults
from wardround.design.fault import Fault, UnresolvableError
from wardround.design.resolve import Pinned, resolve
from wardround.errors import InvalidInputError, Problem, UsageError
from wardround.load.device_models import load_device_models
from wardround.load.roles import load_roles
from wardround.load.validation import load
from wardround.model.overlay import Overlay
from wardround.render.inventory import Connection
from wardround.verbs.provenance import provenance

if TYPE_CHECKING:
    from wardround.load.library import LibraryArchitecture
    from wardround.load.project import Project
    from wardround.load.yaml_document import Document
    from wardround.model.design import Design
    from wardround.model.hospital import Hospital
    from wardround.model.role import Role
    from wardround.model.run import Provenance
    from wardround.verbs.workspace import Workspace

VAULT_PASSWORD_VARIABLE = "WARDROUND_VAULT_PASSWORD_FILE"  # noqa: S105 - names a file


@dataclass(frozen=True, slots=True)
class OpenHospital:
    """Everything that a verb needs to work on one hospital."""

    project: Path
    state: Path
    design: Design
    roles: dict[str, Role]
    provenance: Provenance
    connection: Connection
    secrets_file: str | None
    vault_password_file: str | None


def load_design(project: Project, name: str, overlay: Overlay | None = None) -> Design:
    """Load a manifest and resolve it.

    Raises:
        InvalidInputError: every mistake of the manifest or of its architectures, each at its place.
        StaleArchitectureError: a released architecture changed.

    """
    loaded = project.hospital(name).load_manifest()
    manifest = loaded.model if overlay is None else overlaid(loaded.model, overlay)
    pinned = project.library.resolve(loaded.document, manifest.architecture)
    check_consistency(pinned)
    try:
        whole = tuple(Pinned(each.architecture, each.digest) for each in pinned)
        return resolve(manifest, whole, load_device_models(project.root))
    except UnresolvableError as error:
        problems = (_problem(loaded.document, fault) for fault in error.faults)
        raise InvalidInputError(tuple(sorted(problems, key=lambda each: (each.line, each.column)))) from None


def check_consistency(pinned: tuple[LibraryArchitecture, ...]) -> None:
    """Refuse architectures with a reference that leads nowhere; required ones come first.

    Raises:
        InvalidInputError: every such reference at its place.

    """
    problems = tuple(
        _problem(each.loaded.document, fault)
        for index, each in enumerate(pinned)
        for fault in architecture_faults(each.architecture, tuple(before.architecture for before in pinned[:index]))
    )
    if problems:
        raise InvalidInputError(problems)


def overlaid(manifest: Hospital, overlay: Overlay) -> Hospital:
    """Put a site's own parameters over those of the manifest."""
    names = sorted(manifest.parameters.keys() | overlay.parameters.keys())
    merged = {name: {**manifest.parameters.get(name, {}), **overlay.parameters.get(name, {})} for name in names}
    return manifest.model_copy(update={"parameters": merged})


def _problem(document: Document, fault: Fault) -> Problem:
    return document.problem(fault.code, fault.message, fault.path, remedy=fault.remedy)


def open_hospital(workspace: Workspace, given: str, *, twin: bool) -> OpenHospital:
    """Open a hospital, or its twin on this machine, for a run."""
    folder = workspace.project.hospital(given)
    name = folder.name
    state = workspace.hospital_state(name)
    overlay_file = twin_state(workspace, name) / "overlay.yml" if twin else None
    if overlay_file is not None and not overlay_file.is_file():
        raise UsageError(f"{name} has no twin on this machine", remedy=f"`wardround twin up inventories/{name}`")
    overlay = load(overlay_file, Overlay).model if overlay_file is not None else None
    design = load_design(workspace.project, name, overlay)
    manifest = folder.manifest.read_bytes() + (overlay_file.read_bytes() if overlay_file is not None else b"")
    used = tuple(sorted({role for host in design.hosts for role in host.roles}))
    ends = _twin_ends(twin_state(workspace, name)) if twin else _site_ends(folder.path, design)
    return OpenHospital(
        project=workspace.project.root,
        state=state,
        design=design,
        roles=load_roles(workspace.project.root, used),
        provenance=provenance(workspace.project.root, design, manifest),
        connection=ends.connection,
        secrets_file=ends.secrets_file,
        vault_password_file=ends.vault_password_file,
    )


def twin_state(workspace: Workspace, name: str) -> Path:
    """Give the folder of a hospital's twin: its keys, its known hosts and its overlay."""
    return workspace.hospital_state(name) / "twin"


@dataclass(frozen=True, slots=True)
class _Ends:
    connection: Connection
    secrets_file: str | None
    vault_password_file: str | None


def _twin_ends(folder: Path) -> _Ends:
    connection = Connection("wardround", str(folder / "known_hosts"), str(folder / "id_ed25519"))
    return _Ends(connection, str(folder / "secrets.yml"), str(folder / "vault_password"))


def _site_ends(folder: Path, design: Design) -> _Ends:
    connection, secrets_file = site_connection(folder, design)
    return _Ends(connection, secrets_file, os.environ.get(VAULT_PASSWORD_VARIABLE))


def site_connection(folder: Path, design: Design) -> tuple[Connection, str | None]:
    """Give how to reach a hospital itself, and its vault file where it has one."""
    secrets = folder / "secrets.yml"
    accounts = (host.variables.get("accounts_automation_name") for host in design.managed_hosts())
    account = next((str(each) for each in accounts if each), "wardround")
    return Connection(account, str(folder / "known_hosts")), str(secrets) if secrets.is_file() else None
