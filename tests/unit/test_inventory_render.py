"""The inventory as data: managed hosts alone, in groups that a limit can name, every text marked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hospital_samples import design
from wardround.render.inventory import MANAGED_GROUP, UNSAFE, Connection, inventory, unsafe

pytestmark = pytest.mark.unit

CONNECTION = Connection("wardround", "/state/known_hosts", "/state/key")

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def given_inventory(secrets: str | None = None) -> dict[str, Any]:
    """Give the inventory as Ansible would read it."""
    found: dict[str, Any] = json.loads(json.dumps(inventory(design(), CONNECTION, secrets)))[MANAGED_GROUP]
    return found


def test_only_managed_hosts_are_there() -> None:
    assert list(given_inventory()["hosts"]) == ["srv01"]


def test_a_host_has_its_address_its_roles_and_its_variables() -> None:
    host = given_inventory()["hosts"]["srv01"]
    assert (host["ansible_host"], host["wardround_roles"]) == ("10.0.1.11", ["first", "second", "third"])
    assert host["first_title"] == "WARD"


def test_groups_name_zone_component_and_criticality() -> None:
    assert given_inventory()["children"] == {
        group: {"hosts": {"srv01": {}}} for group in ("component_server", "criticality_medium", "zone_servers")
    }


def test_keys_are_only_known_from_one_file_and_never_asked_about() -> None:
    arguments = given_inventory()["vars"]["ansible_ssh_common_args"]
    assert "-o UserKnownHostsFile=/state/known_hosts " in arguments
    assert "-o GlobalKnownHostsFile=/dev/null " in arguments
    assert arguments.endswith("-o StrictHostKeyChecking=yes")


@pytest.mark.parametrize("secrets", [None, "/inventories/x/secrets.yml"])
def test_a_vault_is_named_where_there_is_one(secrets: str | None) -> None:
    assert given_inventory(secrets)["vars"].get("wardround_secrets_file") == secrets


def unmarked(value: Any) -> list[str]:  # noqa: ANN401 - any data
    """Give the texts of a value that carry no mark."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [] if set(value) == {UNSAFE} else [text for each in value.values() for text in unmarked(each)]
    return [text for each in value for text in unmarked(each)] if isinstance(value, list) else []


def plain(value: Any) -> Any:  # noqa: ANN401 - any data
    if isinstance(value, dict):
        return value[UNSAFE] if set(value) == {UNSAFE} else {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@given(values)
@settings(max_examples=200, deadline=None)
def test_every_text_is_marked_and_nothing_else_changes(value: Any) -> None:  # noqa: ANN401 - any data
    assert unmarked(unsafe(value)) == []
    assert plain(unsafe(value)) == value


def test_a_text_of_the_whole_inventory_that_is_not_marked_does_not_exist() -> None:
    whole = {group: unsafe(content) for group, content in inventory(design(), CONNECTION, "/x").items()}
    assert [text for each in whole.values() for text in unmarked(each)] == []
