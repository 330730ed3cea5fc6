"""Reports: one line that says it all, then what an engineer needs, and the same facts for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.hospital_samples import design
from tests.unit.test_judge_observe import NOW
from wardround.model.finding import Cause, Finding, FindingState
from wardround.model.plan import HostPlan, Plan, PlannedChange
from wardround.model.run import Coverage, RunKind, RunRecord, RunState, TaskVerdict, Verdict
from wardround.report.apply_text import apply_json, apply_lines
from wardround.report.design_text import design_lines
from wardround.report.drift_text import coverage_text, drift_json, drift_lines
from wardround.report.line import Line, Tone, count, diff_lines
from wardround.report.plan_text import plan_json, plan_lines

pytestmark = pytest.mark.unit

MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
DIFF = "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new"


def texts(lines: Any) -> list[str]:  # noqa: ANN401 - lines from anywhere
    return [line.text for line in lines]


def record(**coverage: int) -> RunRecord:
    seen = {"hosts": 2, "hosts_seen": 2, "checks": 10, "unknown": 0, **coverage}
    return RunRecord(
        id="r1",
        hospital="st-test",
        kind=RunKind.DRIFT,
        state=RunState.FINISHED,
        started=MOMENT,
        ended=MOMENT,
        plan=None,
        actor="ann",
        provenance=NOW,
        coverage=Coverage(**seen),
    )


def finding(**fields: Any) -> Finding:  # noqa: ANN401 - fields of a finding
    plain: dict[str, Any] = {
        "fingerprint": "0123456789abcdef",
        "hospital": "st-test",
        "host": "srv01",
        "role": "sshd",
        "task": "Sshd listens",
        "resource": "/etc/ssh/sshd_config",
        "verdict": Verdict.DRIFTED,
        "cause": Cause.HOST_MOVED,
        "reason": "",
        "diff": DIFF,
        "state": FindingState.OPEN,
        "first_seen": MOMENT,
        "last_seen": MOMENT,
        "first_run": "r0",
        "last_run": "r1",
    }
    return Finding(**{**plain, **fields})


def plan(*hosts: HostPlan) -> Plan:
    return Plan(hospital="st-test", created=MOMENT, actor="ann", run="r1", provenance=NOW, tags=(), hosts=hosts)


def host_plan(name: str = "srv01", *changes: PlannedChange, **fields: Any) -> HostPlan:  # noqa: ANN401 - fields
    plain: dict[str, Any] = {"reachable": True, "handlers": (), "undecided": 0, "witness": {"packages": "aa"}}
    return HostPlan(host=name, changes=changes, **{**plain, **fields})


CHANGE = PlannedChange(role="sshd", task="Sshd listens", resource="/etc/x", diff=DIFF, failed=False, reason="")
FAILURE = PlannedChange(role="sshd", task="Sshd starts", resource="", diff="", failed=True, reason="no such unit")


@pytest.mark.parametrize(("number", "said"), [(0, "0 hosts"), (1, "1 host"), (2, "2 hosts")])
def test_one_is_one(number: int, said: str) -> None:
    assert count(number, "host") == said


def test_a_difference_shows_what_came_and_went() -> None:
    tones = [line.tone for line in diff_lines(DIFF, "  ")]
    assert tones == [Tone.QUIET, Tone.QUIET, Tone.QUIET, Tone.REMOVED, Tone.ADDED]


@pytest.mark.parametrize(
    ("coverage", "said"),
    [
        ({}, "saw 2 of 2 hosts, 10 of 10 checks (100.0 %)"),
        ({"hosts_seen": 1, "unknown": 5}, "saw 1 of 2 hosts, 5 of 10 checks (50.0 %)"),
        ({"hosts": 1, "hosts_seen": 0, "checks": 0}, "saw 0 of 1 host, 0 of 0 checks (0.0 %)"),
    ],
)
def test_coverage_is_said_in_figures(coverage: dict[str, int], said: str) -> None:
    assert coverage_text(record(**coverage).coverage) == said


def test_no_drift_is_only_good_where_all_was_seen() -> None:
    [clean] = drift_lines(record(), (), concise=False)
    assert (clean.tone, clean.text.partition(";")[0]) == (Tone.GOOD, "st-test: no drift")
    unknown = finding(verdict=Verdict.UNKNOWN, cause=Cause.COULD_NOT_CHECK, diff="")
    first = next(iter(drift_lines(record(unknown=1), (unknown,), concise=False)))
    assert first.tone is Tone.BAD
    assert "no drift, 1 could not be checked" in first.text


def test_findings_stand_under_their_host_with_their_history() -> None:
    lines = texts(drift_lines(record(), (finding(), finding(host="srv02")), concise=False))
    assert lines[0].startswith("st-test: 2 findings; ")
    assert lines[1] == "srv01  1 finding"
    assert lines[2] == "  ~ sshd: Sshd listens  (/etc/ssh/sshd_config)"
    assert lines[3] == "      0123456789abcdef  the host moved, first seen 2026-01-02 03:04Z"
    assert lines[4:9] == [f"      {line}" for line in DIFF.splitlines()]
    assert lines[9] == "srv02  1 finding"
    assert len(texts(drift_lines(record(), (finding(),), concise=True))) == 4


def test_programs_get_the_promised_keys() -> None:
    data = json.loads(json.dumps(drift_json(record(), (finding(),))))
    assert {"schema_version", "run", "hospital", "coverage", "findings"} == set(data)
    assert {"hosts", "hosts_seen", "checks", "unknown"} == set(data["coverage"])
    promised = {
        "fingerprint",
        "host",
        "role",
        "task",
        "resource",
        "verdict",
        "cause",
        "first_seen",
        "last_seen",
        "diff",
    }
    assert promised <= set(data["findings"][0])


def test_a_plan_begins_with_its_sum_and_hides_the_unchanged() -> None:
    made = plan(
        host_plan("srv01", CHANGE, FAILURE, handlers=("Sshd | restart",), undecided=3),
        host_plan("srv02"),
        host_plan("srv03", reachable=False, undecided=9),
    )
    lines = texts(plan_lines(made, concise=False))
    assert lines[0] == (
        "st-test: 2 changes on 1 of 3 hosts, 1 restart or reload, 3 tasks decided during apply, 1 task failed, "
        "1 host unknown"
    )
    assert lines[1:4] == ["srv01  2 changes", "  sshd", "    ~ Sshd listens  (/etc/x)"]
    assert "    ! Sshd starts: no such unit" in lines
    assert "  then: Sshd | restart" in lines
    assert not any("srv02" in line for line in lines)
    assert any(line.startswith("srv03: unknown") for line in lines)
    assert lines[-1] == f"plan {made.id}   apply it with: wardround apply st-test --plan {made.id}"
    assert len(texts(plan_lines(made, concise=True))) == len(lines) - len(DIFF.splitlines())


@pytest.mark.parametrize(
    ("hosts", "tone"),
    [
        ((host_plan(),), Tone.GOOD),
        ((host_plan("srv01", CHANGE),), Tone.CHANGE),
        ((host_plan("srv01", FAILURE),), Tone.BAD),
        ((host_plan(reachable=False),), Tone.BAD),
    ],
)
def test_a_plan_is_only_good_where_nothing_is_open(hosts: tuple[HostPlan, ...], tone: Tone) -> None:
    assert next(iter(plan_lines(plan(*hosts), concise=True))).tone is tone


def test_a_plan_is_named_by_what_it_holds_and_keeps_its_witnesses_to_itself() -> None:
    one, other = plan(host_plan("srv01", CHANGE)), plan(host_plan("srv01", CHANGE, witness={"packages": "bb"}))
    assert one.id != other.id
    assert plan(host_plan("srv01", CHANGE)).id == one.id
    data = json.loads(json.dumps(plan_json(one)))
    assert (data["schema_version"], data["plan"]) == (1, one.id)
    assert data["summary"] == {"changes": 1, "hosts": 1, "hosts_unknown": 0, "undecided": 0}
    assert "witness" not in json.dumps(data)


def test_an_apply_says_what_it_did_and_what_it_could_not() -> None:
    verdict = TaskVerdict(
        host="srv01", role="sshd", task="T", tags=(), path="p:1", resource="", verdict=Verdict.DRIFTED
    )
    failed = verdict.model_copy(update={"verdict": Verdict.FAILED, "reason": "boom"})
    lines = list(apply_lines(record(), (verdict, verdict), (failed,), ("srv09",)))
    assert lines[0].text.startswith("st-test: 2 changes made, 1 task failed; saw ")
    assert lines[0].tone is Tone.BAD
    assert texts(lines[1:]) == [
        "  srv01  2 changes",
        "  ! srv01 sshd: T: boom",
        "  ? srv09: the plan could not see it, so nothing was applied to it",
    ]
    data = json.loads(json.dumps(apply_json(record(), (verdict,), (failed,), ("srv09",))))
    assert data["schema_version"] == 1
    assert [each["reason"] for each in data["failed"]] == ["boom"]
    assert data["left_out"] == ["srv09"]


def test_a_design_shows_every_zone_host_and_flow() -> None:
    lines = texts(design_lines(design()))
    whole = "\n".join(lines)
    assert lines[1] == "1 managed host, 2 other assets, 5 zones, 6 active flows, 0 controls"
    assert all(word in whole for word in ("srv01", "mon01", "(unmanaged)", "(network)", "10.0.1.0/24", "F-WRD-06"))


def test_a_line_has_no_tone_of_its_own() -> None:
    assert Line("x").tone is Tone.PLAIN
