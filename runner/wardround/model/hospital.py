"""A hospital manifest: what one hospital pins, answers and owns, as it stands in its `hospital.yml`."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from wardround.model.base import (
    AeTitle,
    ComponentName,
    Criticality,
    HostName,
    JsonValue,
    MacAddress,
    Model,
    Name,
    Semver,
    Text,
)


class Restart(StrEnum):
    """When a service on the asset may be restarted."""

    ANYTIME = "anytime"
    IN_WINDOW = "in_window"
    NEVER = "never"


class Release(StrEnum):
    """The operating system release of a managed host."""

    DEBIAN_12 = "debian-12"
    DEBIAN_13 = "debian-13"


class Zone(Model):
    """A zone of the architecture, given its place in the hospital's network."""

    subnet: IPv4Network
    gateway: IPv4Address | None = None
    """The zone's way out; the first address of the subnet where nothing else is said."""
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None


class Host(Model):
    """One asset: a server, a network device, or a medical device.

    Owner, window, restart policy and (for `high` and `life`) the manual fallback are demanded by resolution, because an
    asset without them must never be changed (IEC 80001-1).
    """

    component: ComponentName
    address: IPv4Address
    zone: Name | None = None
    mac: MacAddress | None = None
    supplicant: bool = False
    """Whether it shows the network a certificate of the hospital (802.1X), so that its MAC address lets nobody in."""
    release: Release | None = None
    model: Text | None = None
    owner: Name | None = None
    window: Name | None = None
    restart: Restart | None = None
    fallback: Text | None = None
    criticality: Criticality | None = None
    support_end: date | None = None
    """Until when the manufacturer mends the device's software."""
    approval: Text | None = None
    """Where the hospital's approval to connect the asset is recorded."""
    aet: AeTitle | None = None


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Window(Model):
    """When changes may interrupt a service, in the hospital's time zone; `to` before `from` ends on the next day."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    start: Annotated[ClockTime, Field(alias="from")]
    end: Annotated[ClockTime, Field(alias="to")]


class Contact(Model):
    """Somebody who answers for assets."""

    name: Text
    phone: Text | None = None
    email: Text | None = None


class ControlNode(Model):
    """Where the provider's control node stands: the only source of SSH."""

    zone: Name
    address: IPv4Address


class Hospital(Model):
    """One hospital."""

    hospital: HostName
    name: Text
    timezone: Text
    domain: Annotated[
        str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", max_length=200)
    ]
    architecture: Annotated[dict[Name, Semver], Field(min_length=1)]
    control: ControlNode
    parameters: dict[Name, dict[Name, JsonValue]] = {}
    zones: Annotated[dict[Name, Zone], Field(min_length=1)]
    hosts: dict[HostName, Host] = {}
    windows: dict[Name, Window] = {}
    contacts: dict[Name, Contact] = {}
