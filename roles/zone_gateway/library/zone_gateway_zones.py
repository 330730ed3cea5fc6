#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report zones that this host has no interface in, or into which it speaks from another address than declared."""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

DOCUMENTATION = r"""
---
module: zone_gateway_zones
short_description: Report zones that this host does not stand in
description:
  - Reads only; interfaces, addresses and routes are the installer's.
  - In check mode a zone without a route of its own is a difference between design and host, reported as changed with a
    diff.
  - Otherwise nothing is changed, because nothing can be, and each such zone is a warning.
options:
  zones:
    description: Networks inside the hospital.
    type: list
    elements: dict
    required: true
  address:
    description: Address from which this host speaks into every zone; empty for any.
    type: str
    default: ""
author: wardround
"""


def missing(zones: list[dict[str, Any]], routes: list[dict[str, Any]], address: str) -> list[str]:
    """Return what is wrong with the way into each zone, in one line each."""
    direct = {route["dst"]: route for route in routes if route.get("scope") == "link" and "gateway" not in route}
    lines = []
    for zone in zones:
        route = direct.get(zone["subnet"])
        if route is None:
            lines.append(f"zone {zone['name']}: no interface has an address in {zone['subnet']}")
        elif address and route.get("prefsrc") != address:
            said = route.get("prefsrc", "any address")
            lines.append(f"zone {zone['name']}: this host speaks from {said}, not {address}")
    return lines


def main() -> None:
    """Compare zones and routes and report the difference."""
    module = AnsibleModule(
        argument_spec={
            "zones": {"type": "list", "elements": "dict", "required": True},
            "address": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    command = ["ip", "-json", "-4", "route", "show", "table", "main"]
    code, out, err = run_command(module, command)
    if code != 0:
        module.fail_json(msg=f"{' '.join(command)} failed: {err.strip()}", rc=code)
    lines = missing(module.params["zones"], json.loads(out or "[]"), module.params["address"])
    for line in lines if not module.check_mode else []:
        module.warn(line)
    module.exit_json(
        changed=module.check_mode and bool(lines),
        name="zones",
        msg="; ".join(lines),
        missing=lines,
        diff={
            "before_header": "ways into zones",
            "after_header": "declared",
            "before": "".join(f"{line}\n" for line in lines),
            "after": "",
        },
    )


if __name__ == "__main__":
    main()
