"""architecture: list, show and release versions of reference architectures."""

from __future__ import annotations

import typer

from wardround.cli.context import call_of
from wardround.report.architecture_text import architecture_lines
from wardround.report.line import Line, Tone
from wardround.verbs.architecture import newest, release_checked

app = typer.Typer(help="Versioned reference architectures.")


@app.command(name="list")
def list_all(context: typer.Context) -> None:
    """List every architecture with its versions; every released folder is compared with its digests."""
    call = call_of(context)
    library = call.workspace().project.library
    library.check_releases()
    rows = [library.get(name, version) for name in library.names() for version in library.versions(name)]
    if call.settings.json:
        entries = [
            {
                "name": row.architecture.name,
                "version": row.architecture.version,
                "released": row.released,
                "digest": row.digest,
                "summary": row.architecture.summary,
            }
            for row in rows
        ]
        call.screen.data({"schema_version": 1, "architectures": entries})
        return
    call.screen.lines(
        Line(
            f"{row.architecture.name:<20} {row.architecture.version:<8} "
            f"{'released' if row.released else 'draft':<9} {row.architecture.summary}",
            Tone.PLAIN if row.released else Tone.QUIET,
        )
        for row in rows
    )


@app.command()
def show(
    context: typer.Context, name: str, version: str = typer.Argument("", help="The newest where none is given")
) -> None:
    """Show parameters, components, flows and controls of one version."""
    call = call_of(context)
    library = call.workspace().project.library
    found = library.get(name, version or newest(library, name))
    if call.settings.json:
        call.screen.data(found.architecture.model_dump(mode="json", by_alias=True))
    else:
        call.screen.lines(architecture_lines(found.architecture, found.digest, released=found.released))


@app.command()
def release(context: typer.Context, name: str, version: str) -> None:
    """Freeze a version for ever."""
    call = call_of(context)
    found = release_checked(call.workspace().project, name, version)
    call.screen.lines([Line(f"{found.label} released, sha256 {found.digest}", Tone.GOOD)])
