"""Listings as `nft -j list ruleset` prints them, written down piece by piece."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from wardround.model.architecture import ZoneKind
from wardround.model.design import Design, DesignFlow
from wardround.proof.listing import read_ruleset
from wardround.proof.ruleset import Ruleset

Expression = dict[str, Any]
ACCEPT: Expression = {"accept": None}
DROP: Expression = {"drop": None}
RETURN: Expression = {"return": None}
ANSWERS: list[Expression] = [
    {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
    ACCEPT,
]


def jump(target: str) -> Expression:
    return {"jump": {"target": target}}


def goto(target: str) -> Expression:
    return {"goto": {"target": target}}


def match(left: object, right: object, operator: str = "==") -> Expression:
    return {"match": {"op": operator, "left": left, "right": right}}


def payload(protocol: str, field: str) -> Expression:
    return {"payload": {"protocol": protocol, "field": field}}


def meta(key: str) -> Expression:
    return {"meta": {"key": key}}


def state(*states: str) -> Expression:
    return match({"ct": {"key": "state"}}, list(states), "in")


def source(*networks: str, operator: str = "==") -> Expression:
    return match(payload("ip", "saddr"), {"set": [value(each) for each in networks]}, operator)


def destination(*networks: str, operator: str = "==") -> Expression:
    return match(payload("ip", "daddr"), {"set": [value(each) for each in networks]}, operator)


def port(*ports: str, protocol: str = "tcp") -> Expression:
    return match(payload(protocol, "dport"), {"set": [value(each) for each in ports]})


def value(text: str) -> object:
    """Write an address, prefix, range or port as a listing does."""
    if "-" in text:
        first, _, last = text.partition("-")
        return {"range": [value(first), value(last)]}
    if "/" in text:
        network = ip_network(text)
        return {"prefix": {"addr": str(network[0]), "len": network.prefixlen}}
    return int(text) if text.isdigit() else text


def chain(
    name: str,
    *rules: Sequence[Expression] | tuple[str, Sequence[Expression]],
    hook: str = "",
    policy: str = "accept",
    priority: int = 0,
    kind: str = "filter",
) -> list[dict[str, Any]]:
    """Write a chain with its rules; a rule may come with a comment in front."""
    base = {"type": kind, "hook": hook, "prio": priority, "policy": policy} if hook else {}
    items: list[dict[str, Any]] = [{"chain": {"name": name, **base}}]
    for rule in rules:
        comment, expressions = rule if isinstance(rule, tuple) else ("", rule)
        items.append({"rule": {"chain": name, "expr": list(expressions), **({"comment": comment} if comment else {})}})
    return items


def forward(*rules: Sequence[Expression] | tuple[str, Sequence[Expression]], policy: str = "drop") -> Ruleset:
    """Give a rule set of one base chain that packets cross."""
    return ruleset(chain("forward", *rules, hook="forward", policy=policy))


def named(kind: str, name: str, members: Sequence[object], **options: object) -> list[dict[str, Any]]:
    """Write a named set or map."""
    return [{kind: {"name": name, "elem": list(members), **options}}]


def listing(*parts: list[dict[str, Any]], family: str = "inet", table: str = "t") -> str:
    items: list[dict[str, Any]] = [
        {"metainfo": {"json_schema_version": 1}},
        {"table": {"family": family, "name": table}},
    ]
    for handle, part in enumerate((item for each in parts for item in each), 1):
        ((word, body),) = part.items()
        items.append({word: {"family": family, "table": table, "handle": handle, **body}})
    return json.dumps({"nftables": items})


def ruleset(*parts: list[dict[str, Any]], family: str = "inet") -> Ruleset:
    return read_ruleset(listing(*parts, family=family))


def together(*rulesets: Ruleset) -> Ruleset:
    return Ruleset(tuple(table for each in rulesets for table in each.tables))


def flow_rules(design: Design) -> list[tuple[str, list[Expression]]]:
    """Write the rules that let a design's flows pass, in the order of their ids, each with its flow as comment."""
    internal = [str(zone.subnet) for zone in design.zones if zone.kind is not ZoneKind.EXTERNAL]
    return [
        (flow.id, [*sources, *destinations, *services, ACCEPT])
        for flow in design.flows
        if flow.active
        for sources in _ends("saddr", [str(each) for each in flow.sources], internal)
        for destinations in _ends("daddr", [str(each) for each in flow.destinations], internal)
        for services in [_services(flow)]
    ]


def _ends(field: str, networks: list[str], internal: list[str]) -> list[list[Expression]]:
    inside = [network for network in networks if network != "0.0.0.0/0"]
    ends = []
    if len(inside) < len(networks):
        ends.append([match(payload("ip", field), {"set": [value(each) for each in internal]}, "!=")])
    if inside:
        ends.append([match(payload("ip", field), {"set": [value(each) for each in inside]})])
    return ends


def _services(flow: DesignFlow) -> list[Expression]:
    protocols: Sequence[str] = [protocol.value for protocol in flow.protocols]
    return [match(meta("l4proto"), {"set": list(protocols)}), port(*flow.ports, protocol="th")]
