"""How findings live: pure decisions from what was known and what one run saw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from wardround.ledger.records import FindingChanges
from wardround.ledger.tables import storable
from wardround.model.finding import Finding, FindingState, Observation
from wardround.model.run import Verdict

TEXT_LIMIT = 16_384
"""How many characters of a diff or a reason are kept; a config file's diff fits, a replaced database dump does not."""

Check = tuple[str, str, str]
"""A host, a role and a task."""


class Sight(NamedTuple):
    """What one run saw: observations, the hosts it reached, and the checks that got a verdict other than unknown."""

    run: str
    hospital: str
    moment: datetime
    observations: tuple[Observation, ...]
    hosts_seen: frozenset[str]
    checked: frozenset[Check]


def bounded(text: str) -> str:
    """Cut a text at the limit, and say how much is gone."""
    gone = len(text) - TEXT_LIMIT
    return text if gone <= 0 else f"{text[:TEXT_LIMIT]}\n… {gone} more characters were not kept\n"


def advance(known: Mapping[str, Finding], sight: Sight) -> FindingChanges:
    """Decide what a run's sight does to the findings known by fingerprint.

    An open finding that was not observed is resolved only if the run looked at it: its host was reached and its task
    got a verdict, and nothing about that task stayed unknown. All else stays open: silence is not health.
    """
    observed = {observation.fingerprint: observation for observation in sight.observations}
    unclear = {_check(each) for each in sight.observations if each.verdict is Verdict.UNKNOWN}
    opened, reopened, again = [], [], []
    for mark, observation in observed.items():
        before = known.get(mark)
        after = _seen(before, observation, sight)
        if before is None:
            opened.append(after)
        elif before.state is FindingState.RESOLVED:
            reopened.append(after)
        else:
            again.append(after)
    resolved = [
        finding.model_copy(update={"state": FindingState.RESOLVED})
        for mark, finding in known.items()
        if mark not in observed
        and finding.state is FindingState.OPEN
        and finding.host in sight.hosts_seen
        and _check(finding) in sight.checked
        and _check(finding) not in unclear
    ]
    return FindingChanges(
        opened=tuple(opened), reopened=tuple(reopened), seen_again=tuple(again), resolved=tuple(resolved)
    )


def _check(about: Finding | Observation) -> Check:
    return about.host, about.role, storable(about.task)


def _seen(before: Finding | None, observation: Observation, sight: Sight) -> Finding:
    return Finding(
        fingerprint=observation.fingerprint,
        hospital=sight.hospital,
        host=observation.host,
        role=observation.role,
        task=storable(observation.task),
        resource=storable(observation.resource),
        verdict=observation.verdict,
        cause=observation.cause,
        reason=storable(bounded(observation.reason)),
        diff=storable(bounded(observation.diff)),
        state=FindingState.OPEN,
        first_seen=before.first_seen if before else sight.moment,
        # A clock set back must not make a finding end before it began.
        last_seen=max(before.last_seen, sight.moment) if before else sight.moment,
        first_run=before.first_run if before else sight.run,
        last_run=sight.run,
    )
