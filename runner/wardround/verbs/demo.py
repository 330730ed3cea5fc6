"""demo: the main job from end to end on a twin, each step checked against what it promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardround.design.network import GATEWAY_COMPONENT
from wardround.model.finding import FindingState
from wardround.model.run import Verdict
from wardround.proof.attempt import Standing
from wardround.proof.exercise import Change, Mistake, mistakes
from wardround.report.line import count
from wardround.twin import faults, lifecycle
from wardround.twin.hand import by_hand
from wardround.twin.tenant import introduce
from wardround.verbs.opening import open_hospital, twin_state
from wardround.verbs.probe import Asked, probe
from wardround.verbs.prove import Proving, prove
from wardround.verbs.stage import Show, Spot, Stage, few, promise, spot
from wardround.verbs.twin import twin_hospital

if TYPE_CHECKING:
    from wardround.model.design import Design
    from wardround.verbs.drift import Drift
    from wardround.verbs.site_run import Options
    from wardround.verbs.workspace import Workspace

GATEWAY_ROLE = "zone_gateway"
RULES_CHECK = "Running rules are the declared ones"
"""The task of the gateway's role that compares the kernel's rules."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The figures of a whole demonstration, and a host that is worth a look afterwards."""

    hosts: int
    planned: int
    applied: int
    applied_again: int
    planted: int
    found: int
    remedied: int
    probes: int
    proved: int
    flows_changed: int
    look_at: str


def demonstrate(workspace: Workspace, name: str, seed: int, options: Options, show: Show) -> Demonstration:
    """Build, plan, apply, apply again, damage, find, mend and look again; then probe and prove, also after mistakes.

    Raises:
        BrokenPromiseError: naming the step that did not keep its promise.

    """
    say = show.say
    hospital = twin_hospital(workspace, name)
    with show.followed("twin up") as step:
        lifecycle.up(hospital, twin_state(workspace, hospital.name), step)
    say(f"twin of {hospital.name} is up: {count(len(hospital.hosts), 'managed host')}")
    with workspace.open_ledger() as ledger:
        stage = Stage(open_hospital(workspace, name, twin=True), ledger, options, show)
        plan = stage.plan("plan", options)
        say(f"planned: {plan.changes} changes on {len(plan.hosts)} hosts")
        applied, again = stage.apply_twice("apply twice", plan)
        say(f"applied: {len(applied.changed)} changes")
        promise(not again.changed, f"the second apply changed {[spot(each) for each in again.changed]}")
        say("second apply changed 0")
        if introduce(hospital):
            say("the ERP trusts the hospital's certificates")
        planted = faults.plant(hospital, twin_state(workspace, hospital.name), seed)
        say(f"{len(planted)} faults planted")
        found = _compare(planted, stage.drift("drift"))
        say(f"the same {found} found, no other")
        remedied = stage.mend()
        say(f"remedied: {len(remedied.changed)} changes")
        left = stage.drift("drift again").findings
        promise(not left, f"still open: {[(each.host, each.role, each.task) for each in left]}")
        say("clean")
        probes = every_probe_is_answered(stage)
        proved = every_flow_holds(stage)
        changed = mistakes_by_hand_are_found(stage, seed)
    return Demonstration(
        hosts=len(plan.hosts),
        planned=plan.changes,
        applied=len(applied.changed),
        applied_again=len(again.changed),
        planted=len(planted),
        found=found,
        remedied=len(remedied.changed),
        probes=probes,
        proved=proved,
        flows_changed=changed,
        look_at=gateway_of(stage.opened.design) or plan.hosts[0].host,
    )


def _compare(planted: tuple[faults.Fault, ...], drift: Drift) -> int:
    """Hold the findings against the faults, both ways."""
    wanted: set[Spot] = {(fault.host, fault.role, fault.check) for fault in planted}
    seen: set[Spot] = {spot(each) for each in drift.run.judgement.having(Verdict.DRIFTED, Verdict.FAILED)}
    missed, extra = sorted(wanted - seen), sorted(seen - wanted)
    promise(not missed and not extra, f"missed {missed}; found beside {extra}")
    return len(wanted)


def gateway_of(design: Design) -> str | None:
    """Give the managed host that stands between the zones, if there is one."""
    return next((host.name for host in design.managed_hosts() if host.component == GATEWAY_COMPONENT), None)


def every_probe_is_answered(stage: Stage) -> int:
    """Ask every clinical question, and give how many there are."""
    if not stage.opened.design.probes:
        stage.show.say("no probe in this design, so none is asked")
        return 0
    asked = _ask(stage)
    wrong = [f"{_name(each)}: {each.words}" for each in asked if each.verdict is not Verdict.IN_SYNC]
    promise(not wrong, f"probe: {few(wrong)}")
    stage.show.say(f"{count(len(asked), 'probe')} answered")
    return len(asked)


def every_flow_holds(stage: Stage) -> int:
    """Prove rules and connections, and give how many comparisons that takes."""
    proving = _prove(stage)
    unread = [f"{each.host}: {each.failure}" for each in proving.rules if each.failure]
    wrong = [
        f"{each.host}: {each.resource}: {each.reason}"
        for each in proving.run.judgement.having(Verdict.DRIFTED, Verdict.FAILED)
    ]
    promise(not unread and not wrong, f"prove: {few(unread + wrong)}")
    coverage = proving.run.judgement.coverage
    tried = len(proving.tried)
    stage.show.say(
        f"every flow proved both ways: {coverage.checks} checks, {tried} of them connections; "
        f"{coverage.unknown} could not be told"
    )
    return coverage.checks


def mistakes_by_hand_are_found(stage: Stage, seed: int) -> int:
    """Open a forbidden flow and close an allowed one on the gateway; proof and drift must name these and no others."""
    design, say = stage.opened.design, stage.show.say
    gateway = gateway_of(design)
    made = mistakes(design, seed) if gateway else ()
    if gateway is None or not made:
        say("no managed gateway with flows to change in this design, so none is opened or closed by hand")
        return 0
    for each in made:
        by_hand(design.hospital, gateway, each.command)
        say(f"by hand on {gateway}: {each}")
    compare_proof(made, gateway, _prove(stage))
    say(f"prove names the same {len(made)}, no other")
    # Nobody touched another host since all were clean.
    compare_drift(made, gateway, stage.drift(f"drift of {gateway}", gateway))
    say(f"drift names the same {len(made)}, no other")
    if asked := asked_over(made, design):
        noticed = [_name(each) for each in _ask(stage) if each.verdict is Verdict.DRIFTED]
        missed = sorted(asked - set(noticed))
        promise(not missed, f"answered although their flow is closed: {few(missed)}")
        say(f"probes that notice: {', '.join(noticed)}")
    remedied = stage.mend()
    say(f"remedied: {count(len(remedied.changed), 'change')}")
    every_flow_holds(stage)
    every_probe_is_answered(stage)
    known = stage.ledger.findings(hospital=design.hospital, state=FindingState.OPEN)
    left = [f"{each.host}: {each.task}: {each.resource}" for each in known if each.verdict is not Verdict.UNKNOWN]
    promise(not left, f"still open: {few(left)}")
    say("clean again")
    return len(made)


def compare_proof(made: tuple[Mistake, ...], gateway: str, proving: Proving) -> None:
    """Hold what a proof disagrees with against what was done, both ways, in rules and in connections."""
    rules = {
        (each.host, difference.kind, difference.source, difference.destination, difference.service)
        for each in proving.rules
        for difference in each.differences
    }
    wanted = {(gateway, *each.difference) for each in made}
    unread = [f"{each.host}: {each.failure}" for each in proving.rules if each.failure]
    promise(not unread, f"prove names rules that were not read: {few(unread)}")
    promise(rules == wanted, f"prove names {few(sorted(rules))} in rules, not {few(sorted(wanted))}")
    # What was opened on the gateway is still refused by the host that it leads to.
    closed = {each.connection for each in made if each.change is Change.CLOSED}
    tried = {
        (each.attempt.source, each.attempt.destination, each.attempt.service)
        for each in proving.tried
        if each.standing is Standing.DIFFERS
    }
    promise(tried == closed, f"prove names the connections {few(sorted(tried))}, not {few(closed)}")


def compare_drift(made: tuple[Mistake, ...], gateway: str, drift: Drift) -> None:
    """Hold the one finding that there must be against what was done: it names as many rules, and these."""
    drifted = drift.run.judgement.having(Verdict.DRIFTED, Verdict.FAILED)
    spots = [spot(each) for each in drifted]
    promise(spots == [(gateway, GATEWAY_ROLE, RULES_CHECK)], f"drift names {few(spots)}")
    named = drifted[0].reason.split("; ")
    same = len(named) == len(made) and all(any(each.is_rule(line) for line in named) for each in made)
    promise(same, f"drift names the rules {few(named)}")


def asked_over(made: tuple[Mistake, ...], design: Design) -> set[str]:
    """Give the probes that ask over a flow that was closed."""
    closed = {
        (each.attempt.source, each.attempt.address, each.attempt.port) for each in made if each.change is Change.CLOSED
    }
    return {
        f"{each.id} {each.source}" for each in design.probes if (each.source, str(each.address), each.port) in closed
    }


def _name(asked: Asked) -> str:
    return f"{asked.probe.id} {asked.probe.source}"


def _ask(stage: Stage) -> tuple[Asked, ...]:
    with stage.show.followed("probe"):
        return probe(stage.opened, stage.ledger, stage.options.forks).asked


def _prove(stage: Stage) -> Proving:
    with stage.show.followed("prove") as say:
        return prove(stage.opened, stage.ledger, live=True, forks=stage.options.forks, say=say)
