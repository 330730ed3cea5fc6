"""apply: make the hosts what the plan said, and refuse where the plan no longer says what would happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wardround.drift.observe import HOST_ROLE, HOST_TASK, observe
from wardround.errors import StalePlanError
from wardround.model.run import RunKind, TaskVerdict, Verdict
from wardround.verbs.plan import witness
from wardround.verbs.site_run import Options, Purpose, SiteRun, Watcher, actor, new_run_id, run_site

if TYPE_CHECKING:
    from wardround.ledger import Ledger
    from wardround.model.plan import Plan
    from wardround.model.run import Provenance
    from wardround.verbs.opening import OpenHospital

_INPUTS = {
    "manifest_digest": "the manifest",
    "architectures_digest": "the reference architectures",
    "roles_digest": "the roles",
    "design_digest": "the design",
    "ansible_core": "ansible-core",
}


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did."""

    run: SiteRun
    changed: tuple[TaskVerdict, ...]
    failed: tuple[TaskVerdict, ...]
    left_out: tuple[str, ...]
    """Hosts that the plan could not see, so nothing was applied to them."""

    @property
    def all_answered(self) -> bool:
        """Tell whether every host that the plan saw answered to the end."""
        return all(host.reachable for host in self.run.judgement.hosts)


@dataclass(frozen=True, slots=True)
class Application:
    """A plan and everything that it takes to apply it."""

    opened: OpenHospital
    ledger: Ledger
    plan: Plan
    options: Options
    watcher: Watcher

    def once(self) -> Applied:
        """Apply the plan to the hosts that it saw.

        Raises:
            StalePlanError: the inputs or a host changed since the plan was made; nothing was done.
            LockedError: another run is changing this hospital.

        """
        with self._held() as purpose:
            return self._apply(purpose)

    def twice(self) -> tuple[Applied, Applied]:
        """Apply the plan and, before anybody else may change a host, the design once more: that must change nothing.

        Raises:
            StalePlanError: the inputs or a host changed since the plan was made; nothing was done.
            LockedError: another run is changing this hospital.

        """
        with self._held() as purpose:
            return self._apply(purpose), self._apply(replace(purpose, run=new_run_id(), spends_plan=False))

    @contextmanager
    def _held(self) -> Iterator[Purpose]:
        """Hold the hospital's lease while the plan is known to be true."""
        refuse_other_inputs(self.plan, self.opened.provenance)
        purpose = Purpose(RunKind.APPLY, new_run_id(), self.plan.id)
        with self.ledger.lease(self.opened.design.hospital, actor(), purpose.run):
            refuse_other_state(self.plan, witness(self.opened, self._narrowed(), self.watcher))
            yield purpose

    def _narrowed(self) -> Options:
        seen = tuple(host.host for host in self.plan.hosts if host.reachable)
        return replace(self.options, limit=seen, tags=self.plan.tags)

    def _apply(self, purpose: Purpose) -> Applied:
        run = run_site(self.opened, self.ledger, purpose, self._narrowed(), self.watcher)
        # What an apply changed is mended; only what it could not change is still a disagreement.
        still = tuple(each for each in run.judgement.tasks if each.verdict is not Verdict.DRIFTED)
        judgement = replace(run.judgement, tasks=still)
        provenance = self.opened.provenance
        observations = observe(self.opened.design.hospital, judgement, provenance, provenance)
        failed = tuple(each for each in observations if each.verdict is Verdict.FAILED)
        self.ledger.record_observations(run.record.id, failed, hosts_seen(run), looked_at(run))
        left_out = tuple(host.host for host in self.plan.hosts if not host.reachable)
        return Applied(run, run.judgement.having(Verdict.DRIFTED), _failures(run), left_out)


def hosts_seen(run: SiteRun) -> frozenset[str]:
    """Give the hosts that answered to the end."""
    return frozenset(host.host for host in run.judgement.hosts if host.reachable)


def looked_at(run: SiteRun) -> frozenset[tuple[str, str, str]]:
    """Give (host, role, task) of everything that the run really saw: only that can end a finding."""
    answered = {(host, HOST_ROLE, HOST_TASK) for host in hosts_seen(run)}
    seen = {(each.host, each.role, each.task) for each in run.judgement.tasks if each.verdict is not Verdict.UNKNOWN}
    return frozenset(answered | seen)


def _failures(run: SiteRun) -> tuple[TaskVerdict, ...]:
    return tuple(each for each in run.judgement.tasks if each.verdict is Verdict.FAILED)


def refuse_other_inputs(plan: Plan, provenance: Provenance) -> None:
    """Refuse a plan that was made from something else.

    Raises:
        StalePlanError: naming what changed.

    """
    changed = [what for field, what in _INPUTS.items() if getattr(plan.provenance, field) != getattr(provenance, field)]
    if changed:
        raise StalePlanError(
            f"plan {plan.id} is stale: {' and '.join(changed)} changed since it was made",
            remedy=f"`wardround plan {plan.hospital}` makes a new one",
        )


def refuse_other_state(plan: Plan, witnesses: dict[str, dict[str, str]]) -> None:
    """Refuse a plan whose hosts moved since; a host that went silent stays in, and becomes unknown in the run.

    Raises:
        StalePlanError: naming hosts and what changed on them.

    """
    moved = []
    for host in plan.hosts:
        now = witnesses.get(host.host)
        if not host.reachable or now is None:
            continue
        groups = sorted(
            group for group in host.witness.keys() | now.keys() if host.witness.get(group) != now.get(group)
        )
        if groups:
            moved.append(f"{host.host} ({', '.join(groups)})")
    if moved:
        raise StalePlanError(
            f"plan {plan.id} is stale: since it was made, something changed on {'; '.join(moved)}",
            remedy=f"`wardround plan {plan.hospital}` makes a new one",
        )
