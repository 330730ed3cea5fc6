"""A round of probes as an engineer reads it, and as programs do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardround.model.run import RUN_SCHEMA_VERSION, TaskVerdict, Verdict
from wardround.report.line import Line, Tone, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wardround.model.base import JsonValue
    from wardround.model.run import RunRecord

_TONES = {Verdict.IN_SYNC: ("✓", Tone.GOOD), Verdict.UNKNOWN: ("?", Tone.BAD)}


def probe_lines(run: RunRecord, answers: Iterable[tuple[TaskVerdict, str]]) -> Iterator[Line]:
    """Give one line for each probe, with what was said, behind the sum."""
    asked = tuple(answers)
    good = sum(verdict.verdict is Verdict.IN_SYNC for verdict, _ in asked)
    tone = Tone.GOOD if good == len(asked) else Tone.BAD
    yield Line(f"{run.hospital}: {good} of {count(len(asked), 'probe')} answered as they should", tone)
    for verdict, words in asked:
        mark, line_tone = _TONES.get(verdict.verdict, ("✗", Tone.BAD))
        yield Line(f"  {mark} {verdict.task}  {verdict.host} → {verdict.resource}: {words}", line_tone)


def probe_json(run: RunRecord, answers: Iterable[tuple[TaskVerdict, str]]) -> dict[str, JsonValue]:
    """Give a round of probes for programs."""
    return {
        "schema_version": RUN_SCHEMA_VERSION,
        "run": run.id,
        "hospital": run.hospital,
        "probes": [
            {
                "probe": verdict.task,
                "source": verdict.host,
                "destination": verdict.resource,
                "verdict": verdict.verdict.value,
                "answer": words,
            }
            for verdict, words in answers
        ],
    }
