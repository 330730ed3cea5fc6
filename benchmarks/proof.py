"""How long it takes to render a gateway's rules and to prove them against a design.

The floor of the proof is reading the rules' listing from JSON.
The rules are those that the design gives the gateway, in the words of `nft -j list ruleset`; every second zone names
single hosts, the others whole subnets, and services have ports of their own. Seconds are of CPU. The proof is measured
once more with two mistakes planted, which it has to find: a flow is closed, and all is opened to one zone.

    python -m benchmarks.proof [--json] [ZONES ...]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tracemalloc
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from wardround.model.architecture import Protocol, ZoneKind
from wardround.model.design import Design, DesignFlow, DesignZone
from wardround.model.hospital import ControlNode
from wardround.proof.listing import read_ruleset
from wardround.proof.prove import prove_gateway
from wardround.proof.result import Proof
from wardround.render.gateway import forward_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZES = (10, 100, 500)
FLOWS_PER_ZONE = 2
SERVICES = 40
LIMIT_SECONDS = 60.0
LIMIT_MEBIBYTES = 1024
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Figures:
    """One size: seconds of CPU, and the most memory that Python held while it proved, in MiB."""

    zones: int
    flows: int
    compared: int
    render: float
    floor: float
    read: float
    prove: float
    prove_planted: float
    mebibytes: float
    differences: int


def design(zones: int) -> Design:
    """Give a hospital with that many zones and twice as many flows, each between two of them."""
    subnets = [IPv4Network((10 << 24 | number << 8, 24)) for number in range(zones)]
    return Design(
        hospital="bench",
        name="Bench",
        timezone="Europe/Berlin",
        domain="bench.example",
        architectures=(),
        control=ControlNode(zone="zone0", address=subnets[0][10]),
        role_order=(),
        zones=tuple(
            DesignZone(
                name=f"zone{number}",
                kind=ZoneKind.SERVER,
                purpose="a zone",
                subnet=subnet,
                gateway=subnet[1],
                vlan=None,
            )
            for number, subnet in enumerate(subnets)
        ),
        hosts=(),
        flows=tuple(_flow(number, subnets) for number in range(zones * FLOWS_PER_ZONE)),
        probes=(),
        controls=(),
        windows=(),
        secrets=(),
    )


def _flow(number: int, subnets: Sequence[IPv4Network]) -> DesignFlow:
    service = number % SERVICES
    source, destination = subnets[number % len(subnets)], subnets[(number * 7 + 3) % len(subnets)]
    hosts = [IPv4Network(destination[20 + number % 5 + at]) for at in range(3)]
    return DesignFlow(
        id=f"F-BEN-{number:04d}",
        service=f"service{service}",
        protocols=(Protocol.UDP,) if service % 5 == 0 else (Protocol.TCP,),
        ports=(str(1000 + service), f"{3000 + 10 * service}-{3005 + 10 * service}"),
        standard="none",
        purpose="a flow",
        source_words=(),
        destination_words=(),
        source_hosts=(),
        destination_hosts=(),
        sources=(source,) if number % 2 else tuple(IPv4Network(source[10 + at]) for at in range(3)),
        destinations=tuple(hosts),
    )


def listing(found: Design, *, planted: bool) -> str:
    """Give the gateway's rules as nft lists them; planted: the first flow closed, the last zone open to all."""
    chain = {"family": "inet", "table": "gateway", "name": "forward", "handle": 1}
    states = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}
    rules: list[list[dict[str, Any]]] = [[states, {"accept": None}], *(_expressions(flow) for flow in found.flows)]
    if planted:
        open_zone = {"prefix": {"addr": str(found.zones[-1].subnet[0]), "len": 24}}
        rules[1][-1] = {"drop": None}
        rules.insert(2, [_match("ip", "daddr", [open_zone]), {"accept": None}])
    items: list[dict[str, Any]] = [
        {"table": {"family": "inet", "name": "gateway", "handle": 1}},
        {"chain": {**chain, "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}},
    ]
    for handle, expressions in enumerate(rules, 2):
        rule = {"family": "inet", "table": "gateway", "chain": "forward", "handle": handle}
        items.append({"rule": {**rule, "expr": expressions}})
    return json.dumps({"nftables": items})


def _expressions(flow: DesignFlow) -> list[dict[str, Any]]:
    ends = [port.partition("-")[::2] for port in flow.ports]
    ports = [{"range": [int(low), int(high)]} if high else int(low) for low, high in ends]
    return [
        _match("ip", "saddr", [{"prefix": {"addr": str(each[0]), "len": each.prefixlen}} for each in flow.sources]),
        _match(
            "ip", "daddr", [{"prefix": {"addr": str(each[0]), "len": each.prefixlen}} for each in flow.destinations]
        ),
        _match(flow.protocols[0].value, "dport", ports),
        {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}},
        {"counter": {"packets": 0, "bytes": 0}},
        {"accept": None},
    ]


def _match(protocol: str, field: str, members: Sequence[object]) -> dict[str, Any]:
    left = {"payload": {"protocol": protocol, "field": field}}
    return {"match": {"op": "==", "left": left, "right": {"set": list(members)}}}


def measure(zones: int) -> Figures:
    """Measure one size, time and memory in runs of their own; fail where the proof does not find what is planted."""
    found = design(zones)
    text, wrong = listing(found, planted=False), listing(found, planted=True)
    ruleset, planted = read_ruleset(text), read_ruleset(wrong)
    proofs: list[Proof] = []
    prove = _seconds(lambda: proofs.append(prove_gateway(found, ruleset)))
    prove_planted = _seconds(lambda: proofs.append(prove_gateway(found, planted)))
    differences = sum(1 for _ in proofs[1].differences())
    assert proofs[0].agrees, "the design's own rules are what the design allows"
    assert differences >= zones, "what was opened and closed is found"
    tracemalloc.start()
    prove_gateway(found, planted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Figures(
        zones,
        len(found.flows),
        proofs[0].compared,
        _seconds(lambda: forward_rules(found)),
        _seconds(lambda: json.loads(text)),
        _seconds(lambda: read_ruleset(text)),
        prove,
        prove_planted,
        peak / _MEBIBYTE,
        differences,
    )


def main(arguments: Sequence[str]) -> int:
    """Print the figures; fail if a size takes longer than a minute of CPU or more than a GiB."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zones", type=int, nargs="*", default=SIZES)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    figures = [measure(zones) for zones in given.zones]
    if given.json:
        print(json.dumps({"schema_version": 1, "proof": [asdict(each) for each in figures]}, indent=2))
    else:
        print(
            f"{'zones':>7} {'flows':>6} {'compared':>10} {'render s':>8} {'floor ms':>9} {'read ms':>8} {'prove s':>8} "
            f"{'planted s':>9} {'MiB':>6} {'found':>7}"
        )
        for each in figures:
            print(
                f"{each.zones:>7} {each.flows:>6} {each.compared:>10} {each.render:>8.2f} "
                f"{each.floor * 1e3:>9.1f} {each.read * 1e3:>8.1f} "
                f"{each.prove:>8.2f} {each.prove_planted:>9.2f} {each.mebibytes:>6.0f} {each.differences:>7}"
            )
    return int(
        any(max(each.prove, each.prove_planted) > LIMIT_SECONDS or each.mebibytes > LIMIT_MEBIBYTES for each in figures)
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
