"""A reference architecture: one versioned part of a hospital's design, as it stands in its `architecture.yml`."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from wardround.model.base import (
    ComponentName,
    Criticality,
    FlowId,
    JsonValue,
    Model,
    Name,
    Platform,
    Semver,
    Text,
    VariableName,
)
from wardround.model.source import FromOwn, HospitalSource, Variables


class ParameterType(StrEnum):
    """What a hospital may write for a parameter."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ADDRESS = "address"
    HOSTNAME = "hostname"
    STRINGS = "strings"
    ADDRESSES = "addresses"
    ACCOUNTS = "accounts"
    SERVERS = "servers"
    ENTRIES = "entries"


class Parameter(Model):
    """A question an architecture asks of a hospital."""

    type: ParameterType
    description: Text
    required: bool = False
    default: JsonValue = None
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] | None = None
    fields: dict[Name, Parameter] = {}
    """For `entries`, a list of maps: what each map may hold, and must where it is required."""

    @model_validator(mode="after")
    def _fields_are_for_entries(self) -> Parameter:
        if bool(self.fields) != (self.type is ParameterType.ENTRIES):
            message = "a parameter of type entries has fields, and no other has"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _required_has_no_default(self) -> Parameter:
        if self.required and self.default is not None:
            message = "a required parameter has no default"
            raise ValueError(message)
        return self


class ZoneKind(StrEnum):
    """What stands in a zone: servers, medical devices, administration, people, or somebody outside the hospital."""

    SERVER = "server"
    DEVICE = "device"
    MANAGEMENT = "management"
    USER = "user"
    EXTERNAL = "external"


class ZoneTemplate(Model):
    """A network segment that the architecture asks for; the hospital gives it a subnet."""

    purpose: Text
    kind: ZoneKind
    required: bool = False


class Count(Model):
    """How many hosts of a component a hospital may have, both ends included; no `max` means any number."""

    min: Annotated[int, Field(ge=0)] = 0
    max: Annotated[int, Field(ge=1)] | None = None


class Everywhere(Model):
    """What every managed host of the hospital gets, whatever its component."""

    roles: tuple[Name, ...] = ()
    variables: Variables = {}


class Asked(StrEnum):
    """What an architecture may want to know of each host of a component, beside what every asset has to say."""

    MAC = "mac"
    MODEL = "model"
    SUPPORT_END = "support_end"
    APPROVAL = "approval"
    AET = "aet"


class Component(Model):
    """A kind of machine."""

    summary: Text
    platform: Platform
    zones: Annotated[tuple[Name, ...], Field(min_length=1)]
    criticality: Criticality
    count: Count = Count()
    asks: tuple[Asked, ...] = ()
    roles: tuple[Name, ...] = ()
    variables: Variables = {}

    @model_validator(mode="after")
    def _only_managed_hosts_have_roles(self) -> Component:
        if self.platform is Platform.UNMANAGED and (self.roles or self.variables):
            message = "an unmanaged component is never touched, so it has no roles and no variables"
            raise ValueError(message)
        return self


class Protocol(StrEnum):
    """A transport protocol of a service."""

    TCP = "tcp"
    UDP = "udp"


Port = Annotated[int, Field(ge=1, le=65535)] | Annotated[str, Field(pattern=r"^([0-9]{1,5}-[0-9]{1,5}|site)$")]
"""A port, a range `1812-1813`, or `site`: known only from the device model, so the hospital must fill it."""


class Service(Model):
    """A named protocol and port."""

    protocols: Annotated[tuple[Protocol, ...], Field(min_length=1)]
    ports: Annotated[tuple[Port, ...], Field(min_length=1)]
    standard: Text


class Flow(Model):
    """One allowed direction: who opens the connection, to whom, by which service, and what for.

    An endpoint is a component, `zone:<zone>`, or one of the words `managed` (every managed host), `internal` (every
    zone inside the hospital) and `control` (the provider's control node). What no flow allows is denied.
    """

    id: FlowId
    sources: Annotated[tuple[str, ...], Field(alias="from", min_length=1)]
    destinations: Annotated[tuple[str, ...], Field(alias="to", min_length=1)]
    service: Name
    purpose: Text


class Disruption(StrEnum):
    """What a change to the control's configuration costs the service."""

    NONE = "none"
    RELOAD = "reload"
    RESTART = "restart"
    WINDOW = "window"


class Control(Model):
    """One checkable requirement."""

    id: Annotated[str, Field(pattern=r"^C-[A-Z]{2,4}-[0-9]{2,3}$")]
    title: Text
    check: Text
    disruption: Disruption
    evidence: Annotated[tuple[str, ...], Field(min_length=1)]
    """`role:tag` proves it on a host, a flow id in the network, a probe id in service, `attestation: …` a person.

    `elsewhere: …` says why nothing on a host can.
    """
    maps: dict[str, tuple[str, ...]] = {}
    confidence: Literal["H", "M", "L"]


class ProbeKind(StrEnum):
    """What a probe asks: verification or storage of an image, a result's acknowledgement, a page, or a connection.

    `https_tunnel` asks a service outside for a page, through a proxy; `radius_mab` where devices are let in.
    """

    DICOM_ECHO = "dicom_echo"
    DICOM_STORE = "dicom_store"
    HL7_MLLP_ACK = "hl7_mllp_ack"
    HTTPS = "https"
    HTTPS_TUNNEL = "https_tunnel"
    RADIUS_MAB = "radius_mab"
    TLS = "tls"
    TCP = "tcp"


WITHOUT_TLS_OF_THEIR_OWN = frozenset({ProbeKind.HTTPS_TUNNEL, ProbeKind.RADIUS_MAB})
"""Kinds that are asked in clear: a proxy has TLS inside its tunnel, and RADIUS signs each packet."""

NEEDED_SETTINGS = {
    ProbeKind.DICOM_ECHO: frozenset({"calling", "called"}),
    ProbeKind.DICOM_STORE: frozenset({"calling", "called"}),
    ProbeKind.HL7_MLLP_ACK: frozenset({"sender", "receiver"}),
    ProbeKind.HTTPS: frozenset({"path", "status"}),
    ProbeKind.HTTPS_TUNNEL: frozenset({"host", "port", "authorities", "path", "status"}),
    ProbeKind.RADIUS_MAB: frozenset({"devices"}),
    ProbeKind.TLS: frozenset[str](),
    ProbeKind.TCP: frozenset[str](),
}
"""What each kind of probe has to be told beside where to ask."""


class Probe(Model):
    """A clinical health check that the architecture asks for, run from a host of `from` along a flow.

    With `tls` the connection is mutual TLS with the asking host's own certificate.
    """

    id: Annotated[str, Field(pattern=r"^P-[A-Z]{2,4}-[0-9]{2,3}$")]
    kind: ProbeKind
    source: Annotated[str, Field(alias="from")]
    destination: Annotated[str, Field(alias="to")]
    service: Name
    tls: bool = False
    settings: dict[Name, FromOwn | HospitalSource] = {}

    @model_validator(mode="after")
    def _settings_are_those_of_its_kind(self) -> Probe:
        needed = NEEDED_SETTINGS[self.kind]
        if self.settings.keys() != needed:
            message = f"a probe of kind {self.kind.value} has the settings {', '.join(sorted(needed)) or 'none'}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _tls_is_for_kinds_that_know_it(self) -> Probe:
        if self.tls and self.kind in WITHOUT_TLS_OF_THEIR_OWN:
            message = f"a probe of kind {self.kind.value} has no TLS with the host that it asks"
            raise ValueError(message)
        return self


class Secret(Model):
    """A role variable whose value only the hospital's vault holds."""

    description: Text
    names: HospitalSource | None = None
    """For a variable that is a map: what it holds a secret text for, as texts or as entries with a `name`."""
    same_as: VariableName | None = None
    """The secret of another role that this one must equal, for two ends that know each other by it."""


class Architecture(Model):
    """One version of one reference architecture."""

    name: Name
    version: Semver
    summary: Text
    supported_until: date
    requires: dict[Name, Semver] = {}
    composes: dict[Name, Semver] = {}
    parameters: dict[Name, Parameter] = {}
    zones: dict[Name, ZoneTemplate] = {}
    roles: tuple[Name, ...] = ()
    """Every role that this architecture uses, in the order in which a run applies them.

    One that it orders before a required architecture's role comes before it; otherwise required ones come first.
    """
    everywhere: Everywhere = Everywhere()
    components: dict[ComponentName, Component] = {}
    services: dict[Name, Service] = {}
    flows: tuple[Flow, ...] = ()
    probes: tuple[Probe, ...] = ()
    controls: tuple[Control, ...] = ()
    secrets: dict[VariableName, Secret] = {}
