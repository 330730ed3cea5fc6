"""What an apply did, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wardround.report.drift_text import coverage_text
from wardround.report.line import Line, Tone, count

if TYPE_CHECKING:
    from wardround.model.base import JsonValue
    from wardround.model.run import RunRecord, TaskVerdict


def apply_lines(
    run: RunRecord, changed: tuple[TaskVerdict, ...], failed: tuple[TaskVerdict, ...], left_out: tuple[str, ...]
) -> Iterator[Line]:
    """Give an apply's lines: the sum, then what failed and who was left out."""
    tone = Tone.BAD if failed else Tone.GOOD
    failures = f", {count(len(failed), 'task')} failed" if failed else ""
    yield Line(f"{run.hospital}: {count(len(changed), 'change')} made{failures}; {coverage_text(run.coverage)}", tone)
    for host, number in sorted(Counter(each.host for each in changed).items()):
        yield Line(f"  {host}  {count(number, 'change')}")
    for each in failed:
        yield Line(f"  ! {each.host} {each.role}: {each.task}: {each.reason}", Tone.BAD)
    for host in left_out:
        yield Line(f"  ? {host}: the plan could not see it, so nothing was applied to it", Tone.BAD)


def apply_json(
    run: RunRecord, changed: tuple[TaskVerdict, ...], failed: tuple[TaskVerdict, ...], left_out: tuple[str, ...]
) -> dict[str, JsonValue]:
    """Give an apply for programs."""
    shown = {"host", "role", "task", "resource", "reason"}
    return {
        "schema_version": 1,
        "run": run.id,
        "hospital": run.hospital,
        "plan": run.plan,
        "state": run.state.value,
        "coverage": run.coverage.model_dump(mode="json"),
        "changed": [each.model_dump(mode="json", include=shown) for each in changed],
        "failed": [each.model_dump(mode="json", include=shown) for each in failed],
        "left_out": list(left_out),
    }
