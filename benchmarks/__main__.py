"""All benchmarks in one call: `python -m benchmarks [--json]`; the runs need the hardened twin of `make demo`."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable

from benchmarks import gateway, load, proof, resolve, run

PARTS: tuple[Callable[[list[str]], int], ...] = (load.main, resolve.main, proof.main, gateway.main, run.main)


def main(arguments: list[str]) -> int:
    """Run every part; with `--json` their documents become one."""
    if "--json" not in arguments:
        return max(part([]) for part in PARTS)
    merged: dict[str, object] = {}
    codes = []
    for part in PARTS:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            codes.append(part(["--json"]))
        merged |= json.loads(output.getvalue())
    print(json.dumps(merged, indent=2))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
