"""The Ansible inventory of a design, as plain data; `unsafe` marks its texts so that Ansible never templates them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wardround.model.base import JsonValue
    from wardround.model.design import Design, DesignHost

UNSAFE = "__ansible_unsafe"
"""The key by which Ansible's JSON form marks a text as data (`ansible.parsing.ajson`)."""

MANAGED_GROUP = "wardround_managed"


@dataclass(frozen=True, slots=True)
class Connection:
    """How the control node reaches the managed hosts; paths are files on the control node."""

    user: str
    known_hosts_file: str
    key_file: str | None = None


def inventory(design: Design, connection: Connection, secrets_file: str | None) -> dict[str, JsonValue]:
    """Give the inventory: managed hosts with their variables, grouped by zone, component and criticality."""
    hosts = design.managed_hosts()
    groups: dict[str, dict[str, JsonValue]] = {}
    for host in hosts:
        for group in groups_of(host):
            groups.setdefault(group, {})[host.name] = {}
    return {
        MANAGED_GROUP: {
            "hosts": {host.name: host_variables(host) for host in hosts},
            "vars": hospital_variables(design, connection, secrets_file),
            "children": {group: {"hosts": members} for group, members in sorted(groups.items())},
        }
    }


def groups_of(host: DesignHost) -> tuple[str, ...]:
    """Name the groups that `--limit` can use for the host."""
    return (f"zone_{host.zone}", f"component_{host.component}", f"criticality_{host.criticality.value}")


def host_variables(host: DesignHost) -> dict[str, JsonValue]:
    """Give what Ansible needs to know of one host."""
    return {
        "ansible_host": str(host.address),
        "wardround_roles": list(host.roles),
        **host.variables,
    }


def hospital_variables(design: Design, connection: Connection, secrets_file: str | None) -> dict[str, JsonValue]:
    """Give what is the same for every host of the hospital."""
    variables: dict[str, JsonValue] = {
        "ansible_user": connection.user,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": (
            f"-o UserKnownHostsFile={connection.known_hosts_file} -o GlobalKnownHostsFile=/dev/null "
            "-o StrictHostKeyChecking=yes"
        ),
        "wardround_role_order": list(design.role_order),
    }
    if connection.key_file is not None:
        variables["ansible_ssh_private_key_file"] = connection.key_file
    if secrets_file is not None:
        variables["wardround_secrets_file"] = secrets_file
    return variables


def unsafe(value: JsonValue) -> JsonValue:
    """Mark every text inside the value as data that Ansible must not template, in its JSON form."""
    match value:
        case str():
            return {UNSAFE: value}
        case list():
            return [unsafe(each) for each in value]
        case dict():
            return {key: unsafe(each) for key, each in value.items()}
        case _:
            return value
