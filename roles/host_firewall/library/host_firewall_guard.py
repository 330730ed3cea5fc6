#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse declared flows that are malformed or that would lock the automation out."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

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
  forward:
    description: Flows that this host passes on.
    type: list
    elements: dict
    required: true
  router:
    description: Whether this host passes packets on at all.
    type: bool
    required: true
author: wardround
"""

FLOW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}\Z")
PORT_LIMIT = 65535
Flow = dict[str, Any]


def port_range(text: str) -> tuple[int, int]:
    """Return the first and last port of "53" or "3478-3481"; raise ValueError on anything else."""
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    if match is None:
        raise ValueError(f"{text!r} is neither a port nor a range")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= PORT_LIMIT:
        raise ValueError(f"{text!r} is not an ascending range within 1-{PORT_LIMIT}")
    return first, last


def endpoint_mistakes(flow: Flow, key: str) -> list[str]:
    """Return what is wrong with one list of addresses of a flow."""
    endpoints = flow.get(key) or []
    if not endpoints:
        return [f"{key} is empty; name each address or network, 0.0.0.0/0 for any"]
    mistakes = []
    for endpoint in endpoints:
        try:
            ipaddress.ip_network(str(endpoint), strict=False)
        except ValueError as error:
            mistakes.append(f"{key}: {error}")
    return mistakes


def flow_mistakes(flow: Flow, endpoints: tuple[str, ...]) -> list[str]:
    """Return what is wrong with one flow, without its place."""
    mistakes = [mistake for key in endpoints for mistake in endpoint_mistakes(flow, key)]
    if not FLOW_ID.match(str(flow["flow"])):
        mistakes.append("flow is not an identifier of letters, digits, '_', '.', ':' and '-'")
    carried = set(flow["protocols"])
    if not carried:
        mistakes.append("protocols is empty")
    if carried & {"tcp", "udp"} and carried - {"tcp", "udp"}:
        mistakes.append("protocols with and without ports are mixed")
    ports = flow.get("ports") or []
    if bool(ports) != bool(carried & {"tcp", "udp"}):
        mistakes.append("ports belong to tcp and udp, which need at least one")
    for port in ports:
        try:
            port_range(str(port))
        except ValueError as error:
            mistakes.append(f"ports: {error}")
    return mistakes


def list_mistakes(name: str, flows: list[Flow], endpoints: tuple[str, ...]) -> list[str]:
    """Return every mistake of one list of flows, each with its place."""
    mistakes = []
    seen: set[str] = set()
    for index, flow in enumerate(flows):
        place = f"{name}[{index}] {flow['flow']}"
        mistakes += [f"{place}: {mistake}" for mistake in flow_mistakes(flow, endpoints)]
        if flow["flow"] in seen:
            mistakes.append(f"{place}: the flow is declared twice; give it once with all its peers")
        seen.add(flow["flow"])
    return mistakes


def connection() -> tuple[str, int] | None:
    """Return client address and local port of the SSH session that started this module, None without one."""
    session = os.environ.get("SSH_CONNECTION")
    if session is None:
        return None
    client, _, _, port = session.split()
    return client.partition("%")[0], int(port)


def covers(flow: Flow, client: str, port: int) -> bool:
    """Tell whether an inbound flow lets this client reach this TCP port."""
    if "tcp" not in flow["protocols"]:
        return False
    ranges = [port_range(str(item)) for item in flow["ports"]]
    address = ipaddress.ip_address(client)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(first <= port <= last for first, last in ranges) and any(
        address in ipaddress.ip_network(str(peer), strict=False) for peer in flow["peers"]
    )


def main() -> None:
    """Check the flows and the connection, and fail before anything is changed."""
    flows = {"type": "list", "elements": "dict", "required": True}
    module = AnsibleModule(
        argument_spec={
            "inbound": flows,
            "outbound": flows,
            "forward": flows,
            "router": {"type": "bool", "required": True},
        },
        supports_check_mode=True,
    )
    inbound, forward = module.params["inbound"], module.params["forward"]
    mistakes = [
        *list_mistakes("host_firewall_inbound", inbound, ("peers",)),
        *list_mistakes("host_firewall_outbound", module.params["outbound"], ("peers",)),
        *list_mistakes("host_firewall_forward", forward, ("sources", "destinations")),
    ]
    if forward and not module.params["router"]:
        mistakes.append("host_firewall_forward has flows, but host_firewall_router is false")
    if mistakes:
        module.fail_json(msg="The declared flows are not valid: " + "; ".join(mistakes), mistakes=mistakes)
    session = connection()
    if session is not None and not any(covers(flow, *session) for flow in inbound):
        client, port = session
        module.fail_json(
            msg=f"This rule set would cut off the connection Ansible is using: no flow of host_firewall_inbound"
            f" lets {client} reach tcp port {port}. Declare the flow that lets the automation in.",
        )
    module.exit_json(changed=False, automation=session and {"client": session[0], "port": session[1]})


if __name__ == "__main__":
    main()
