"""The judge: what was not seen is never healthy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.judge_samples import ROLE, TASKS, edited, event, role_task, scope
from wardround.drift.judge import Judgement, judge
from wardround.model.event import Outcome, TaskEvent
from wardround.model.run import Verdict

pytestmark = pytest.mark.unit

FALSE = "Conditional result was False"


def verdicts(judgement: Judgement) -> dict[str, str]:
    return {task.task: task.verdict.value for task in judgement.tasks if not task.is_handler}


def judged(*events: TaskEvent) -> dict[str, str]:
    return verdicts(judge(scope(), events))


def test_silence_is_unknown() -> None:
    found = judge(scope("srv01", "srv02"), ())
    assert {task.verdict for task in found.tasks} == {Verdict.UNKNOWN}
    assert (found.coverage.hosts, found.coverage.hosts_seen) == (2, 0)
    assert (found.coverage.checks, found.coverage.unknown) == (6, 6)
    assert not any(host.reachable for host in found.hosts)


def test_ok_is_in_sync_and_changed_is_drift() -> None:
    found = judged(event("alpha"), event("beta", changed=True), event("gamma", Outcome.FAILED, message="broken"))
    assert found == {"alpha": "in_sync", "beta": "drifted", "gamma": "failed"}


@pytest.mark.parametrize("action", ["assert", "ansible.builtin.assert", "ansible.builtin.fail"])
def test_a_statement_that_fails_is_drift(action: str) -> None:
    found = judge(scope(), [event("alpha", Outcome.FAILED, action=action, message="a key that nobody declared")])
    assert found.tasks[0].verdict is Verdict.DRIFTED
    assert found.tasks[0].reason == "a key that nobody declared"


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"skip_reason": FALSE, "condition": "not (ansible_check_mode and __r is changed)"}, "unknown"),
        ({"skip_reason": FALSE, "condition": "sshd_banner | length > 0"}, "not_applicable"),
        ({"skip_reason": "No items in the list"}, "not_applicable"),
        ({"skip_reason": ""}, "unknown"),
        ({"skip_reason": "", "condition": "x", "message": "skipped, running in check mode"}, "unknown"),
        ({"skip_reason": "remote module does not support check mode"}, "unknown"),
        ({"skip_reason": "delegated host did not answer"}, "unknown"),
    ],
)
def test_a_skip_is_only_harmless_where_its_own_condition_says_so(fields: dict[str, str], verdict: str) -> None:
    assert judged(event("alpha", Outcome.SKIPPED, **fields))["alpha"] == verdict


def test_a_command_that_a_check_did_not_run_is_not_healthy() -> None:
    message = "Command would have run if not in check mode"
    assert judged(event("alpha", message=message), event("beta", message=message, changed=True)) == {
        "alpha": "unknown",
        "beta": "drifted",
        "gamma": "unknown",
    }


def test_an_unreachable_host_is_unknown_and_not_seen() -> None:
    found = judge(scope(), [event("alpha", Outcome.UNREACHABLE, role="", path="x", message="no route\x1b[2J")])
    assert {task.verdict for task in found.tasks} == {Verdict.UNKNOWN}
    assert found.coverage.hosts_seen == 0
    assert all(task.reason == "the host was not reachable: no route\\x1b[2J" for task in found.tasks)


def test_a_host_lost_half_way_keeps_what_was_seen_and_counts_as_not_seen() -> None:
    found = judge(scope("srv01", "srv02"), [event("alpha"), event("beta", Outcome.UNREACHABLE), event(host="srv02")])
    assert verdicts(judge(scope(), [event("alpha"), event("beta", Outcome.UNREACHABLE)])) == {
        "alpha": "in_sync",
        "beta": "unknown",
        "gamma": "unknown",
    }
    assert [host.reachable for host in found.hosts] == [False, True]


def test_what_comes_after_a_failure_is_unknown_and_says_why() -> None:
    found = judge(scope(), [event("alpha"), event("beta", Outcome.FAILED)])
    assert verdicts(found) == {"alpha": "in_sync", "beta": "failed", "gamma": "unknown"}
    assert found.tasks[-1].reason == 'the run stopped on this host at "beta"'


def test_each_item_of_a_loop_is_judged_and_the_worst_counts() -> None:
    loop = [
        event("alpha", item=True, looped=True, label="/etc/a"),
        event("alpha", item=True, looped=True, label="/etc/b", changed=True),
        event("alpha", looped=True, changed=True, message="All items completed"),
    ]
    found = judge(scope(), loop)
    items = [(task.resource, task.verdict.value) for task in found.tasks if task.task == "alpha"]
    assert items == [("/etc/a", "in_sync"), ("/etc/b", "drifted")]
    assert (found.hosts[0].checks, found.hosts[0].drifted, found.hosts[0].in_sync) == (3, 1, 0)


def test_an_item_that_could_not_be_judged_hides_no_health() -> None:
    skipped = event("alpha", Outcome.SKIPPED, item=True, label="b")
    found = judge(scope(), [event("alpha", item=True, label="a"), skipped, event("alpha")])
    assert (found.hosts[0].in_sync, found.hosts[0].unknown) == (0, 3)


def test_handlers_follow_and_are_never_counted() -> None:
    handler = event("restart", path="roles/sshd/handlers/main.yml:1", handler=True, changed=True)
    found = judge(scope(), [event("alpha", changed=True), handler])
    assert [task.task for task in found.having(Verdict.DRIFTED)] == ["alpha"]
    assert (found.hosts[0].checks, found.hosts[0].drifted) == (3, 1)


def test_a_handler_that_failed_is_not_lost() -> None:
    handler = event("restart", Outcome.FAILED, path="roles/sshd/handlers/main.yml:1", handler=True)
    found = judge(scope(), [event("alpha"), event("beta"), event("gamma"), handler])
    assert (found.hosts[0].failed, found.hosts[0].checks) == (1, 4)


def test_a_failed_probe_is_told_though_nobody_planned_it() -> None:
    tasks = (role_task("alpha", is_check=False), role_task("beta"))
    found = judge(scope(tasks=tasks), [event("alpha", Outcome.FAILED)])
    assert verdicts(found) == {"alpha": "failed", "beta": "unknown"}
    assert (found.hosts[0].checks, found.hosts[0].failed, found.hosts[0].unknown) == (2, 1, 1)


def test_a_probe_proves_nothing_by_itself() -> None:
    tasks = (role_task("alpha", is_check=False), role_task("beta"))
    assert verdicts(judge(scope(tasks=tasks), [event("alpha")])) == {"beta": "unknown"}


def test_tags_narrow_what_has_to_be_seen() -> None:
    tasks = (role_task("alpha"), role_task("beta"), role_task("gamma", tags=("always",)))
    found = judge(scope(tasks=tasks, tags=("beta",)), [event("beta")])
    assert verdicts(found) == {"beta": "in_sync", "gamma": "unknown"}
    assert found.coverage.checks == 2


def test_only_the_hosts_of_the_scope_are_judged() -> None:
    found = judge(scope("srv02"), [event(host="srv01", changed=True), event(host="srv02")])
    assert {task.host for task in found.tasks} == {"srv02"}
    assert found.coverage.hosts == 1


def test_only_drift_shows_contents() -> None:
    difference = edited("a\n", "b\n")
    found = judge(scope(), [event("alpha", diff=difference), event("beta", changed=True, diff=difference)])
    assert [bool(task.diff) for task in found.tasks] == [False, True, False]


def test_what_a_host_says_is_bounded_and_harmless() -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\r\n" * 20000
    said = event(
        "alpha",
        Outcome.FAILED,
        message=hostile,
        resource=hostile,
        diff=edited(hostile, hostile + "x"),
    )
    [task, *_] = judge(scope(), [said]).tasks
    assert max(len(task.reason), len(task.resource)) <= 1000
    assert len(task.diff) <= 201 * 401
    for text in (task.reason, task.resource, task.diff):
        assert not set(text) & set("\x1b\x07\u202e\r")


events = st.builds(
    event,
    st.sampled_from([*TASKS, "probe", "elsewhere"]),
    st.sampled_from(list(Outcome)),
    host=st.sampled_from(["srv01", "srv02", "stranger"]),
    role=st.sampled_from([ROLE, ROLE, ""]),
    changed=st.booleans(),
    item=st.booleans(),
    handler=st.sampled_from([False, False, True]),
    label=st.sampled_from(["", "a", "b"]),
    action=st.sampled_from(["ansible.builtin.template", "ansible.builtin.assert"]),
    skip_reason=st.sampled_from(["", FALSE, "No items in the list", "whatever"]),
    condition=st.sampled_from(["", "x", "not ansible_check_mode"]),
)


@given(st.lists(events, max_size=25), st.sampled_from([(), ("alpha",), ("nothing",)]))
@settings(max_examples=400, deadline=None)
def test_whatever_was_said_the_sums_are_right_and_the_unseen_is_unknown(
    said: list[TaskEvent], tags: tuple[str, ...]
) -> None:
    aim = scope("srv01", "srv02", tags=tags)
    found = judge(aim, said)
    for host in found.hosts:
        assert host.checks == host.in_sync + host.drifted + host.unknown + host.not_applicable + host.failed
        good = {
            (each.path, each.task)
            for each in said
            if each.host == host.host and each.outcome is Outcome.OK and not each.changed
        }
        healthy = {
            (task.path, task.task) for task in found.tasks if task.host == host.host and task.verdict is Verdict.IN_SYNC
        }
        assert healthy <= good
        planned = {task.path for task in aim.checks(aim.hosts[0])}
        assert planned <= {task.path for task in found.tasks if task.host == host.host}
    assert found.coverage.checks == sum(host.checks for host in found.hosts)
    assert found.coverage.unknown == sum(host.unknown for host in found.hosts)
    assert found.coverage.hosts_seen == sum(host.reachable for host in found.hosts)
