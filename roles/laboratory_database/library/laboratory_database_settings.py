#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the settings of the running server with the declared ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.laboratory_database_psql import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTATION = r"""
---
module: laboratory_database_settings
short_description: Compare the settings of the running server with the declared ones
description:
  - Asks the server itself (C(pg_settings)), for a file says nothing of what a running server has read.
  - Changes nothing. It is changed when a reload, or a restart, is needed, and has that notified.
options:
  port:
    description: Port that names the server's socket.
    type: int
    required: true
  settings:
    description: Names and values, written as C(pg_settings) shows them.
    type: dict
    required: true
  restart:
    description: Whether to compare what only a restart brings into force; otherwise all the rest.
    type: bool
    required: true
  files:
    description: Files that the server reads with each reload and that must not be newer than its last one.
    type: list
    elements: path
    default: []
author: wardround
"""

STARTS_WITH_THE_SERVER = "postmaster"
SETTINGS = "SELECT name, setting, context, pending_restart FROM pg_settings"
LOADED = "SELECT extract(epoch FROM pg_conf_load_time()) AS loaded"


def setting_differences(server: Server, declared: dict[str, str], *, restart: bool) -> Iterator[tuple[str, str, str]]:
    """Yield name, running value and declared value of every setting that differs."""
    running = {row["name"]: row for row in server.ask(SETTINGS)}
    for name, value in sorted(declared.items()):
        if name not in running:
            # Its library is not loaded, and only a start loads one.
            if restart:
                yield name, "unknown to the server", value
        elif (running[name]["context"] == STARTS_WITH_THE_SERVER) == restart and running[name]["setting"] != value:
            yield name, running[name]["setting"], value
    if restart:
        for name, row in sorted(running.items()):
            if row["pending_restart"] and name not in declared:
                yield name, row["setting"], "another value that waits for a restart"


def unread(server: Server, files: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each file that was written after the server read its files."""
    loaded = float(server.ask(LOADED)[0]["loaded"])
    for path in files:
        try:
            written = os.stat(path).st_mtime
        except FileNotFoundError:
            yield path, "absent", "read by the server"
            continue
        if written > loaded:
            yield path, "newer than what the server has read", "read by the server"


def main() -> None:
    """Compare and report."""
    module = AnsibleModule(
        argument_spec={
            "port": {"type": "int", "required": True},
            "settings": {"type": "dict", "required": True},
            "restart": {"type": "bool", "required": True},
            "files": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    server = Server(module, module.params["port"])
    declared = {str(name): str(value) for name, value in module.params["settings"].items()}
    found = [
        *setting_differences(server, declared, restart=module.params["restart"]),
        *unread(server, module.params["files"]),
    ]
    module.exit_json(
        changed=bool(found),
        name="settings of the running server",
        msg=f"differs: {', '.join(what for what, _, _ in found)}" if found else "",
        diff={
            "before_header": "running server",
            "after_header": "declared",
            "before": "".join(f"{what}: {actual}\n" for what, actual, _ in found),
            "after": "".join(f"{what}: {expected}\n" for what, _, expected in found),
        },
    )


if __name__ == "__main__":
    main()
