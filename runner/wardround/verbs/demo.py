"""demo: the main job from end to end on a twin, each step checked against what it promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardround.errors import WardroundError
from wardround.model.run import Verdict
from wardround.twin import faults, lifecycle
from wardround.twin.tenant import introduce
from wardround.verbs.apply import Application, Applied
from wardround.verbs.drift import Drift, deep_check
from wardround.verbs.opening import OpenHospital, open_hospital, twin_state
from wardround.verbs.plan import make_plan, narrowed_to_findings
from wardround.verbs.site_run import Options, Watcher
from wardround.verbs.twin import twin_hospital

if TYPE_CHECKING:
    from wardround.ledger import Ledger
    from wardround.model.plan import Plan
    from wardround.model.run import TaskVerdict
    from wardround.verbs.workspace import Workspace

Watched = Callable[[str, int], AbstractContextManager[Watcher]]
"""Opens the watching of one step: its name and how many hosts it works on."""

Say = Callable[[str], None]
Spot = tuple[str, str, str]
"""host, role and task: where a fault was planted, or a finding points."""


class BrokenPromiseError(WardroundError):
    """A step of the demonstration did not do what it promises. The twin is left as it is, to be looked at.

    `wardround twin exec` runs commands on its hosts, `wardround findings` lists what is open, and
    `wardround twin down` removes it.
    """

    code = "WR-802"


@dataclass(frozen=True, slots=True)
class Show:
    """How steps are shown: opened before each, and told in a line behind it."""

    watched: Watched
    say: Say


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The figures of a whole demonstration."""

    hosts: int
    planned: int
    applied: int
    applied_again: int
    planted: int
    found: int
    remedied: int


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demonstration plays: the hospital's twin, its ledger, and how steps are shown."""

    opened: OpenHospital
    ledger: Ledger
    options: Options
    show: Show

    def plan(self, name: str, options: Options) -> Plan:
        """Make a plan, which must be free of failures and see every host."""
        with self.show.watched(name, len(options.limit) or len(self.opened.design.managed_hosts())) as watcher:
            plan = make_plan(self.opened, self.ledger, options, watcher)
        broken = [f"{host.host}: {change.task}" for host in plan.hosts for change in host.changes if change.failed]
        silent = [host.host for host in plan.hosts if not host.reachable]
        _promise(not broken and not silent, f"{name}: failed {broken}, silent {silent}")
        return plan

    def apply(self, name: str, plan: Plan) -> Applied:
        """Apply a plan, which must not fail anywhere."""
        with self._application(name, plan) as application:
            return _sound(name, application.once())

    def apply_twice(self, name: str, plan: Plan) -> tuple[Applied, Applied]:
        """Apply a plan and once more, which must not fail anywhere."""
        with self._application(name, plan) as application:
            first, second = application.twice()
        return _sound(name, first), _sound(f"{name} again", second)

    @contextmanager
    def _application(self, name: str, plan: Plan) -> Iterator[Application]:
        with self.show.watched(name, len(plan.hosts)) as watcher:
            yield Application(self.opened, self.ledger, plan, self.options, watcher)

    def drift(self, name: str) -> Drift:
        """Look at every host."""
        with self.show.watched(name, len(self.opened.design.managed_hosts())) as watcher:
            return deep_check(self.opened, self.ledger, self.options, watcher)


def demonstrate(workspace: Workspace, name: str, seed: int, options: Options, show: Show) -> Demonstration:
    """Build, plan, apply, apply again, damage, find, mend and look again.

    Raises:
        BrokenPromiseError: naming the step that did not keep its promise.

    """
    say = show.say
    hospital = twin_hospital(workspace, name)
    lifecycle.up(hospital, twin_state(workspace, hospital.name), say)
    with workspace.open_ledger() as ledger:
        stage = Stage(open_hospital(workspace, name, twin=True), ledger, options, show)
        plan = stage.plan("plan", options)
        say(f"planned: {plan.changes} changes on {len(plan.hosts)} hosts")
        applied, again = stage.apply_twice("apply twice", plan)
        say(f"applied: {len(applied.changed)} changes")
        _promise(not again.changed, f"the second apply changed {[_spot(each) for each in again.changed]}")
        say("second apply changed 0")
        if introduce(hospital):
            say("the ERP trusts the hospital's certificates")
        planted = faults.plant(hospital, twin_state(workspace, hospital.name), seed)
        say(f"{len(planted)} faults planted")
        found = _compare(planted, stage.drift("drift"))
        say(f"the same {found} found, no other")
        mend = narrowed_to_findings(stage.opened, ledger, options)
        remedied = stage.apply("remedy", stage.plan("plan the remedy", mend))
        say(f"remedied: {len(remedied.changed)} changes")
        left = stage.drift("drift again").findings
        _promise(not left, f"still open: {[(each.host, each.role, each.task) for each in left]}")
        say("clean")
    return Demonstration(
        hosts=len(plan.hosts),
        planned=plan.changes,
        applied=len(applied.changed),
        applied_again=len(again.changed),
        planted=len(planted),
        found=found,
        remedied=len(remedied.changed),
    )


def _compare(planted: tuple[faults.Fault, ...], drift: Drift) -> int:
    """Hold the findings against the faults, both ways."""
    wanted: set[Spot] = {(fault.host, fault.role, fault.check) for fault in planted}
    seen: set[Spot] = {_spot(each) for each in drift.run.judgement.having(Verdict.DRIFTED, Verdict.FAILED)}
    missed, extra = sorted(wanted - seen), sorted(seen - wanted)
    _promise(not missed and not extra, f"missed {missed}; found beside {extra}")
    return len(wanted)


def _sound(name: str, done: Applied) -> Applied:
    silent = [host.host for host in done.run.judgement.hosts if not host.reachable]
    failures = [f"{each.host} {each.role}: {each.task}: {each.reason}" for each in done.failed]
    _promise(not failures and not silent, f"{name}: failed {failures}, silent {silent}")
    return done


def _spot(verdict: TaskVerdict) -> Spot:
    return (verdict.host, verdict.role, verdict.task)


def _promise(kept: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not kept:
        raise BrokenPromiseError(otherwise, remedy="the twin is left as it is; look with `wardround twin exec`")
