"""Errors in the form that their reader needs: text for people, JSON for programs, annotations for GitHub."""

from __future__ import annotations

import os

from wardround.cli.screen import Screen
from wardround.errors import InvalidInputError, WardroundError
from wardround.load.problems import as_report, problems_of, render_annotations, render_text
from wardround.report.line import Tone


def failed(screen: Screen, error: WardroundError, *, as_json: bool) -> None:
    """Print an error; input mistakes are listed with their places."""
    if isinstance(error, InvalidInputError):
        _show_problems(screen, error, as_json=as_json)
    elif as_json:
        screen.data(as_report(problems_of(error)))
    else:
        place = f"{error.path}: " if error.path else ""
        screen.note(f"{place}{error.code} {error.message}", Tone.BAD)
        if error.remedy:
            screen.note(f"  {error.remedy}   (wardround explain {error.code})")


def _show_problems(screen: Screen, error: InvalidInputError, *, as_json: bool) -> None:
    if as_json:
        screen.data(as_report(error.problems))
    elif os.environ.get("GITHUB_ACTIONS") == "true":
        screen.out.file.write(render_annotations(error.problems) + "\n")
    else:
        screen.note(render_text(error.problems), Tone.PLAIN)
