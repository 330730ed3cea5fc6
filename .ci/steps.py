"""Run make targets one after the other, stop at the first that fails, and sum up pytest's totals.

Each target's output is shown as it comes and kept in `logs/<target>.log`. The last line has the form of pytest's own
summary and adds up every pytest run among the targets.
"""

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOGS: Final = ROOT / "logs"

SUMMARY: Final = re.compile(r"^=* ?(\d+ (?:passed|failed|error|skipped|xfailed|deselected)\b.*) in \d")
"""pytest's last line, with or without its rulers: `=== 3 passed, 1 skipped in 0.12s ===`."""

COUNT: Final = re.compile(r"(\d+) ([a-z]+)")


def pytest_totals(log: str) -> Counter[str]:
    """Add up the outcomes of every pytest summary line in a log."""
    totals: Counter[str] = Counter()
    for line in log.splitlines():
        if summary := SUMMARY.match(line):
            totals.update({outcome: int(count) for count, outcome in COUNT.findall(summary[1])})
    return totals


def run(target: str) -> tuple[int, str]:
    """Run one make target, show its output as it comes, and return its exit code and its output."""
    LOGS.mkdir(exist_ok=True)
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
        try:
            for line in process.stdout:
                lines.append(line)
                log.write(line)
                sys.stdout.write(line)
                sys.stdout.flush()
        except KeyboardInterrupt:
            # It was told as well, and has something to clear away.
            process.wait()
            raise
    return process.returncode, "".join(lines)


def main() -> int:
    """Run the targets given as arguments; 0 only if every one succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+", help="make targets, in order")
    targets: list[str] = parser.parse_args().targets

    started = time.monotonic()
    totals: Counter[str] = Counter()
    durations: list[str] = []
    failed = ""
    for target in targets:
        print(f"\n── {target} ──", flush=True)
        begun = time.monotonic()
        code, output = run(target)
        totals += pytest_totals(output)
        durations.append(f"{target} {time.monotonic() - begun:.0f} s")
        if code != 0:
            failed = target
            break

    print(f"\nsteps: {', '.join(durations)}")
    if failed:
        print(f"FAILED at {failed}: repeat it alone with `make {failed}`; its output is in logs/{failed}.log")
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in totals.items()) or "no tests ran"
    print(f"==== {outcomes} in {time.monotonic() - started:.2f}s ====")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
