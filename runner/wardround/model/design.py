"""The design: one hospital, resolved. Every host with its roles and variables, every flow with its addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from wardround.model.architecture import Control, ProbeKind, Protocol, ZoneKind
from wardround.model.base import Criticality, HostName, JsonValue, Model, Name, Platform, Semver, VariableName
from wardround.model.hospital import ControlNode, Release, Restart, Window

DESIGN_SCHEMA_VERSION = 2


class PinnedArchitecture(Model):
    """An architecture version that the design was resolved from; `digest` is the SHA-256 of its folder."""

    name: Name
    version: Semver
    digest: str


class DesignZone(Model):
    """A network segment of this hospital."""

    name: Name
    kind: ZoneKind
    purpose: str
    subnet: IPv4Network
    gateway: IPv4Address | None
    vlan: int | None


class DesignHost(Model):
    """One asset with all that a run needs to know of it."""

    name: HostName
    fqdn: str
    component: Name
    architecture: Name
    platform: Platform
    zone: Name
    address: IPv4Address
    mac: str | None
    model: str | None
    release: Release | None
    owner: Name
    window: Name
    restart: Restart
    fallback: str | None
    criticality: Criticality
    roles: tuple[Name, ...]
    variables: dict[VariableName, JsonValue]
    aet: str | None = None


class DesignFlow(Model):
    """An allowed direction between addresses; inactive where one of its ends has no member in this hospital.

    `source_words` and `destination_words` are the ends as the architecture names them (see `Flow`), for people:
    addresses alone do not tell a component from the zone that it fills.
    """

    id: str
    service: Name
    standard: str
    protocols: tuple[Protocol, ...]
    ports: tuple[str, ...]
    purpose: str
    source_words: tuple[str, ...]
    destination_words: tuple[str, ...]
    source_hosts: tuple[HostName, ...]
    destination_hosts: tuple[HostName, ...]
    sources: tuple[IPv4Network, ...]
    destinations: tuple[IPv4Network, ...]

    @property
    def active(self) -> bool:
        """Whether both ends exist in this hospital."""
        return bool(self.sources and self.destinations)


class DesignProbe(Model):
    """A clinical question that one managed host asks another; with `tls_name`, over mutual TLS."""

    id: str
    kind: ProbeKind
    source: HostName
    destination: HostName
    address: IPv4Address
    port: int
    tls_name: str
    settings: dict[Name, JsonValue]


class DesignSecret(Model):
    """A role variable that only the vault holds: one text, or with `names` a map with a text for each of them.

    With `same_as` it is what another variable is.
    """

    variable: VariableName
    names: tuple[str, ...] | None = None
    same_as: VariableName | None = None


class DesignWindow(Model):
    """A change window with its name."""

    name: Name
    window: Window


class Design(Model):
    """The resolved whole of one hospital: the same input always gives the same bytes."""

    schema_version: int = DESIGN_SCHEMA_VERSION
    hospital: HostName
    name: str
    timezone: str
    domain: str
    architectures: tuple[PinnedArchitecture, ...]
    control: ControlNode
    role_order: tuple[Name, ...]
    zones: tuple[DesignZone, ...]
    hosts: tuple[DesignHost, ...]
    flows: tuple[DesignFlow, ...]
    probes: tuple[DesignProbe, ...]
    controls: tuple[Control, ...]
    windows: tuple[DesignWindow, ...]
    secrets: tuple[DesignSecret, ...]

    def managed_hosts(self) -> tuple[DesignHost, ...]:
        """Give the hosts that Ansible may touch."""
        return tuple(host for host in self.hosts if host.platform is Platform.MANAGED)
