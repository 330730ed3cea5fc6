"""A process of its own that uses a ledger, for tests of what several processes do to it.

`append URL COUNT` adds events; `hold URL HOSPITAL RUN` takes a lease, says `held`, and waits for its input to end;
`fill URL` records ever more until it is refused, and prints the refusal; `open URL` opens it and prints a refusal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from wardround.errors import WardroundError
from wardround.ledger import Ledger


def append(url: str, count: str) -> None:
    with Ledger.open(url) as ledger:
        for number in range(int(count)):
            ledger.append_event("noted", {"number": number})


def hold(url: str, hospital: str, run: str) -> None:
    with Ledger.open(url) as ledger, ledger.lease(hospital, "night round", run) as lease:
        print("held", flush=True)
        sys.stdin.read()
        lease.confirm()


def fill(url: str) -> None:
    with Ledger.open(url) as ledger:
        for _ in range(1000):
            ledger.append_event("noted", {"ballast": "x" * 50_000})


def open_once(url: str) -> None:
    with Ledger.open(url) as ledger:
        print(ledger.verify().sequence)


VERBS: dict[str, Callable[..., None]] = {"append": append, "hold": hold, "fill": fill, "open": open_once}

if __name__ == "__main__":
    try:
        VERBS[sys.argv[1]](*sys.argv[2:])
    except WardroundError as refusal:
        print(refusal)
        sys.exit(refusal.exit_code)
