#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read how the running proxy was started and what it has read."""

from __future__ import annotations

import ipaddress
import itertools
import os
import re
import socket
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

DOCUMENTATION = r"""
---
module: lab_gateway_running
short_description: Read how the running proxy was started and what it has read
description:
  - Reads only. A proxy that does not run differs in nothing; that it should run is said elsewhere.
options:
  configuration:
    description: The one file of configuration that the proxy should have been started with.
    type: path
    required: true
  socket:
    description: Socket on which the proxy answers questions.
    type: path
    required: true
  files:
    description: Files that the proxy reads when it starts or reloads.
    type: list
    elements: path
    required: true
  lists:
    description: Who may connect, by file of the list, as the running proxy should know it.
    type: dict
    required: true
author: wardround
"""

RETURN = r"""
start:
  description: How the proxy was started, where that is not as declared.
  returned: always
  type: list
  elements: str
differences:
  description: What the running proxy has not read, or knows differently.
  returned: always
  type: list
  elements: str
"""

TIMEOUT_SECONDS = 10


def configurations(pid: int) -> list[str]:
    """Return the files of configuration that a process was started with."""
    words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="surrogateescape").split("\0")
    return [following for word, following in itertools.pairwise(words) if word == "-f"]


def started(pid: int) -> float:
    """Return when a process started, in seconds since the epoch."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot


def ask(path: str, question: str) -> list[str]:
    """Return what the proxy answers to a question, line by line."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        connection.connect(path)
        connection.sendall(f"{question}\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return [line for line in answer.decode("utf-8", "replace").splitlines() if line]


def plain(entry: str) -> str:
    """Return one entry of a list, an address in one way of writing."""
    try:
        return str(ipaddress.ip_network(entry, strict=False))
    except ValueError:
        return entry


def known(path: str, name: str) -> set[str]:
    """Return the entries of a list as the running proxy knows it."""
    return {plain(line.partition(" ")[2]) for line in ask(path, f"show acl {name}") if re.match(r"0x[0-9a-f]+ ", line)}


def differences(parameters: dict[str, Any]) -> list[str]:
    """Return what the running proxy has not read, or knows differently."""
    path = parameters["socket"]
    facts = dict(line.partition(": ")[::2] for line in ask(path, "show info"))
    since = started(int(facts["Pid"]))
    found = [
        f"{name} was changed after the proxy had read it"
        for name in parameters["files"]
        if os.path.exists(name) and os.stat(name).st_ctime > since
    ]
    for name, entries in parameters["lists"].items():
        wanted, actual = {plain(str(entry)) for entry in entries}, known(path, name)
        found += [f"{name}: the running proxy also permits {entry}" for entry in sorted(actual - wanted)]
        found += [f"{name}: the running proxy does not permit {entry}" for entry in sorted(wanted - actual)]
    return found


def main() -> None:
    """Compare the running proxy with what is declared."""
    module = AnsibleModule(
        argument_spec={
            "configuration": {"type": "path", "required": True},
            "socket": {"type": "path", "required": True},
            "files": {"type": "list", "elements": "path", "required": True},
            "lists": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    code, out, err = run_command(module, ["systemctl", "show", "--property=MainPID", "--value", "haproxy.service"])
    if code != 0:
        module.fail_json(msg=f"systemctl show failed: {err.strip()}", rc=code)
    pid = int(out.strip() or 0)
    if not pid:
        module.exit_json(changed=False, start=[], differences=[])
    read = configurations(pid)
    start = [] if read == [module.params["configuration"]] else [f"started with {' and '.join(read) or 'no file'}"]
    try:
        differing = differences(module.params)
    except (OSError, KeyError) as error:
        differing = [f"the proxy does not answer on {module.params['socket']}: {error}"]
    module.exit_json(changed=False, start=start, differences=differing)


if __name__ == "__main__":
    main()
