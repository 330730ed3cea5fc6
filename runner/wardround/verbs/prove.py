"""prove: the design's flows against the rules that stand, and against connections that are really tried."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wardround.design.network import GATEWAY_COMPONENT
from wardround.drift.judge import WRONG_HOST_KEY, Judgement
from wardround.drift.observe import PROOF_ROLE
from wardround.errors import MissingToolError, RulesetError
from wardround.model.run import Coverage, HostVerdict, RunKind, TaskVerdict, Verdict
from wardround.proof.attempt import Attempt, End, Judged, Standing, attempts, judged
from wardround.proof.listing import read_ruleset
from wardround.proof.prove import prove_gateway, prove_host
from wardround.proof.result import Difference, Kind
from wardround.render.gateway import forward_rules
from wardround.transport import remote
from wardround.transport.scratch_rules import as_listed
from wardround.transport.ssh import Answer, Command, ask_all
from wardround.verbs.judged_run import JudgedRun, judged_run, login_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wardround.ledger import Ledger
    from wardround.model.design import DesignHost
    from wardround.proof.result import Proof
    from wardround.proof.ruleset import Ruleset
    from wardround.verbs.opening import OpenHospital

RENDERED = "gateway"
"""Stands for the gateway of the design itself, whose rules are rendered and not collected."""
RULES_TASK = "Rules let pass what the design's flows allow, and nothing else"
ATTEMPTS_TASK = "Connections that a flow allows succeed, and no others"
_LISTING = Command(("sudo", "-n", "nft", "-j", "list", "ruleset"))
_CONNECTIONS = Path(str(remote.__path__[0])) / "connections.py"
_UNKNOWN_KINDS = frozenset({Kind.UNKNOWN, Kind.ANSWER_UNKNOWN})


@dataclass(frozen=True, slots=True)
class Proved:
    """One set of rules against the design; `failure` says why it could not be compared."""

    host: str
    compared: int
    differences: tuple[Difference, ...]
    failure: str = ""
    distrusted: bool = False


@dataclass(frozen=True, slots=True)
class Proving:
    """A finished proof: its run, and both halves."""

    run: JudgedRun
    rules: tuple[Proved, ...]
    tried: tuple[Judged, ...]

    @property
    def distrusted(self) -> tuple[str, ...]:
        """Give the hosts that did not show the host key that is recorded for them."""
        return tuple(each.host for each in self.rules if each.distrusted)


def prove(opened: OpenHospital, ledger: Ledger, *, live: bool, forks: int, say: Callable[[str], None]) -> Proving:
    """Compare rules as rendered and as collected with the design, then try connections between managed hosts.

    Nothing is changed on a host, and nothing is ever sent to a device.

    Args:
        opened: the hospital.
        ledger: remembers what was found.
        live: whether connections are tried, beside the rules.
        forks: how many hosts are asked at once.
        say: is told each step.
    """
    rules: list[Proved] = []
    tried: list[Judged] = []

    def look() -> Judgement:
        rules.extend(_prove_rules(opened, forks, say))
        tried.extend(_try_connections(opened, forks, say, tuple(rules)) if live else ())
        return judgement_of(tuple(rules), tuple(tried), frozenset(host.name for host in opened.design.managed_hosts()))

    run = judged_run(opened, ledger, RunKind.PROVE, look)
    return Proving(run, tuple(rules), tuple(tried))


def _prove_rules(opened: OpenHospital, forks: int, say: Callable[[str], None]) -> tuple[Proved, ...]:
    say("proving the rules that the design gives its gateway")
    rendered = _rendered(opened)
    hosts = opened.design.managed_hosts()
    say(f"collecting the rules of {len(hosts)} hosts")
    answers = ask_all(login_of(opened), {host.name: (str(host.address), _LISTING) for host in hosts}, forks)
    return (rendered, *(_collected(opened, host, answers[host.name]) for host in hosts))


def _rendered(opened: OpenHospital) -> Proved:
    try:
        ruleset = read_ruleset(as_listed(forward_rules(opened.design)))
    except MissingToolError as missing:
        return Proved(RENDERED, 0, (), str(missing))
    return _compared(RENDERED, [prove_gateway(opened.design, ruleset)])


def _collected(opened: OpenHospital, host: DesignHost, answer: Answer) -> Proved:
    if answer.failure:
        return Proved(host.name, 0, (), answer.failure, answer.distrusted)
    try:
        ruleset = read_ruleset(answer.output)
    except RulesetError as unread:
        return Proved(host.name, 0, (), str(unread))
    return _compared(host.name, list(_proofs(opened, host, ruleset)))


def _proofs(opened: OpenHospital, host: DesignHost, ruleset: Ruleset) -> Iterator[Proof]:
    if host.component == GATEWAY_COMPONENT:
        yield prove_gateway(opened.design, ruleset)
    yield from prove_host(opened.design, host, ruleset)


def _compared(name: str, proofs: Iterable[Proof]) -> Proved:
    done = tuple(proofs)
    found = tuple(difference for proof in done for difference in proof.differences())
    return Proved(name, sum(proof.compared for proof in done), found)


def _try_connections(
    opened: OpenHospital, forks: int, say: Callable[[str], None], rules: tuple[Proved, ...]
) -> tuple[Judged, ...]:
    wanted = attempts(opened.design)
    by_source: dict[str, list[Attempt]] = {}
    # A host whose key was wrong a moment ago is not spoken to again.
    unreached = {each.host: WRONG_HOST_KEY for each in rules if each.distrusted}
    for each in wanted:
        if each.source not in unreached:
            by_source.setdefault(each.source, []).append(each)
    say(f"trying {sum(map(len, by_source.values()))} connections from {len(by_source)} hosts")
    addresses = {host.name: str(host.address) for host in opened.design.managed_hosts()}
    questions = {name: (addresses[name], _command(own)) for name, own in by_source.items()}
    ends: dict[Attempt, End] = {}
    for name, answer in ask_all(login_of(opened), questions, forks).items():
        found, failure = _ends(by_source[name], answer)
        ends |= found
        if failure:
            unreached[name] = failure
    return judged(wanted, ends, unreached)


def _command(own: list[Attempt]) -> Command:
    entries = [(each.protocol.value, each.address, each.port, each.question) for each in own]
    program = _CONNECTIONS.read_text(encoding="utf-8")
    return Command(("python3", "-c", program), json.dumps(entries), seconds=60.0 + len(own), limit=64 * len(own) + 1024)


def _ends(own: list[Attempt], answer: Answer) -> tuple[dict[Attempt, End], str]:
    """Read what a host says of its attempts; a host is not trusted to say it in the right form."""
    if answer.failure:
        return {}, answer.failure
    try:
        said = [End(word) for word in json.loads(answer.output)]
        return dict(zip(own, said, strict=True)), ""
    except (ValueError, TypeError) as wrong:
        return {}, f"its answer is not understood: {str(wrong)[:200]}"


def judgement_of(rules: tuple[Proved, ...], tried: tuple[Judged, ...], managed: frozenset[str]) -> Judgement:
    """Give both halves as verdicts of the hosts that they were seen on."""
    verdicts = [verdict for each in rules for verdict in _rule_verdicts(each)]
    verdicts += _attempt_verdicts(tried)
    names = [each.host for each in rules]
    compared = {each.host: each.compared for each in rules}
    hosts = tuple(_host_verdict(name, compared[name], rules, tried) for name in names)
    seen = sum(host.reachable for host in hosts if host.host in managed)
    coverage = Coverage(
        hosts=len(managed),
        hosts_seen=seen,
        checks=sum(host.checks for host in hosts),
        unknown=sum(host.unknown for host in hosts),
    )
    return Judgement(tuple(verdicts), hosts, coverage)


def _host_verdict(name: str, compared: int, rules: tuple[Proved, ...], tried: tuple[Judged, ...]) -> HostVerdict:
    own = next(each for each in rules if each.host == name)
    standings = Counter(each.standing for each in tried if each.attempt.source == name)
    places = {(each.source, each.destination, each.service): each.kind in _UNKNOWN_KINDS for each in own.differences}
    unclear = sum(places.values()) + standings[Standing.UNKNOWN] + bool(own.failure)
    differing = len(places) - sum(places.values()) + standings[Standing.DIFFERS]
    checks = compared + standings.total() + bool(own.failure)
    return HostVerdict(
        host=name,
        reachable=not own.failure,
        checks=checks,
        in_sync=checks - unclear - differing,
        drifted=differing,
        unknown=unclear,
        not_applicable=0,
        failed=0,
    )


def _rule_verdicts(proved: Proved) -> Iterator[TaskVerdict]:
    if proved.failure:
        reason = WRONG_HOST_KEY if proved.distrusted else proved.failure
        yield _verdict(proved.host, RULES_TASK, "", Verdict.UNKNOWN, reason)
    elif not proved.differences:
        yield _verdict(proved.host, RULES_TASK, "", Verdict.IN_SYNC, "")
    for each in proved.differences:
        found = Verdict.UNKNOWN if each.kind in _UNKNOWN_KINDS else Verdict.DRIFTED
        flows = f" ({', '.join(each.flows)})" if each.flows else ""
        resource = f"{each.source} → {each.destination}: {each.service}{flows}"
        reason = f"{each.kind.value}: {each.example} meets {each.decision}"
        yield _verdict(proved.host, RULES_TASK, resource, found, reason)


def _attempt_verdicts(tried: tuple[Judged, ...]) -> Iterator[TaskVerdict]:
    for each in tried:
        if each.standing is Standing.DIFFERS:
            reason = f"{each.attempt.address}: {each.reason}"
            yield _verdict(each.attempt.source, ATTEMPTS_TASK, str(each.attempt), Verdict.DRIFTED, reason)
    for source in dict.fromkeys(each.attempt.source for each in tried):
        silent = [each for each in tried if each.attempt.source == source and each.end is None]
        if silent:
            yield _verdict(source, ATTEMPTS_TASK, "", Verdict.UNKNOWN, silent[0].reason)
        else:
            yield _verdict(source, ATTEMPTS_TASK, "all of its attempts", Verdict.IN_SYNC, "")


def _verdict(host: str, task: str, resource: str, verdict: Verdict, reason: str) -> TaskVerdict:
    return TaskVerdict(
        host=host, role=PROOF_ROLE, task=task, tags=(), path="", resource=resource, verdict=verdict, reason=reason
    )
