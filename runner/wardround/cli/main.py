"""The `wardround` command: one application, one place where errors become words and exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from wardround import __version__
from wardround.cli import architecture, check, demo, hospital, ledger, machine, probe, prove, twin
from wardround.cli.context import Call, Settings
from wardround.cli.failure import failed
from wardround.cli.screen import Screen
from wardround.errors import ExitCode, UsageError, WardroundError

app = typer.Typer(
    name="wardround",
    help="Keep hospitals' infrastructure the way it was designed.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
hospital.add_commands(app)
check.add_commands(app)
prove.add_commands(app)
probe.add_commands(app)
machine.add_commands(app)
demo.add_commands(app)
app.add_typer(architecture.app, name="architecture")
app.add_typer(ledger.app, name="ledger")
app.add_typer(twin.app, name="twin")


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"wardround {__version__}\n")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; else the one this call is made in")
    ] = None,
    ledger_url: Annotated[
        str | None, typer.Option("--ledger", metavar="URL", help="Ledger instead of the default")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Data as JSON on stdout")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it")] = False,  # noqa: ARG001
) -> None:
    """Take the options that stand before every command."""
    context.obj = Call(Screen(), Settings(project, ledger_url, json))


def main() -> None:
    """Run the command line and end the process with a documented exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code."""
    as_json, given = _json_first(arguments or ["--help"])
    try:
        return int(app(given, standalone_mode=False, prog_name="wardround") or 0)
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as mistake:
        usage = UsageError(mistake.format_message(), remedy="--help after any command lists what it takes")
        failed(Screen(), usage, as_json=as_json)
        return int(usage.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("interrupted\n")
        return int(ExitCode.INTERRUPTED)
    except WardroundError as error:
        failed(Screen(), error, as_json=as_json)
        return int(error.exit_code)


def _json_first(arguments: list[str]) -> tuple[bool, list[str]]:
    """Let `--json` stand anywhere; what comes after `--` belongs to somebody else's command."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own = [each for each in arguments[:end] if each != "--json"]
    as_json = len(own) < end
    return as_json, [*(["--json"] if as_json else []), *own, *arguments[end:]]


if __name__ == "__main__":
    main()
