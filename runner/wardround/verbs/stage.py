"""Where a demonstration plays: a hospital's twin, and runs of Ansible on it that must keep their promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wardround.errors import WardroundError
from wardround.verbs.apply import Application, Applied
from wardround.verbs.drift import Drift, deep_check
from wardround.verbs.opening import OpenHospital
from wardround.verbs.plan import make_plan, narrowed_to_findings
from wardround.verbs.site_run import Options, Watcher

if TYPE_CHECKING:
    from wardround.ledger import Ledger
    from wardround.model.plan import Plan
    from wardround.model.run import TaskVerdict

Watched = Callable[[str, int], AbstractContextManager[Watcher]]
"""Opens the watching of a run of Ansible: its name and how many hosts it works on."""

Say = Callable[[str], None]
Followed = Callable[[str], AbstractContextManager[Say]]
"""Opens the following of a step without Ansible: its name. It says what it is doing."""

Spot = tuple[str, str, str]
"""host, role and task: where a fault was planted, or a finding points."""

_NAMED = 5
"""So many disagreements are named where a promise is broken."""


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
    followed: Followed
    say: Say


@dataclass(frozen=True, slots=True)
class Stage:
    """The hospital's twin, its ledger, and how steps are shown."""

    opened: OpenHospital
    ledger: Ledger
    options: Options
    show: Show

    def plan(self, name: str, options: Options) -> Plan:
        """Make a plan, which must be free of failures and see every host."""
        with self._watched(name, options) as watcher:
            plan = make_plan(self.opened, self.ledger, options, watcher)
        broken = [f"{host.host}: {change.task}" for host in plan.hosts for change in host.changes if change.failed]
        silent = [host.host for host in plan.hosts if not host.reachable]
        promise(not broken and not silent, f"{name}: failed {broken}, silent {silent}")
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

    def mend(self) -> Applied:
        """Plan and apply what is open, on the hosts and in the components that findings name."""
        narrowed = narrowed_to_findings(self.opened, self.ledger, self.options)
        return self.apply("remedy", self.plan("plan the remedy", narrowed))

    def drift(self, name: str, *hosts: str) -> Drift:
        """Look at some hosts, or at every one."""
        options = replace(self.options, limit=hosts)
        with self._watched(name, options) as watcher:
            return deep_check(self.opened, self.ledger, options, watcher)

    def _watched(self, name: str, options: Options) -> AbstractContextManager[Watcher]:
        return self.show.watched(name, len(options.limit) or len(self.opened.design.managed_hosts()))

    @contextmanager
    def _application(self, name: str, plan: Plan) -> Iterator[Application]:
        with self.show.watched(name, len(plan.hosts)) as watcher:
            yield Application(self.opened, self.ledger, plan, self.options, watcher)


def _sound(name: str, done: Applied) -> Applied:
    silent = [host.host for host in done.run.judgement.hosts if not host.reachable]
    failures = [f"{each.host} {each.role}: {each.task}: {each.reason}" for each in done.failed]
    promise(not failures and not silent, f"{name}: failed {failures}, silent {silent}")
    return done


def spot(verdict: TaskVerdict) -> Spot:
    """Give where a verdict points."""
    return (verdict.host, verdict.role, verdict.task)


def few(items: Iterable[object]) -> str:
    """Name the first of many, and say how many more there are: `wardround findings` lists them all."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return "; ".join(texts[:_NAMED]) + more or "nothing"


def promise(kept: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Hold a step to what it promises.

    Raises:
        BrokenPromiseError: it was not kept, and what is so otherwise.

    """
    if not kept:
        raise BrokenPromiseError(otherwise, remedy="the twin is left as it is; look with `wardround twin exec`")
