"""A plan as an engineer reads it: one summary line, then host, role, task and diff; the unchanged stays hidden."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from wardround.model.base import JsonValue
from wardround.model.plan import HostPlan, Plan, PlannedChange
from wardround.report.line import Line, Tone, count, diff_lines


def plan_lines(plan: Plan, *, concise: bool) -> Iterator[Line]:
    """Give the plan's lines; `concise` leaves the diffs out."""
    yield summary_line(plan)
    for host in plan.hosts:
        if not host.reachable:
            yield Line(f"{host.host}: unknown, it did not answer; an apply of this plan leaves it out", Tone.BAD)
        elif host.changes:
            yield from _host_lines(host, concise=concise)
    yield Line(f"plan {plan.id}   apply it with: wardround apply {plan.hospital} --plan {plan.id}", Tone.HEAD)


def summary_line(plan: Plan) -> Line:
    """Say in one line what the plan would do."""
    unknown = sum(not host.reachable for host in plan.hosts)
    failed = sum(change.failed for host in plan.hosts for change in host.changes)
    handlers = sum(len(host.handlers) for host in plan.hosts)
    undecided = sum(host.undecided for host in plan.hosts if host.reachable)
    touched = sum(bool(host.changes) for host in plan.hosts)
    parts = [f"{count(plan.changes, 'change')} on {touched} of {count(len(plan.hosts), 'host')}"]
    if handlers:
        parts.append(f"{count(handlers, 'restart or reload')}".replace("restart or reloads", "restarts or reloads"))
    if undecided:
        parts.append(f"{count(undecided, 'task')} decided during apply")
    if failed:
        parts.append(f"{count(failed, 'task')} failed")
    if unknown:
        parts.append(f"{count(unknown, 'host')} unknown")
    tone = Tone.BAD if failed or unknown else Tone.CHANGE if plan.changes else Tone.GOOD
    return Line(f"{plan.hospital}: {', '.join(parts)}", tone)


def _host_lines(host: HostPlan, *, concise: bool) -> Iterator[Line]:
    yield Line(f"{host.host}  {count(len(host.changes), 'change')}", Tone.HEAD)
    for role, changes in groupby(host.changes, key=lambda change: change.role):
        yield Line(f"  {role}")
        for change in changes:
            yield from _change_lines(change, concise=concise)
    if host.handlers:
        yield Line(f"  then: {', '.join(host.handlers)}", Tone.CHANGE)


def _change_lines(change: PlannedChange, *, concise: bool) -> Iterator[Line]:
    about = f"  ({change.resource})" if change.resource and change.resource not in change.task else ""
    if change.failed:
        yield Line(f"    ! {change.task}{about}: {change.reason}", Tone.BAD)
        return
    yield Line(f"    ~ {change.task}{about}", Tone.CHANGE)
    if not concise:
        yield from diff_lines(change.diff, "        ")


def plan_json(plan: Plan) -> dict[str, JsonValue]:
    """Give the plan with its id and its sums, for programs."""
    return {
        "schema_version": plan.schema_version,
        "plan": plan.id,
        "summary": {
            "changes": plan.changes,
            "hosts": len(plan.hosts),
            "hosts_unknown": sum(not host.reachable for host in plan.hosts),
            "undecided": sum(host.undecided for host in plan.hosts),
        },
        **plan.model_dump(mode="json", exclude={"schema_version": True, "hosts": {"__all__": {"witness"}}}),
    }
