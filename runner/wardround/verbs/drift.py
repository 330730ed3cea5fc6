"""drift: look at every managed host, change nothing, and say what moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardround.drift.observe import HOST_ROLE, PROBE_ROLE, PROOF_ROLE, observe
from wardround.model.finding import Finding, FindingState
from wardround.model.run import RunKind
from wardround.verbs.apply import hosts_seen, looked_at
from wardround.verbs.site_run import Options, Purpose, SiteRun, Watcher, new_run_id, run_site

if TYPE_CHECKING:
    from wardround.ledger import Ledger
    from wardround.verbs.opening import OpenHospital


@dataclass(frozen=True, slots=True)
class Drift:
    """What a drift run saw, and what is open after it in the part of the hospital that it looked at."""

    run: SiteRun
    findings: tuple[Finding, ...]


def deep_check(opened: OpenHospital, ledger: Ledger, options: Options, watcher: Watcher) -> Drift:
    """Run Ansible in check mode over the hosts and record every disagreement as a finding."""
    applied = ledger.last_run(opened.design.hospital, kind=RunKind.APPLY)
    run = run_site(opened, ledger, Purpose(RunKind.DRIFT, new_run_id()), options, watcher)
    observations = observe(
        opened.design.hospital, run.judgement, opened.provenance, applied.provenance if applied else None
    )
    known = ledger.findings(hospital=opened.design.hospital, state=FindingState.OPEN)
    gone = no_longer_designed(opened, known) if run.judgement.coverage.hosts_seen else frozenset()
    ledger.record_observations(run.record.id, observations, hosts_seen(run), looked_at(run) | gone)
    seen = {each.fingerprint for each in observations}
    findings = ledger.findings(hospital=opened.design.hospital, state=FindingState.OPEN)
    return Drift(run, tuple(each for each in findings if each.fingerprint in seen))


def no_longer_designed(opened: OpenHospital, known: tuple[Finding, ...]) -> frozenset[tuple[str, str, str]]:
    """Give (host, role, task) of findings about tasks that left the design: nobody will ever look at them again."""
    designed = {
        (host.name, role, task.name)
        for host in opened.design.managed_hosts()
        for role in host.roles
        for task in opened.roles[role].tasks
    }
    spots = {
        (each.host, each.role, each.task) for each in known if each.role not in {HOST_ROLE, PROBE_ROLE, PROOF_ROLE}
    }
    return frozenset(spots - designed)
