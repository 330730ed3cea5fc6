"""Where a role variable takes its value from: a constant, an answer, or the hospital's hosts, flows and zones."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from wardround.model.base import ComponentName, JsonValue, Model, Text, VariableName


class HostField(StrEnum):
    """A property of a host that a variable can take its value from."""

    NAME = "name"
    FQDN = "fqdn"
    NAMES = "names"
    MAC = "mac"
    AET = "aet"
    MODEL = "model"
    ADDRESS = "address"
    ADDRESSES = "addresses"
    ZONE = "zone"
    COMPONENT = "component"
    CRITICALITY = "criticality"
    OWNER = "owner"
    WINDOW = "window"
    RESTART = "restart"


class FromValue(Model):
    """A constant."""

    value: JsonValue


class FromParameter(Model):
    """A parameter of this architecture, or `architecture.parameter` of another one of the hospital."""

    parameter: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*\.)?[a-z][a-z0-9_]*$")]


class FromHosts(Model):
    """One field of every host of a component, or of every `managed` one, in the order of their names."""

    hosts: ComponentName
    field: HostField


class FromHost(Model):
    """One field of the first host of a component; null where the hospital has none."""

    host: ComponentName
    field: HostField


class FromFormat(Model):
    """A text with `{name}`, `{fqdn}` or `{address}` of the first host of a component; empty where there is none."""

    host: ComponentName
    format: Text


class FromOwn(Model):
    """A field of the host itself."""

    own: HostField


class FromFlows(Model):
    """The flows that end (`inbound`) or start (`outbound`) at the host itself, or all of the hospital (`forwarded`)."""

    flows: Literal["inbound", "outbound", "forwarded"]


class FromSubnets(Model):
    """The subnets of the hospital's zones: all `internal` ones, those of some kinds, or of some named zones."""

    subnets: Annotated[tuple[str, ...], Field(min_length=1)]


class FromZones(Model):
    """Name, kind, subnet and gateway of the hospital's zones, chosen by the words that `subnets` takes."""

    zones: Annotated[tuple[str, ...], Field(min_length=1)]


class FromRecords(Model):
    """Name and address of every host, or every `managed` or `network` one; `certificates`: who may have which.

    Managed hosts and supplicants may have certificates.
    """

    records: Literal["hosts", "managed", "network", "certificates"]


class FromDevices(Model):
    """What stands at network ports: unmanaged hosts with a MAC address, and supplicants; each with its zone's VLAN.

    `by_mac` leaves supplicants out, whose MAC address alone lets nobody in.
    """

    devices: Literal["all", "by_mac"]


class FromHospital(Model):
    """A property of the hospital itself; `control_network` is the control node's address as a /32."""

    hospital: Literal["hospital", "name", "domain", "timezone", "control_network"]


class FromTest(Model):
    """True where the host's field has one of the given values."""

    own: HostField
    one_of: tuple[str, ...]


class FromList(Model):
    """A list whose members come from sources of their own."""

    list: tuple[HospitalSource, ...]


class FromMap(Model):
    """A map whose values come from sources of their own."""

    map: dict[str, HospitalSource]


class FromJoin(Model):
    """One list of all that several lists hold, in their order."""

    join: tuple[HospitalSource, ...]


class FromEach(Model):
    """A map for each host of some components; in it, `own` means that host."""

    each: Annotated[tuple[ComponentName, ...], Field(min_length=1)]
    entry: dict[str, FromOwn | FromTest | FromValue | FromParameter]


HospitalSource = (
    FromList
    | FromJoin
    | FromEach
    | FromMap
    | FromValue
    | FromParameter
    | FromHosts
    | FromHost
    | FromFormat
    | FromSubnets
    | FromZones
    | FromRecords
    | FromDevices
    | FromHospital
)
"""A value that is the same for every host of the hospital."""

Source = FromTest | FromOwn | FromFlows | HospitalSource
"""Where a role variable takes its value from; each form is told by its key."""

Variables = dict[VariableName, Source]
