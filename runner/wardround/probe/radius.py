"""RADIUS: whether devices are let in by their MAC addresses, each into the VLAN of its zone (RFC 3580)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from wardround.probe.answer import Reply

if TYPE_CHECKING:
    from wardround.model.base import JsonValue


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the design knows it."""

    name: str
    mac: str
    vlan: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """What a host asks a server, as a network device; `secret` is a file on that host, and never leaves it."""

    address: str
    port: int
    name: str
    macs: tuple[str, ...]
    seconds: float = 3.0
    secret: str = "/etc/freeradius/wardround/own.secret"  # noqa: S105 - a file's name


_DEVICES = TypeAdapter(tuple[Device, ...])


def one_of_each_vlan(devices: JsonValue) -> tuple[Device, ...]:
    """Choose whom to ask about: the first device of each VLAN, which proves as much as asking about all of them."""
    first: dict[int | None, Device] = {}
    for device in _DEVICES.validate_python(devices):
        first.setdefault(device.vlan, device)
    return tuple(first.values())


def judged(devices: tuple[Device, ...], answer: str) -> Reply:
    """Say whether each device is let in, and into its own VLAN; `answer` is what the host's program wrote."""
    said = json.loads(answer)
    if isinstance(said, dict):
        return Reply(good=False, words=f"no answer that counts: {said['error']}")
    wrong = [
        f"{device.name} got {each['said']}" + (f" in VLAN {each['vlan'] or 'none'}" if each["said"] == "accept" else "")
        for device, each in zip(devices, said, strict=True)
        if (each["said"], each["vlan"]) != ("accept", str(device.vlan))
    ]
    if wrong:
        return Reply(good=False, words=", ".join(wrong))
    places = ", ".join(f"{device.name} into VLAN {device.vlan}" for device in devices)
    return Reply(good=True, words=f"let in: {places}")
