"""How long a manifest takes to become a design, beside the floor of reading that design back from JSON.

The hospital is the infrastructure of the example one, grown: half of the added hosts are managed, half are medical
devices. The floor is `json.loads` on the design's own bytes, measured in
turn in the same run, so the ratio holds on any machine.

    python -m benchmarks.resolve [--json] [HOSTS ...]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from wardround.design.resolve import Pinned, resolve
from wardround.load.project import Project
from wardround.model.hospital import Hospital

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZES = (10, 1_000, 10_000)
ROUNDS = 3
LIMIT_SECONDS = 1.0
LIMIT_HOSTS = 1_000
_EXAMPLE = "st-elsewhere"
_ARCHITECTURES = frozenset({"baseline", "iomt_network"})
_KEPT = frozenset(
    {"infrastructure_server", "certificate_authority", "patch_mirror", "log_collector", "jump_host", "infusion_pump"}
)
_GROWN = {"jump_host": ("management", "10.64.0.0/12"), "infusion_pump": ("infusion", "10.96.0.0/12")}


@dataclass(frozen=True)
class Figures:
    """One size: best of the rounds, in seconds of CPU; `ratio` is `resolve` divided by `floor`."""

    hosts: int
    bytes: int
    floor: float
    resolve: float
    ratio: float


def hospital(hosts: int) -> tuple[Hospital, tuple[Pinned, ...]]:
    """Give a hospital with that many hosts and its architectures: the example's infrastructure, grown."""
    project = Project(Path(__file__).resolve().parents[1])
    loaded = project.hospital(_EXAMPLE).load_manifest()
    library = project.library.resolve(loaded.document, loaded.model.architecture)
    kept = [each for each in library if each.architecture.name in _ARCHITECTURES]
    data = json.loads(loaded.model.model_dump_json(by_alias=True))
    zones = {zone for each in kept for zone in each.architecture.zones}
    data["architecture"] = {each.architecture.name: each.architecture.version for each in kept}
    data["parameters"] = {name: given for name, given in data["parameters"].items() if name in _ARCHITECTURES}
    data["zones"] = {name: zone for name, zone in data["zones"].items() if name in zones}
    data["hosts"] = {name: host for name, host in data["hosts"].items() if host["component"] in _KEPT}
    managed = max(0, hosts - len(data["hosts"])) // 2
    for octet, (component, (zone, subnet)) in enumerate(_GROWN.items()):
        name, like = next(each for each in data["hosts"].items() if each[1]["component"] == component)
        data["zones"][zone]["subnet"] = subnet
        first = int(IPv4Address(subnet.partition("/")[0])) + 16
        data["hosts"][name] = {**like, "address": str(IPv4Address(first - 1))}
        for number in range((hosts - len(data["hosts"])) if component == "infusion_pump" else managed):
            mac = f"02:01:{octet:02x}:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
            added = {**like, "address": str(IPv4Address(first + number)), "mac": mac}
            data["hosts"][f"{component.replace('_', '-')}-{number:05d}"] = added
    grown = Hospital.model_validate_json(json.dumps(data))
    return grown, tuple(Pinned(each.architecture, each.digest) for each in kept)


def measure(hosts: int) -> Figures:
    """Measure one size; floor and resolve take turns, so that a busy moment does not hit one of them alone."""
    manifest, pinned = hospital(hosts)
    text = resolve(manifest, pinned).model_dump_json()
    floors, times = [], []
    for _ in range(ROUNDS):
        floors.append(_seconds(lambda: json.loads(text)))
        times.append(_seconds(lambda: resolve(manifest, pinned)))
    return Figures(len(manifest.hosts), len(text), min(floors), min(times), min(times) / min(floors))


def main(arguments: Sequence[str]) -> int:
    """Print the figures; fail if 1,000 hosts take longer than a second of CPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hosts", type=int, nargs="*", default=SIZES)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    figures = [measure(hosts) for hosts in given.hosts]
    if given.json:
        print(json.dumps({"schema_version": 1, "resolve": [asdict(each) for each in figures]}, indent=2))
    else:
        print(f"{'hosts':>7} {'kB':>7} {'floor ms':>9} {'resolve ms':>11} {'resolve/floor':>14}")
        for each in figures:
            print(
                f"{each.hosts:>7} {each.bytes / 1e3:>7.0f} {each.floor * 1e3:>9.1f} {each.resolve * 1e3:>11.1f} "
                f"{each.ratio:>14.2f}"
            )
    return int(any(each.resolve > LIMIT_SECONDS for each in figures if each.hosts <= LIMIT_HOSTS))


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
