"""Problems for people, for programs and for code review: text with excerpt, JSON, GitHub annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from wardround.errors import InvalidInputError, Problem, WardroundError
from wardround.load.characters import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA_VERSION: Final = 1


class ProblemEntry(TypedDict):
    """One problem in the JSON form; `line` and `column` count from 1, 0 means the whole file."""

    code: str
    file: str
    line: int
    column: int
    path: str
    message: str
    remedy: str


class ProblemReport(TypedDict):
    """The JSON form of everything that is wrong."""

    schema_version: int
    errors: list[ProblemEntry]


def problems_of(error: WardroundError) -> tuple[Problem, ...]:
    """Give the problems that an error carries; any other error is one problem about the whole of its path."""
    if isinstance(error, InvalidInputError):
        return error.problems
    return (Problem(error.code, error.message, error.path or "", remedy=error.remedy),)


def render_text(problems: Iterable[Problem]) -> str:
    """Render for a terminal or a log, without colours: place, code and message, then the line, then the remedy."""
    return "\n".join(_as_text(problem) for problem in problems)


def as_report(problems: Iterable[Problem]) -> ProblemReport:
    """Give the form that `--json` prints."""
    return {"schema_version": SCHEMA_VERSION, "errors": [_as_entry(problem) for problem in problems]}


def render_annotations(problems: Iterable[Problem]) -> str:
    """Render GitHub workflow commands, a line each, which show up beside the lines of a pull request."""
    return "\n".join(_as_annotation(problem) for problem in problems)


def _as_text(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    lines = [f"{escaped(place)} {problem.code} {problem.message}".lstrip()]
    margin = len(str(problem.line)) + 2
    if problem.excerpt:
        source, _, caret = problem.excerpt.partition("\n")
        lines.append(f"  {problem.line} | {source}")
        lines.append(f"{' ' * margin} | {caret}")
    if problem.remedy:
        lines.append(f"{' ' * margin} = {problem.remedy}")
    return "\n".join(lines)


def _as_entry(problem: Problem) -> ProblemEntry:
    return {
        "code": problem.code,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _as_annotation(problem: Problem) -> str:
    properties = {"file": problem.file, "line": problem.line or "", "col": problem.column or "", "title": problem.code}
    written = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value)
    message = f"{problem.message} ({problem.remedy})" if problem.remedy else problem.message
    return f"::error {written}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
