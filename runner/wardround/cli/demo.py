"""demo: the whole job on a twin, in one command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from wardround.cli.arguments import Forks, HospitalName
from wardround.cli.context import call_of
from wardround.cli.progress import Progress
from wardround.report.line import Line, Tone
from wardround.verbs.demo import Show, demonstrate
from wardround.verbs.site_run import Options, Watcher

_FORKS = 20


def add_commands(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(demo)


def demo(
    context: typer.Context,
    hospital: HospitalName,
    seed: Annotated[int, typer.Option(help="Which faults are planted")] = 1,
    fast: Annotated[bool, typer.Option(help="Keep one Python process a host")] = True,
    forks: Forks = _FORKS,
) -> None:
    """Build a hospital's twin, harden it, damage it, name every damage, mend it. Nothing real is touched."""
    call = call_of(context)
    workspace = call.workspace()
    began = time.monotonic()

    @contextmanager
    def watched(name: str, total: int) -> Iterator[Watcher]:
        with Progress(call.screen, name, total) as progress:
            yield progress.watcher

    def say(text: str) -> None:
        call.screen.note(f"{time.monotonic() - began:6.0f} s  {text}", Tone.HEAD)

    done = demonstrate(workspace, hospital, seed, Options(fast=fast, forks=forks), Show(watched, say))
    seconds = round(time.monotonic() - began)
    if call.settings.json:
        call.screen.data({"schema_version": 1, "seconds": seconds, **asdict(done)})
        return
    call.screen.lines(
        [
            Line(
                f"{done.hosts} hosts: applied {done.applied} changes; second apply changed {done.applied_again}; "
                f"{done.planted} faults planted; the same {done.found} found, no other; remedied; clean  ({seconds} s)",
                Tone.GOOD,
            ),
            Line("Where to look next:"),
            Line(f"  wardround design {hospital}                          what the manifest became"),
            Line(f"  wardround findings {hospital} --all                  every finding with its history"),
            Line(f"  wardround twin exec {hospital} pacs01 -- nft list ruleset    a host, as an outsider sees it"),
            Line("  wardround ledger verify                              the record, link by link"),
            Line(f"  wardround twin down {hospital}                       remove it all"),
        ]
    )
