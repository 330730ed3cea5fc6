"""Secrets: what a hospital's vault must hold."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hospital_samples import architecture, architecture_data, design, manifest
from wardround.design.consistency import architecture_faults
from wardround.model.design import DesignSecret

pytestmark = pytest.mark.unit


def secrets(given: dict[str, dict[str, Any]]) -> tuple[DesignSecret, ...]:
    """Resolve the secrets of a hospital whose architecture has two zones, a server and a parameter."""
    data = architecture_data()
    data["secrets"] = {name: {"description": "tested", **rest} for name, rest in given.items()}
    return design(manifest(), data).secrets


def test_secrets_come_in_the_order_of_their_variables() -> None:
    assert secrets({"b_word": {}, "a_word": {}}) == (DesignSecret(variable="a_word"), DesignSecret(variable="b_word"))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ({"value": ["one", "two"]}, ("one", "two")),
        ({"value": [{"name": "lis", "login": True}]}, ("lis",)),
        ({"hosts": "server", "field": "name"}, ("srv01",)),
        ({"value": None}, ()),
    ],
)
def test_a_map_says_what_it_holds_texts_for(source: dict[str, Any], names: tuple[str, ...]) -> None:
    assert secrets({"words": {"names": source}}) == (DesignSecret(variable="words", names=names),)


def test_names_that_lead_nowhere_are_found() -> None:
    data = architecture_data()
    data["secrets"] = {"words": {"description": "tested", "names": {"hosts": "servr", "field": "name"}}}
    (fault,) = architecture_faults(architecture(data), ())
    assert (fault.code, fault.path) == ("WR-146", ("secrets", "words", "names"))


@pytest.mark.parametrize("other", ["word", "wrds"])
def test_a_secret_equals_one_that_is_declared_and_not_itself(other: str) -> None:
    data = architecture_data()
    data["secrets"] = {"words": {"description": "tested"}, "word": {"description": "tested", "same_as": other}}
    (fault,) = architecture_faults(architecture(data), ())
    assert (fault.code, fault.path) == ("WR-146", ("secrets", "word", "same_as"))
