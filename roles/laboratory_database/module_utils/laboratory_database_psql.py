# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask and tell the PostgreSQL server of this host, as its superuser over the local socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ansible.module_utils.wardround_command import run_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible.module_utils.basic import AnsibleModule

# Without PAM, so that asking leaves no login behind in the logs.
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "--chdir=/"]
PSQL = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
SOCKET_FOLDER = "/var/run/postgresql"
ROWS = "SELECT coalesce(json_agg(answer), '[]') FROM ({}) AS answer"


class Server:
    """The server, reached by its socket."""

    def __init__(self, module: AnsibleModule, port: int) -> None:
        """Take the module that asks, and the port that names the socket."""
        self.module = module
        self.port = port

    def ask(self, query: str, database: str = "postgres") -> list[dict[str, Any]]:
        """Return the rows of a query."""
        rows: list[dict[str, Any]] = json.loads(self._psql(ROWS.format(query), database))
        return rows

    def tell(self, statements: Sequence[str], database: str = "postgres") -> None:
        """Execute statements, each in a transaction of its own."""
        self._psql("".join(f"{statement};\n" for statement in statements), database)

    def _psql(self, text: str, database: str) -> str:
        # By standard input: arguments are seen by every process of the host.
        address = [f"--host={SOCKET_FOLDER}", f"--port={self.port}", f"--dbname={database}"]
        code, out, err = run_command(self.module, [*AS_POSTGRES, *PSQL, *address], text)
        if code != 0:
            reason = next((line for line in err.splitlines() if line.strip()), "no reason given")
            self.module.fail_json(msg=f"PostgreSQL on port {self.port}, database {database}: {reason}", rc=code)
        return str(out)


def name(text: str) -> str:
    """Return a name as SQL has it."""
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
