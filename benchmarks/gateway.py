"""How long a zone gateway's rules take to load in one transaction, beside the floor that no rule set can go below.

The floor is as many rules of the plainest kind: sender, receiver, port, accepted; no counters, comments, sets or logs.
Both are loaded in turn by the same nft into a network namespace of their own, so the ratio holds on any machine.
`replace` loads the gateway's rules once more over the same ones, which is what a change of the design does; `read`
lists them for the comparison. Seconds are of the clock, best of the rounds; it needs root.

    python -m benchmarks.gateway [--json] [FLOWS ...]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from roles.zone_gateway.filter_plugins.zone_gateway import zone_gateway_rules

SIZES = (100, 1000, 5000)
ROUNDS = 3
ZONES = 60
LIMIT_SECONDS = 30.0
TEMPLATES = Path(__file__).resolve().parents[1] / "roles/zone_gateway/templates"
FLOOR_HEAD = "table inet floor { chain forward { type filter hook forward priority filter; policy drop; }; }\n"
SCRIPT = """
set -e
now() { date +%s.%N; }
a=$(now); nft -f "$1"; b=$(now)
nft flush ruleset
c=$(now); nft -f "$2"; d=$(now); nft -f "$2"; e=$(now); nft -s list ruleset >/dev/null; f=$(now)
echo "$a $b $c $d $e $f"
"""


@dataclass(frozen=True)
class Figures:
    """One size, in seconds; `ratio` is `load` divided by `floor`."""

    flows: int
    write: float
    floor: float
    load: float
    replace: float
    read: float
    ratio: float


def flows_of(count: int) -> list[dict[str, Any]]:
    """Give flows between hosts of many zones, as a hospital has them: mostly a few to one, sometimes a zone to one."""
    dice = random.Random(count)

    def host(zone: int) -> str:
        return f"10.0.{zone}.{dice.randrange(10, 250)}"

    flows = []
    for number in range(count):
        source, destination = dice.sample(range(ZONES), 2)
        senders = (
            [f"10.0.{source}.0/24"] if number % 7 == 0 else [host(source) for _ in range(dice.choice((1, 1, 3, 8)))]
        )
        flows.append(
            {
                "flow": f"F-BEN-{number:04d}",
                "protocols": ["tcp"],
                "ports": [str(dice.choice((22, 104, 443, 2575, 2762, 6514)))],
                "sources": senders,
                "destinations": [host(destination)],
                "purpose": "a flow",
            }
        )
    return flows


def floor_rules(flows: Sequence[dict[str, Any]]) -> str:
    """Give a rule for the first sender of each flow."""
    return FLOOR_HEAD + "".join(
        f"add rule inet floor forward ip saddr {flow['sources'][0]} ip daddr {flow['destinations'][0]} "
        f"tcp dport {flow['ports'][0]} accept\n"
        for flow in flows
    )


def gateway_rules(flows: list[dict[str, Any]], zones: list[dict[str, Any]]) -> str:
    """Give the file that the role writes for these variables."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=select_autoescape(),
    )
    return environment.get_template("gateway.nft.j2").render(
        __zone_gateway_rules=zone_gateway_rules(flows, zones), zone_gateway_denied_log_rate="6/minute"
    )


def measure(count: int) -> Figures:
    """Measure one size; floor and load take turns, so that a busy moment does not hit one of them alone."""
    flows = flows_of(count)
    zones = [{"name": f"zone{zone}", "kind": "server", "subnet": f"10.0.{zone}.0/24"} for zone in range(ZONES)]
    rounds = []
    with TemporaryDirectory() as folder:
        floor, rules = Path(folder, "floor.nft"), Path(folder, "gateway.nft")
        floor.write_text(floor_rules(flows), encoding="utf-8")
        write = _seconds(lambda: rules.write_text(gateway_rules(flows, zones), encoding="utf-8"))
        for _ in range(ROUNDS):
            command = ["unshare", "--net", "sh", "-c", SCRIPT, "bench", str(floor), str(rules)]
            done = subprocess.run(command, text=True, capture_output=True, check=True)
            rounds.append([after - before for before, after in pairwise(map(float, done.stdout.split()))])
    bare, _, load, replace, read = (min(times) for times in zip(*rounds, strict=True))
    return Figures(count, write, bare, load, replace, read, load / bare)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; fail if a size takes longer to load than half a minute."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flows", type=int, nargs="*", default=SIZES)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    figures = [measure(count) for count in given.flows]
    if given.json:
        print(json.dumps({"schema_version": 1, "gateway": [asdict(each) for each in figures]}, indent=2))
    else:
        print(f"{'flows':>7} {'write s':>8} {'floor s':>8} {'load s':>8} {'replace s':>9} {'read s':>8} {'ratio':>6}")
        for each in figures:
            print(
                f"{each.flows:>7} {each.write:>8.2f} {each.floor:>8.2f} {each.load:>8.2f} {each.replace:>9.2f} "
                f"{each.read:>8.2f} {each.ratio:>6.2f}"
            )
    return int(any(max(each.load, each.replace) > LIMIT_SECONDS for each in figures))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
