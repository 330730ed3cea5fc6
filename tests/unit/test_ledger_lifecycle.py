"""The rule by which findings open and end, for every night that one can think of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardround.ledger.lifecycle import Check, Sight, advance
from wardround.model.finding import Cause, Finding, FindingState, Observation
from wardround.model.run import Verdict

pytestmark = pytest.mark.unit

START = datetime(2026, 3, 1, tzinfo=UTC)
HOSTS = ("a", "b")
TASKS = ("t", "u")


def observed(host: str, task: str, verdict: Verdict) -> Observation:
    kind = "unknown" if verdict is Verdict.UNKNOWN else "drift"
    return Observation(
        fingerprint=f"{host}/{task}/{kind}",
        host=host,
        role="role",
        task=task,
        resource="",
        verdict=verdict,
        cause=Cause.HOST_MOVED,
        reason="",
        diff="",
    )


CHECKS = st.tuples(st.sampled_from(HOSTS), st.just("role"), st.sampled_from(TASKS))
OBSERVATIONS = st.lists(
    st.builds(
        observed,
        st.sampled_from(HOSTS),
        st.sampled_from(TASKS),
        st.sampled_from([Verdict.DRIFTED, Verdict.FAILED, Verdict.UNKNOWN]),
    ),
    max_size=6,
)


@st.composite
def sights(draw: st.DrawFn, number: int) -> Sight:
    hosts: frozenset[str] = draw(st.frozensets(st.sampled_from(HOSTS)))
    checked: frozenset[Check] = draw(st.frozensets(CHECKS))
    moment = START + timedelta(days=number)
    return Sight(f"run-{number}", "st-elsewhere", moment, tuple(draw(OBSERVATIONS)), hosts, checked)


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Finding], Sight]:
    """Draw what earlier nights left, and one more night."""
    known: dict[str, Finding] = {}
    last = draw(st.integers(0, 4))
    for number in range(last):
        known = after(known, draw(sights(number)))
    return known, draw(sights(last))


def after(known: dict[str, Finding], sight: Sight) -> dict[str, Finding]:
    return known | {finding.fingerprint: finding for finding in advance(known, sight).touched}


@settings(deadline=None)
@given(histories())
def test_what_was_observed_is_open_and_carries_the_night(history: tuple[dict[str, Finding], Sight]) -> None:
    known, sight = history
    later = after(known, sight)
    for observation in sight.observations:
        finding = later[observation.fingerprint]
        assert finding.state is FindingState.OPEN
        assert (finding.last_run, finding.last_seen) == (sight.run, sight.moment)
        assert finding.first_seen <= finding.last_seen


@settings(deadline=None)
@given(histories())
def test_nothing_ends_unseen(history: tuple[dict[str, Finding], Sight]) -> None:
    known, sight = history
    for finding in advance(known, sight).resolved:
        assert finding.host in sight.hosts_seen
        assert (finding.host, finding.role, finding.task) in sight.checked
        assert known[finding.fingerprint].state is FindingState.OPEN


@settings(deadline=None)
@given(histories())
def test_no_finding_is_ever_lost(history: tuple[dict[str, Finding], Sight]) -> None:
    known, sight = history
    later = after(known, sight)
    assert known.keys() <= later.keys()
    for mark, finding in known.items():
        assert (later[mark].first_run, later[mark].first_seen) == (finding.first_run, finding.first_seen)


@settings(deadline=None)
@given(histories())
def test_each_finding_moves_once_a_night(history: tuple[dict[str, Finding], Sight]) -> None:
    marks = [finding.fingerprint for finding in advance(*history).touched]
    assert len(marks) == len(set(marks))


@settings(deadline=None)
@given(histories())
def test_the_same_night_again_moves_nothing(history: tuple[dict[str, Finding], Sight]) -> None:
    known, sight = history
    again = advance(after(known, sight), sight)
    assert (again.opened, again.reopened, again.resolved) == ((), (), ())


@settings(deadline=None)
@given(histories())
def test_a_night_that_saw_all_and_found_nothing_ends_everything(history: tuple[dict[str, Finding], Sight]) -> None:
    known, sight = history
    everything = frozenset((host, "role", task) for host in HOSTS for task in TASKS)
    calm = sight._replace(observations=(), hosts_seen=frozenset(HOSTS), checked=everything)
    assert all(finding.state is FindingState.RESOLVED for finding in after(known, calm).values())
