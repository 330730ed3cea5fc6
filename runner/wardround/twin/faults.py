"""Faults planted on a running twin, the same for the same seed, and the record by which a report can be compared."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wardround.errors import TwinError
from wardround.model.base import HostName, Model, Name
from wardround.twin.containers import find
from wardround.twin.credentials import write_private
from wardround.twin.fault_catalogue import CATALOGUE, KINDS, Damage
from wardround.twin.hand import by_hand
from wardround.twin.plan import TwinHospital

RECORD = "faults.json"
"""Name of the record in the twin's state folder: what the last call planted."""

_AT_ONCE = 4


class Fault(Model):
    """A planted fault: exactly one check of one role, `check` under the tag `task`, must name it."""

    kind: str
    host: HostName
    resource: str
    role: Name
    task: str
    check: str
    what: str
    command: str


class NoFaultPossibleError(TwinError):
    """Fewer faults than were asked for can be planted, because hosts are not hardened yet or are damaged already.

    Apply the design first, ask for fewer, or take a hospital with more hosts: a check can only name one fault a host.
    """

    code = "WR-704"


def plant(hospital: TwinHospital, state_dir: Path, seed: int, count: int | None = None) -> tuple[Fault, ...]:
    """Damage running hosts, and write down what was done.

    Args:
        hospital: whose twin is damaged.
        state_dir: the twin's folder, which receives the record.
        seed: the same seed plants the same faults on hosts in the same state.
        count: how many; without it one of each kind that is possible.

    Raises:
        NoFaultPossibleError: so many faults, each with a check of its own, are not possible.
    """
    chosen = choose(_possible(hospital), seed, count)
    done: list[Fault] = []
    try:
        for host, damage in chosen:
            by_hand(hospital.name, host, damage.command)
            done.append(_fault(host, damage))
    finally:
        text = json.dumps([fault.model_dump(mode="json") for fault in done], indent=1)
        write_private(state_dir / RECORD, text + "\n")
    return tuple(done)


def planted(state_dir: Path) -> tuple[Fault, ...]:
    """Read what the last call planted; nothing when there was none."""
    record = state_dir / RECORD
    if not record.exists():
        return ()
    entries = json.loads(record.read_text(encoding="utf-8"))
    return tuple(Fault.model_validate(entry) for entry in entries)


def choose(possible: Mapping[str, tuple[Damage, ...]], seed: int, count: int | None) -> tuple[tuple[str, Damage], ...]:
    """Choose damages so that no two are named by the same check on the same host.

    Every kind is used once before one is used again.
    """
    dice = random.Random(seed)  # noqa: S311  repeatable on purpose; nothing secret depends on it
    chosen: list[tuple[str, Damage]] = []
    taken: set[tuple[str, ...]] = set()
    while count is None or len(chosen) < count:
        kinds = list(KINDS)
        dice.shuffle(kinds)
        before = len(chosen)
        for kind in kinds[: None if count is None else count - before]:
            free = [
                (host, damage)
                for host in sorted(possible)
                for damage in possible[host]
                if damage.kind == kind and not taken & _marks(host, damage)
            ]
            if free:
                host, damage = dice.choice(free)
                chosen.append((host, damage))
                taken |= _marks(host, damage)
        if count is None or len(chosen) == before:
            break
    if not chosen or (count is not None and len(chosen) < count):
        raise NoFaultPossibleError(
            f"{count or 'some'} faults were asked for and {len(chosen)} are possible",
            remedy="apply the design to the twin first, or ask for fewer",
        )
    return tuple(chosen)


def _marks(host: str, damage: Damage) -> set[tuple[str, ...]]:
    return {(host, damage.role, damage.check), (host, damage.resource)}


def _fault(host: str, damage: Damage) -> Fault:
    return Fault(
        kind=damage.kind,
        host=host,
        resource=damage.resource,
        role=damage.role,
        task=damage.component,
        check=damage.check,
        what=damage.what,
        command=damage.command.strip(),
    )


def _possible(hospital: TwinHospital) -> dict[str, tuple[Damage, ...]]:
    running = find(hospital.name)
    hosts = [host.name for host in hospital.hosts if host.name in running and running[host.name].state == "running"]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = pool.map(lambda host: _possible_on(hospital.name, host), hosts)
        return dict(zip(hosts, answers, strict=True))


def _possible_on(hospital: str, host: str) -> tuple[Damage, ...]:
    lines = [f"if ( {damage.test} ) 2> /dev/null; then echo {number}; fi" for number, damage in enumerate(CATALOGUE)]
    said = by_hand(hospital, host, "\n".join(lines))
    return tuple(CATALOGUE[int(number)] for number in said.split())
