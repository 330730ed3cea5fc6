#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Settle the leases before the server starts, while nothing else writes them.

Usage: wardround-dhcp-leases CONFIGURATION. Lines that newer ones replace go. So do leases of addresses that are
reserved for another device by now: until such a lease ended, the server would give the device nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def settled(lines: list[str], owners: dict[str, str]) -> list[str]:
    """Leave out the leases of addresses that have another owner; a lease that was declined has none."""

    def stands(line: str) -> bool:
        address, mac, *_ = line.split(",")
        return not mac or owners.get(address, mac) == mac

    return [line for line in lines if stands(line)]


def compact(leases: Path) -> None:
    """Have Kea join what it finds beside its leases into one file, in the form of its own release."""
    ends = {"-x": ".2", "-i": ".1", "-o": ".output", "-f": ".completed", "-p": ".pid"}
    files = [word for option, end in ends.items() for word in (option, f"{leases}{end}")]
    subprocess.run(["/usr/sbin/kea-lfc", "-4", *files, "-c", "unused"], check=True)


def main() -> None:
    """Settle the leases of the configuration that the server is about to read."""
    dhcp = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["Dhcp4"]
    leases = Path(dhcp["lease-database"]["name"])
    copy, joined, written = (leases.with_name(leases.name + end) for end in (".1", ".2", ".settled"))
    # What an earlier run was cut off from comes first.
    compact(leases)
    if leases.exists():
        leases.rename(copy)
        compact(leases)
    if not joined.exists():
        return
    owners = {each["ip-address"]: each["hw-address"] for subnet in dhcp["subnet4"] for each in subnet["reservations"]}
    lines = joined.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = settled(lines, owners)
    if kept == lines:
        return
    print(f"Leases that end, as their addresses are reserved for other devices by now: {len(lines) - len(kept)}")
    with written.open("w", encoding="utf-8") as file:
        file.writelines(kept)
        file.flush()
        os.fsync(file.fileno())
    written.replace(joined)


if __name__ == "__main__":
    main()
