"""apply: make the hosts what the plan said, and refuse where the plan no longer says what would happen."""

from __future__ import annotations

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


def apply_plan(opened: OpenHospital, ledger: Ledger, plan: Plan, options: Options, watcher: Watcher) -> Applied:
    """Apply a plan to the hosts that it saw.

    Raises:
        StalePlanError: the inputs or a host changed since the plan was made; nothing was done.
        LockedError: another run is changing this hospital.

    """
    refuse_other_inputs(plan, opened.provenance)
    seen = tuple(host.host for host in plan.hosts if host.reachable)
    left_out = tuple(host.host for host in plan.hosts if not host.reachable)
    narrowed = replace(options, limit=seen, tags=plan.tags)
    purpose = Purpose(RunKind.APPLY, new_run_id(), plan.id)
    with ledger.lease(opened.design.hospital, actor(), purpose.run):
        refuse_other_state(plan, witness(opened, narrowed, watcher))
        run = run_site(opened, ledger, purpose, narrowed, watcher)
        # What an apply changed is mended; only what it could not change is still a disagreement.
        still = tuple(each for each in run.judgement.tasks if each.verdict is not Verdict.DRIFTED)
        judgement = replace(run.judgement, tasks=still)
        observations = observe(opened.design.hospital, judgement, opened.provenance, opened.provenance)
        failed = tuple(each for each in observations if each.verdict is Verdict.FAILED)
        ledger.record_observations(run.record.id, failed, hosts_seen(run), looked_at(run))
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
