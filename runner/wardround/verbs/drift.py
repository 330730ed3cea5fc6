"""drift: look at every managed host, change nothing, and say what moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardround.drift.observe import observe
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
    ledger.record_observations(run.record.id, observations, hosts_seen(run), looked_at(run))
    seen = {each.fingerprint for each in observations}
    findings = ledger.findings(hospital=opened.design.hospital, state=FindingState.OPEN)
    return Drift(run, tuple(each for each in findings if each.fingerprint in seen))
