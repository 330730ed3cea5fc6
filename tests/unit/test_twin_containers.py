"""What containers are created with, and when a change needs a new one."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.unit.test_twin_plan import TENANT, hospital, routed
from wardround.errors import TwinError
from wardround.twin.build import container_specs
from wardround.twin.containers import (
    Container,
    as_found,
    await_orphans,
    bystander_container,
    create_command,
    gateway_container,
    host_container,
    releases,
    tenant_container,
)
from wardround.twin.credentials import HostKey
from wardround.twin.furniture import File
from wardround.twin.image import RELEASES, recipe
from wardround.twin.mirror import Mirror
from wardround.twin.plan import GATEWAY, TwinBystander, TwinHospital, lab
from wardround.twin.podman import Flags

pytestmark = pytest.mark.unit

LAB = lab(hospital())
KEY = HostKey("private\n", "ssh-ed25519 AAAA infra01")
FLAGS = Flags(("--runtime", "runc"), ("NET_ADMIN",), ())


def test_a_server_never_routes_and_has_no_other_network() -> None:
    options = host_container(LAB, LAB.host("infra01"), KEY, "ssh-ed25519 BBBB", {}).options
    assert "--sysctl=net.ipv4.ip_forward=0" in options
    assert "--network=none" in options


def test_an_uplink_is_on_podmans_network_with_a_package_cache() -> None:
    container = host_container(LAB, LAB.host("patch01"), KEY, "ssh-ed25519 BBBB", {"mirror.example": "198.51.100.7"})
    assert "--network=podman" in container.options
    assert "--volume=wr-st-test--packages:/var/cache/apt-cacher-ng" in container.options
    hosts = next(file for file in container.files if file.path == "/etc/hosts")
    assert "198.51.100.7 mirror.example\n" in hosts.text


def test_a_bystander_only_holds_its_place() -> None:
    wanted = lab(hospital(bystanders=(TwinBystander(name="ct01", zone="imaging", address=IPv4Address("10.90.2.31")),)))
    container = bystander_container(wanted, wanted.hospital.bystanders[0])
    assert create_command(container, "st-test", FLAGS)[-2:] == ("sleep", "infinity")
    assert "--network=none" in container.options
    assert not any("ssh" in file.path for file in container.files)
    assert [str(leg.address) for leg in wanted.legs(wanted.machine("ct01"))] == ["10.90.2.31"]


def test_an_erp_boots_in_a_bystanders_place() -> None:
    wanted = lab(hospital(bystanders=(TENANT,)))
    file = File("/etc/tenant/tenant.crt", 0o644, "certificate")
    container = tenant_container(wanted, TENANT, (file,))
    command = create_command(container, "st-test", FLAGS)
    assert command[-2:] == ("localhost/wardround-tenant:debian-12", "/sbin/init")
    assert {"--network=none", "--sysctl=net.ipv4.ip_forward=0"} <= set(command)
    assert file in container.files
    assert any(each.path == "/etc/hosts" for each in container.files)
    assert container.digest != bystander_container(wanted, TENANT).digest
    assert container.digest != tenant_container(wanted, TENANT, (File(file.path, file.mode, "another"),)).digest


def test_the_erp_is_the_one_bystander_that_boots() -> None:
    plain = TwinBystander(name="ct01", zone="imaging", address=IPv4Address("10.90.2.31"))
    of = hospital(bystanders=(plain, TENANT))
    specs = container_specs(lab(of), {host.name: KEY for host in of.hosts}, "ssh-ed25519 BBBB", {})
    assert {name: specs[name].boots for name in ("ct01", "erp")} == {"ct01": False, "erp": True}
    assert releases(lab(hospital(hosts=(routed().hosts[0],), bystanders=(TENANT,)))) == ("debian-12", "debian-13")


def test_the_gateway_routes_and_loads_the_rules_at_boot() -> None:
    container = gateway_container(LAB)
    assert "--sysctl=net.ipv4.ip_forward=1" in container.options
    rules = next(file for file in container.files if file.path == "/etc/nftables.conf")
    assert rules.text.endswith("flush ruleset\n\ntable inet lab {}\n")
    assert any(file.link == "/usr/lib/systemd/system/nftables.service" for file in container.files)


def test_a_change_that_needs_a_new_container_changes_the_digest() -> None:
    host = LAB.host("infra01")
    usual = host_container(LAB, host, KEY, "ssh-ed25519 BBBB", {}).digest
    assert usual == host_container(LAB, host, KEY, "ssh-ed25519 BBBB", {}).digest
    assert usual != host_container(LAB, host, HostKey("x", "ssh-ed25519 CCCC"), "ssh-ed25519 BBBB", {}).digest
    assert usual != host_container(LAB, host, KEY, "ssh-ed25519 DDDD", {}).digest
    moved = host.model_copy(update={"release": "debian-13"})
    assert usual != host_container(LAB, moved, KEY, "ssh-ed25519 BBBB", {}).digest


def test_new_rules_need_a_new_gateway() -> None:
    other = lab(hospital(forward_rules="table inet other {}\n"))
    assert gateway_container(LAB).digest != gateway_container(other).digest


def managed_gateway(of: TwinHospital) -> Container:
    wanted = lab(of)
    return host_container(wanted, wanted.host("gw01"), KEY, "ssh-ed25519 BBBB", {})


def test_a_managed_gateway_is_a_bare_host_that_routes_by_rules_it_boots_with() -> None:
    container = managed_gateway(routed())
    assert container.name == "wr-st-test--gw01"
    assert container.account
    assert "--sysctl=net.ipv4.ip_forward=1" in container.options
    files = {file.path: file for file in container.files}
    assert files["/etc/nftables.conf"].text.endswith("table inet lab {}\n")
    assert files["/etc/ssh/ssh_host_ed25519_key"].text == KEY.private
    assert "/etc/systemd/system/ssh.service" not in files


def test_new_rules_or_another_address_need_a_new_managed_gateway() -> None:
    usual = managed_gateway(routed()).digest
    assert usual == managed_gateway(routed()).digest
    assert usual != managed_gateway(routed().model_copy(update={"forward_rules": "table inet other {}\n"})).digest
    assert usual != managed_gateway(routed(address=IPv4Address("10.90.1.3"))).digest


@pytest.mark.parametrize(
    ("of", "containers"),
    [(hospital(), [GATEWAY, "infra01", "patch01"]), (routed(), ["gw01", "infra01", "patch01"])],
)
def test_a_managed_gateway_takes_the_place_of_the_twins_own(of: TwinHospital, containers: list[str]) -> None:
    specs = container_specs(lab(of), {host.name: KEY for host in of.hosts}, "ssh-ed25519 BBBB", {})
    assert list(specs) == containers
    routing = [name for name, spec in specs.items() if "--sysctl=net.ipv4.ip_forward=1" in spec.options]
    assert routing == containers[:1]


def test_only_a_gateway_of_its_own_asks_for_another_image() -> None:
    one = hospital().hosts[1]
    assert releases(lab(hospital(hosts=(one,)))) == ("debian-12", "debian-13")
    assert releases(lab(hospital(hosts=(routed().hosts[0], one)))) == ("debian-13",)


def test_a_mirror_that_moved_does_not() -> None:
    host = LAB.host("patch01")
    one = host_container(LAB, host, KEY, "ssh-ed25519 BBBB", {"mirror.example": "198.51.100.7"})
    other = host_container(LAB, host, KEY, "ssh-ed25519 BBBB", {"mirror.example": "198.51.100.8"})
    assert one.digest == other.digest


def test_a_container_says_whose_it_is() -> None:
    command = create_command(gateway_container(LAB), "st-test", FLAGS)
    assert command[:4] == ("podman", "--runtime", "runc", "create")
    assert "--label=wardround.hospital=st-test" in command
    assert command[-2:] == ("localhost/wardround-host:debian-12", "/sbin/init")


MIRROR = Mirror("http://archive.example/debian", "http://archive.example/debian-security", "")


def test_an_image_is_cached_by_all_that_decides_it() -> None:
    digests = {recipe(release, MIRROR, tool).digest() for release in RELEASES for tool in ("tool 1", "tool 2")}
    assert len(digests) == 4
    elsewhere = Mirror("http://other.example/debian", "http://other.example/debian-security", "")
    assert recipe("debian-12", elsewhere, "tool 1").digest() not in digests
    assert recipe("debian-12", MIRROR, "tool 1").digest() == recipe("debian-12", MIRROR, "tool 1").digest()


LISTED = {"Labels": {"wardround.host": "pacs01"}, "Names": ["wr-st-test--pacs01"], "State": "running", "Pid": 4711}


@pytest.mark.parametrize(
    ("status", "state", "pid"),
    [
        ("State:\tS (sleeping)\nNSpid:\t4711\t1\n", "running", 4711),
        (None, "killed", 0),
        ("State:\tZ (zombie)\nNSpid:\t4711\t1\n", "killed", 0),
        ("State:\tS (sleeping)\nNSpid:\t4711\n", "killed", 0),
        ("State:\tS (sleeping)\nNSpid:\t4711\t58\n", "killed", 0),
    ],
    ids=["its init", "no process", "a zombie", "a process of this machine", "some process of a container"],
)
def test_podmans_word_that_a_container_runs_counts_while_its_init_lives(
    status: str | None, state: str, pid: int, tmp_path: Path
) -> None:
    if status is not None:
        (tmp_path / "4711").mkdir()
        (tmp_path / "4711" / "status").write_text(status, encoding="utf-8")
    found = as_found(LISTED, tmp_path)
    assert (found.state, found.pid) == (state, pid)


def test_podman_at_work_on_another_hospital_is_not_waited_for(tmp_path: Path) -> None:
    for pid, words in {
        "11": ("podman", "start", "wr-st-other--pacs01"),
        "12": ("conmon", "-n", "wr-st-test--x"),
    }.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_text("\0".join(words))
    await_orphans("st-test", tmp_path)


def test_podman_at_work_on_this_hospital_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "11").mkdir()
    (tmp_path / "11" / "cmdline").write_text("/usr/bin/podman\0start\0wr-st-test--pacs01")
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        (tmp_path / "11" / "cmdline").unlink()

    monkeypatch.setattr("wardround.twin.containers.time.sleep", sleep)
    await_orphans("st-test", tmp_path)
    assert len(waits) == 1


def test_podman_that_never_ends_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "11").mkdir()
    (tmp_path / "11" / "cmdline").write_text("podman\0start\0wr-st-test--pacs01")
    monkeypatch.setattr("wardround.twin.containers._ORPHAN_SECONDS", -1.0)
    with pytest.raises(TwinError, match="11"):
        await_orphans("st-test", tmp_path)
