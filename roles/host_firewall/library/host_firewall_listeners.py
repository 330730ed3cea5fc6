#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report sockets that listen without a declared flow."""

from __future__ import annotations

import ipaddress
import pwd
import re
import time
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

DOCUMENTATION = r"""
---
module: host_firewall_listeners
short_description: Report sockets that listen without a declared flow
description:
  - Reads only; it never stops a process, and the firewall already keeps an undeclared port unreachable.
  - In check mode an undeclared listener is a difference between design and host, reported as changed with a diff.
  - Otherwise nothing is changed, because nothing can be, and each such listener is a warning.
options:
  inbound:
    description: Flows that may reach this host.
    type: list
    elements: dict
    required: true
  allowed:
    description:
      - Sockets that may listen without a flow, each as protocol and port, or as protocol and user.
      - With a user, every socket of that user on a port that the kernel chose.
    type: list
    elements: dict
    default: []
author: wardround
"""

CHOSEN_PORTS = "/proc/sys/net/ipv4/ip_local_port_range"

# A resolver's or time client's query socket looks like a listener for as long as one answer takes.
SECOND_LOOK_SECONDS = 1.0


class Listener(NamedTuple):
    """A socket that takes packets from other hosts."""

    protocol: str
    address: str
    port: int
    process: str
    user: int

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.protocol} port {self.port} on {self.address} by {self.process}"


def is_loopback(address: str) -> bool:
    """Tell whether only this host itself can reach a socket bound to this address."""
    host, _, interface = address.strip("[]").partition("%")
    if interface.rstrip("]") == "lo":
        return True
    return host != "*" and ipaddress.ip_address(host.strip("[]")).is_loopback


def listeners(module: AnsibleModule) -> set[Listener]:
    """Return every listening socket that is not bound to loopback."""
    code, out, err = run_command(module, ["ss", "-Hltnupe"])
    if code != 0:
        module.fail_json(msg=f"ss -Hltnupe failed: {err.strip()}", rc=code)
    found = set()
    for line in out.splitlines():
        fields = line.split()
        address, _, port = fields[4].rpartition(":")
        processes = sorted(set(re.findall(r'\("([^"]+)"', line))) or ["an unnamed process"]
        # ss leaves out the user root.
        user = re.search(r"\buid:(\d+)", line)
        if not is_loopback(address):
            found.add(Listener(fields[0], address, int(port), ", ".join(processes), int(user[1]) if user else 0))
    return found


def declared(inbound: list[dict[str, Any]], allowed: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Return protocol, first and last port of everything that may listen."""
    ranges = [
        (protocol, int(first), int(last or first))
        for flow in inbound
        for protocol in flow["protocols"]
        for first, _, last in (str(port).partition("-") for port in flow.get("ports") or [])
    ]
    return ranges + [(item["protocol"], int(item["port"]), int(item["port"])) for item in allowed if item.get("port")]


def allowed_users(module: AnsibleModule, allowed: list[dict[str, Any]]) -> set[tuple[str, int]]:
    """Return protocol and user of sockets that may be on any port that the kernel chose."""
    users = set()
    for item in allowed:
        if bool(item.get("port")) == bool(item.get("user")):
            module.fail_json(
                msg=f"A socket that may listen is told by its port or by its user, and not by both: {item}"
            )
        if item.get("user"):
            try:
                users.add((item["protocol"], pwd.getpwnam(item["user"]).pw_uid))
            except KeyError:
                module.warn(f"User {item['user']}, whose sockets may listen, does not exist")
    return users


def chosen_ports() -> range:
    """Return the ports from which the kernel chooses for a socket that asks for none."""
    with open(CHOSEN_PORTS, encoding="ascii") as file:
        first, last = file.read().split()
    return range(int(first), int(last) + 1)


def main() -> None:
    """Compare the sockets with the flows and report the difference."""
    module = AnsibleModule(
        argument_spec={
            "inbound": {"type": "list", "elements": "dict", "required": True},
            "allowed": {"type": "list", "elements": "dict", "default": []},
        },
        supports_check_mode=True,
    )
    ranges = declared(module.params["inbound"], module.params["allowed"])
    users = allowed_users(module, module.params["allowed"])
    chosen = chosen_ports()

    def undeclared() -> set[Listener]:
        return {
            item
            for item in listeners(module)
            if not any(item.protocol == protocol and first <= item.port <= last for protocol, first, last in ranges)
            and not ((item.protocol, item.user) in users and item.port in chosen)
        }

    found = undeclared()
    if any(item.protocol == "udp" for item in found):
        time.sleep(SECOND_LOOK_SECONDS)
        found &= undeclared()
    lines = sorted(str(item) for item in found)
    for line in lines if not module.check_mode else []:
        module.warn(f"No declared flow covers the listening socket {line}")
    module.exit_json(
        changed=module.check_mode and bool(lines),
        name="listening sockets",
        msg="; ".join(lines),
        undeclared=lines,
        diff={
            "before_header": "listening sockets without a flow",
            "after_header": "declared",
            "before": "".join(f"{line}\n" for line in lines),
            "after": "",
        },
    )


if __name__ == "__main__":
    main()
