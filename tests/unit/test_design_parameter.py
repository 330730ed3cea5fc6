"""Parameters: what a hospital may answer, to the last character."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.hospital_samples import architecture, architecture_data, hospital, manifest
from wardround.design.parameter import answer, refusal
from wardround.design.parts import join
from wardround.model.architecture import Parameter

pytestmark = pytest.mark.unit

ENTRY: dict[str, Any] = {
    "name": {"type": "string", "description": "its name", "required": True},
    "port": {"type": "integer", "description": "its port"},
    "words": {"type": "strings", "description": "its words"},
}
ANN: dict[str, Any] = {"name": "ann", "full_name": "Ann Example"}


def parameter(**fields: Any) -> Parameter:  # noqa: ANN401 - keys of a parameter
    return Parameter.model_validate({"type": "string", "description": "x", **fields}, strict=False)


@pytest.mark.parametrize(
    ("fields", "good", "bad"),
    [
        ({"type": "string"}, ["", "{{ x }}"], [1, None, True, ["a"]]),
        ({"type": "string", "choices": ("a", "b")}, ["a"], ["c", ""]),
        ({"type": "string", "pattern": "^[a-z]+$"}, ["abc"], ["abc\n", "", "A"]),
        ({"type": "string", "pattern": "[a-z]+"}, ["abc"], ["abc!", "!abc"]),
        ({"type": "integer", "minimum": 1, "maximum": 3}, [1, 3], [0, 4, True, "2", 2.5]),
        ({"type": "boolean"}, [True, False], [0, 1, "yes", None]),
        ({"type": "address"}, ["10.0.0.1"], ["10.0.0.256", "10.0.0.1/32", "::1", "10.0.0.1\n", 1]),
        ({"type": "hostname"}, ["pacs01", "a.b.c"], ["pacs01\n", "a..b", "-a", "A", "a" * 64, ".".join(["a"] * 200)]),
        ({"type": "strings"}, [[], ["a", ""]], ["a", [1], None]),
        ({"type": "strings", "pattern": "[a-z]+"}, [["a", "b"]], [["a", "B"]]),
        ({"type": "strings", "choices": ("a",)}, [["a", "a"]], [["b"]]),
        ({"type": "addresses"}, [[], ["10.0.0.1"]], [["10.0.0.1", "x"], "10.0.0.1"]),
        (
            {"type": "entries", "fields": ENTRY},
            [[], [{"name": "a"}], [{"name": "a", "port": 1}, {"name": "b", "words": ["x"]}]],
            [{"name": "a"}, ["a"], [{}], [{"words": ["x"]}], [{"name": 1}], [{"name": "a", "word": []}]],
        ),
    ],
)
def test_each_type_takes_these_and_refuses_those(fields: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    asked = parameter(**fields)
    assert [value for value in good if refusal(asked, value)] == []
    assert [value for value in bad if not refusal(asked, value)] == []


@pytest.mark.parametrize(
    "account",
    [
        "ann",
        {"name": "ann"},
        {**ANN, "uid": 0},
        {**ANN, "name": "Ann"},
        {**ANN, "name": "ann\n"},
        {**ANN, "name": "ann:x"},
        {**ANN, "full_name": "Ann:0:0"},
        {**ANN, "full_name": "Ann\nroot::0:0"},
        {**ANN, "full_name": ""},
        {**ANN, "groups": "sudo"},
        {**ANN, "groups": [1]},
        {**ANN, "sudo_commands": ["/bin/ls\nALL"]},
        {**ANN, "sudo_commands": ["/bin/ls\rALL"]},
        {**ANN, "sudo_commands": [""]},
        {**ANN, "ssh_keys": ["AAAA"]},
        {**ANN, "ssh_keys": ["ssh-ed25519 A\ncommand="]},
    ],
)
def test_an_account_that_is_none_is_refused(account: Any) -> None:  # noqa: ANN401 - hostile on purpose
    assert refusal(parameter(type="accounts"), [account])


def test_accounts_that_are_right_are_taken() -> None:
    keys = ["ssh-ed25519 A", "ecdsa-sha2-nistp256 B", "sk-ssh-ed25519@openssh.com C"]
    people: Any = [ANN, {**ANN, "name": "bob-2", "full_name": "Bob Müller", "ssh_keys": keys, "sudo_commands": ["ALL"]}]
    assert refusal(parameter(type="accounts"), people) == ""
    assert "two accounts" in refusal(parameter(type="accounts"), [ANN, ANN])


def faults(parameters: dict[str, Any], required: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    data = architecture_data()
    data["parameters"].update(required or {})
    given = manifest()
    given["parameters"] = parameters
    _, found = answer(hospital(given), join((architecture(data),)))
    return [(fault.code, ".".join(map(str, fault.path))) for fault in found]


def test_what_nobody_asked_is_refused() -> None:
    assert faults({"wrad": {"title": "A"}}) == [("WR-141", "parameters.wrad")]
    assert faults({"ward": {"tilte": "A"}}) == [("WR-141", "parameters.ward.tilte")]


def test_what_must_be_answered_is_missed() -> None:
    asked = {"port": {"type": "integer", "required": True, "description": "the port"}}
    assert faults({}, asked) == [("WR-135", "parameters.ward.port")]
    assert faults({"ward": {"port": 0}}, asked) == []


def test_a_default_stands_where_nothing_is_said() -> None:
    answers, found = answer(hospital(), join((architecture(),)))
    assert (answers["ward"]["title"], found) == ("WARD", ())


@pytest.mark.parametrize("fields", [{"type": "entries"}, {"type": "string", "fields": ENTRY}])
def test_entries_have_fields_and_nothing_else_has(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="entries has fields"):
        parameter(**fields)


def test_a_wrong_entry_is_named_with_its_field() -> None:
    asked = parameter(type="entries", fields=ENTRY)
    assert refusal(asked, [{"port": 1}]) == 'has an entry without "name": its name'
    assert refusal(asked, [{"name": "a", "port": "1"}]) == 'has an entry whose "port" must be a whole number'
