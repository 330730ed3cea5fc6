"""Which faults are chosen, and that each one's check exists in the role that owns the resource."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from wardround.twin.fault_catalogue import CATALOGUE, KINDS, Damage
from wardround.twin.faults import NoFaultPossibleError, choose

pytestmark = pytest.mark.unit

ROLES = Path(__file__).parents[2] / "roles"
HOSTS = ("infra01", "infra02", "lab01", "pacs01")
EVERYTHING = dict.fromkeys(HOSTS, CATALOGUE)


@given(st.integers(), st.integers(min_value=1, max_value=30))
def test_every_fault_has_a_check_of_its_own(seed: int, count: int) -> None:
    chosen = choose(EVERYTHING, seed, count)
    assert len(chosen) == count
    assert len({(host, damage.role, damage.check) for host, damage in chosen}) == count
    assert len({(host, damage.resource) for host, damage in chosen}) == count


@given(st.integers())
def test_a_seed_decides(seed: int) -> None:
    assert choose(EVERYTHING, seed, None) == choose(EVERYTHING, seed, None)


def test_seeds_differ() -> None:
    assert len({choose(EVERYTHING, seed, 5) for seed in range(20)}) > 15


@given(st.integers())
def test_without_a_number_there_is_one_of_each_kind(seed: int) -> None:
    assert sorted(damage.kind for _, damage in choose(EVERYTHING, seed, None)) == list(KINDS)


def test_hosts_that_are_not_hardened_cannot_be_damaged() -> None:
    with pytest.raises(NoFaultPossibleError, match="apply the design"):
        choose(dict.fromkeys(HOSTS, ()), 1, None)


def test_more_than_possible_is_refused() -> None:
    with pytest.raises(NoFaultPossibleError, match="99 faults were asked for"):
        choose({"pacs01": CATALOGUE}, 1, 99)


def test_there_are_kinds_enough() -> None:
    assert len(KINDS) >= 15


@pytest.mark.parametrize("damage", CATALOGUE, ids=lambda damage: f"{damage.kind}-{damage.resource}")
def test_the_check_that_must_name_it_exists(damage: Damage) -> None:
    imports = yaml.safe_load((ROLES / damage.role / "tasks/main.yml").read_text())
    files = [
        entry["ansible.builtin.import_tasks"]
        for entry in imports
        if damage.component in ([entry["tags"]] if isinstance(entry["tags"], str) else entry["tags"])
    ]
    names = [
        task["name"]
        for file in files
        for entry in yaml.safe_load((ROLES / damage.role / "tasks" / file).read_text())
        for task in (entry, *entry.get("block", ()))
    ]
    assert damage.check in names
