"""Secrets: which variables the vault must hold, and for what each of its maps holds one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardround.design.variable import hospital_value
from wardround.model.design import DesignSecret

if TYPE_CHECKING:
    from wardround.design.parts import Parts
    from wardround.design.variable import Surroundings
    from wardround.model.base import JsonValue
    from wardround.model.source import HospitalSource


def resolve_secrets(parts: Parts, around: Surroundings) -> tuple[DesignSecret, ...]:
    """Give every secret of the hospital's architectures, in the order of their variables."""
    found = {
        variable: DesignSecret(
            variable=variable,
            names=None if secret.names is None else _names(secret.names, each.name, around),
            same_as=secret.same_as,
        )
        for each in parts.architectures
        for variable, secret in each.secrets.items()
    }
    return tuple(found[variable] for variable in sorted(found))


def _names(source: HospitalSource, architecture: str, around: Surroundings) -> tuple[str, ...]:
    value = hospital_value(source, architecture, around)
    return tuple(_name(each) for each in value) if isinstance(value, list) else ()


def _name(entry: JsonValue) -> str:
    return str(entry["name"] if isinstance(entry, dict) else entry)
