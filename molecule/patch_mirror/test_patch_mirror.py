"""What patch_mirror promises, tried with real packages between two hosts that are each other's mirror."""

import json

import pytest
import testinfra
from testinfra.host import Host

PORT = 3142

FETCH = """
import http.client, json, sys
method, address, target, span = sys.argv[1:]
try:
    connection = http.client.HTTPConnection(address, 3142, timeout=20)
    connection.request(method, target, headers={"Range": span} if span else {})
    answer = connection.getresponse()
    print(json.dumps([answer.status, answer.read(68).decode("latin-1")]))
except (http.client.RemoteDisconnected, ConnectionError) as error:
    print(json.dumps([type(error).__name__, ""]))
"""


def address_of(host: Host) -> str:
    """The host's own address on the network of the scenario."""
    return str(host.interface("eth0").addresses[0])


def fetch(host: Host, method: str, address: str, target: str, span: str = "") -> tuple[int | str, str]:
    """Status (or the error's name) and start of the answer to a request that the host sends to a mirror."""
    status, start = json.loads(host.check_output("python3 -c %s %s %s %s %s", FETCH, method, address, target, span))
    return status, start


@pytest.fixture
def other(host: Host) -> Host:
    """The other host, whose mirror this host uses."""
    name = str(host.backend.hostname)
    other = name.replace("debian-12", "debian-13") if name.endswith("12") else name.replace("debian-13", "debian-12")
    return testinfra.get_host(f"podman://{other}")


@pytest.fixture
def mirror(other: Host) -> str:
    """Address of the mirror that this host uses."""
    return address_of(other)


def test_package_is_installed_through_the_mirror(host: Host, other: Host, mirror: str) -> None:
    key = other.file("/srv/archive/archive.asc").content_string
    base = f"http://{mirror}:{PORT}"
    host.check_output("mkdir -p /tmp/lists/partial && printf %s %s > /tmp/archive.asc", "%s", key)
    host.check_output(f"echo 'deb [signed-by=/tmp/archive.asc] {base}/debian stable main' > /tmp/mirror.list")
    options = "-o Dir::Etc::sourcelist=/tmp/mirror.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=/tmp/lists"
    host.check_output(f"apt-get clean && apt-get {options} update --error-on=any")
    assert f"{base}/debian/" in host.check_output(f"apt-get {options} --print-uris --yes install --reinstall greeting")
    host.check_output(f"apt-get {options} --yes install --reinstall greeting")
    assert host.check_output("greeting") == "Hello, ward!"


def test_date_of_a_package_can_be_read_without_all_of_it(host: Host, mirror: str) -> None:
    status, start = fetch(host, "GET", mirror, "/debian/pool/main/g/greeting/greeting_1.0_all.deb", "bytes=0-67")
    assert status == 206
    assert start.startswith("!<arch>")
    assert start[24:36].strip().isdigit()


@pytest.mark.parametrize(
    "target",
    [
        "/upstream.example/debian/dists/stable/Release",
        "/ubuntu/dists/noble/Release",
        "http://upstream.example/debian/dists/stable/Release",
        "/acng-report.html",
        "/",
    ],
)
def test_undeclared_address_is_refused(host: Host, mirror: str, target: str) -> None:
    status, _ = fetch(host, "GET", mirror, target)
    assert status in {403, 404, 406}


def test_tunnel_is_refused(host: Host, mirror: str) -> None:
    status, _ = fetch(host, "CONNECT", mirror, "upstream.example:443")
    assert status == 403


def test_undeclared_client_is_turned_away(host: Host) -> None:
    # The host's own address is not among the declared clients of its mirror.
    status, _ = fetch(host, "GET", address_of(host), "/debian/")
    assert status in {"RemoteDisconnected", "ConnectionResetError"}
    assert fetch(host, "GET", "127.0.0.1", "/")[0] != status


def test_it_listens_on_declared_addresses_only(host: Host) -> None:
    listening = {line for line in host.socket.get_listening_sockets() if line.endswith(f":{PORT}")}
    assert listening == {f"tcp://127.0.0.1:{PORT}", f"tcp://{address_of(host)}:{PORT}"}


def test_service_is_confined_and_survives_a_reboot(host: Host) -> None:
    service = host.service("apt-cacher-ng")
    assert service.is_running
    assert service.is_enabled
    properties = host.check_output(
        "systemctl show apt-cacher-ng -p User,NoNewPrivileges,ProtectSystem,CapabilityBoundingSet",
    )
    assert set(properties.splitlines()) == {
        "User=apt-cacher-ng",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
    }


def test_unused_files_leave_the_cache_and_used_ones_stay(host: Host) -> None:
    host.check_output("touch /var/cache/apt-cacher-ng/fresh.deb")
    host.check_output("systemd-tmpfiles --clean /etc/tmpfiles.d/patch_mirror.conf")
    assert host.file("/var/cache/apt-cacher-ng/fresh.deb").exists
    host.check_output("sed 's/ [0-9]*d$/ 0/' /etc/tmpfiles.d/patch_mirror.conf > /tmp/now.conf")
    host.check_output("systemd-tmpfiles --clean /tmp/now.conf")
    assert not host.file("/var/cache/apt-cacher-ng/fresh.deb").exists
