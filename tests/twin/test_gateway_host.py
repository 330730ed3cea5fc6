"""A gateway that is a managed host: the twin boots it as an installer left it, and the role takes over behind SSH."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.twin.small_hospital import ASSET, SmallHospital
from wardround.twin.plan import container_name

pytestmark = [pytest.mark.twin, pytest.mark.timeout(1800)]

NAME = "gateway-hospital"
# The overlay of a twin answers the baseline's questions; this one is only as much as the gateway needs beside it.
ARCHITECTURE = """\
name: baseline
version: 9.9.9
summary: A gateway and two servers
supported_until: "2029-12-31"
parameters:
  ssh_user_ca_keys: {type: strings, default: [], description: unused}
  debian_upstream: {type: string, default: "", description: unused}
  debian_security_upstream: {type: string, default: "", description: unused}
  debian_upstream_proxy: {type: string, default: "", description: unused}
zones:
  landing: {purpose: control, kind: management, required: true}
  management: {purpose: administration, kind: management}
  core: {purpose: servers, kind: server}
  ward: {purpose: others, kind: server}
  outside: {purpose: the internet, kind: external}
roles: [zone_gateway, os_hardening, host_firewall]
everywhere:
  roles: [os_hardening, host_firewall]
  variables:
    host_firewall_inbound: {flows: inbound}
    host_firewall_outbound: {flows: outbound}
components:
  zone_gateway:
    summary: Passes packets on
    platform: managed
    zones: [management]
    criticality: medium
    roles: [zone_gateway]
    variables:
      zone_gateway_zones: {zones: [internal]}
      zone_gateway_flows: {flows: forwarded}
      zone_gateway_automation_targets: {hosts: managed, field: address}
      zone_gateway_address: {own: address}
      os_hardening_router: {value: true}
      host_firewall_forward_table: {value: inet wardround_gateway}
  server: {summary: A server, platform: managed, zones: [core, ward], criticality: medium}
services:
  ssh: {protocols: [tcp], ports: [22], standard: RFC 4253}
  values: {protocols: [tcp], ports: [8104], standard: none}
flows:
  - {id: F-REM-09, from: [control], to: [managed], service: ssh, purpose: apply}
  - {id: F-TST-01, from: ["zone:ward"], to: ["zone:core"], service: values, purpose: values}
  - {id: F-TST-02, from: [zone_gateway], to: ["zone:core"], service: values, purpose: values of the gateway}
  - {id: F-TST-03, from: ["zone:core"], to: ["zone:outside"], service: values, purpose: out}
"""
MANIFEST = """\
hospital: gateway-hospital
name: A hospital with a gateway
timezone: Europe/Vienna
domain: gateway.internal
architecture: {baseline: 9.9.9}
control: {zone: landing, address: 10.79.250.10}
zones:
  landing: {subnet: 10.79.250.0/24}
  management: {subnet: 10.79.1.0/24}
  core: {subnet: 10.79.2.0/24}
  ward: {subnet: 10.79.3.0/24}
  outside: {subnet: 0.0.0.0/0}
windows:
  night: {days: [sun], from: "01:00", to: "04:00"}
contacts:
  it: {name: IT on call}
hosts:
  gw01: {component: zone_gateway, address: 10.79.1.2, release: debian-13, ASSET}
  srv01: {component: server, zone: core, address: 10.79.2.10, release: debian-12, ASSET}
  srv02: {component: server, zone: ward, address: 10.79.3.10, release: debian-12, ASSET}
""".replace("ASSET", ASSET)
TABLE = "inet wardround_gateway"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHospital]:
    """The twin as it comes up; removed at the end, whatever happened."""
    project = tmp_path_factory.mktemp("gateway")
    folder = project / "reference_architectures" / "baseline" / "9.9.9"
    folder.mkdir(parents=True)
    (folder / "architecture.yml").write_text(ARCHITECTURE, encoding="utf-8")
    shared = ("roles", "playbooks", "plugins", "ansible.cfg")
    with SmallHospital(project, NAME, MANIFEST, shared).up() as hospital:
        yield hospital


@pytest.fixture(scope="module")
def before(bare: SmallHospital) -> dict[str, bool]:
    """What passes between the hosts before any role was applied."""
    return tried(bare)


@pytest.fixture(scope="module")
def applied(bare: SmallHospital, before: dict[str, bool]) -> dict[str, Any]:
    """What two applies in a row told, after a plan that was made while the gateway was bare."""
    assert before
    return bare.applied_twice()


@pytest.fixture(scope="module")
def gateway(bare: SmallHospital, applied: dict[str, Any]) -> SmallHospital:
    """The twin whose gateway the role keeps."""
    assert applied["failed"] == applied["again"]["failed"] == []
    return bare


def ssh(hospital: SmallHospital, host: str, command: str) -> subprocess.CompletedProcess[str]:
    config = hospital.state / NAME / "twin" / "ssh_config"
    argv = ["ssh", "-F", str(config), "-o", "BatchMode=yes", host, command]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)


@contextmanager
def listening(hospital: SmallHospital) -> Iterator[None]:
    """Let a server listen on a declared port and on one that no flow knows."""
    listen = "for port in 8104 8105; do (timeout 120 nc -lk $port >/dev/null 2>&1 &); done; sleep 1"
    hospital.host("srv01", "sh", "-c", listen)
    yield
    hospital.host("srv01", "pkill", "nc")


def tried(hospital: SmallHospital) -> dict[str, bool]:
    """Try connections from host to host, some of which no flow allows."""
    connections = {
        "declared": ("srv02", "10.79.2.10", "8104"),
        "of the gateway": ("gw01", "10.79.2.10", "8104"),
        "another port": ("srv02", "10.79.2.10", "8105"),
        "another direction": ("srv01", "10.79.3.10", "22"),
    }
    with listening(hospital):
        return {
            name: hospital.host(source, "nc", "-z", "-w", "2", target, port).code == 0
            for name, (source, target, port) in connections.items()
        }


def counted(hospital: SmallHospital, flow: str) -> int:
    listing = json.loads(hospital.host("gw01", "nft", "-j", "list", "counter", *TABLE.split(), flow).out)
    return next(int(item["counter"]["packets"]) for item in listing["nftables"] if "counter" in item)


def rules(hospital: SmallHospital) -> list[list[str]]:
    """Each table's lines; tables and chains are listed in the order in which they came, which means nothing."""
    tables = hospital.host("gw01", "nft", "-s", "list", "ruleset").out.split("\ntable ")
    return sorted(sorted(table.removeprefix("table ").splitlines()) for table in tables)


def test_the_gateway_boots_as_a_bare_host_that_forwards(bare: SmallHospital, before: dict[str, bool]) -> None:
    for name in ("gw01", "srv01", "srv02"):
        assert ssh(bare, name, "hostname").stdout.strip() == name
    assert before == {"declared": True, "of the gateway": True, "another port": False, "another direction": False}


def test_every_host_is_applied_in_one_run_and_a_second_one_changes_nothing(applied: dict[str, Any]) -> None:
    assert {change["role"] for change in applied["changed"]} == {"zone_gateway", "os_hardening", "host_firewall"}
    assert applied["again"]["changed"] == []
    assert applied["again"]["coverage"]["hosts_seen"] == 3


def test_the_role_took_over(gateway: SmallHospital, before: dict[str, bool]) -> None:
    assert tried(gateway) == before
    assert counted(gateway, "F-TST-01") > 0
    # The servers' own filters stop what no flow allows by now; this machine has none.
    socket.create_connection(("10.79.2.10", 22), timeout=5).close()
    assert counted(gateway, "F-REM-09") > 0
    with pytest.raises(TimeoutError):
        socket.create_connection(("10.79.2.10", 8105), timeout=2)
    assert counted(gateway, "D-01") > 0
    tables = gateway.host("gw01", "nft", "list", "tables").out.splitlines()
    assert sorted(tables) == ["table inet wardround", f"table {TABLE}"]
    assert "flush ruleset" not in gateway.host("gw01", "cat", "/etc/nftables.conf").out


def test_its_rules_and_connections_through_it_are_proved_to_be_the_design(gateway: SmallHospital) -> None:
    with listening(gateway):
        proved = gateway.call("--json", "prove", NAME, "--twin")
    assert proved.code == 0, proved.out + proved.err


def test_it_speaks_from_its_own_address_into_every_zone(gateway: SmallHospital) -> None:
    for target in ("10.79.2.10", "10.79.3.10", "10.79.250.10"):
        assert " src 10.79.1.2 " in gateway.host("gw01", "ip", "route", "get", target).out


def test_a_rule_added_by_hand_is_named(gateway: SmallHospital) -> None:
    gateway.host("gw01", "nft", "insert", "rule", *TABLE.split(), "forward", "tcp", "dport", "4445", "accept")
    seen = gateway.on_twin("drift", "--deep")
    found = {
        (each["host"], each["role"], each["task"]) for each in seen.data["findings"] if each["verdict"] != "unknown"
    }
    assert found == {("gw01", "zone_gateway", "Running rules are the declared ones")}


def test_it_comes_back_from_a_boot_with_the_roles_rules_and_no_others(gateway: SmallHospital) -> None:
    """The last test: a container that boots may not write to /proc/sys, so its network settings are not the role's."""
    declared = [[line for line in table if "4445" not in line] for table in rules(gateway)]
    subprocess.run(["podman", "restart", "-t", "1", container_name(NAME, "gw01")], check=True, capture_output=True)
    assert gateway.call("twin", "up", NAME).code == 0
    assert rules(gateway) == declared
    assert ssh(gateway, "srv02", "hostname").stdout.strip() == "srv02"
