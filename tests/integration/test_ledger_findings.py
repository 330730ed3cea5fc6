"""A finding lives from the first night it is seen to the night somebody looked and it was gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.integration.ledger_samples import START, StepClock, observation, run_record
from wardround.ledger import Ledger
from wardround.model.finding import Cause, FindingState, Observation
from wardround.model.run import Verdict

pytestmark = pytest.mark.integration

ROLE = "ssh_hardening"
LOOKED = {("pacs01", ROLE, "sshd listens")}


@pytest.fixture
def nights(ledger: Ledger) -> Ledger:
    for night in range(1, 5):
        ledger.start_run(run_record(f"run-{night}"))
    return ledger


def state_of(ledger: Ledger, mark: str) -> FindingState:
    return {finding.fingerprint: finding.state for finding in ledger.findings()}[mark]


def test_a_new_finding_is_open(nights: Ledger) -> None:
    changes = nights.record_observations("run-1", [observation("f1")], {"pacs01"}, LOOKED)
    (finding,) = nights.findings()
    assert changes.opened == (finding,)
    assert (finding.state, finding.first_run, finding.last_run) == (FindingState.OPEN, "run-1", "run-1")
    assert finding.first_seen == finding.last_seen > START


def test_a_finding_seen_again_keeps_its_beginning_and_takes_the_newest_words(nights: Ledger) -> None:
    (first,) = nights.record_observations("run-1", [observation("f1")], {"pacs01"}, LOOKED).opened
    changes = nights.record_observations("run-2", [observation("f1", diff="other")], {"pacs01"}, LOOKED)
    (finding,) = nights.findings()
    assert changes.seen_again == (finding,)
    assert (finding.first_seen, finding.first_run) == (first.first_seen, "run-1")
    assert finding.last_seen > first.last_seen
    assert (finding.last_run, finding.diff) == ("run-2", "other")


def test_a_finding_is_resolved_when_somebody_looked(nights: Ledger) -> None:
    nights.record_observations("run-1", [observation("f1")], {"pacs01"}, LOOKED)
    changes = nights.record_observations("run-2", [], {"pacs01"}, LOOKED)
    (finding,) = nights.findings()
    assert changes.resolved == (finding,)
    assert (finding.state, finding.last_run) == (FindingState.RESOLVED, "run-1")


def test_nothing_is_resolved_by_not_looking(nights: Ledger) -> None:
    nights.record_observations("run-1", [observation("f1")], {"pacs01"}, LOOKED)
    other_task = {("pacs01", ROLE, "another task"), ("pacs01", "accounts", "sshd listens")}
    for hosts, checked in ((set[str](), LOOKED), ({"pacs01"}, set()), ({"pacs02"}, LOOKED), ({"pacs01"}, other_task)):
        changes = nights.record_observations("run-2", [], hosts, checked)
        assert changes.touched == ()
        assert state_of(nights, "f1") is FindingState.OPEN


def test_what_became_unknown_does_not_resolve_what_was_drifted(nights: Ledger) -> None:
    nights.record_observations("run-1", [observation("drift")], {"pacs01"}, LOOKED)
    nights.record_observations("run-2", [observation("unknown", verdict=Verdict.UNKNOWN)], {"pacs01"}, LOOKED)
    assert state_of(nights, "drift") is FindingState.OPEN
    assert state_of(nights, "unknown") is FindingState.OPEN

    nights.record_observations("run-3", [], {"pacs01"}, LOOKED)
    assert state_of(nights, "drift") is FindingState.RESOLVED
    assert state_of(nights, "unknown") is FindingState.RESOLVED


def test_a_finding_that_comes_back_is_the_same_one(nights: Ledger) -> None:
    (first,) = nights.record_observations("run-1", [observation("f1")], {"pacs01"}, LOOKED).opened
    nights.record_observations("run-2", [], {"pacs01"}, LOOKED)
    changes = nights.record_observations("run-3", [observation("f1")], {"pacs01"}, LOOKED)
    (finding,) = nights.findings()
    assert changes.reopened == (finding,)
    assert (finding.state, finding.first_seen, finding.last_run) == (FindingState.OPEN, first.first_seen, "run-3")


def test_hospitals_do_not_touch_each_others_findings(nights: Ledger) -> None:
    nights.start_run(run_record("elsewhere", hospital="other"))
    nights.record_observations("run-1", [observation("f1")], {"pacs01"}, LOOKED)
    nights.record_observations("elsewhere", [], {"pacs01"}, LOOKED)
    assert state_of(nights, "f1") is FindingState.OPEN


def test_the_chain_says_what_moved(nights: Ledger) -> None:
    nights.record_observations("run-1", [observation("f1"), observation("f2")], {"pacs01"}, LOOKED)
    nights.record_observations("run-2", [observation("f2")], {"pacs01"}, LOOKED)
    nights.record_observations("run-3", [observation("f1")], set(), set())
    moves = [event.payload for event in nights.events(kind="findings_moved")]
    assert moves == [
        {"opened": ["f1", "f2"], "reopened": [], "resolved": [], "seen_again": 0},
        {"opened": [], "reopened": [], "resolved": ["f1"], "seen_again": 1},
        {"opened": [], "reopened": ["f1"], "resolved": [], "seen_again": 0},
    ]


def test_a_clock_set_back_does_not_end_a_finding_before_it_began(ledger_url: str) -> None:
    # Each of four calls looks at the clock once for its event; the two that record also look for their findings.
    earlier = START - timedelta(hours=2)
    moments = iter([START, START, START, START, earlier, earlier])
    with Ledger.open(ledger_url, lambda: next(moments)) as ledger:
        ledger.start_run(run_record("run-1"))
        ledger.start_run(run_record("run-2"))
        ledger.record_observations("run-1", [observation("f1")], {"pacs01"}, LOOKED)
        ledger.record_observations("run-2", [observation("f1")], {"pacs01"}, LOOKED)
        (finding,) = ledger.findings()
    assert finding.first_seen == finding.last_seen == START


def test_ten_thousand_findings_in_one_night(nights: Ledger) -> None:
    """More than a database takes as parameters of one statement."""
    many = [observation(f"f{number}", host=f"h{number % 500}") for number in range(12_000)]
    hosts = {f"h{number}" for number in range(500)}
    checked = {(host, ROLE, "sshd listens") for host in hosts}
    assert len(nights.record_observations("run-1", many, hosts, checked).opened) == 12_000
    assert len(nights.record_observations("run-2", many[6000:], hosts, checked).resolved) == 6_000
    assert len(nights.record_observations("run-3", many, hosts, checked).reopened) == 6_000


@dataclass
class Expected:
    """What the model believes of one finding."""

    is_open: bool
    first_run: str
    last_run: str


HOSTS = ("pacs01", "ris01")
TASKS = ("sshd listens", "host keys are kept")
RESOURCES = ("/etc/ssh/sshd_config", "/etc/ssh/moduli")
LOOKS = st.sampled_from(["well", "drifted", "failed", "unknown"])
NIGHT = st.fixed_dictionaries(
    {(host, task, resource): LOOKS for host in HOSTS for task in TASKS for resource in RESOURCES}
)
SEEN = st.sets(st.sampled_from(HOSTS))
CHECKED = st.sets(st.tuples(st.sampled_from(HOSTS), st.sampled_from(TASKS)))

_hospitals = count(1)


def sighting(about: tuple[str, str, str], look: str) -> Observation:
    host, task, resource = about
    kind = "unknown" if look == "unknown" else "drift"
    return Observation(
        fingerprint=f"{host}/{task}/{resource}/{kind}",
        host=host,
        role=ROLE,
        task=task,
        resource=resource,
        verdict=Verdict(look),
        cause=Cause.COULD_NOT_CHECK if look == "unknown" else Cause.HOST_MOVED,
        reason="",
        diff=look,
    )


def lifecycle_of(ledger: Ledger) -> type[RuleBasedStateMachine]:
    """Build the machine that compares a ledger, night by night, with the simplest model of it."""

    class Lifecycle(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.hospital = f"hospital-{next(_hospitals)}"
            self.expected: dict[str, Expected] = {}
            self.night = 0

        @rule(looks=NIGHT, seen=SEEN, checked=CHECKED)
        def pass_a_night(
            self, looks: dict[tuple[str, str, str], str], seen: set[str], checked: set[tuple[str, str]]
        ) -> None:
            self.night += 1
            run = f"{self.hospital}-{self.night}"
            ledger.start_run(run_record(run, hospital=self.hospital))
            # A judge reports on what it could look at; the rest of the night's truth nobody saw.
            visible = {about: look for about, look in looks.items() if about[0] in seen and about[:2] in checked}
            sightings = [sighting(about, look) for about, look in visible.items() if look != "well"]

            ledger.record_observations(run, sightings, seen, {(host, ROLE, task) for host, task in checked})

            for (host, task, resource), look in visible.items():
                clear = all(visible[host, task, other] != "unknown" for other in RESOURCES)
                for kind in ("drift", "unknown"):
                    mark = f"{host}/{task}/{resource}/{kind}"
                    showed = look != "well" and (kind == "unknown") == (look == "unknown")
                    if showed:
                        first = self.expected[mark].first_run if mark in self.expected else run
                        self.expected[mark] = Expected(is_open=True, first_run=first, last_run=run)
                    elif clear and mark in self.expected:
                        self.expected[mark].is_open = False

        @invariant()
        def ledger_and_model_agree(self) -> None:
            found = {
                one.fingerprint: Expected(one.state is FindingState.OPEN, one.first_run, one.last_run)
                for one in ledger.findings(hospital=self.hospital)
            }
            assert found == self.expected

    return Lifecycle


def test_findings_live_as_the_simplest_model_says(ledger_url: str) -> None:
    with Ledger.open(ledger_url, StepClock()) as ledger:
        run_state_machine_as_test(
            lifecycle_of(ledger),
            settings=settings(
                max_examples=20,
                stateful_step_count=12,
                deadline=None,
                database=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
        assert ledger.verify() == ledger.head()
