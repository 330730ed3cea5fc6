"""Findings as an engineer reads them, and as programs do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from wardround.model.base import JsonValue
from wardround.model.finding import FINDINGS_SCHEMA_VERSION, Finding
from wardround.model.run import Coverage, RunRecord, Verdict
from wardround.report.line import Line, Tone, count, diff_lines

_CAUSES = {
    "host_moved": "the host moved",
    "design_moved": "the design moved",
    "inputs_moved": "the hospital's inputs moved",
    "could_not_check": "could not be checked",
}


def coverage_text(coverage: Coverage) -> str:
    """Say how much was seen."""
    seen = coverage.checks - coverage.unknown
    share = 100 * seen / coverage.checks if coverage.checks else 0.0
    hosts = f"{coverage.hosts_seen} of {count(coverage.hosts, 'host')}"
    return f"saw {hosts}, {seen} of {coverage.checks} checks ({share:.1f} %)"


def drift_lines(run: RunRecord, findings: tuple[Finding, ...], *, concise: bool) -> Iterator[Line]:
    """Give a drift run's lines: the sum, then each finding under its host."""
    drifted = [finding for finding in findings if finding.verdict is not Verdict.UNKNOWN]
    unknown = len(findings) - len(drifted)
    tone = Tone.CHANGE if drifted else Tone.BAD if unknown else Tone.GOOD
    said = count(len(drifted), "finding") if drifted else "no drift"
    extra = f", {unknown} could not be checked" if unknown else ""
    yield Line(f"{run.hospital}: {said}{extra}; {coverage_text(run.coverage)}", tone)
    yield from finding_lines(findings, concise=concise)


def finding_lines(findings: tuple[Finding, ...], *, concise: bool) -> Iterator[Line]:
    """Give findings grouped by host."""
    for host, group in groupby(findings, key=lambda finding: finding.host):
        members = tuple(group)
        yield Line(f"{host}  {count(len(members), 'finding')}", Tone.HEAD)
        for finding in members:
            yield from _finding(finding, concise=concise)


def _finding(finding: Finding, *, concise: bool) -> Iterator[Line]:
    mark, tone = ("?", Tone.BAD) if finding.verdict is Verdict.UNKNOWN else ("~", Tone.CHANGE)
    about = f"  ({finding.resource})" if finding.resource and finding.resource not in finding.task else ""
    yield Line(f"  {mark} {finding.role}: {finding.task}{about}", tone)
    reason = f"; {finding.reason}" if finding.reason else ""
    since = f"first seen {finding.first_seen:%Y-%m-%d %H:%M}Z"
    yield Line(f"      {finding.fingerprint}  {_CAUSES[finding.cause.value]}, {since}{reason}", Tone.QUIET)
    if not concise:
        yield from diff_lines(finding.diff, "      ")


def drift_json(run: RunRecord, findings: tuple[Finding, ...]) -> dict[str, JsonValue]:
    """Give a drift run for programs."""
    return {
        "schema_version": FINDINGS_SCHEMA_VERSION,
        "run": run.id,
        "hospital": run.hospital,
        "coverage": run.coverage.model_dump(mode="json"),
        "findings": findings_json(findings),
    }


def findings_json(findings: tuple[Finding, ...]) -> list[JsonValue]:
    """Give findings for programs."""
    shown = {
        "fingerprint",
        "host",
        "role",
        "task",
        "resource",
        "verdict",
        "cause",
        "reason",
        "first_seen",
        "last_seen",
        "diff",
        "state",
    }
    return [finding.model_dump(mode="json", include=shown) for finding in findings]
