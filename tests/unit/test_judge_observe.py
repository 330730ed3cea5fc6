"""Observations: one for each disagreement, the same name every night, with who moved."""

from __future__ import annotations

import pytest

from tests.unit.judge_samples import event, scope
from wardround.drift.judge import judge
from wardround.drift.observe import HOST_TASK, cause_of, observe
from wardround.model.event import Outcome, TaskEvent
from wardround.model.finding import Cause, Observation, fingerprint
from wardround.model.run import Provenance, TaskVerdict, Verdict

pytestmark = pytest.mark.unit

NOW = Provenance(
    wardround="0.1.0",
    ansible_core="2.19.0",
    git_commit="c",
    design_digest="d",
    manifest_digest="m",
    architectures_digest="a",
    roles_digest="r",
)


def observed(*said: TaskEvent) -> tuple[Observation, ...]:
    return observe("st-test", judge(scope(), said), NOW, NOW)


def test_health_and_what_does_not_apply_are_no_observations() -> None:
    skipped = event("gamma", Outcome.SKIPPED, skip_reason="Conditional result was False", condition="x")
    assert observed(event("alpha"), event("beta"), skipped) == ()


def test_a_silent_host_is_one_observation_with_the_real_reason() -> None:
    skipped = event("alpha", Outcome.SKIPPED, skip_reason="Conditional result was False", condition="x is y")
    [found] = observed(skipped, event("beta", Outcome.UNREACHABLE, message="No route to host"))
    assert (found.task, found.verdict, found.cause) == (HOST_TASK, Verdict.UNKNOWN, Cause.COULD_NOT_CHECK)
    assert found.reason == "the host was not reachable: No route to host"


def test_what_was_seen_before_the_silence_stays() -> None:
    found = observed(event("alpha", changed=True), event("beta", Outcome.UNREACHABLE, message="gone"))
    assert [each.task for each in found] == [HOST_TASK, "alpha"]


def test_a_host_that_said_nothing_at_all_is_one_observation() -> None:
    [found] = observed()
    assert found.reason == "the run never came to this task"


def test_a_disagreement_seen_twice_is_one() -> None:
    assert len([each for each in observed(*[event("alpha", changed=True)] * 2) if each.task == "alpha"]) == 1


def test_a_name_is_about_what_not_when() -> None:
    verdict = TaskVerdict(
        host="srv01", role="sshd", task="t", tags=(), path="a:1", resource="/etc/x", verdict=Verdict.DRIFTED
    )
    name = fingerprint("st-test", verdict)
    same = {"path": "a:2", "verdict": Verdict.FAILED, "reason": "r", "diff": "d", "tags": ("x",)}
    for field, value in same.items():
        assert fingerprint("st-test", verdict.model_copy(update={field: value})) == name, field
    others = {"host": "srv02", "role": "other", "task": "u", "resource": "/etc/y", "verdict": Verdict.UNKNOWN}
    names = {fingerprint("st-test", verdict.model_copy(update={field: value})) for field, value in others.items()}
    names |= {name, fingerprint("st-other", verdict)}
    assert len(names) == len(others) + 2
    assert len(name) == 16


@pytest.mark.parametrize(
    ("applied", "cause"),
    [
        (NOW, Cause.HOST_MOVED),
        (None, Cause.DESIGN_MOVED),
        (NOW.model_copy(update={"roles_digest": "x"}), Cause.DESIGN_MOVED),
        (NOW.model_copy(update={"architectures_digest": "x", "manifest_digest": "x"}), Cause.DESIGN_MOVED),
        (NOW.model_copy(update={"manifest_digest": "x"}), Cause.INPUTS_MOVED),
        (NOW.model_copy(update={"design_digest": "x"}), Cause.INPUTS_MOVED),
        (NOW.model_copy(update={"git_commit": "x", "wardround": "9"}), Cause.HOST_MOVED),
    ],
)
def test_who_moved(applied: Provenance | None, cause: Cause) -> None:
    assert cause_of(Verdict.DRIFTED, NOW, applied) is cause
    assert cause_of(Verdict.UNKNOWN, NOW, applied) is Cause.COULD_NOT_CHECK
