#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make sure that a table of another owner filters what this host passes on."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_nftables import PacketFilter

DOCUMENTATION = r"""
---
module: host_firewall_forwarding
short_description: Make sure that another owner's table filters forwarded packets
description:
  - Reads only. The table has to hold a chain on the forward hook that drops by default, for IPv4 and IPv6 alike.
  - Fails where there is none, so that nothing is changed afterwards. In check mode it is a difference between design
    and host, for what comes before may be what makes the table.
options:
  table:
    description: The table, as family and name.
    type: str
    required: true
author: wardround
"""


def main() -> None:
    """Look for a chain that drops by default."""
    module = AnsibleModule(argument_spec={"table": {"type": "str", "required": True}}, supports_check_mode=True)
    table = " ".join(module.params["table"].split())
    dropping = [
        chain["name"]
        for chain in PacketFilter(module).listed("chain")
        if f"{chain['family']} {chain['table']}" == table
        and (chain["family"], chain.get("hook"), chain.get("policy")) == ("inet", "forward", "drop")
    ]
    message = f"no chain of table {table} drops forwarded packets by default"
    if not dropping and not module.check_mode:
        module.fail_json(msg=f"Forwarding would be unfiltered: {message}. Load that table first.")
    module.exit_json(
        changed=not dropping,
        name=f"forward chain of {table}",
        msg="" if dropping else message,
        diff={
            "before_header": "forwarded packets",
            "after_header": "forwarded packets",
            "before": "" if dropping else f"{message}\n",
            "after": "",
        },
    )


if __name__ == "__main__":
    main()
