"""How long a manifest takes to load, beside the floor that no strict loader can be expected to beat.

The floor is PyYAML's C loader on the same bytes: parsing and construction alone, without places, without refusing
anything and without validation. Both are measured in turn in the same run, so the ratio holds on any machine.

    python benchmarks/load.py [--json] [HOSTS ...]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import yaml

from wardround.load.validation import validate
from wardround.load.yaml_document import parse_document
from wardround.model.hospital import Hospital

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZES = (10, 1_000, 10_000)
ROUNDS = 5
LIMIT_SECONDS = 2.0
LIMIT_HOSTS = 10_000


@dataclass(frozen=True)
class Figures:
    """One size: best of the rounds, in seconds; `ratio` is `load` divided by `floor`."""

    hosts: int
    bytes: int
    floor: float
    parse: float
    load: float
    ratio: float


def manifest(hosts: int) -> bytes:
    """Write a manifest with that many hosts, each with the fields that a managed host has."""
    lines = [
        "hospital: st-bench",
        "name: St. Bench",
        "timezone: Europe/Berlin",
        "domain: st-bench.example",
        "architecture: {community_hospital: 1.0.0}",
        "control: {zone: management, address: 10.255.0.5}",
        "zones: {management: {subnet: 10.255.0.0/24}, imaging_core: {subnet: 10.0.0.0/16}}",
        "windows: {sunday_night: {days: [sun], from: 01:00, to: 04:00}}",
        "contacts: {radiology: {name: Radiology IT}}",
        "hosts:",
    ]
    for number in range(hosts):
        high, low = divmod(number, 250)
        lines += [
            f"  host{number:05d}:",
            "    component: pacs_archive",
            f"    address: 10.0.{high}.{low}",
            f'    mac: "00:11:22:33:{high:02x}:{low:02x}"',
            "    release: debian-12",
            "    owner: radiology",
            "    window: sunday_night",
            "    restart: in_window",
            "    fallback: film printer",
        ]
    return ("\n".join(lines) + "\n").encode()


def measure(hosts: int) -> Figures:
    """Measure one size; floor, parse and load take turns, so that a busy moment does not hit one of them alone."""
    raw = manifest(hosts)
    floors, parses, loads = [], [], []
    for _ in range(ROUNDS):
        floors.append(_seconds(lambda: yaml.load(raw, yaml.CSafeLoader)))
        parses.append(_seconds(lambda: parse_document(raw, "hospital.yml")))
        loads.append(_seconds(lambda: validate(parse_document(raw, "hospital.yml"), Hospital)))
    floor, load = min(floors), min(loads)
    return Figures(hosts, len(raw), floor, min(parses), load, load / floor)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; fail if 10,000 hosts take longer than two seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hosts", type=int, nargs="*", default=SIZES)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    figures = [measure(hosts) for hosts in given.hosts]
    if given.json:
        print(json.dumps({"schema_version": 1, "load": [asdict(each) for each in figures]}, indent=2))
    else:
        print(f"{'hosts':>7} {'kB':>7} {'floor ms':>9} {'parse ms':>9} {'load ms':>9} {'load/floor':>11}")
        for each in figures:
            print(
                f"{each.hosts:>7} {each.bytes / 1e3:>7.0f} {each.floor * 1e3:>9.1f} {each.parse * 1e3:>9.1f} "
                f"{each.load * 1e3:>9.1f} {each.ratio:>11.2f}"
            )
    return int(any(each.load > LIMIT_SECONDS for each in figures if each.hosts <= LIMIT_HOSTS))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
