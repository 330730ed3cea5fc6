#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse flows between zones that are malformed, too wide, or that would cut the automation off."""

from __future__ import annotations

import ipaddress
import re
from itertools import combinations
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_flows import Flow, connection, holds, list_mistakes, port_range, takes

DOCUMENTATION = r"""
---
module: zone_gateway_guard
short_description: Refuse flows between zones that are malformed, too wide, or that would cut the automation off
description:
  - Reads only. Fails with every mistake at once, before anything on the host is touched.
  - Too wide is a flow with an end that is every address there is, one between wide networks outside, one to more than
    half of all ports, and one to a device zone from a network of /16 or wider.
  - Address and port of the running connection come from the SSH session that started this module. Run it without
    C(become), which would hide them.
options:
  flows:
    description: Connections that may be opened between zones.
    type: list
    elements: dict
    required: true
  zones:
    description: Networks inside the hospital.
    type: list
    elements: dict
    required: true
  automation_targets:
    description: Addresses that the automation has to reach through this gateway.
    type: list
    elements: str
    default: []
author: wardround
"""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,62}\Z")
WIDE_PREFIX = 16
MANY_PORTS = 32768
ENDS = ("sources", "destinations")
OWN_COUNTERS = ("D-01", "D-02", "forged")
Zone = dict[str, Any]


def network(text: object) -> ipaddress.IPv4Network:
    """Return an IPv4 network."""
    return ipaddress.IPv4Network(str(text), strict=False)


def zone_mistakes(zones: list[Zone]) -> list[str]:
    """Return what is wrong with the zones: a gateway must be able to tell each from every other."""
    mistakes = [] if zones else ["zone_gateway_zones is empty"]
    subnets = []
    for index, zone in enumerate(zones):
        place = f"zone_gateway_zones[{index}] {zone['name']}"
        if not NAME.match(str(zone["name"])):
            mistakes.append(f"{place}: name is not an identifier of letters, digits, '_', '.', ':' and '-'")
        try:
            subnets.append((place, ipaddress.IPv4Network(str(zone["subnet"]))))
        except ValueError as error:
            mistakes.append(f"{place}: subnet: {error}")
    for (_, one), (place, other) in combinations(subnets, 2):
        if one.overlaps(other):
            mistakes.append(f"{place}: {other} overlaps {one} of another zone")
    return mistakes


def width_mistakes(flow: Flow, zones: list[Zone]) -> list[str]:
    """Return in what a flow is wider than flows between zones may be."""
    mistakes = []
    sources, destinations = ([network(each) for each in flow[end]] for end in ENDS)
    if any(each.prefixlen == 0 for each in (*sources, *destinations)):
        mistakes.append("an end is every address, inside and outside; name the networks that are meant")
    if sum(last - first + 1 for first, last in map(port_range, map(str, flow["ports"]))) > MANY_PORTS:
        mistakes.append("it is for more than half of all ports")
    wide = [each for each in sources if each.prefixlen <= WIDE_PREFIX]
    if not wide:
        return mistakes
    reached = [zone for zone in zones if any(network(zone["subnet"]).overlaps(each) for each in destinations)]
    device = next((zone["name"] for zone in reached if zone["kind"] == "device"), None)
    if device is not None:
        mistakes.append(f"the device zone {device} takes nothing from {wide[0]}, which is /{WIDE_PREFIX} or wider")
    inside = [network(zone["subnet"]) for zone in zones]
    outside = [
        [each for each in end if each.prefixlen <= WIDE_PREFIX and not any(map(each.overlaps, inside))]
        for end in (wide, destinations)
    ]
    if all(outside):
        mistakes.append("wide networks outside may reach each other, which is no gateway's business between zones")
    return mistakes


def mistakes_of(flows: list[Flow], zones: list[Zone]) -> list[str]:
    """Return every mistake of flows and zones."""
    mistakes = [*zone_mistakes(zones), *list_mistakes("zone_gateway_flows", flows, ENDS)]
    for index, flow in enumerate(flows):
        place = f"zone_gateway_flows[{index}] {flow['flow']}"
        if not str(flow["flow"])[:1].isalpha() or flow["flow"] in OWN_COUNTERS:
            mistakes.append(f"{place}: flow does not begin with a letter, or is the name of a counter of its own")
        if any(":" in str(each) for end in ENDS for each in flow[end]):
            mistakes.append(f"{place}: zones are IPv4 networks, and so are the ends of flows")
    if not mistakes:
        for index, flow in enumerate(flows):
            place = f"zone_gateway_flows[{index}] {flow['flow']}"
            mistakes += [f"{place}: {mistake}" for mistake in width_mistakes(flow, zones)]
    return mistakes


def cut_off(flows: list[Flow], zones: list[Zone], targets: list[str], client: str, port: int) -> list[str]:
    """Return the targets that the client would no longer reach."""
    own = [zone["subnet"] for zone in zones if holds([zone["subnet"]], client)]
    ways = [flow for flow in flows if takes(flow, port) and holds(flow["sources"], client)]
    return [
        target
        for target in targets
        if not holds(own, target) and not any(holds(flow["destinations"], target) for flow in ways)
    ]


def main() -> None:
    """Check flows, zones and the connection, and fail before anything is changed."""
    listed = {"type": "list", "elements": "dict", "required": True}
    module = AnsibleModule(
        argument_spec={
            "flows": listed,
            "zones": listed,
            "automation_targets": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    flows, zones = module.params["flows"], module.params["zones"]
    mistakes = mistakes_of(flows, zones)
    if mistakes:
        module.fail_json(msg="The declared flows are not valid: " + "; ".join(mistakes), mistakes=mistakes)
    session = connection()
    lost = cut_off(flows, zones, module.params["automation_targets"], *session) if session is not None else []
    if session is not None and lost:
        client, port = session
        module.fail_json(
            msg=f"These rules would cut off the automation: no flow of zone_gateway_flows lets {client} reach tcp port"
            f" {port} of {', '.join(lost)}. Declare the flow that lets the automation through.",
            lost=lost,
        )
    module.exit_json(changed=False, automation=session and {"client": session[0], "port": session[1]})


if __name__ == "__main__":
    main()
