"""Run make targets one after the other, stop at the first that fails, and sum up pytest's totals.

Targets joined by `+` run beside each other, because each of them leaves a core idle. A target's output is kept in
`logs/<target>.log`; that of the first in a group is shown as it comes, that of the others when the group has ended.
The last line has the form of pytest's own summary and adds up every pytest run among the targets.
"""

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOGS: Final = ROOT / "logs"

SUMMARY: Final = re.compile(r"^=* ?(\d+ (?:passed|failed|error|skipped|xfailed|deselected)\b.*) in \d")
"""pytest's last line, with or without its rulers: `=== 3 passed, 1 skipped in 0.12s ===`."""

COUNT: Final = re.compile(r"(\d+) ([a-z]+)")


@dataclass(frozen=True)
class Outcome:
    """How a target ended: its exit code, all that it wrote, and the seconds it took."""

    target: str
    code: int
    output: str
    seconds: float


def pytest_totals(log: str) -> Counter[str]:
    """Add up the outcomes of every pytest summary line in a log."""
    totals: Counter[str] = Counter()
    for line in log.splitlines():
        if summary := SUMMARY.match(line):
            totals.update({outcome: int(count) for count, outcome in COUNT.findall(summary[1])})
    return totals


def run(target: str, *, shown: bool) -> Outcome:
    """Run one make target, keep its output, and show it as it comes where asked."""
    begun = time.monotonic()
    lines: list[str] = []
    with (
        (LOGS / f"{target}.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            ["make", "--no-print-directory", target],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        if process.stdout is None:
            message = f"make {target}: no output pipe"
            raise RuntimeError(message)
        for line in process.stdout:
            lines.append(line)
            log.write(line)
            if shown:
                print(line, end="", flush=True)
    return Outcome(target, process.returncode, "".join(lines), time.monotonic() - begun)


def run_beside(targets: Sequence[str]) -> list[Outcome]:
    """Run targets at the same time, and wait for all: also after Ctrl-C, which they hear and clear away after."""
    with ThreadPoolExecutor(len(targets)) as threads:
        running = [threads.submit(run, target, shown=target == targets[0]) for target in targets]
        outcomes = [each.result() for each in running]
    for outcome in outcomes[1:]:
        print(f"\n── {outcome.target} ──\n{outcome.output}", end="", flush=True)
    return outcomes


def main() -> int:
    """Run the groups of targets given as arguments; 0 only if every one succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="+", help="make targets, in order; a+b runs a and b beside each other")
    groups: list[str] = parser.parse_args().groups

    LOGS.mkdir(exist_ok=True)
    started = time.monotonic()
    outcomes: list[Outcome] = []
    for group in groups:
        print(f"\n── {group} ──", flush=True)
        outcomes += run_beside(group.split("+"))
        if any(outcome.code for outcome in outcomes):
            break

    print(f"\nsteps: {', '.join(f'{each.target} {each.seconds:.0f} s' for each in outcomes)}")
    failed = [each.target for each in outcomes if each.code]
    for target in failed:
        print(f"FAILED at {target}: repeat it alone with `make {target}`; its output is in logs/{target}.log")
    totals = sum((pytest_totals(each.output) for each in outcomes), Counter[str]())
    counts = ", ".join(f"{count} {outcome}" for outcome, count in totals.items()) or "no tests ran"
    print(f"==== {counts} in {time.monotonic() - started:.2f}s ====")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
