"""What every command starts from: the screen, the workspace, and how to end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from wardround.cli.screen import Screen
from wardround.errors import ExitCode
from wardround.verbs.workspace import Workspace, open_workspace


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that stand before the command."""

    project: Path | None
    ledger: str | None
    json: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the command line."""

    screen: Screen
    settings: Settings

    def workspace(self) -> Workspace:
        """Open the project that this call works in."""
        return open_workspace(self.settings.project, self.settings.ledger)


def call_of(context: typer.Context) -> Call:
    """Give the call that the application's callback prepared."""
    call: Call = context.obj
    return call


def end(code: ExitCode) -> typer.Exit:
    """End the command with one of the documented exit codes."""
    return typer.Exit(int(code))
