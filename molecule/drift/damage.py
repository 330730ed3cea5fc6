"""Plants every damage of the catalogue once, spread over the scenario's hosts so that each has a check of its own.

Prints which tasks a check must name, by host, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys

from wardround.twin.fault_catalogue import CATALOGUE, Damage

ELSEWHERE = frozenset({"zone_gateway"})
"""Roles of hosts that this scenario has none of; their own scenarios plant what can go wrong with them."""


def shell(host: str, commands: str) -> int:
    """Run commands on a host as root and return their exit code."""
    argv = ("podman", "exec", "--interactive", host, "sh", "-e", "-s")
    return subprocess.run(argv, input=commands + "\n", text=True, stdout=sys.stderr, check=False).returncode


def spread(hosts: list[str]) -> list[tuple[str, Damage]]:
    """Give each damage a host where it is possible and no other damage has the same check or resource."""
    placed: list[tuple[str, Damage]] = []
    for number, damage in enumerate(each for each in CATALOGUE if each.role not in ELSEWHERE):
        # Begin with another host each time, so that both releases get their share.
        turn = number % len(hosts)
        for host in (*hosts[turn:], *hosts[:turn]):
            alone = not any(host == other and collide(damage, seen) for other, seen in placed)
            if alone and shell(host, damage.test) == 0:
                placed.append((host, damage))
                break
        else:
            sys.exit(f"{damage.kind} of {damage.resource} is possible on no host")
    return placed


def collide(one: Damage, other: Damage) -> bool:
    """Tell whether a report could not keep two damages of one host apart."""
    return one.resource == other.resource or (one.role, one.check) == (other.role, other.check)


def main() -> None:
    """Damage the hosts named as arguments."""
    expected: dict[str, list[str]] = {host: [] for host in sys.argv[1:]}
    for host, damage in spread(sys.argv[1:]):
        if shell(host, damage.command) != 0:
            sys.exit(f"{host}: {damage.kind} of {damage.resource} failed")
        expected[host].append(f"{damage.role} : {damage.check}")
    print(json.dumps(expected))


if __name__ == "__main__":
    main()
