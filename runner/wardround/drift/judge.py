"""The judge: events of a run against the tasks that the design planned, task by task and host by host.

A planned task that said nothing is `unknown`, and so is one that Ansible skipped because it only checks: silence is
never taken for health.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardround.drift.diff_text import diff_text, shortened
from wardround.model.event import Outcome, TaskEvent
from wardround.model.run import Coverage, HostVerdict, TaskVerdict, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wardround.model.design import DesignHost
    from wardround.model.role import Role, RoleTask

_WORST_FIRST = (Verdict.FAILED, Verdict.DRIFTED, Verdict.UNKNOWN, Verdict.IN_SYNC, Verdict.NOT_APPLICABLE)
WRONG_HOST_KEY = "it shows an SSH host key that is not the recorded one; nothing was sent to it"
_WRONG_KEY_SIGNS = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "host key is known for")
_CONDITION_FALSE = "Conditional result was False"
_NOTHING_TO_LOOP = "No items in the list"
_NOT_RUN = "Command would have run if not in check mode"
_STATEMENTS = frozenset({"assert", "fail"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run set out to look at: hosts with their roles, narrowed by tags where any are given."""

    hosts: tuple[DesignHost, ...]
    roles: dict[str, Role]
    tags: frozenset[str] = frozenset()

    def checks(self, host: DesignHost) -> tuple[RoleTask, ...]:
        """Give the tasks that have to be seen on the host."""
        return tuple(
            task
            for role in host.roles
            for task in self.roles[role].tasks
            if task.is_check and (not self.tags or self.tags & {*task.tags} or "always" in task.tags)
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that one run showed."""

    tasks: tuple[TaskVerdict, ...]
    hosts: tuple[HostVerdict, ...]
    coverage: Coverage

    @property
    def distrusted(self) -> tuple[str, ...]:
        """Give the hosts that did not show the host key that is recorded for them."""
        return tuple(sorted({each.host for each in self.tasks if each.reason == WRONG_HOST_KEY}))

    def having(self, *verdicts: Verdict) -> tuple[TaskVerdict, ...]:
        """Give the task verdicts of these kinds, handlers left out: they only follow from a task."""
        return tuple(each for each in self.tasks if each.verdict in verdicts and not each.is_handler)


def judge(scope: Scope, events: Iterable[TaskEvent]) -> Judgement:
    """Judge the events of a run against its scope."""
    by_host: dict[str, list[TaskEvent]] = {host.name: [] for host in scope.hosts}
    for event in events:
        if event.host in by_host:
            by_host[event.host].append(event)
    tasks: list[TaskVerdict] = []
    hosts: list[HostVerdict] = []
    for host in scope.hosts:
        verdicts = _host_tasks(scope.checks(host), host.name, by_host[host.name])
        tasks.extend(verdicts)
        hosts.append(_host_verdict(host.name, by_host[host.name], verdicts))
    coverage = Coverage(
        hosts=len(hosts),
        hosts_seen=sum(host.reachable for host in hosts),
        checks=sum(host.checks for host in hosts),
        unknown=sum(host.unknown for host in hosts),
    )
    return Judgement(tuple(tasks), tuple(hosts), coverage)


def _host_tasks(checks: tuple[RoleTask, ...], host: str, events: list[TaskEvent]) -> list[TaskVerdict]:
    planned = {task.path: task for task in checks}
    items = {event.path for event in events if event.item}
    verdicts = [
        _event_verdict(event)
        for event in events
        if event.role
        and event.outcome is not Outcome.UNREACHABLE
        and (event.path in planned or event.handler or event.outcome is Outcome.FAILED)
        # The sum of a loop repeats its items.
        and (event.item or event.path not in items)
    ]
    seen = {verdict.path for verdict in verdicts}
    why = _silence(events)
    verdicts.extend(
        TaskVerdict(
            host=host,
            role=task.role,
            task=task.name,
            tags=task.tags,
            path=task.path,
            resource="",
            verdict=Verdict.UNKNOWN,
            reason=why,
        )
        for task in checks
        if task.path not in seen
    )
    return verdicts


def _silence(events: list[TaskEvent]) -> str:
    """Say why planned tasks of a host were not seen."""
    for event in events:
        if event.outcome is Outcome.UNREACHABLE and any(sign in event.message for sign in _WRONG_KEY_SIGNS):
            return WRONG_HOST_KEY
        if event.outcome is Outcome.UNREACHABLE:
            return f"the host was not reachable: {shortened(event.message)}"
        if event.outcome is Outcome.FAILED and not event.item:
            return f'the run stopped on this host at "{shortened(event.task)}"'
    return "the run never came to this task"


def _event_verdict(event: TaskEvent) -> TaskVerdict:
    verdict, reason = _judge_event(event)
    return TaskVerdict(
        host=event.host,
        role=event.role,
        task=event.task,
        tags=event.tags,
        path=event.path,
        resource=shortened(event.label if event.item and event.label else event.resource),
        verdict=verdict,
        reason=shortened(reason),
        diff=diff_text(event.diff) if verdict in (Verdict.DRIFTED, Verdict.FAILED) else "",
        is_handler=event.handler,
    )


def _judge_event(event: TaskEvent) -> tuple[Verdict, str]:
    match event.outcome:
        case Outcome.OK if not event.changed and event.message == _NOT_RUN:
            return Verdict.UNKNOWN, "skipped: a check does not run the command, so its result is not known"
        case Outcome.OK:
            return (Verdict.DRIFTED, event.message) if event.changed else (Verdict.IN_SYNC, "")
        case Outcome.FAILED if event.action.rpartition(".")[2] in _STATEMENTS:
            return Verdict.DRIFTED, event.message
        case Outcome.FAILED:
            return Verdict.FAILED, event.message
        case _:
            return _judge_skip(event)


def _judge_skip(event: TaskEvent) -> tuple[Verdict, str]:
    if event.skip_reason == _CONDITION_FALSE and "ansible_check_mode" in event.condition:
        return Verdict.UNKNOWN, "depends on a change that a check does not make; decided during apply"
    if event.skip_reason in (_CONDITION_FALSE, _NOTHING_TO_LOOP):
        return Verdict.NOT_APPLICABLE, f"does not apply here: {event.condition or event.skip_reason}"
    return Verdict.UNKNOWN, event.skip_reason or "skipped: the module cannot predict its change"


def _host_verdict(host: str, events: list[TaskEvent], verdicts: list[TaskVerdict]) -> HostVerdict:
    worst: dict[str, Verdict] = {}
    for verdict in verdicts:
        # A handler only follows from a task; but a restart that failed is a failure of its own.
        if not verdict.is_handler or verdict.verdict is Verdict.FAILED:
            known = worst.get(verdict.path, verdict.verdict)
            worst[verdict.path] = min(known, verdict.verdict, key=_WORST_FIRST.index)
    counts = Counter(worst.values())
    return HostVerdict(
        host=host,
        reachable=bool(events) and not any(event.outcome is Outcome.UNREACHABLE for event in events),
        checks=len(worst),
        in_sync=counts[Verdict.IN_SYNC],
        drifted=counts[Verdict.DRIFTED],
        unknown=counts[Verdict.UNKNOWN],
        not_applicable=counts[Verdict.NOT_APPLICABLE],
        failed=counts[Verdict.FAILED],
    )
