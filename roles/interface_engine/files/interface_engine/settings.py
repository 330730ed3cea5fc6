# SPDX-License-Identifier: Apache-2.0
"""The declared channels: who may send what, and where it goes. A JSON file that is valid as a whole or refused."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

T = TypeVar("T")
_HIGHEST_PORT = 65535


class SettingsError(Exception):
    """The settings contradict themselves or what the engine demands."""


@dataclasses.dataclass(frozen=True)
class Receiver:
    """A port on 127.0.0.1 that messages come to."""

    name: str
    port: int
    max_connections: int


@dataclasses.dataclass(frozen=True)
class Destination:
    """A port on 127.0.0.1 that messages go to."""

    name: str
    port: int


@dataclasses.dataclass(frozen=True)
class Route:
    """Which messages of an application go where; no destination means that they are only archived."""

    application: str
    types: list[str]
    receivers: list[str]
    destinations: list[str]

    def takes(self, receiver: str, application: str, kind: str) -> bool:
        """Say whether a message is meant. A type is complete (ORU^R01), or ends with ^* for every event."""
        return (
            application == self.application
            and (not self.receivers or receiver in self.receivers)
            and any(kind == one or (one.endswith("^*") and kind.startswith(one[:-1])) for one in self.types)
        )


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that the engine is told."""

    store: str
    archive_days: int
    queue_age_seconds: int
    max_message_bytes: int
    minimum_free_bytes: int
    frame_seconds: int
    answer_seconds: int
    longest_retry_seconds: int
    receivers: list[Receiver]
    destinations: list[Destination]
    routes: list[Route]

    def destinations_of(self, receiver: str, application: str, kind: str) -> list[str] | None:
        """Return where a message goes, in declared order; None when nobody declared it."""
        routes = [route for route in self.routes if route.takes(receiver, application, kind)]
        wanted = {name for route in routes for name in route.destinations}
        return [each.name for each in self.destinations if each.name in wanted] if routes else None


def load(path: Path) -> Settings:
    """Read settings.

    Raises:
        SettingsError: they cannot be used.

    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        for name, kind in (("receivers", Receiver), ("destinations", Destination), ("routes", Route)):
            data[name] = [_build(kind, each) for each in data[name]]
        settings = _build(Settings, data)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SettingsError(f"{path} is not what it should be: {error!r}") from error
    problems = list(_problems(settings))
    if problems:
        raise SettingsError(f"{path}: {'; '.join(problems)}")
    return settings


def _build(kind: type[T], data: dict[str, Any]) -> T:
    """Make one declared thing, with exactly its fields and simple types as they are."""
    built = kind(**data)
    for field in dataclasses.fields(built):  # type: ignore[arg-type]  # every kind here is a dataclass
        value = data[field.name]
        simple: dict[str, type] = {"str": str, "int": int, "bool": bool}
        expected = simple.get(str(field.type), list)
        if type(value) is not expected:
            message = f"{field.name} is not of type {expected.__name__}"
            raise TypeError(message)
    return built


def _problems(settings: Settings) -> Iterable[str]:
    """Give what is wrong with settings whose types are right."""
    for kind, named in (("receiver", settings.receivers), ("destination", settings.destinations)):
        names = [each.name for each in named]
        yield from (f"{kind} {name} is declared twice" for name in sorted({n for n in names if names.count(n) > 1}))
        for each in named:
            if not 0 < each.port <= _HIGHEST_PORT:
                yield f"{kind} {each.name} has no port"
    known = {each.name for each in settings.receivers}, {each.name for each in settings.destinations}
    for route in settings.routes:
        for used, names_known in ((route.receivers, known[0]), (route.destinations, known[1])):
            yield from (f"a route of {route.application} names {name}" for name in sorted(set(used) - names_known))
    for field in dataclasses.fields(settings):
        if field.type == "int" and getattr(settings, field.name) < 1:
            yield f"{field.name} is less than 1"
