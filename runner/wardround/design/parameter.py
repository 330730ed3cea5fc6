"""Parameters: what a hospital answered, checked against what its architectures asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address
from typing import TYPE_CHECKING

from wardround.design.fault import Fault, did_you_mean
from wardround.model.architecture import Parameter, ParameterType
from wardround.model.base import JsonValue

if TYPE_CHECKING:
    from wardround.design.parts import Parts
    from wardround.model.hospital import Hospital

Answers = dict[str, dict[str, JsonValue]]
"""architecture → parameter → value, with defaults filled in."""

_HOSTNAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_HOSTNAME_LIMIT = 253
_ACCOUNT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
# A colon or a line end in it would start another field or account in /etc/passwd.
_FULL_NAME = re.compile(r"[^:\x00-\x1f\x7f]{1,100}")
_LINE_ENDS = re.compile(r"[\r\n]")
_ACCOUNT_LISTS = {"ssh_keys", "principals", "groups", "sudo_commands", "sudo_commands_without_password"}
_ACCOUNT_KEYS = {"name", "full_name", *_ACCOUNT_LISTS}
_SERVER_KEYS: dict[str, type] = {"address": str, "port": int, "tls_name": str, "nts": bool}
_SERVER_SHAPE = "{address, port, tls_name, nts}, of which only the address is needed"
_ACCOUNT_SHAPE = "{name, full_name, ssh_keys, principals, groups, sudo_commands}"
_KEY_TYPES = ("ssh-", "ecdsa-", "sk-")


def answer(hospital: Hospital, parts: Parts) -> tuple[Answers, tuple[Fault, ...]]:
    """Fill defaults in, and name every parameter that is unknown, missing or outside what its architecture allows."""
    faults = list(_unknown(hospital, parts))
    answers: Answers = {}
    for architecture in parts.architectures:
        given = hospital.parameters.get(architecture.name, {})
        answers[architecture.name] = {}
        for name, parameter in sorted(architecture.parameters.items()):
            path = ("parameters", architecture.name, name)
            if name not in given:
                if parameter.required:
                    faults.append(
                        Fault(
                            "WR-135",
                            f'mandatory parameter "{architecture.name}.{name}" is missing: {parameter.description}',
                            path,
                            f"add {name}: under parameters.{architecture.name}",
                        )
                    )
                answers[architecture.name][name] = parameter.default
                continue
            reason = refusal(parameter, given[name])
            if reason:
                faults.append(
                    Fault(
                        "WR-142",
                        f'parameter "{architecture.name}.{name}" {reason}',
                        path,
                        f"{parameter.description}; see `wardround architecture show {architecture.name}`",
                    )
                )
            answers[architecture.name][name] = _in_order(given[name])
    return answers, tuple(faults)


def _in_order(value: JsonValue) -> JsonValue:
    """Sort the keys of maps, which mean the same in any order, so that a design has the same bytes."""
    match value:
        case dict():
            return {key: _in_order(value[key]) for key in sorted(value)}
        case list():
            return [_in_order(each) for each in value]
        case _:
            return value


def _unknown(hospital: Hospital, parts: Parts) -> list[Fault]:
    names = {each.name for each in parts.architectures}
    faults = []
    for architecture, given in hospital.parameters.items():
        if architecture not in names:
            hint = did_you_mean(architecture, names)
            faults.append(
                Fault(
                    "WR-141",
                    f'parameters for "{architecture}", which this hospital does not pin{hint}',
                    ("parameters", architecture),
                    "pin the architecture, or take its parameters out",
                )
            )
            continue
        known = parts.parameters(architecture)
        faults.extend(
            Fault(
                "WR-141",
                f'architecture {architecture} has no parameter "{name}"{did_you_mean(name, known)}',
                ("parameters", architecture, name),
                f"`wardround architecture show {architecture}` lists its parameters",
            )
            for name in given
            if name not in known
        )
    return faults


def refusal(parameter: Parameter, value: JsonValue) -> str:
    """Say why the value is not allowed for the parameter; an empty text means that it is."""
    return _REFUSALS[parameter.type](parameter, value)


def _string_refusal(parameter: Parameter, value: JsonValue) -> str:
    if not isinstance(value, str):
        return "must be a text"
    if parameter.choices is not None and value not in parameter.choices:
        return f"must be one of {', '.join(parameter.choices)}"
    # The whole text: `$` alone would let a line end through.
    if parameter.pattern is not None and not re.fullmatch(parameter.pattern, value):
        return f"must match {parameter.pattern}"
    return ""


def _integer_refusal(parameter: Parameter, value: JsonValue) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "must be a whole number"
    if parameter.minimum is not None and value < parameter.minimum:
        return f"must be at least {parameter.minimum}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"must be at most {parameter.maximum}"
    return ""


def _boolean_refusal(_parameter: Parameter, value: JsonValue) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _address_refusal(_parameter: Parameter, value: JsonValue) -> str:
    return "" if _is_address(value) else "must be an IPv4 address"


def _hostname_refusal(_parameter: Parameter, value: JsonValue) -> str:
    good = isinstance(value, str) and len(value) <= _HOSTNAME_LIMIT and _HOSTNAME.fullmatch(value)
    return "" if good else "must be a host name (RFC 1123)"


def _strings_refusal(parameter: Parameter, value: JsonValue) -> str:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return "must be a list of texts"
    reason = next((reason for each in value if (reason := _string_refusal(parameter, each))), "")
    return f"has a text that {reason}" if reason else ""


def _addresses_refusal(_parameter: Parameter, value: JsonValue) -> str:
    good = isinstance(value, list) and all(_is_address(each) for each in value)
    return "" if good else "must be a list of IPv4 addresses"


def _accounts_refusal(_parameter: Parameter, value: JsonValue) -> str:
    if not isinstance(value, list):
        return f"must be a list of accounts, each with {_ACCOUNT_SHAPE}"
    reason = next((reason for account in value if (reason := _account_refusal(account))), "")
    if reason:
        return reason
    names = [account["name"] for account in value if isinstance(account, dict)]
    twice = next((name for name in names if names.count(name) > 1), None)
    return f'has two accounts "{twice}"' if twice else ""


def _account_refusal(account: JsonValue) -> str:
    if not isinstance(account, dict) or not {"name", "full_name"} <= set(account) <= _ACCOUNT_KEYS:
        return f"has an account that is not {_ACCOUNT_SHAPE}"
    name, full_name = account["name"], account["full_name"]
    if not isinstance(name, str) or not _ACCOUNT_NAME.fullmatch(name):
        return "has an account whose name is not a Unix user name"
    if not isinstance(full_name, str) or not _FULL_NAME.fullmatch(full_name):
        return f'has an account "{name}" whose full_name is not a line without colons'
    for key in sorted(_ACCOUNT_LISTS & set(account)):
        each = account[key]
        if not isinstance(each, list) or not all(
            isinstance(text, str) and text and not _LINE_ENDS.search(text) for text in each
        ):
            return f'has an account "{name}" whose {key} is not a list of one-line texts'
    keys = account.get("ssh_keys", [])
    if isinstance(keys, list) and not all(isinstance(key, str) and key.startswith(_KEY_TYPES) for key in keys):
        return f'has an account "{name}" whose ssh_keys are not SSH public keys'
    return ""


def _servers_refusal(_parameter: Parameter, value: JsonValue) -> str:
    if not isinstance(value, list):
        return f"must be a list of servers, each {_SERVER_SHAPE}"
    for server in value:
        if not isinstance(server, dict) or not {"address"} <= set(server) <= set(_SERVER_KEYS):
            return f"has a server that is not {_SERVER_SHAPE}"
        wrong = next((key for key, each in server.items() if type(each) is not _SERVER_KEYS[key]), None)
        if wrong is not None:
            return f"has a server whose {wrong} is no {_SERVER_KEYS[wrong].__name__}"
    return ""


def _entries_refusal(parameter: Parameter, value: JsonValue) -> str:
    entries = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(entries) != len(value):
        return f"must be a list of entries with {', '.join(parameter.fields)}"
    return next((reason for each in entries if (reason := _entry_refusal(parameter, each))), "")


def _entry_refusal(parameter: Parameter, entry: dict[str, JsonValue]) -> str:
    for name in entry:
        if name not in parameter.fields:
            return f'has an entry with "{name}", which is none of {", ".join(parameter.fields)}'
    for name, field in parameter.fields.items():
        if name not in entry and field.required:
            return f'has an entry without "{name}": {field.description}'
        reason = refusal(field, entry[name]) if name in entry else ""
        if reason:
            return f'has an entry whose "{name}" {reason}'
    return ""


def _is_address(value: JsonValue) -> bool:
    if not isinstance(value, str):
        return False
    try:
        IPv4Address(value)
    except AddressValueError:
        return False
    return True


_REFUSALS: dict[ParameterType, Callable[[Parameter, JsonValue], str]] = {
    ParameterType.STRING: _string_refusal,
    ParameterType.INTEGER: _integer_refusal,
    ParameterType.BOOLEAN: _boolean_refusal,
    ParameterType.ADDRESS: _address_refusal,
    ParameterType.HOSTNAME: _hostname_refusal,
    ParameterType.STRINGS: _strings_refusal,
    ParameterType.ADDRESSES: _addresses_refusal,
    ParameterType.ACCOUNTS: _accounts_refusal,
    ParameterType.SERVERS: _servers_refusal,
    ParameterType.ENTRIES: _entries_refusal,
}
