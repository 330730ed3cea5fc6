"""Roles, hosts and events as short as a judge's test needs them."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from wardround.drift.judge import Scope
from wardround.model.base import Criticality, Platform
from wardround.model.design import DesignHost
from wardround.model.event import FileDiff, Outcome, TaskEvent
from wardround.model.hospital import Restart
from wardround.model.role import Role, RoleTask

ROLE = "sshd"
TASKS = ("alpha", "beta", "gamma")


def place(task: str) -> str:
    """Give the place of a task by its name."""
    return f"roles/{ROLE}/tasks/{task}.yml:1"


def role_task(name: str, *, is_check: bool = True, tags: tuple[str, ...] = ()) -> RoleTask:
    """Give a task tagged with its own name."""
    return RoleTask(
        role=ROLE,
        name=name,
        path=place(name),
        tags=tags or (name,),
        action="ansible.builtin.template",
        is_check=is_check,
    )


def role(*tasks: RoleTask) -> Role:
    """Give a role, of three tasks where none is given."""
    return Role(name=ROLE, tasks=tasks or tuple(role_task(name) for name in TASKS), handlers=(), variables=())


def host(name: str = "srv01") -> DesignHost:
    """Give a managed host with the one role."""
    return DesignHost(
        name=name,
        fqdn=f"{name}.st-test.internal",
        component="server",
        architecture="ward",
        platform=Platform.MANAGED,
        zone="servers",
        address=IPv4Address("10.0.1.11"),
        mac=None,
        model=None,
        release=None,
        owner="it",
        window="night",
        restart=Restart.IN_WINDOW,
        fallback=None,
        criticality=Criticality.MEDIUM,
        roles=(ROLE,),
        variables={},
    )


def scope(*hosts: str, tasks: tuple[RoleTask, ...] = (), tags: tuple[str, ...] = ()) -> Scope:
    """Give what a run set out to see."""
    return Scope(
        hosts=tuple(host(name) for name in hosts or ("srv01",)), roles={ROLE: role(*tasks)}, tags=frozenset(tags)
    )


def event(task: str = "alpha", outcome: Outcome = Outcome.OK, **fields: Any) -> TaskEvent:  # noqa: ANN401 - fields of an event
    """Give one result, in sync where nothing else is said."""
    plain: dict[str, Any] = {
        "outcome": outcome,
        "host": "srv01",
        "role": ROLE,
        "task": task,
        "path": place(task),
        "tags": (task,),
        "action": "ansible.builtin.template",
        "handler": False,
        "item": False,
        "looped": False,
        "label": "",
        "changed": False,
        "check_mode": True,
        "skip_reason": "",
        "condition": "",
        "resource": "",
        "message": "",
        "diff": (),
        "witness": None,
    }
    return TaskEvent(**{**plain, **fields})


def edited(before: str, after: str) -> tuple[FileDiff, ...]:
    """Give the difference of one file."""
    return (FileDiff(before=before, after=after, before_header="/etc/x", after_header="/etc/x"),)
