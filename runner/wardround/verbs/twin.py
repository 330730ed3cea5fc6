"""twin: the hospital on this machine, built from the same design that the real one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardround.design.network import GATEWAY_COMPONENT
from wardround.model.architecture import ZoneKind
from wardround.model.base import Platform
from wardround.model.overlay import Overlay
from wardround.render.gateway import forward_rules
from wardround.twin.mirror import machine_mirror
from wardround.twin.plan import TwinBystander, TwinControl, TwinHospital, TwinHost, TwinTenant, TwinZone
from wardround.verbs.opening import load_design

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wardround.model.base import JsonValue
    from wardround.model.design import Design, DesignHost
    from wardround.verbs.workspace import Workspace

_UPLINK_COMPONENT = "patch_mirror"
_TENANT_COMPONENT = "erp_tenant"
_TENANT_NAME = "erp_connector_tenant_host"
_PLACEHOLDER_KEY = "ssh-ed25519 AAAA placeholder"


def twin_hospital(workspace: Workspace, name: str) -> TwinHospital:
    """Give what a twin of the hospital consists of."""
    mirror = machine_mirror()
    # The user CA does not exist before the twin does; nothing of a twin's wiring depends on it.
    parameters: dict[str, JsonValue] = {
        "ssh_user_ca_keys": [_PLACEHOLDER_KEY],
        "debian_upstream": mirror.archive,
        "debian_security_upstream": mirror.security,
    }
    return from_design(load_design(workspace.project, name, Overlay(parameters={"baseline": parameters})))


def from_design(design: Design) -> TwinHospital:
    """Turn a design into a twin: hosts, bystanders, a gateway between the zones, and this machine as the control node.

    The gateway is the first managed host that is one; without any, it is the twin's own. Every host that nobody manages
    from here is a bystander, also one outside the hospital whose addresses a twin may use. The first of these whose
    component is the ERP's is a real one, under the name by which the hospital's connector looks for it.
    """
    managed = design.managed_hosts()
    gateway = next((host.name for host in managed if host.component == GATEWAY_COMPONENT), None)
    zones = tuple(_zones(design))
    known = {zone.id for zone in zones}
    standing = [host for host in design.hosts if host.platform is not Platform.MANAGED and host.zone in known]
    tenant = _tenant(design, standing)
    return TwinHospital(
        name=design.hospital,
        zones=zones,
        hosts=tuple(
            TwinHost(
                name=host.name,
                zone=host.zone,
                address=host.address,
                mac=host.mac,
                release=host.release.value if host.release else "debian-12",
                uplink=host.component == _UPLINK_COMPONENT,
                gateway=host.name == gateway,
            )
            for host in managed
        ),
        bystanders=tuple(
            tenant
            if tenant is not None and tenant.name == host.name
            else TwinBystander(name=host.name, zone=host.zone, address=host.address, mac=host.mac)
            for host in standing
        ),
        control=TwinControl(zone=design.control.zone, address=design.control.address),
        forward_rules=forward_rules(design),
        secrets=design.secrets,
    )


def _tenant(design: Design, standing: Sequence[DesignHost]) -> TwinTenant | None:
    host = next((each for each in standing if each.component == _TENANT_COMPONENT), None)
    connector = next((each for each in design.managed_hosts() if each.variables.get(_TENANT_NAME)), None)
    if host is None or connector is None:
        return None
    return TwinTenant(
        name=host.name,
        zone=host.zone,
        address=host.address,
        mac=host.mac,
        tls_name=str(connector.variables[_TENANT_NAME]),
        caller=connector.name,
        architecture=connector.architecture,
    )


def _zones(design: Design) -> Iterator[TwinZone]:
    """Give the zones inside, and those outside where a host is known and no public address would be hidden."""
    populated = {host.zone for host in design.hosts}
    for zone in design.zones:
        if zone.kind is not ZoneKind.EXTERNAL and zone.gateway is not None:
            yield TwinZone(id=zone.name, subnet=zone.subnet, gateway=zone.gateway, vlan=zone.vlan)
        elif zone.kind is ZoneKind.EXTERNAL and zone.name in populated and zone.subnet.is_private:
            yield TwinZone(id=zone.name, subnet=zone.subnet, gateway=zone.subnet.network_address + 1)
