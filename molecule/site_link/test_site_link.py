"""What site_link promises: the scenario's hosts are each other's peers, by WireGuard and by IPsec."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import testinfra
from testinfra.host import Host

MARK = "wardround-marked"
SWANCTL = "/etc/swanctl/swanctl.conf"
WIREGUARD_FILE = "/etc/wireguard/site-link.conf"
OWN = "/etc/wardround/pki/host"
UNDECLARED = 78
NOBODY = "d2FyZHJvdW5kd2FyZHJvdW5kd2FyZHJvdW5kbm9ib2Q="
"""Key of a peer that never answers and is called by its name."""


@dataclass(frozen=True)
class Tunnel:
    """One kind of tunnel: its unit, the second number of its networks, its UDP port and its file."""

    unit: str
    networks: int
    port: str
    file: str
    only_answers: str
    """What makes a host wait to be called, said to sed."""


WIREGUARD = Tunnel("site-link", 77, "51820", WIREGUARD_FILE, "/^Endpoint/d")
IPSEC = Tunnel("strongswan", 76, "4500", SWANCTL, "s/remote_addrs = .*/remote_addrs = %any/")

each_tunnel = pytest.mark.parametrize(
    "tunnel", [pytest.param(WIREGUARD, id="wireguard"), pytest.param(IPSEC, id="ipsec")]
)


def number(host: Host) -> str:
    """The part of the host's networks that is its own."""
    return str(host.backend.hostname)[-2:]


def address_of(host: Host) -> str:
    """The host's own address on the network of the scenario."""
    return str(host.interface("eth0").addresses[0])


def passes(host: Host, other: Host, source: int, target: int, seconds: float = 0) -> bool:
    """Whether a packet gets from one of the host's networks to one of the other's, and an answer back."""
    ping = f"ping -n -c 1 -W 1 -I 10.{source}.{number(host)}.1 10.{target}.{number(other)}.1"
    deadline = time.monotonic() + seconds
    while host.run(ping).rc != 0:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def on_the_wire(host: Host, port: str, target: str) -> dict[str, int]:
    """What is seen on the wire while the host sends marked packets from its network to an address."""
    sniff = ["podman", "exec", "-i", str(host.backend.hostname), "python3", "/root/sniff.py", MARK, port]
    with subprocess.Popen(sniff, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        host.check_output(f"ping -n -c 3 -i 0.2 -W 5 -p {MARK.encode().hex()} {target}")
        process.stdin.close()
        counts: dict[str, int] = json.loads(process.stdout.read())
    return counts


def other_of(host: Host) -> Host:
    """The other host."""
    name = str(host.backend.hostname)
    other = name.replace("debian-12", "debian-13") if name.endswith("12") else name.replace("debian-13", "debian-12")
    return testinfra.get_host(f"podman://{other}")


@pytest.fixture
def other(host: Host) -> Host:
    """The other host, which is this host's peer."""
    return other_of(host)


@each_tunnel
def test_declared_networks_reach_each_other(host: Host, other: Host, tunnel: Tunnel) -> None:
    assert passes(host, other, tunnel.networks, tunnel.networks, seconds=30)


@each_tunnel
def test_nothing_can_be_read_on_the_wire(host: Host, other: Host, tunnel: Tunnel) -> None:
    in_the_clear = on_the_wire(host, tunnel.port, address_of(other))
    assert in_the_clear["marked"] >= 6
    ends = f"-I 10.{tunnel.networks}.{number(host)}.1 10.{tunnel.networks}.{number(other)}.1"
    tunnelled = on_the_wire(host, tunnel.port, ends)
    assert tunnelled["marked"] == 0
    assert tunnelled["tunnelled"] >= 6


@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param(UNDECLARED, WIREGUARD.networks, id="from an undeclared network by wireguard"),
        pytest.param(UNDECLARED, IPSEC.networks, id="from an undeclared network by ipsec"),
        pytest.param(WIREGUARD.networks, UNDECLARED, id="to an undeclared network from wireguard's"),
        pytest.param(IPSEC.networks, UNDECLARED, id="to an undeclared network from ipsec's"),
        pytest.param(IPSEC.networks, WIREGUARD.networks, id="from ipsec's network by wireguard"),
        pytest.param(WIREGUARD.networks, IPSEC.networks, id="from wireguard's network by ipsec"),
    ],
)
def test_what_is_not_declared_does_not_pass(host: Host, other: Host, source: int, target: int) -> None:
    assert not passes(host, other, source, target)


@each_tunnel
def test_nothing_passes_without_the_tunnel_and_none_waits_for_its_peer(host: Host, other: Host, tunnel: Tunnel) -> None:
    host.check_output("systemctl stop %s", tunnel.unit)
    try:
        assert host.run("systemctl is-active %s", tunnel.unit).stdout.strip() == "inactive"
        assert not passes(host, other, tunnel.networks, tunnel.networks)
        other.check_output("systemctl stop %s", tunnel.unit)
        host.check_output("timeout 40 systemctl start %s", tunnel.unit)
    finally:
        host.check_output("systemctl start %s", tunnel.unit)
        other.check_output("systemctl start %s", tunnel.unit)
    assert passes(host, other, tunnel.networks, tunnel.networks, seconds=30)


@each_tunnel
def test_a_tunnel_is_closed_cleanly_however_soon(host: Host, tunnel: Tunnel) -> None:
    for _ in range(10):
        host.check_output("systemctl stop %s", tunnel.unit)
        assert host.run("systemctl is-active %s", tunnel.unit).stdout.strip() == "inactive"
        host.check_output("systemctl start %s", tunnel.unit)


@each_tunnel
def test_tunnel_comes_back_when_its_process_dies(host: Host, other: Host, tunnel: Tunnel) -> None:
    def process() -> str:
        return str(host.check_output("systemctl show --property MainPID --value %s", tunnel.unit))

    before = process()
    assert before != "0"
    host.check_output("systemctl kill --kill-whom=main --signal=KILL %s", tunnel.unit)
    deadline = time.monotonic() + 40
    while process() in {before, "0"}:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert passes(host, other, tunnel.networks, tunnel.networks, seconds=30)


@each_tunnel
def test_tunnel_is_opened_from_this_side_alone(host: Host, other: Host, tunnel: Tunnel) -> None:
    host.check_output("systemctl stop %s", tunnel.unit)
    other.check_output("cp -p %s /root/declared", tunnel.file)
    other.check_output("sed -i %s %s", tunnel.only_answers, tunnel.file)
    try:
        other.check_output("systemctl restart %s", tunnel.unit)
        host.check_output("systemctl start %s", tunnel.unit)
        # The other one knows nowhere to send its packets to before it was called.
        assert passes(other, host, tunnel.networks, tunnel.networks, seconds=30)
    finally:
        other.check_output("cp -p /root/declared %s", tunnel.file)
        other.check_output("systemctl restart %s", tunnel.unit)
    assert passes(host, other, tunnel.networks, tunnel.networks, seconds=60)


def test_wireguard_peer_with_another_key_is_refused(host: Host, other: Host) -> None:
    other.check_output("umask 077; wg genkey >/root/foreign.key; wg set site-link private-key /root/foreign.key")
    host.check_output("systemctl restart site-link")
    try:
        assert not passes(host, other, WIREGUARD.networks, WIREGUARD.networks, seconds=6)
        assert not passes(other, host, WIREGUARD.networks, WIREGUARD.networks)
    finally:
        other.check_output("systemctl restart site-link")
    assert passes(host, other, WIREGUARD.networks, WIREGUARD.networks, seconds=30)


def nobodys_endpoint(host: Host) -> str:
    """Where the host calls the peer that has a name only."""
    lines = host.check_output("wg show site-link endpoints").splitlines()
    return str(next(line.split(maxsplit=1)[1] for line in lines if line.startswith(NOBODY)))


@pytest.fixture
def without_names(host: Host) -> Iterator[Host]:
    """The host, which finds nobody to ask for a name."""
    host.check_output("cp /etc/hosts /etc/resolv.conf /root/ && sed -i /nobody/d /etc/hosts")
    host.check_output("echo nameserver 127.0.0.1 >/etc/resolv.conf")
    yield host
    host.check_output("cp /root/hosts /root/resolv.conf /etc/")


def test_unknown_name_keeps_no_tunnel_from_opening(without_names: Host, other: Host) -> None:
    without_names.check_output("timeout 40 systemctl restart site-link")
    assert passes(without_names, other, WIREGUARD.networks, WIREGUARD.networks, seconds=30)
    assert nobodys_endpoint(without_names) == "(none)"


def test_name_is_looked_up_until_it_is_known(host: Host) -> None:
    deadline = time.monotonic() + 40
    while nobodys_endpoint(host) != "127.0.0.9:51820":
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_private_key_never_leaves_its_file(host: Host) -> None:
    key = host.file("/etc/wireguard/site-link.key")
    assert (key.user, key.group, key.mode) == ("root", "root", 0o600)
    secret = host.check_output("cat /etc/wireguard/site-link.key")
    for path in (WIREGUARD_FILE, "/etc/ansible/facts.d/site_link.fact", "/etc/systemd/system/site-link.service"):
        assert secret not in host.check_output("cat %s", path)
    published = json.loads(host.check_output("cat /etc/ansible/facts.d/site_link.fact"))
    assert published == {"public_key": host.check_output("wg pubkey </etc/wireguard/site-link.key")}


def test_no_other_tunnel_is_open(host: Host, other: Host) -> None:
    assert host.check_output("wg show interfaces") == "site-link"
    published = json.loads(other.check_output("cat /etc/ansible/facts.d/site_link.fact"))
    assert set(host.check_output("wg show site-link peers").splitlines()) == {published["public_key"], NOBODY}
    connections = host.check_output("swanctl --list-conns --raw").splitlines()
    assert len([line for line in connections if line.startswith("list-conn event")]) == 1
    assert connections[0].startswith("list-conn event {other_cloud ")


def test_agreed_algorithms_are_the_declared_ones(host: Host) -> None:
    agreed = host.check_output("swanctl --list-sas")
    assert "ESTABLISHED, IKEv2" in agreed
    assert "AES_GCM_16-256/PRF_HMAC_SHA2_384/ECP_384" in agreed
    assert "TUNNEL-in-UDP, ESP:AES_GCM_16-256" in agreed


def test_both_sides_call_and_one_connection_stays(host: Host) -> None:
    # One that was made twice is closed once after ten seconds, and must not be called for again.
    def open_now() -> list[str]:
        listed = host.check_output("swanctl --list-sas").splitlines()
        return [line.split()[1] for line in listed if line.startswith("other_cloud:") and "ESTABLISHED" in line]

    deadline = time.monotonic() + 40
    while len(before := open_now()) != 1:
        assert time.monotonic() < deadline
        time.sleep(1)
    time.sleep(12)
    assert open_now() == before


def test_new_keys_come_from_a_new_exchange(host: Host, other: Host) -> None:
    host.check_output("swanctl --rekey --child other_cloud")
    deadline = time.monotonic() + 40
    while "ESP:AES_GCM_16-256/ECP_384" not in host.check_output("swanctl --list-sas"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert passes(host, other, IPSEC.networks, IPSEC.networks, seconds=30)


@pytest.fixture
def damaged(other: Host) -> Iterator[Host]:
    """The other host, to be damaged; it is mended afterwards, and calls anew."""
    other.check_output(f"tar -C / -cf /root/before.tar {SWANCTL[1:]} {OWN[1:]}.crt {OWN[1:]}.key")
    yield other
    other.check_output("tar -C / -xf /root/before.tar && systemctl restart strongswan")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(
            f"cp /root/rogue.crt {OWN}.crt; cp /root/rogue.key {OWN}.key",
            'issuer is "CN=rogue"',
            id="certificate of another authority",
        ),
        pytest.param(
            f"cp /root/other.crt {OWN}.crt; cp /root/other.key {OWN}.key; sed -i s/edgeN/otherN/ {SWANCTL}",
            "AUTHENTICATION_FAILED notify error",
            id="certificate with another name",
        ),
        pytest.param(
            f"sed -i 's/ proposals = .*/ proposals = aes128-sha256-modp2048/' {SWANCTL}",
            "NO_PROPOSAL_CHOSEN notify error",
            id="weaker algorithms",
        ),
        pytest.param(
            f"sed -i 's/esp_proposals = .*/esp_proposals = aes128-sha256/' {SWANCTL}",
            "NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
            id="weaker algorithms for packets",
        ),
        pytest.param(f"sed -i 's/version = 2/version = 1/' {SWANCTL}", "NO_PROPOSAL_CHOSEN notify error", id="IKEv1"),
        pytest.param(
            f"sed -i 's/local_ts = .*/local_ts = 10.78.0.0\\/16/' {SWANCTL}",
            "TS_UNACCEPTABLE notify, no CHILD_SA built",
            id="other networks",
        ),
    ],
)
def test_ipsec_peer_is_refused(host: Host, damaged: Host, damage: str, reason: str) -> None:
    own = f"s/edge{number(damaged)}/other{number(damaged)}/"
    before = host.check_output("date +%s")
    damaged.check_output(f"{damage.replace('s/edgeN/otherN/', own)} && systemctl restart strongswan")
    assert host.run("swanctl --initiate --child other_cloud --timeout 20").rc != 0
    assert "INSTALLED" not in host.check_output("swanctl --list-sas")
    assert not passes(host, damaged, IPSEC.networks, IPSEC.networks)
    assert reason in host.check_output("journalctl --unit strongswan --output cat --since @%s", before)


def test_mended_peer_is_connected_again(host: Host, other: Host) -> None:
    assert passes(host, other, IPSEC.networks, IPSEC.networks, seconds=30)


@pytest.mark.parametrize(
    ("unit", "capabilities"),
    [
        pytest.param("site-link", "cap_net_admin", id="wireguard"),
        pytest.param("site-link-names", "cap_net_admin", id="names"),
        pytest.param("strongswan", "cap_net_bind_service cap_net_admin cap_net_raw", id="ipsec"),
        pytest.param("site-link-calls", "", id="caller"),
    ],
)
def test_tunnel_is_confined_and_survives_a_reboot(host: Host, unit: str, capabilities: str) -> None:
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled
    properties = host.check_output("systemctl show %s -p NoNewPrivileges,ProtectSystem,CapabilityBoundingSet", unit)
    assert set(properties.splitlines()) == {
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        f"CapabilityBoundingSet={capabilities}",
    }
