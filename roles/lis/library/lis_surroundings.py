#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare units, folders and listeners of somebody else's software with what is declared."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTATION = r"""
---
module: lis_surroundings
short_description: Compare units, folders and listeners of somebody else's software with what is declared
description:
  - Reads only. In check mode a difference is reported as changed with a diff. Otherwise nothing is changed, because
    nothing may be, and each difference is a warning.
options:
  units:
    description: Units that run and start with the host.
    type: list
    elements: str
    default: []
  folders:
    description: Folders, each as C(0750 owner:group /path).
    type: list
    elements: str
    default: []
  inbound:
    description: Flows on whose ports something listens.
    type: list
    elements: dict
    default: []
author: wardround
"""

WITH_PORTS = ("tcp", "udp")
NOT_AT_BOOT = {"disabled", "masked", "masked-runtime", "enabled-runtime", "transient", "bad", ""}
Found = tuple[str, str, str]


def units(module: AnsibleModule) -> Iterator[Found]:
    """Yield name, actual and declared state of each unit that differs."""
    for unit in module.params["units"]:
        properties = "LoadState,ActiveState,UnitFileState"
        code, out, err = run_command(module, ["systemctl", "show", f"--property={properties}", "--", unit])
        if code != 0:
            module.fail_json(msg=f"systemctl show {unit} failed: {err.strip()}", rc=code)
        state = dict(line.partition("=")[::2] for line in out.splitlines())
        if state["LoadState"] != "loaded":
            yield unit, state["LoadState"], "active, starts with the host"
        elif state["ActiveState"] != "active" or state["UnitFileState"] in NOT_AT_BOOT:
            yield unit, f"{state['ActiveState']}, {state['UnitFileState']}", "active, starts with the host"


def access(path: str) -> str:
    """Return mode, owner and group of a folder in words."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return "absent"
    if not stat.S_ISDIR(status.st_mode):
        return "not a folder"
    try:
        owner = f"{pwd.getpwuid(status.st_uid).pw_name}:{grp.getgrgid(status.st_gid).gr_name}"
    except KeyError:
        owner = f"{status.st_uid}:{status.st_gid}"
    return f"{stat.S_IMODE(status.st_mode):04o} {owner}"


def folders(module: AnsibleModule) -> Iterator[Found]:
    """Yield path, actual and declared access of each folder that differs."""
    for folder in module.params["folders"]:
        match = re.fullmatch(r"([0-7]{4}) ([^\s:]+:[^\s:]+) (/.*)", folder)
        if not match:
            module.fail_json(msg=f'"{folder}" is not written as "0750 owner:group /path"')
            return
        declared, actual = f"{match[1]} {match[2]}", access(match[3])
        if actual != declared:
            yield match[3], actual, declared


def is_loopback(address: str) -> bool:
    """Tell whether only this host itself reaches a socket bound to this address."""
    host, _, interface = address.strip("[]").partition("%")
    return interface == "lo" or host.startswith("127.") or host == "::1"


def listening(module: AnsibleModule) -> set[tuple[str, int]]:
    """Return protocol and port of every socket that other hosts reach."""
    code, out, err = run_command(module, ["ss", "-Hltnu"])
    if code != 0:
        module.fail_json(msg=f"ss -Hltnu failed: {err.strip()}", rc=code)
    sockets = [(fields[0], *fields[4].rpartition(":")[::2]) for fields in map(str.split, out.splitlines())]
    return {(protocol, int(port)) for protocol, address, port in sockets if not is_loopback(address)}


def listeners(module: AnsibleModule) -> Iterator[Found]:
    """Yield each port of a declared flow that nothing listens on."""
    flows: list[dict[str, Any]] = module.params["inbound"]
    sockets = listening(module) if flows else set()
    for flow in flows:
        for protocol in (each for each in flow["protocols"] if each in WITH_PORTS):
            for port in map(str, flow.get("ports") or []):
                first, _, last = port.partition("-")
                wanted = {(protocol, number) for number in range(int(first), int(last or first) + 1)}
                if not wanted & sockets:
                    yield f"{protocol} {port}", "nothing listens", flow.get("flow") or "a declared flow"


def main() -> None:
    """Compare and report."""
    strings = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "units": strings,
            "folders": strings,
            "inbound": {"type": "list", "elements": "dict", "default": []},
        },
        supports_check_mode=True,
    )
    found = [*units(module), *folders(module), *listeners(module)]
    for what, actual, declared in found if not module.check_mode else []:
        module.warn(f"{what}: {actual}, declared is {declared}")
    module.exit_json(
        changed=module.check_mode and bool(found),
        name=", ".join(what for what, _, _ in found),
        msg="; ".join(f"{what}: {actual}" for what, actual, _ in found),
        diff={
            "before_header": "host",
            "after_header": "declared",
            "before": "".join(f"{what}: {actual}\n" for what, actual, _ in found),
            "after": "".join(f"{what}: {declared}\n" for what, _, declared in found),
        },
    )


if __name__ == "__main__":
    main()
