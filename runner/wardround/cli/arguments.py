"""Arguments and options that several commands share, described once and completed from the inventory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from wardround.errors import WardroundError
from wardround.load.project import find_project


def complete_hospital(incomplete: str) -> list[str]:
    """Offer the project's hospitals to the shell."""
    try:
        names = find_project(None, os.environ, Path.cwd()).hospitals()
    except WardroundError:
        return []
    return [name for name in names if name.startswith(incomplete)]


HospitalName = Annotated[
    str,
    typer.Argument(metavar="HOSPITAL", help="Name or folder of a hospital", autocompletion=complete_hospital),
]
Twin = Annotated[bool, typer.Option("--twin", help="Work on the hospital's twin on this machine")]
Limit = Annotated[list[str] | None, typer.Option("--limit", metavar="HOST", help="Only this host; may be repeated")]
Tags = Annotated[list[str] | None, typer.Option("--tags", metavar="TAG", help="Only this component; may be repeated")]
Verbosity = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Pass on to Ansible; may be repeated")]
Fast = Annotated[bool, typer.Option("--fast", help="Keep one Python process a host (needs Mitogen)")]
Forks = Annotated[int, typer.Option("--forks", min=1, max=200, help="Hosts worked on at once")]
Concise = Annotated[bool, typer.Option("--concise", help="Leave the diffs out")]
