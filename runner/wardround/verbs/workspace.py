"""Where a call works: the project, its state folder and its ledger."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wardround.errors import WardroundError
from wardround.ledger import Ledger
from wardround.load.project import Project, find_project

STATE_VARIABLE = "WARDROUND_STATE"
LEDGER_VARIABLE = "WARDROUND_LEDGER"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The project with the folder that holds plans, twins and the default ledger."""

    project: Project
    state: Path
    ledger_url: str

    def hospital_state(self, hospital: str) -> Path:
        """Give the folder of one hospital's plans and twin."""
        return self.state / hospital

    def open_ledger(self) -> Ledger:
        """Open the ledger, making it where there is none yet."""
        return Ledger.open(self.ledger_url)


def open_workspace(project: Path | None, ledger_url: str | None) -> Workspace:
    """Find the project, and make its state folder for this user alone.

    Raises:
        WardroundError: the state folder cannot be made.

    """
    found = find_project(project, os.environ, Path.cwd())
    state = Path(os.environ.get(STATE_VARIABLE) or found.root / ".wardround")
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WardroundError(
            f"the state folder cannot be made: {error.strerror}",
            path=str(state),
            remedy=f"name another in {STATE_VARIABLE}",
        ) from error
    url = ledger_url or os.environ.get(LEDGER_VARIABLE) or f"sqlite:///{state / 'ledger.sqlite'}"
    return Workspace(found, state, url)
