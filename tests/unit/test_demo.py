"""What a demonstration promises of probes and flows, held against what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.unit.test_proof_exercise import two_servers_and_a_store
from wardround.cli.demo import demo_lines
from wardround.drift.judge import Judgement
from wardround.ledger import Ledger
from wardround.model.design import Design
from wardround.model.run import Coverage, TaskVerdict, Verdict
from wardround.proof.attempt import End, Judged, Standing
from wardround.proof.exercise import Mistake, mistakes
from wardround.proof.packet import Packet
from wardround.proof.result import Difference, Kind
from wardround.proof.way import NOTHING_FILTERS
from wardround.verbs import demo
from wardround.verbs.apply import Applied
from wardround.verbs.demo import Demonstration
from wardround.verbs.drift import Drift
from wardround.verbs.opening import OpenHospital
from wardround.verbs.probe import Asked, Probing
from wardround.verbs.prove import Proved, Proving
from wardround.verbs.site_run import Options
from wardround.verbs.stage import BrokenPromiseError, Show, Stage, few

pytestmark = pytest.mark.unit

GATEWAY = "gw01"
SEED = 7
PACKET = Packet(IPv4Address("10.0.1.21"), IPv4Address("10.0.3.11"), 6, 40000, 2762)


def with_probe() -> Design:
    """Give a hospital with a gateway, and a probe that asks over the one flow that can be closed."""
    probe = {"id": "P-WRD-01", "kind": "tcp", "from": "client", "to": "store", "service": "images"}
    return two_servers_and_a_store({"probes": [probe]})


WHOLE = with_probe()
MADE = mistakes(WHOLE, SEED)
OPENED, CLOSED = MADE


def difference(mistake: Mistake) -> Difference:
    """Give what a proof finds of a mistake."""
    kind, source, destination, service = mistake.difference
    return Difference(kind, source, destination, service, NOTHING_FILTERS, mistake.attempt.flows, PACKET)


def judgement(*tasks: TaskVerdict) -> Judgement:
    return Judgement(tasks, (), Coverage(hosts=3, hosts_seen=3, checks=900, unknown=4))


def seen(mistake: Mistake) -> Judged:
    """Give how the connection that is closed ended."""
    return Judged(mistake.attempt, End.SILENT, Standing.DIFFERS, "silent")


def proving(*rules: Proved, tried: tuple[Judged, ...] = (), tasks: tuple[TaskVerdict, ...] = ()) -> Proving:
    run = SimpleNamespace(judgement=judgement(*tasks))
    return Proving(cast("Any", run), rules, tried)


CLEAN = Proved("srv01", 100, ())
FOUND = Proved(GATEWAY, 100, (difference(OPENED), difference(CLOSED)))


def test_a_proof_that_names_both_mistakes_and_no_other_is_as_promised() -> None:
    demo.compare_proof(MADE, GATEWAY, proving(FOUND, CLEAN, tried=(seen(CLOSED),)))


@pytest.mark.parametrize(
    "told",
    [
        proving(CLEAN, tried=(seen(CLOSED),)),
        proving(replace(FOUND, differences=FOUND.differences[:1]), tried=(seen(CLOSED),)),
        proving(replace(FOUND, host="srv01"), tried=(seen(CLOSED),)),
        proving(FOUND, replace(FOUND, host="srv01"), tried=(seen(CLOSED),)),
        proving(
            replace(FOUND, differences=tuple(replace(each, kind=Kind.UNKNOWN) for each in FOUND.differences)),
            tried=(seen(CLOSED),),
        ),
        proving(FOUND, replace(CLEAN, failure="silent"), tried=(seen(CLOSED),)),
        proving(FOUND),
        proving(FOUND, tried=(seen(CLOSED), seen(OPENED))),
    ],
    ids=["nothing", "one", "elsewhere", "and elsewhere", "unclear", "unread", "still connects", "opened to the end"],
)
def test_a_proof_that_names_less_or_more_breaks_the_promise(told: Proving) -> None:
    with pytest.raises(BrokenPromiseError, match="prove names"):
        demo.compare_proof(MADE, GATEWAY, told)


CHAIN = "inet wardround_gateway forward"
LINES = (
    f'missing: {CHAIN}: ip saddr 10.0.1.21 ip daddr 10.0.3.11 accept comment "F-WRD-07"',
    f"undeclared: {CHAIN}: {OPENED.match} accept",
)


def rules_finding(*lines: str) -> TaskVerdict:
    return TaskVerdict(
        host=GATEWAY,
        role=demo.GATEWAY_ROLE,
        task=demo.RULES_CHECK,
        tags=(),
        path="",
        resource="",
        verdict=Verdict.DRIFTED,
        reason="; ".join(lines),
    )


def drift(*tasks: TaskVerdict) -> Drift:
    return Drift(cast("Any", SimpleNamespace(judgement=judgement(*tasks))), ())


def test_a_drift_that_names_both_rules_is_as_promised() -> None:
    demo.compare_drift(MADE, GATEWAY, drift(rules_finding(*LINES)))


@pytest.mark.parametrize(
    "told",
    [
        drift(),
        drift(rules_finding(LINES[0])),
        drift(rules_finding(LINES[1], LINES[1])),
        drift(rules_finding(*LINES, f"undeclared: {CHAIN}: accept")),
        drift(rules_finding(*LINES).model_copy(update={"task": "Rules are loaded at boot"})),
        drift(rules_finding(*LINES), rules_finding(*LINES).model_copy(update={"host": "srv01"})),
    ],
    ids=["nothing", "one", "one twice", "three", "another check", "another host"],
)
def test_a_drift_that_names_less_or_more_breaks_the_promise(told: Drift) -> None:
    with pytest.raises(BrokenPromiseError, match="drift names"):
        demo.compare_drift(MADE, GATEWAY, told)


def test_probes_over_a_closed_flow_are_expected_to_fail() -> None:
    assert demo.asked_over(MADE, WHOLE) == {"P-WRD-01 cli01"}
    assert demo.asked_over((OPENED,), WHOLE) == set()


@dataclass
class Play:
    """A stage on which nothing is real: what is done by hand counts until it is mended."""

    design: Design
    told: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    open: list[TaskVerdict] = field(default_factory=list)
    notices: bool = True

    def stage(self, monkeypatch: pytest.MonkeyPatch) -> Stage:
        """Put fakes in the place of everything that reaches a twin."""

        @contextmanager
        def followed(_name: str) -> Iterator[Any]:
            yield lambda _text: None

        monkeypatch.setattr(demo, "prove", lambda *_, **__: self.prove())
        monkeypatch.setattr(demo, "probe", lambda *_: self.probe())
        monkeypatch.setattr(demo, "by_hand", lambda _hospital, _host, command: self.done.append(command))
        monkeypatch.setattr(Stage, "drift", lambda _stage, _name, *hosts: self.drift(hosts))
        monkeypatch.setattr(Stage, "mend", lambda _stage: self.mend())
        opened = cast("OpenHospital", SimpleNamespace(design=self.design))
        ledger = cast("Ledger", SimpleNamespace(findings=lambda **_: tuple(self.open)))
        return Stage(opened, ledger, Options(), Show(cast("Any", None), followed, self.told.append))

    def prove(self) -> Proving:
        return proving(FOUND, CLEAN, tried=(seen(CLOSED),)) if self.done else proving(CLEAN)

    def probe(self) -> Probing:
        verdict = Verdict.DRIFTED if self.done and self.notices else Verdict.IN_SYNC
        return Probing(cast("Any", None), tuple(Asked(each, verdict, "said") for each in self.design.probes))

    def drift(self, hosts: tuple[str, ...]) -> Drift:
        assert hosts == (GATEWAY,)
        return drift(rules_finding(*LINES))

    def mend(self) -> Applied:
        self.done.clear()
        return Applied(cast("Any", None), (rules_finding(),), (), ())


def test_two_mistakes_by_hand_are_made_found_and_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(WHOLE)
    assert demo.mistakes_by_hand_are_found(play.stage(monkeypatch), SEED) == 2
    assert play.told == [
        f"by hand on {GATEWAY}: {OPENED}",
        f"by hand on {GATEWAY}: {CLOSED}",
        "prove names the same 2, no other",
        "drift names the same 2, no other",
        "probes that notice: P-WRD-01 cli01",
        "remedied: 1 change",
        "every flow proved both ways: 900 checks, 0 of them connections; 4 could not be told",
        "1 probe answered",
        "clean again",
    ]


def test_a_probe_that_does_not_notice_breaks_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BrokenPromiseError, match="P-WRD-01 cli01"):
        demo.mistakes_by_hand_are_found(Play(WHOLE, notices=False).stage(monkeypatch), SEED)


def test_a_finding_that_is_left_open_breaks_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BrokenPromiseError, match="still open"):
        demo.mistakes_by_hand_are_found(Play(WHOLE, open=[rules_finding()]).stage(monkeypatch), SEED)
    unseen = rules_finding().model_copy(update={"verdict": Verdict.UNKNOWN})
    assert demo.mistakes_by_hand_are_found(Play(WHOLE, open=[unseen]).stage(monkeypatch), SEED) == 2


def test_what_a_design_has_not_is_left_out_and_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = tuple(host for host in WHOLE.hosts if host.name != GATEWAY)
    play = Play(WHOLE.model_copy(update={"hosts": hosts, "probes": ()}))
    stage = play.stage(monkeypatch)
    assert (demo.every_probe_is_answered(stage), demo.mistakes_by_hand_are_found(stage, SEED)) == (0, 0)
    assert [line.partition(" in this design")[0] for line in play.told] == [
        "no probe",
        "no managed gateway with flows to change",
    ]
    assert play.done == []


def test_a_flow_that_does_not_hold_and_rules_that_were_not_read_break_the_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Play(WHOLE).stage(monkeypatch)
    assert demo.every_flow_holds(stage) == 900
    for told in (proving(replace(CLEAN, failure="silent")), proving(CLEAN, tasks=(rules_finding("opened"),))):
        monkeypatch.setattr(demo, "prove", lambda *_, told=told, **__: told)
        with pytest.raises(BrokenPromiseError, match="prove: "):
            demo.every_flow_holds(stage)


def test_a_broken_promise_names_a_few() -> None:
    assert few([]) == "nothing"
    assert few(["a", ("b", 1)]) == "a; ('b', 1)"
    assert few(range(7)) == "0; 1; 2; 3; 4 and 2 more"


DONE = Demonstration(
    hosts=8,
    planned=447,
    applied=665,
    applied_again=0,
    planted=19,
    found=19,
    remedied=21,
    probes=0,
    proved=900,
    flows_changed=0,
    look_at="ca01",
)


def test_the_last_lines_say_only_what_was_shown() -> None:
    small = [line.text for line in demo_lines(DONE, "st-nearby", 700)]
    assert small[1] == "every flow proved both ways in 900 checks"
    whole = [line.text for line in demo_lines(replace(DONE, probes=5, flows_changed=2), "st-elsewhere", 1500)]
    assert whole[1] == (
        "5 probes answered; every flow proved both ways in 900 checks; the 2 flows changed by hand named, no other"
    )
    assert any("twin exec st-elsewhere ca01 --" in line for line in whole)
    assert max(map(len, whole[3:])) < 100
