"""All benchmarks in one call; the runs need the hardened twin that `make demo` leaves.

python -m benchmarks [--json] [--hospital NAME]
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import sys
from collections.abc import Callable

from benchmarks import gateway, load, proof, resolve, run

Part = Callable[[list[str]], int]
PARTS: tuple[Part, ...] = (load.main, resolve.main, proof.main, gateway.main)


def main(arguments: list[str]) -> int:
    """Run every part; with `--json` their documents become one."""
    parser = argparse.ArgumentParser(description="All benchmarks in one call.")
    parser.add_argument("--hospital", default=run.HOSPITAL, help="whose twin is measured")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    parts: tuple[Part, ...] = (*PARTS, functools.partial(_runs, given.hospital))
    if not given.json:
        return max(part([]) for part in parts)
    merged: dict[str, object] = {}
    codes = []
    for part in parts:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            codes.append(part(["--json"]))
        merged |= json.loads(output.getvalue())
    print(json.dumps(merged, indent=2))
    return max(codes)


def _runs(hospital: str, arguments: list[str]) -> int:
    return run.main(["--hospital", hospital, *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
