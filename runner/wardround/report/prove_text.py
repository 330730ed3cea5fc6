"""A proof of flows as an engineer reads it, and as programs do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wardround.model.finding import FINDINGS_SCHEMA_VERSION
from wardround.model.run import Verdict
from wardround.report.drift_text import finding_lines, findings_json
from wardround.report.line import Line, Tone, count

if TYPE_CHECKING:
    from wardround.model.base import JsonValue
    from wardround.model.finding import Finding
    from wardround.model.run import HostVerdict, RunRecord


def prove_lines(
    run: RunRecord,
    findings: tuple[Finding, ...],
    hosts: tuple[HostVerdict, ...],
    tried: Counter[str],
    unclear: Counter[str],
) -> Iterator[Line]:
    """Give a proof's lines: the sums of both halves, each disagreement, then what could not be told and why.

    Args:
        run: the run.
        findings: what is open after it.
        hosts: the sum of each host, and of the gateway as it is rendered.
        tried: attempts by what they say of the design.
        unclear: reasons for which an attempt says nothing, and how often.
    """
    drifted = [finding for finding in findings if finding.verdict is not Verdict.UNKNOWN]
    said = count(len(drifted), "disagreement") if drifted else "rules and connections agree with the design"
    tone = Tone.CHANGE if drifted else Tone.BAD if run.coverage.unknown else Tone.GOOD
    yield Line(f"{run.hospital}: {said}; {run.coverage.unknown} of {run.coverage.checks} could not be told", tone)
    read = sum(host.reachable for host in hosts)
    yield Line(f"  rules: {read} of {count(len(hosts), 'rule set')} read, every zone pair and service compared")
    if tried:
        parts = ", ".join(f"{number} {word}" for word, number in sorted(tried.items()))
        yield Line(f"  connections: {count(tried.total(), 'attempt')}: {parts}")
    yield from finding_lines(findings, concise=True)
    for reason, number in unclear.most_common():
        yield Line(f"  ? {count(number, 'attempt')}: {reason}", Tone.QUIET)


def prove_json(
    run: RunRecord,
    findings: tuple[Finding, ...],
    hosts: tuple[HostVerdict, ...],
    attempts: list[JsonValue],
) -> dict[str, JsonValue]:
    """Give a proof for programs, every attempt included."""
    return {
        "schema_version": FINDINGS_SCHEMA_VERSION,
        "run": run.id,
        "hospital": run.hospital,
        "coverage": run.coverage.model_dump(mode="json"),
        "hosts": [host.model_dump(mode="json") for host in hosts],
        "attempts": attempts,
        "findings": findings_json(findings),
    }
