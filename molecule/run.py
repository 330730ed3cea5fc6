"""Run Molecule scenarios, a few at a time: one line each, and the end of the log of each that failed.

    python molecule/run.py [--jobs 2] [SCENARIO ...]

Without names, every folder here that has a `molecule.yml` is a scenario. Whole logs are kept in `logs/molecule/`.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from wardround.transport.accelerator import acceleration
from wardround.transport.processes import MARKER, end_processes

SCENARIOS: Final = Path(__file__).resolve().parent
ROOT: Final = SCENARIOS.parent
LOGS: Final = ROOT / "logs" / "molecule"

LIMIT_SECONDS: Final = 1200
"""A scenario that takes longer hangs: it is ended and its containers are removed."""

TAIL_LINES: Final = 60
ACCELERATION: Final = {
    **acceleration(ROOT),
    # ansible-core announces the end of foreign strategies on every run.
    "ANSIBLE_DEPRECATION_WARNINGS": "False",
    # To start an interpreter in a container takes long where several scenarios do so at once.
    "ANSIBLE_TIMEOUT": "60",
}
"""One Python process a host instead of one a task (docs/decisions/0008); `molecule test` by itself does without."""

LONGEST: Final = ("pacs_archive", "site_link", "laboratory_database", "erp_connector")
"""They begin first, so that none of them is left alone at the end."""

INTERRUPTED: Final = 130
FAILED_STEP: Final = "Executed: Failed"
"""How Molecule marks the step that failed."""


@dataclass(frozen=True)
class Outcome:
    """How one scenario ended."""

    scenario: str
    seconds: float
    failure: str
    """Empty when the scenario passed."""
    log: Path

    def line(self) -> str:
        """One line for people: name, seconds, ok or why not."""
        return f"molecule {self.scenario:<24} {self.seconds:6.0f} s  {self.failure or 'ok'}"

    def tail(self) -> str:
        """The log's lines up to the failed step; the clearing away that follows it says nothing."""
        last: deque[str] = deque(maxlen=TAIL_LINES)
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                last.append(line)
                if FAILED_STEP in line:
                    break
        return "".join(last)


def known_scenarios() -> list[str]:
    """Name every folder here that holds a scenario."""
    return sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml"))


def in_order(scenarios: Iterable[str]) -> list[str]:
    """Put the longest first and leave the others as they are."""
    return sorted(scenarios, key=lambda scenario: scenario not in LONGEST)


def molecule(arguments: Sequence[str], log: Path, environment: dict[str, str], limit: float, stop: Event) -> str:
    """Run molecule to its end, its limit or until it must stop; return why it failed, or an empty string."""
    # ansible-playbook leaves its process group, so what was started is known by a mark.
    mark = secrets.token_hex(8)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "molecule", *arguments],
            cwd=ROOT,
            env=environment | {MARKER: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + limit
        while process.poll() is None:
            if stop.wait(0.2) or time.monotonic() > deadline:
                end_processes(MARKER, mark)
                process.wait()
                return "interrupted" if stop.is_set() else f"failed: no end after {limit:.0f} s"
    return "" if process.returncode == 0 else f"failed: exit {process.returncode}"


def run(scenario: str, stop: Event) -> Outcome:
    """Test one scenario from nothing to nothing, also where it fails or is told to stop."""
    log = LOGS / f"{scenario}.log"
    log.write_bytes(b"")
    # Molecule calls ansible-playbook and ansible-config by name.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "NO_COLOR": "1"} | ACCELERATION
    started = time.monotonic()
    failure = molecule(["test", "--scenario-name", scenario], log, environment, LIMIT_SECONDS, stop)
    if failure:
        destroyed = LOGS / f"{scenario}.destroy.log"
        molecule(["destroy", "--scenario-name", scenario], destroyed, environment, limit=120, stop=Event())
    return Outcome(scenario, time.monotonic() - started, failure, log)


def main() -> int:
    """Run the scenarios asked for; 0 only if there was at least one and all passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="folders here; all when none is named")
    parser.add_argument("--jobs", type=int, default=2, help="scenarios at a time (2)")
    options = parser.parse_args()

    known = known_scenarios()
    wanted = options.scenarios or known
    if unknown := sorted(set(wanted) - set(known)):
        parser.error(f"no scenario {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
    if not wanted:
        parser.error(f"no scenario in {SCENARIOS.relative_to(ROOT)}/*/molecule.yml")

    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    failed: list[Outcome] = []
    stop = Event()
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        waiting = [pool.submit(run, scenario, stop) for scenario in in_order(wanted)]
        try:
            for future in as_completed(waiting):
                outcome = future.result()
                print(outcome.line(), flush=True)
                if outcome.failure:
                    failed.append(outcome)
        except KeyboardInterrupt:
            print("molecule: interrupted; removing what was made", flush=True)
            stop.set()
            pool.shutdown(cancel_futures=True)
            return INTERRUPTED
    for outcome in failed:
        print(f"\n── end of {outcome.log.relative_to(ROOT)} ──\n{outcome.tail()}")
    names = f" ({', '.join(sorted(outcome.scenario for outcome in failed))} failed)" if failed else ""
    seconds = time.monotonic() - started
    print(f"molecule: {len(wanted) - len(failed)} of {len(wanted)} scenarios passed in {seconds:.0f} s{names}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
