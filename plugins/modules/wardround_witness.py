# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of a host's state, so that a plan can be refused when the host moved after it was made."""

from __future__ import annotations

DOCUMENTATION = """
module: wardround_witness
short_description: Digests of what a host's administrators change
description:
  - Reads configuration files, package states, running services, firewall rules and network sysctls, and returns a
    SHA-256 for each group. Changes nothing; contents never leave the host.
author: wardround
"""
EXAMPLES = """
- name: Read the witness
  wardround_witness:
"""
RETURN = """
ansible_facts:
  description: C(wardround_witness), a map of group to SHA-256.
  returned: always
  type: dict
"""

import hashlib
import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

VOLATILE = ("/etc/mtab", "/etc/adjtime", "/etc/.pwd.lock", "/etc/ld.so.cache", "/etc/.updated", "/etc/machine-id")
SYSCTL_ROOTS = ("/proc/sys/net/ipv4/conf/all", "/proc/sys/net/ipv4/conf/default", "/proc/sys/net/ipv6/conf/all")
SYSCTLS = ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv4/tcp_syncookies")
READ_LIMIT = 1 << 20


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(READ_LIMIT)
    except OSError as error:
        return f"errno {error.errno}".encode()


def _entry(path: str) -> bytes:
    info = os.lstat(path)
    head = f"{path}\0{info.st_mode:o}\0{info.st_uid}\0{info.st_gid}\0".encode()
    if os.path.islink(path):
        return head + os.readlink(path).encode(errors="surrogateescape")
    return head + (_content(path) if os.path.isfile(path) else b"")


def _configuration() -> dict[str, str]:
    groups: dict[str, Any] = {}
    for folder, folders, files in os.walk("/etc"):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*files, *links]):
            path = os.path.join(folder, name)
            if path in VOLATILE or path.endswith((".lock", "~", "-")):
                continue
            group = "/".join(path.split("/")[:3])
            groups.setdefault(group, hashlib.sha256()).update(_entry(path) + b"\0\0")
    return {group: digest.hexdigest() for group, digest in groups.items()}


def _sysctls() -> str:
    digest = hashlib.sha256()
    paths = list(SYSCTLS)
    for root in SYSCTL_ROOTS:
        if os.path.isdir(root):
            paths.extend(os.path.join(root, name) for name in sorted(os.listdir(root)))
    for path in paths:
        digest.update(path.encode() + _content(path))
    return digest.hexdigest()


def _output(module: AnsibleModule, command: list[str]) -> str:
    if module.get_bin_path(command[0]) is None:
        return "absent"
    code, out, _err = run_command(module, command)
    return f"{code}\n{out}"


def _services(module: AnsibleModule) -> str:
    text = _output(module, ["systemctl", "list-units", "--type=service", "--state=running", "--no-legend", "--plain"])
    units = [line.split()[0] for line in text.splitlines()[1:] if line.split()]
    return "\n".join(unit for unit in units if not unit.startswith(("user@", "getty@", "apt-daily")))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    witness = _configuration()
    packages = ["dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Abbrev}\\n"]
    witness["packages"] = _digest(_output(module, packages))
    witness["running services"] = _digest(_services(module))
    witness["firewall rules"] = _digest(_output(module, ["nft", "-s", "list", "ruleset"]))
    witness["network sysctls"] = _sysctls()
    module.exit_json(changed=False, ansible_facts={"wardround_witness": dict(sorted(witness.items()))})


if __name__ == "__main__":
    main()
