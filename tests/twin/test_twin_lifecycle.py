"""A small hospital is built on this machine, used, broken off half-way, built again and removed without a trace."""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from wardround.model.design import DesignSecret
from wardround.twin.containers import find
from wardround.twin.guard import SubnetInUseError
from wardround.twin.lifecycle import down, execute, status, up
from wardround.twin.plan import GATEWAY, TwinBystander, TwinControl, TwinHospital, TwinHost, TwinZone, container_name

pytestmark = pytest.mark.twin

RULES = """\
table inet lab {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        ip saddr 10.78.1.5 tcp dport 22 accept
        ip saddr 10.78.1.10 ip daddr { 10.78.2.10, 10.78.2.31 } tcp dport 8104 accept
    }
}
"""
LAB = TwinHospital(
    secrets=(DesignSecret(variable="accounts_break_glass_password_hash"),),
    name="lifecycle-test",
    zones=(
        TwinZone(id="management", subnet=IPv4Network("10.78.1.0/24"), gateway=IPv4Address("10.78.1.1")),
        TwinZone(id="imaging", subnet=IPv4Network("10.78.2.0/24"), gateway=IPv4Address("10.78.2.1")),
    ),
    hosts=(
        TwinHost(name="infra01", zone="management", address=IPv4Address("10.78.1.10"), release="debian-12"),
        TwinHost(name="pacs01", zone="imaging", address=IPv4Address("10.78.2.10"), release="debian-13"),
        TwinHost(name="patch01", zone="imaging", address=IPv4Address("10.78.2.11"), release="debian-12", uplink=True),
    ),
    bystanders=(TwinBystander(name="ct01", zone="imaging", address=IPv4Address("10.78.2.31")),),
    control=TwinControl(zone="management", address=IPv4Address("10.78.1.5")),
    forward_rules=RULES,
)
NAMES = [host.name for host in LAB.hosts]


def quiet(_line: str) -> None:
    """Ignore progress."""


def traces() -> dict[str, list[str]]:
    """What a twin may leave on this machine; the interfaces and routes of unrelated containers come and go."""

    def json_of(*command: str) -> list[dict[str, object]]:
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        listed: list[dict[str, object]] = json.loads(out or "[]")
        return listed

    links = [str(link["ifname"]) for link in json_of("ip", "-j", "link")]
    routes = [
        f"{route.get('type', '')} {route['dst']} {route.get('dev', '')}" for route in json_of("ip", "-j", "route")
    ]
    namespaces = [str(entry["name"]) for entry in json_of("ip", "-j", "netns")]
    return {
        "links": sorted(name for name in links if not name.startswith(("veth", "podman"))),
        "routes": sorted(route for route in routes if "podman" not in route),
        "namespaces": sorted(name for name in namespaces if name == f"wr-{LAB.name}"),
        "containers": sorted(find(LAB.name)),
    }


def ssh(state_dir: Path, host: str, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    argv = ["ssh", "-F", str(state_dir / "ssh_config"), "-o", "BatchMode=yes", *options, host, command]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)


def connects(host: str, address: str, port: int) -> bool:
    """Try a TCP connection from one host to another, as an outsider would."""
    return execute(LAB.name, host, ("nc", "-z", "-w", "2", address, str(port))) == 0


@pytest.fixture(scope="module")
def before() -> dict[str, list[str]]:
    found = traces()
    assert found["containers"] == []
    return found


@pytest.fixture(scope="module")
def state_dir(before: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    assert before["namespaces"] == []
    folder = tmp_path_factory.mktemp("twin") / LAB.name
    try:
        up(LAB, folder, quiet)
        yield folder
    finally:
        down(LAB.name, folder, purge=True)


def test_every_host_answers_through_the_gateway_with_its_known_key(state_dir: Path) -> None:
    for name in NAMES:
        done = ssh(state_dir, name, "hostname && sudo -n id -un && systemctl is-system-running --wait")
        assert done.stdout.split() == [name, "root", "running"], done.stderr


def test_a_host_with_another_key_is_refused(state_dir: Path) -> None:
    lines = (state_dir / "known_hosts").read_text().splitlines()
    swapped = state_dir / "swapped"
    swapped.write_text(lines[0].split()[0] + " " + " ".join(lines[1].split()[1:]) + "\n")
    done = ssh(state_dir, "infra01", "true", "-o", f"UserKnownHostsFile={swapped}")
    swapped.unlink()
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_the_state_folder_is_for_root_only(state_dir: Path) -> None:
    expected = "id_ed25519 id_ed25519-cert.pub user_ca user_ca.pub known_hosts ssh_config overlay.yml secrets.yml"
    assert set(f"{expected} vault_password lab.json".split()) <= {entry.name for entry in state_dir.iterdir()}
    for entry in (state_dir, *state_dir.rglob("*")):
        assert stat.S_IMODE(entry.stat().st_mode) == (0o700 if entry.is_dir() else 0o600), entry


def test_secrets_are_encrypted_and_open_with_the_password(state_dir: Path) -> None:
    assert (state_dir / "secrets.yml").read_text().startswith("$ANSIBLE_VAULT;")
    vault = Path(sys.executable).with_name("ansible-vault")
    command = (str(vault), "view", "--vault-password-file", str(state_dir / "vault_password"))
    done = subprocess.run((*command, str(state_dir / "secrets.yml")), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("accounts_break_glass_password_hash: $6$")


def test_a_declared_flow_connects_and_another_times_out(state_dir: Path) -> None:
    assert state_dir.exists()
    for port in ("8104", "8105"):
        command = ("podman", "exec", "-d", container_name(LAB.name, "pacs01"), "nc", "-l", "-k", port)
        subprocess.run(command, check=True, capture_output=True)
    assert execute(LAB.name, "pacs01", ("sh", "-c", "until nc -z 127.0.0.1 8104 8105; do sleep 0.1; done")) == 0
    assert connects("infra01", "10.78.2.10", 8104)
    assert not connects("infra01", "10.78.2.10", 8105)
    assert not connects("patch01", "10.78.1.10", 22)
    assert connects("patch01", "10.78.2.10", 8105), "hosts of one zone are neighbours"


def test_a_bystander_speaks_and_is_spoken_to_by_the_same_rules(state_dir: Path) -> None:
    assert state_dir.exists()
    command = ("podman", "exec", "-d", container_name(LAB.name, "ct01"), "nc", "-l", "-k", "8104")
    subprocess.run(command, check=True, capture_output=True)
    assert execute(LAB.name, "ct01", ("sh", "-c", "until nc -z 127.0.0.1 8104; do sleep 0.1; done")) == 0
    assert connects("infra01", "10.78.2.31", 8104)
    assert not connects("ct01", "10.78.1.10", 22)


def test_a_command_runs_as_an_outsider_and_its_exit_code_is_passed_on(state_dir: Path) -> None:
    assert state_dir.exists()
    assert execute(LAB.name, "pacs01", ("sh", "-c", "exit 7")) == 7


def test_network_settings_can_be_written_and_machine_settings_cannot(state_dir: Path) -> None:
    assert ssh(state_dir, "pacs01", "sudo sysctl -w net.ipv4.conf.all.log_martians=1").returncode == 0
    assert ssh(state_dir, "pacs01", "sudo sysctl -w kernel.printk_ratelimit=5").returncode != 0
    assert ssh(state_dir, "pacs01", "cat /proc/sys/net/ipv4/ip_forward").stdout.strip() == "0"


def test_up_again_changes_nothing(state_dir: Path) -> None:
    files = {entry: (entry.stat().st_ino, entry.stat().st_mtime_ns) for entry in state_dir.rglob("*")}
    pids = {name: found.pid for name, found in find(LAB.name).items()}
    here = traces()
    assert up(LAB, state_dir, quiet) is False
    assert {entry: (entry.stat().st_ino, entry.stat().st_mtime_ns) for entry in state_dir.rglob("*")} == files
    assert {name: found.pid for name, found in find(LAB.name).items()} == pids
    assert traces() == here


def test_a_stopped_host_is_seen_started_and_wired_again(state_dir: Path) -> None:
    assert execute(LAB.name, "pacs01", ("touch", "/etc/kept")) == 0
    for name in ("pacs01", GATEWAY):
        subprocess.run(("podman", "stop", "-t", "0", container_name(LAB.name, name)), check=True, capture_output=True)
    rows = {row.host: (row.state, row.ssh) for row in status(LAB)}
    assert rows == {"infra01": ("running", True), "pacs01": ("exited", False), "patch01": ("running", False)}
    assert up(LAB, state_dir, quiet) is True
    assert all(row.ssh for row in status(LAB))
    assert ssh(state_dir, "pacs01", "ls /etc/kept").returncode == 0
    assert connects("infra01", "10.78.2.10", 22) is False


def kill(pid: int) -> None:
    """Kill a process and wait for its end: the first process of a container outlives the signal by all the others."""
    process = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        assert select.select([process], [], [], 60)[0], f"process {pid} did not end"
    finally:
        os.close(process)


def test_a_container_whose_processes_were_killed_is_made_anew(state_dir: Path) -> None:
    for name in ("pacs01", GATEWAY):
        pids = ("podman", "inspect", "--format", "{{.State.ConmonPid}} {{.State.Pid}}", container_name(LAB.name, name))
        for pid in subprocess.run(pids, check=True, capture_output=True, text=True).stdout.split():
            kill(int(pid))
    assert {row.host: row.state for row in status(LAB)}["pacs01"] == "killed"
    said: list[str] = []
    assert up(LAB, state_dir, said.append) is True
    removed = {line for line in said if line.endswith(", whose processes somebody killed")}
    assert len(removed) == 2
    assert all(row.ssh for row in status(LAB))
    assert connects("infra01", "10.78.2.10", 22) is False


def test_a_running_host_whose_ssh_server_is_silent_is_restarted(state_dir: Path) -> None:
    assert execute(LAB.name, "infra01", ("sh", "-c", "touch /etc/kept; systemctl stop ssh")) == 0
    said: list[str] = []
    assert up(LAB, state_dir, said.append) is True
    assert "restarting infra01, whose SSH server does not answer" in said
    assert ssh(state_dir, "infra01", "ls /etc/kept").returncode == 0


def test_a_host_that_left_the_manifest_is_removed_and_one_that_changed_is_made_anew(state_dir: Path) -> None:
    moved = LAB.hosts[1].model_copy(update={"address": IPv4Address("10.78.2.20")})
    assert up(LAB.model_copy(update={"hosts": (LAB.hosts[0], moved), "bystanders": ()}), state_dir, quiet) is True
    assert set(find(LAB.name)) == {"infra01", "pacs01", GATEWAY}
    assert ssh(state_dir, "pacs01", "ip -br address show eth0").stdout.split()[2] == "10.78.2.20/24"
    assert ssh(state_dir, "pacs01", "ls /etc/kept").returncode != 0
    assert up(LAB, state_dir, quiet) is True
    assert all(row.ssh for row in status(LAB))


def test_a_subnet_that_the_machine_uses_is_refused(tmp_path: Path) -> None:
    routes = json.loads(subprocess.run(("ip", "-j", "-4", "route"), capture_output=True, text=True, check=True).stdout)
    used = next(IPv4Network(route["dst"]) for route in routes if "/" in route["dst"] and route.get("dev"))
    zone = TwinZone(id="management", subnet=used, gateway=used[1])
    other = LAB.model_copy(
        update={
            "name": "refused-test",
            "zones": (zone,),
            "hosts": (),
            "bystanders": (),
            "control": TwinControl(zone="management", address=used[2]),
        }
    )
    with pytest.raises(SubnetInUseError):
        up(other, tmp_path / "state", quiet)
    assert not (tmp_path / "state").exists()


def test_down_leaves_nothing(state_dir: Path, before: dict[str, list[str]]) -> None:
    assert down(LAB.name, state_dir) is True
    assert traces() == before
    assert not state_dir.exists()
    assert down(LAB.name, state_dir) is False


@pytest.mark.parametrize("lines", [2, 3, 4])
def test_a_crash_half_way_is_made_good_by_the_next_call(
    lines: int, tmp_path: Path, before: dict[str, list[str]]
) -> None:
    state_dir = tmp_path / "state"
    program = (
        "import sys; from pathlib import Path; from wardround.twin.lifecycle import up;"
        "from wardround.twin.plan import TwinHospital;"
        "up(TwinHospital.model_validate_json(sys.argv[1]), Path(sys.argv[2]), lambda line: print(line, flush=True))"
    )
    argv = (sys.executable, "-c", program, LAB.model_dump_json(), str(state_dir))
    try:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as building:
            assert building.stdout is not None
            for _ in range(lines):
                assert building.stdout.readline()
            building.send_signal(signal.SIGKILL)
        assert building.returncode == -signal.SIGKILL
        if lines % 2:
            assert up(LAB, state_dir, quiet) is True
            assert all(row.ssh for row in status(LAB))
            assert up(LAB, state_dir, quiet) is False
    finally:
        down(LAB.name, state_dir, purge=True)
    assert traces() == before
    assert not state_dir.exists()
