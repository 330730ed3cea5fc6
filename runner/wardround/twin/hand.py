"""What somebody does by hand on a machine of a twin, past everything wardround does."""

from __future__ import annotations

from wardround.twin.command import run
from wardround.twin.plan import container_name


def by_hand(hospital: str, machine: str, commands: str) -> str:
    """Run shell commands as root on a running machine, and give what they say; none of them may fail."""
    container = container_name(hospital, machine)
    return run(("podman", "exec", "--interactive", container, "sh", "-e", "-s"), stdin=commands + "\n")


def put_by_hand(hospital: str, machine: str, path: str, text: str) -> None:
    """Write a file on a running machine."""
    container = container_name(hospital, machine)
    run(("podman", "exec", "--interactive", container, "sh", "-euc", 'cat > "$0"', path), stdin=text)
