"""demo: the whole job on a twin, in one command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from wardround.cli.arguments import Forks, HospitalName
from wardround.cli.context import call_of
from wardround.cli.progress import Following, Progress
from wardround.errors import MissingToolError
from wardround.report.line import Line, Tone, count
from wardround.verbs.site_run import Options, Watcher
from wardround.verbs.stage import Say, Show

if TYPE_CHECKING:
    from wardround.verbs.demo import Demonstration

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
    """Build a twin, harden it, damage it, name every damage, mend it, prove its flows. Nothing real is touched."""
    try:
        # It asks probes, whose libraries are an optional extra.
        from wardround.verbs.demo import demonstrate  # noqa: PLC0415
    except ImportError as missing:
        raise MissingToolError(
            "demo needs the libraries for DICOM and HL7", remedy="pip install 'wardround[probes]'"
        ) from missing
    call = call_of(context)
    workspace = call.workspace()
    began = time.monotonic()

    @contextmanager
    def watched(name: str, total: int) -> Iterator[Watcher]:
        with Progress(call.screen, name, total) as progress:
            yield progress.watcher

    @contextmanager
    def followed(name: str) -> Iterator[Say]:
        with Following(call.screen, name) as following:
            yield following.say

    def say(text: str) -> None:
        call.screen.note(f"{time.monotonic() - began:6.0f} s  {text}", Tone.HEAD)

    done = demonstrate(workspace, hospital, seed, Options(fast=fast, forks=forks), Show(watched, followed, say))
    seconds = round(time.monotonic() - began)
    if call.settings.json:
        call.screen.data({"schema_version": 1, "seconds": seconds, **asdict(done)})
    else:
        call.screen.lines(demo_lines(done, hospital, seconds))


def demo_lines(done: Demonstration, hospital: str, seconds: int) -> Iterator[Line]:
    """Give what a demonstration has shown, and where to look at it."""
    yield Line(
        f"{done.hosts} hosts: applied {done.applied} changes; second apply changed {done.applied_again}; "
        f"{done.planted} faults planted; the same {done.found} found, no other; remedied; clean  ({seconds} s)",
        Tone.GOOD,
    )
    shown = [
        *([f"{count(done.probes, 'probe')} answered"] if done.probes else []),
        f"every flow proved both ways in {done.proved} checks",
        *([f"the {count(done.flows_changed, 'flow')} changed by hand named, no other"] if done.flows_changed else []),
    ]
    yield Line("; ".join(shown), Tone.GOOD)
    yield Line("Where to look next:")
    calls = {
        f"wardround design {hospital}": "what the manifest became",
        f"wardround findings {hospital} --all": "every finding with its history",
        f"wardround prove {hospital} --twin": "the flows once more",
        f"wardround twin exec {hospital} {done.look_at} -- nft list ruleset": "a host, as an outsider sees it",
        "wardround ledger verify": "the record, link by link",
        f"wardround twin down {hospital}": "remove it all",
    }
    width = max(map(len, calls))
    for call, what in calls.items():
        yield Line(f"  {call:<{width}}  {what}")
