#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse declared flows that are malformed or that would lock the automation out."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_flows import connection, holds, list_mistakes, takes

DOCUMENTATION = r"""
---
module: host_firewall_guard
short_description: Refuse flows that are malformed or that would lock the automation out
description:
  - Reads only. Fails with every mistake at once, before anything on the host is touched.
  - Address and port of the running connection come from the SSH session that started this module. Run it without
    C(become), which would hide them.
options:
  inbound:
    description: Flows that may reach this host.
    type: list
    elements: dict
    required: true
  outbound:
    description: Flows that this host may open.
    type: list
    elements: dict
    required: true
author: wardround
"""


def main() -> None:
    """Check the flows and the connection, and fail before anything is changed."""
    flows = {"type": "list", "elements": "dict", "required": True}
    module = AnsibleModule(argument_spec={"inbound": flows, "outbound": flows}, supports_check_mode=True)
    inbound = module.params["inbound"]
    mistakes = [
        *list_mistakes("host_firewall_inbound", inbound, ("peers",)),
        *list_mistakes("host_firewall_outbound", module.params["outbound"], ("peers",)),
    ]
    if mistakes:
        module.fail_json(msg="The declared flows are not valid: " + "; ".join(mistakes), mistakes=mistakes)
    session = connection()
    if session is not None and not any(
        takes(flow, session[1]) and holds(flow["peers"], session[0]) for flow in inbound
    ):
        client, port = session
        module.fail_json(
            msg=f"This rule set would cut off the connection Ansible is using: no flow of host_firewall_inbound"
            f" lets {client} reach tcp port {port}. Declare the flow that lets the automation in.",
        )
    module.exit_json(changed=False, automation=session and {"client": session[0], "port": session[1]})


if __name__ == "__main__":
    main()
