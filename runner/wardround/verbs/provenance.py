"""With what a run is made: versions and digests, so that two runs can be told apart and a stale plan be refused."""

from __future__ import annotations

import hashlib
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

from wardround import __version__
from wardround.load.digests import tree_digest
from wardround.model.run import Provenance

if TYPE_CHECKING:
    from pathlib import Path

    from wardround.model.design import Design

_ANSIBLE_SIDE = ("playbooks", "plugins")


def provenance(project: Path, design: Design, manifest: bytes) -> Provenance:
    """Describe what a run of this design would be made with."""
    folders = [f"roles/{role}" for role in sorted({role for host in design.hosts for role in host.roles})]
    return Provenance(
        wardround=__version__,
        ansible_core=version("ansible-core"),
        git_commit=_git_commit(project),
        design_digest=_digest(design.model_dump_json()),
        manifest_digest=hashlib.sha256(manifest).hexdigest(),
        architectures_digest=_digest(
            "\n".join(f"{each.name} {each.version} {each.digest}" for each in design.architectures)
        ),
        roles_digest=_digest(
            "\n".join(f"{folder} {tree_digest(project / folder)}" for folder in [*folders, *_ANSIBLE_SIDE])
        ),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _git_commit(project: Path) -> str:
    """Give the commit of the checkout, `unversioned` where the project is not one."""
    try:
        done = subprocess.run(
            ["git", "-C", str(project), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
        )
    except FileNotFoundError:
        return "unversioned"
    return done.stdout.strip() if done.returncode == 0 else "unversioned"
