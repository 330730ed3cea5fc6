#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report clusters, databases, roles and exceptions that nobody declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.laboratory_database_psql import Server
from ansible.module_utils.wardround_command import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTATION = r"""
---
module: laboratory_database_strangers
short_description: Report clusters, databases, roles and exceptions that nobody declared
description:
  - Reads only. A database or a role may hold what nobody can bring back, so dropping one is for people.
  - In check mode each is a difference between design and host, reported as changed with a diff. Otherwise nothing is
    changed, because nothing can be, and each is a warning.
options:
  port:
    description: Port that names the server's socket.
    type: int
    required: true
  cluster:
    description: The one cluster of this host, as version/name.
    type: str
    required: true
  databases:
    description: Declared databases.
    type: list
    elements: str
    required: true
  roles:
    description: Declared roles.
    type: list
    elements: str
    required: true
  settings:
    description: Names of declared settings, which no role and no database may set otherwise for itself.
    type: list
    elements: str
    required: true
author: wardround
"""

OWN_DATABASES = {"postgres", "template0", "template1"}
OWN_ROLES = {"postgres"}

ROLES = "SELECT rolname AS name, rolsuper AS superuser, rolcanlogin AS login FROM pg_roles WHERE rolname !~ '^pg_'"
EXCEPTIONS = """
SELECT concat_ws(' in ', 'role ' || nullif(pg_get_userbyid(nullif(setrole, 0)), ''), 'database ' || datname) AS whose,
       unnest(setconfig) AS setting
FROM pg_db_role_setting LEFT JOIN pg_database ON pg_database.oid = setdatabase
"""


def other_clusters(module: AnsibleModule, cluster: str) -> Iterator[str]:
    """Yield each cluster of the host that is not the declared one."""
    code, out, err = run_command(module, ["pg_lsclusters", "--no-header"])
    if code != 0:
        module.fail_json(msg=f"pg_lsclusters failed: {err.strip()}", rc=code)
    for line in out.splitlines():
        version, name, port, state = line.split()[:4]
        if f"{version}/{name}" != cluster:
            yield f"cluster {version}/{name}, port {port}, {state}"


def strangers(module: AnsibleModule) -> Iterator[str]:
    """Yield everything that nobody declared."""
    declared = module.params
    server = Server(module, declared["port"])
    yield from other_clusters(module, declared["cluster"])
    for row in server.ask("SELECT datname AS name FROM pg_database"):
        if row["name"] not in OWN_DATABASES | set(declared["databases"]):
            yield f"database {row['name']}"
    for row in server.ask(ROLES):
        if row["name"] not in OWN_ROLES | set(declared["roles"]):
            kinds = [kind for kind in ("superuser", "login") if row[kind]]
            yield " ".join(["role", row["name"], *(["with", " and ".join(kinds)] if kinds else [])])
    for row in server.ask(EXCEPTIONS):
        if row["setting"].partition("=")[0] in declared["settings"]:
            yield f"{row['whose'] or 'every role'} has {row['setting']}"


def main() -> None:
    """List and report."""
    text = {"type": "str", "required": True}
    texts = {"type": "list", "elements": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "port": {"type": "int", "required": True},
            "cluster": text,
            **dict.fromkeys(("databases", "roles", "settings"), texts),
        },
        supports_check_mode=True,
    )
    lines = sorted(strangers(module))
    for line in lines if not module.check_mode else []:
        module.warn(f"Nobody declared {line}")
    module.exit_json(
        changed=module.check_mode and bool(lines),
        name="undeclared objects",
        msg="; ".join(lines),
        undeclared=lines,
        diff={
            "before_header": "undeclared",
            "after_header": "declared",
            "before": "".join(f"{line}\n" for line in lines),
            "after": "",
        },
    )


if __name__ == "__main__":
    main()
