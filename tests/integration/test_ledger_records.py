"""Runs, verdicts, plans and events come back as they were recorded, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.integration.ledger_samples import (
    COVERAGE,
    HOSPITAL,
    START,
    StepClock,
    host_verdict,
    observation,
    run_record,
    task_verdict,
)
from wardround.errors import LedgerError, StalePlanError, UsageError
from wardround.ledger import Ledger, PlanRecord
from wardround.model.finding import Cause, FindingState
from wardround.model.run import RunKind, RunState, Verdict

pytestmark = pytest.mark.integration

PLAN = PlanRecord(
    id="plan-1", hospital=HOSPITAL, sha256="a" * 64, created=START, created_by="engineer", applied_by_run=None
)


def test_a_run_comes_back_as_it_was_recorded(ledger: Ledger) -> None:
    begun = run_record("run-1")
    ledger.start_run(begun)
    assert ledger.run("run-1") == begun

    ended = ledger.finish_run("run-1", RunState.FINISHED, COVERAGE)

    assert ended == ledger.run("run-1")
    assert (ended.state, ended.coverage) == (RunState.FINISHED, COVERAGE)
    assert ended.ended is not None
    assert ended.ended.tzinfo is UTC


def test_a_run_ends_once(ledger: Ledger) -> None:
    ledger.start_run(run_record("run-1"))
    ledger.finish_run("run-1", RunState.FAILED, COVERAGE)
    with pytest.raises(LedgerError, match="run 'run-1' ended before, as failed"):
        ledger.finish_run("run-1", RunState.FINISHED, COVERAGE)
    assert ledger.run("run-1").state is RunState.FAILED


def test_a_run_has_one_name(ledger: Ledger) -> None:
    ledger.start_run(run_record("run-1"))
    with pytest.raises(LedgerError, match="contradicts what the ledger holds"):
        ledger.start_run(run_record("run-1"))
    assert [event.kind for event in ledger.events()] == ["run_started"]


def test_an_unknown_run_is_named(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="no run 'run-9'"):
        ledger.finish_run("run-9", RunState.FINISHED, COVERAGE)
    with pytest.raises(UsageError, match="no run 'run-9'"):
        ledger.record_hosts("run-9", [], [])
    with pytest.raises(UsageError, match="no run 'run-9'"):
        ledger.record_observations("run-9", [], set(), set())


def test_the_last_run_is_the_newest_of_its_kind_and_state(ledger: Ledger) -> None:
    for minute, (name, kind) in enumerate([("a", RunKind.APPLY), ("b", RunKind.DRIFT), ("c", RunKind.DRIFT)]):
        ledger.start_run(run_record(name, kind=kind, minute=minute))
    ledger.start_run(run_record("elsewhere", hospital="other", minute=9))
    for name in ("a", "b"):
        ledger.finish_run(name, RunState.FINISHED, COVERAGE)

    newest = ledger.last_run(HOSPITAL)
    running = ledger.last_run(HOSPITAL, state=None)
    applied = ledger.last_run(HOSPITAL, kind=RunKind.APPLY)

    assert [run.id for run in (newest, running, applied) if run] == ["b", "c", "a"]
    assert ledger.last_run("nowhere") is None
    assert [run.id for run in ledger.runs()] == ["elsewhere", "c", "b", "a"]
    assert [run.id for run in ledger.runs(hospital=HOSPITAL, limit=2)] == ["c", "b"]


def test_moments_come_back_in_utc_from_any_zone(ledger: Ledger) -> None:
    berlin = datetime(2026, 7, 1, 3, 30, 0, 123456, tzinfo=ZoneInfo("Europe/Berlin"))
    ledger.start_run(run_record("run-1").model_copy(update={"started": berlin}))
    started = ledger.run("run-1").started
    assert started.isoformat() == "2026-07-01T01:30:00.123456+00:00"


def test_hosts_and_what_is_not_in_sync_are_kept(ledger: Ledger) -> None:
    ledger.start_run(run_record("run-1"))
    hosts = [host_verdict("pacs01"), host_verdict("pacs-02", reachable=False)]
    tasks = [task_verdict("pacs01", verdict) for verdict in Verdict]

    ledger.record_hosts("run-1", hosts, tasks)

    assert ledger.host_verdicts("run-1") == (hosts[1], hosts[0])
    assert ledger.task_verdicts("run-1") == tuple(task for task in tasks if task.verdict is not Verdict.IN_SYNC)
    assert ledger.events(kind="hosts_recorded")[0].payload == {"hosts": 2, "tasks": 4}


def test_a_huge_diff_is_cut_and_says_so(ledger: Ledger) -> None:
    ledger.start_run(run_record("run-1"))
    ledger.record_hosts("run-1", [], [task_verdict("pacs01", Verdict.DRIFTED, diff="x" * 1_000_000)])
    ledger.record_observations("run-1", [observation("f1", diff="y" * 1_000_000)], set(), set())
    for kept in (ledger.task_verdicts("run-1")[0].diff, ledger.findings()[0].diff):
        assert len(kept) < 17_000
        assert kept.endswith("… 983616 more characters were not kept\n")


def test_bytes_that_no_database_holds_do_not_stop_a_run(ledger: Ledger) -> None:
    ledger.start_run(run_record("run-1"))
    ledger.record_hosts("run-1", [], [task_verdict("pacs01", Verdict.DRIFTED, diff="a\x00b\udc80c\U0001f600")])
    assert ledger.task_verdicts("run-1")[0].diff == "a\u2400b\ufffdc\U0001f600"


def test_a_plan_serves_once(ledger: Ledger) -> None:
    ledger.save_plan(PLAN)
    assert ledger.plan("plan-1") == PLAN
    for run in ("run-1", "run-2"):
        ledger.start_run(run_record(run, kind=RunKind.APPLY))

    assert ledger.mark_plan_applied("plan-1", "run-1").applied_by_run == "run-1"

    with pytest.raises(StalePlanError, match="already applied by run 'run-1'"):
        ledger.mark_plan_applied("plan-1", "run-2")
    assert ledger.plan("plan-1").applied_by_run == "run-1"
    assert [event.kind for event in ledger.events() if event.kind.startswith("plan")] == ["plan_saved", "plan_applied"]


def test_an_unknown_plan_is_named(ledger: Ledger) -> None:
    ledger.start_run(run_record("run-1"))
    with pytest.raises(UsageError, match="no plan 'plan-9'"):
        ledger.plan("plan-9")
    with pytest.raises(UsageError, match="no plan 'plan-9'"):
        ledger.mark_plan_applied("plan-9", "run-1")


def test_findings_are_filtered(ledger: Ledger) -> None:
    ledger.start_run(run_record("run-1"))
    ledger.start_run(run_record("run-2", hospital="other"))
    seen = [
        observation("f1", host="b1"),
        observation("f2", host="a-2"),
        observation("f3", host="a1", verdict=Verdict.UNKNOWN),
    ]
    ledger.record_observations("run-1", seen, {"b1"}, set())
    ledger.record_observations("run-2", [observation("f4")], {"pacs01"}, set())
    ledger.record_observations("run-1", seen[1:], {"b1"}, {("b1", "ssh_hardening", "sshd listens")})

    wanted = [
        ledger.findings(),
        ledger.findings(hospital=HOSPITAL),
        ledger.findings(hospital=HOSPITAL, state=FindingState.OPEN),
        ledger.findings(state=FindingState.RESOLVED),
        ledger.findings(host="a1"),
        ledger.findings(cause=Cause.COULD_NOT_CHECK),
        ledger.findings(role="accounts"),
    ]

    marks = [[finding.fingerprint for finding in found] for found in wanted]
    assert marks == [["f4", "f2", "f3", "f1"], ["f2", "f3", "f1"], ["f2", "f3"], ["f1"], ["f3"], ["f3"], []]


def test_events_are_read_by_page_and_by_what_they_are_about(ledger: Ledger) -> None:
    for number in range(5):
        ledger.append_event("noted", {"number": number}, hospital="odd" if number % 2 else "even", run=f"r{number}")

    pages = [ledger.events(limit=2), ledger.events(after=2, limit=2), ledger.events(after=4, limit=2)]

    assert [[event.payload["number"] for event in page] for page in pages] == [[0, 1], [2, 3], [4]]
    assert [event.payload["number"] for event in ledger.events(hospital="odd")] == [1, 3]
    assert [event.sequence for event in ledger.events(run="r4")] == [5]
    assert ledger.events(kind="other") == ()


def test_an_event_says_when_in_utc(ledger: Ledger) -> None:
    event = ledger.append_event("noted", {})
    assert event.moment == START + timedelta(seconds=1)
    assert ledger.events() == (event,)


def test_a_ledger_outlives_its_process(ledger_url: str) -> None:
    with Ledger.open(ledger_url, StepClock()) as first:
        first.start_run(run_record("run-1"))
        head = first.head()
    with Ledger.open(ledger_url, StepClock()) as second:
        assert second.run("run-1") == run_record("run-1")
        assert second.verify(head) == head
