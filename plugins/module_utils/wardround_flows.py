# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes in declared flows, and the connection that must not be cut off."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import Any

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
            mistakes.append(f"{place}: the flow is declared twice; give it once with all its ends")
        seen.add(flow["flow"])
    return mistakes


def connection() -> tuple[str, int] | None:
    """Return client address and local port of the SSH session that started this module, None without one."""
    session = os.environ.get("SSH_CONNECTION")
    if session is None:
        return None
    client, _, _, port = session.split()
    address = ipaddress.ip_address(client.partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address), int(port)


def holds(networks: list[str], address: str) -> bool:
    """Tell whether one of the networks holds an address."""
    sought = ipaddress.ip_address(address)
    return any(sought in ipaddress.ip_network(str(network), strict=False) for network in networks)


def takes(flow: Flow, port: int) -> bool:
    """Tell whether a flow is for a TCP port."""
    ranges = [port_range(str(item)) for item in flow.get("ports") or []]
    return "tcp" in flow["protocols"] and any(first <= port <= last for first, last in ranges)
