"""RADIUS: whether devices are let in by their MAC addresses, each into the VLAN of its zone (RFC 3580)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

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
    """What a host asks a server, as a network device; `credential` is a file on that host, and never leaves it."""

    address: str
    port: int
    name: str
    macs: tuple[str, ...]
    seconds: float = 3.0
    credential: str = "/etc/freeradius/wardround/own.secret"


@dataclass(frozen=True, slots=True)
class Said:
    """What a server said about one device; without a VLAN the text is empty."""

    said: str
    vlan: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Why no server said anything that counts."""

    error: str


_DEVICES = TypeAdapter(tuple[Device, ...])
_ANSWER = TypeAdapter[tuple[Said, ...] | Silence](tuple[Said, ...] | Silence)


def one_of_each_vlan(devices: JsonValue) -> tuple[Device, ...]:
    """Choose whom to ask about: the first device of each VLAN, which proves as much as asking about all of them."""
    first: dict[int | None, Device] = {}
    for device in _DEVICES.validate_python(devices):
        first.setdefault(device.vlan, device)
    return tuple(first.values())


def judged(devices: tuple[Device, ...], answer: str) -> Reply:
    """Say whether each device is let in, and into its own VLAN; `answer` is what the host's program wrote."""
    strange = Reply(good=False, words=f"the host's answer is not understood: {answer[:100]!r}")
    try:
        found = _ANSWER.validate_json(answer)
    except ValidationError:
        return strange
    if isinstance(found, Silence):
        return Reply(good=False, words=f"no answer that counts: {found.error}")
    if len(found) != len(devices):
        return strange
    wrong = [
        f"{device.name} got {each.said}" + (f" in VLAN {each.vlan or 'none'}" if each.said == "accept" else "")
        for device, each in zip(devices, found, strict=True)
        if each != Said("accept", str(device.vlan))
    ]
    if wrong:
        return Reply(good=False, words=", ".join(wrong))
    places = ", ".join(f"{device.name} into VLAN {device.vlan}" for device in devices)
    return Reply(good=True, words=f"let in: {places}")
