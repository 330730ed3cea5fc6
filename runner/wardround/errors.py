"""Every error wardround reports: one root, a stable code, a remedy and an exit code.

An error is raised where the fact is known and printed only by the command line. Codes are stable:
`wardround explain CODE` prints the class docstring, so each docstring is written for the partner engineer who meets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of every verb."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    UNKNOWN = 3
    INVALID = 4
    LOCKED = 5
    TRUST = 6
    INTERRUPTED = 130


class WardroundError(Exception):
    """Something went wrong that has no code of its own.

    The message names what was being done; the remedy says what to try. Run the verb again with `--log-level debug` and
    send the output to the maintainers if the remedy does not help.
    """

    code: ClassVar[str] = "WR-001"
    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, *, path: str | None = None, remedy: str = "") -> None:
        """Keep the parts apart so that the command line can print them as text, JSON or annotations."""
        super().__init__(message)
        self.message = message
        self.path = path
        self.remedy = remedy

    def __str__(self) -> str:
        """Say where, which code, what, and how to mend it, in one line."""
        where = f"{self.path}: " if self.path else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{where}{self.code} {self.message}{remedy}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one input file, with its place.

    `line` and `column` count from 1; 0 means that the whole file is meant. `path` is the dotted path inside the file,
    `hosts.pacs01.address`.
    """

    code: str
    message: str
    file: str
    line: int = 0
    column: int = 0
    path: str = ""
    remedy: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        """Render as `file:line:column code message`, the form editors and terminals link."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place} {self.code} {self.message}"


class InvalidInputError(WardroundError):
    """One or more input files hold mistakes; all of them are listed, each with its own code and place.

    Nothing was changed and no host was contacted. Mend the listed places and run the verb again.
    """

    code = "WR-100"
    exit_code = ExitCode.INVALID

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Carry every problem of the input at once."""
        count = len(problems)
        super().__init__(f"{count} mistake{'s' if count != 1 else ''} in the input", remedy="mend the listed places")
        self.problems = problems

    def __str__(self) -> str:
        """List every problem, a line each."""
        return "\n".join(str(problem) for problem in self.problems)


class UsageError(WardroundError):
    """The command was given a word it does not know: a hospital, plan, run, host or option that does not exist."""

    code = "WR-002"
    exit_code = ExitCode.INVALID


class MissingToolError(WardroundError):
    """A program that wardround needs is not installed on this machine; `wardround doctor` lists them all."""

    code = "WR-003"


class StaleArchitectureError(WardroundError):
    """A released reference architecture differs from its recorded digest.

    Released versions never change: `reference_architectures/released.lock` holds the SHA-256 of each of their files.
    Restore the file from version control, or copy the folder to a new version and release that.
    """

    code = "WR-601"
    exit_code = ExitCode.TRUST


class HostKeyError(WardroundError):
    """A host presented an SSH host key that is not the recorded one, or none is recorded.

    Nothing was sent to it. Compare the fingerprint with the hospital's staff over another channel before you correct
    the hospital's `known_hosts` file.
    """

    code = "WR-602"
    exit_code = ExitCode.TRUST


class StalePlanError(WardroundError):
    """The plan no longer describes what an apply would do: its inputs or the hosts changed since it was made.

    Make a new plan, read it, and apply that.
    """

    code = "WR-401"
    exit_code = ExitCode.INVALID


class LockedError(WardroundError):
    """Another run holds this hospital; two writers at once are never allowed."""

    code = "WR-501"
    exit_code = ExitCode.LOCKED


class LedgerError(WardroundError):
    """The ledger could not be read or written."""

    code = "WR-301"


class LedgerTamperedError(WardroundError):
    """The ledger's event chain does not hash to what it records: an event was edited, removed or reordered."""

    code = "WR-302"
    exit_code = ExitCode.TRUST


class TransportError(WardroundError):
    """Ansible could not be run, or ended without saying what happened."""

    code = "WR-201"


class InterruptedRunError(WardroundError):
    """The run was interrupted; no further host was started and nothing was left running."""

    code = "WR-202"
    exit_code = ExitCode.INTERRUPTED


class TwinError(WardroundError):
    """The twin, the hospital on this machine, could not be built, changed or removed."""

    code = "WR-701"


class RulesetError(WardroundError):
    """The rules of a packet filter could not be read, so nothing can be proved about them.

    The text is not what `nft -j list ruleset` prints, is cut off, or contradicts itself. Nothing is assumed in its
    place: collect it again as root, with an nft(8) that can print JSON.
    """

    code = "WR-901"
