"""What time_sync promises, asked of the running daemons and by NTP packets between the hosts."""

import struct

import pytest
import testinfra
from testinfra.host import Host

SERVER = "podman://wr_time_sync_debian-12"

ASK = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
    wire.settimeout(3)
    wire.connect((sys.argv[1], 123))
    try:
        wire.send(bytes([0x23]) + bytes(47))
        print(wire.recv(512).hex())
    except (TimeoutError, ConnectionRefusedError) as error:
        print(type(error).__name__)
"""


def address_of(host: Host) -> str:
    """The host's own address on the network of the scenario."""
    return str(host.interface("eth0").addresses[0])


@pytest.fixture
def serves(host: Host) -> bool:
    """Whether this host is the time server."""
    return str(host.backend.hostname) in SERVER


def test_server_answers_with_its_own_stratum(host: Host) -> None:
    answer = host.check_output("python3 -c %s %s", ASK, address_of(testinfra.get_host(SERVER)))
    stratum = struct.unpack_from("!B", bytes.fromhex(answer), 1)[0]
    assert stratum == 10


def test_client_serves_nobody(host: Host, *, serves: bool) -> None:
    answer = host.check_output("python3 -c %s 127.0.0.1", ASK)
    assert (answer == "ConnectionRefusedError") is not serves
    listening = [line for line in host.socket.get_listening_sockets() if line.endswith((":123", ":323"))]
    assert bool(listening) is serves


def test_client_follows_the_server_within_a_second(host: Host, *, serves: bool) -> None:
    if serves:
        assert host.check_output("chronyc -c sources") == ""
        return
    server = address_of(testinfra.get_host(SERVER))
    mode, state, name = host.check_output("chronyc -n -c sources").split(",")[:3]
    assert (mode, state, name) == ("^", "*", server)
    assert abs(float(host.check_output("chronyc -c tracking").split(",")[4])) < 1.0


def test_no_other_time_daemon_is_present(host: Host) -> None:
    for package in ("systemd-timesyncd", "ntp", "ntpsec", "openntpd"):
        assert not host.package(package).is_installed


def test_clock_is_left_to_the_machine(host: Host) -> None:
    assert "-x" in host.check_output("ps -o args= -C chronyd").split()


def test_service_survives_a_reboot(host: Host) -> None:
    assert host.service("chrony").is_running
    assert host.service("chrony").is_enabled
