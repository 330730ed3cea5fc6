"""Time and CPU of plan, apply and deep drift for one, four and eight hosts of a hardened twin.

The floor is the witness playbook on the same hosts: one connection and one task a host, the least that any run through
Ansible costs. Seconds and CPU are this machine's, targets included, for a twin's hosts live on it. An apply changes
nothing here: what it costs to find that out is the figure that repeats every night.

    python -m benchmarks.run [--json] [--hospital NAME] [HOSTS ...]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from wardround.ledger import Ledger
from wardround.verbs.apply import Application
from wardround.verbs.drift import deep_check
from wardround.verbs.opening import OpenHospital, open_hospital
from wardround.verbs.plan import make_plan, witness
from wardround.verbs.site_run import Options, Watcher
from wardround.verbs.workspace import open_workspace

SIZES = (1, 4, 8)
HOSPITAL = "st-elsewhere"
_WATCHER = Watcher(lambda _event: None, lambda: False)


@dataclass(frozen=True)
class Figures:
    """One verb on some hosts: seconds, CPU-seconds of the whole machine, and seconds divided by the floor's."""

    verb: str
    hosts: int
    seconds: float
    cpu_seconds: float
    floor: float
    ratio: float
    tasks_per_host: int


@dataclass(frozen=True)
class Cost:
    """What one piece of work cost."""

    seconds: float
    cpu_seconds: float


def cpu_seconds() -> float:
    """Read the time that all cores spent working since the machine started (proc(5), user to steal without idle)."""
    fields = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / os.sysconf("SC_CLK_TCK")


def cost_of(work: Callable[[], object]) -> Cost:
    """Do the work once and measure it."""
    began, worked = time.monotonic(), cpu_seconds()
    work()
    return Cost(time.monotonic() - began, cpu_seconds() - worked)


def measure(opened: OpenHospital, ledger: Ledger, hosts: int) -> list[Figures]:
    """Measure every verb on the first hosts of the hospital."""
    names = tuple(host.name for host in opened.design.managed_hosts()[:hosts])
    options = Options(limit=names, fast=True)
    floor = cost_of(lambda: witness(opened, options, _WATCHER))
    plans = []
    planned = cost_of(lambda: plans.append(make_plan(opened, ledger, options, _WATCHER)))
    applied = cost_of(lambda: Application(opened, ledger, plans[0], options, _WATCHER).once())
    runs = []
    drifted = cost_of(lambda: runs.append(deep_check(opened, ledger, options, _WATCHER)))
    tasks = runs[0].run.judgement.coverage.checks // max(hosts, 1)
    return [
        Figures(verb, hosts, cost.seconds, cost.cpu_seconds, floor.seconds, cost.seconds / floor.seconds, tasks)
        for verb, cost in (("plan", planned), ("apply", applied), ("drift", drifted))
    ]


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="HOSTS")
    parser.add_argument("--hospital", default=HOSPITAL)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    workspace = open_workspace(None, None)
    opened = open_hospital(workspace, given.hospital, twin=True)
    with workspace.open_ledger() as ledger:
        figures = [row for hosts in given.sizes for row in measure(opened, ledger, hosts)]
    if given.json:
        print(json.dumps({"schema_version": 1, "runs": [asdict(row) for row in figures]}, indent=2))
        return 0
    print(f"{'verb':<6} {'hosts':>5} {'seconds':>8} {'CPU s':>8} {'x floor':>8} {'tasks/host':>10}")
    for row in figures:
        print(
            f"{row.verb:<6} {row.hosts:>5} {row.seconds:>8.1f} {row.cpu_seconds:>8.1f} {row.ratio:>8.1f} "
            f"{row.tasks_per_host:>10}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
