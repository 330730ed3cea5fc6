"""probe: the clinical questions of a hospital."""

from __future__ import annotations

import typer

from wardround.cli.arguments import Forks, HospitalName, Twin
from wardround.cli.check import code_of
from wardround.cli.context import call_of, end
from wardround.errors import MissingToolError
from wardround.model.run import Verdict
from wardround.report.probe_text import probe_json, probe_lines
from wardround.verbs.opening import open_hospital

_FORKS = 4


def add_commands(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(probe)


def probe(context: typer.Context, hospital: HospitalName, twin: Twin = False, forks: Forks = _FORKS) -> None:
    """Ask the design's clinical questions from the hosts that may ask them; exit code 2: one was answered wrongly."""
    try:
        # An optional extra, and half a second that no other command should wait for.
        from wardround.verbs.probe import probe as ask_probes  # noqa: PLC0415
    except ImportError as missing:
        raise MissingToolError(
            "probe needs the libraries for DICOM and HL7", remedy="pip install 'wardround[probes]'"
        ) from missing
    call = call_of(context)
    workspace = call.workspace()
    opened = open_hospital(workspace, hospital, twin=twin)
    with workspace.open_ledger() as ledger:
        done = ask_probes(opened, ledger, forks)
    answers = tuple(zip(done.run.judgement.tasks, (each.words for each in done.asked), strict=True))
    if call.settings.json:
        call.screen.data(probe_json(done.run.record, answers))
    else:
        call.screen.lines(probe_lines(done.run.record, answers))
    verdicts = {each.verdict for each in done.asked}
    raise end(code_of(failed=False, unknown=Verdict.UNKNOWN in verdicts, moved=Verdict.DRIFTED in verdicts))
