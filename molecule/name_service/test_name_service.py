"""What name_service promises, asked by real queries from one host to the other and to itself."""

import json

import pytest
import testinfra
from testinfra.host import Host

ASK = """
import json, socket, struct, sys
server, name, kind = sys.argv[1], sys.argv[2], int(sys.argv[3])
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\\0"
chaos_or_internet = 3 if name == "version.bind" else 1
query = struct.pack("!6H", 4711, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!2H", kind, chaos_or_internet)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
    wire.settimeout(10)
    wire.bind((sys.argv[4], 0))
    wire.sendto(query, (server, 53))
    answer = wire.recv(4096)
flags, _, count = struct.unpack("!3H", answer[2:8])
print(json.dumps([flags & 15, count]))
"""

A, ANY, TXT = 1, 255, 16
NOERROR, NXDOMAIN, REFUSED, NOTIMP = 0, 3, 5, 4

FORWARDER = "podman://wr_name_service_debian-12"
AUTHORITY = "podman://wr_name_service_debian-13"


@pytest.fixture
def forwards(host: Host) -> bool:
    """Whether this host is the one that forwards to the other."""
    return str(host.backend.hostname) in FORWARDER


@pytest.fixture
def domain(*, forwards: bool) -> str:
    """The host's own zone."""
    return "hospital.example" if forwards else "outside.example"


def address_of(host: Host) -> str:
    """The host's own address on the network of the scenario."""
    return str(host.interface("eth0").addresses[0])


def ask(host: Host, server: str, name: str, kind: int = A, source: str = "") -> tuple[int, int]:
    """Response code and number of answers that the host gets from a server."""
    answer = host.check_output("python3 -c %s %s %s %s %s", ASK, server, name, str(kind), source)
    code, count = json.loads(answer)
    return code, count


def test_zone_is_served_forward_and_reverse(host: Host, domain: str) -> None:
    assert ask(host, "127.0.0.1", f"pacs01.{domain}") == (NOERROR, 1)
    assert ask(host, "127.0.0.1", f"archive.{domain}") == (NOERROR, 1)
    assert ask(host, "127.0.0.1", "10.20.20.10.in-addr.arpa", 12) == (NOERROR, 1)
    assert ask(host, "127.0.0.1", "2.99.20.10.in-addr.arpa", 12) == (NOERROR, 1)
    assert ask(host, "127.0.0.1", f"nobody.{domain}") == (NXDOMAIN, 0)


def test_host_resolves_through_the_declared_resolver(host: Host) -> None:
    forwarder = address_of(testinfra.get_host(FORWARDER))
    assert f"nameserver {forwarder}\n" in host.file("/etc/resolv.conf").content_string
    assert host.check_output("getent hosts pacs01.hospital.example").split()[0] == "10.20.20.10"


def test_short_names_are_completed(host: Host, domain: str) -> None:
    if domain == "hospital.example":
        assert host.check_output("getent hosts time").split() == ["10.20.99.2", "time.hospital.example"]
    else:
        # Its own zone is searched, which the resolver refuses to a client of the internal view.
        assert host.run("getent hosts time").rc != 0


def test_other_zones_are_forwarded_or_refused(host: Host, *, forwards: bool) -> None:
    if forwards:
        assert ask(host, "127.0.0.1", "public.outside.example") == (NOERROR, 1)
        assert ask(host, "127.0.0.1", "nobody.outside.example") == (NXDOMAIN, 0)
    else:
        assert ask(host, "127.0.0.1", "pacs01.hospital.example") == (REFUSED, 0)


def test_names_from_outside_never_lead_inside(host: Host, *, forwards: bool) -> None:
    if forwards:
        assert ask(host, "127.0.0.1", "pacs01.outside.example") == (NOERROR, 0)


def test_internal_view_answers_own_names_only() -> None:
    device = testinfra.get_host(AUTHORITY)
    resolver = address_of(testinfra.get_host(FORWARDER))
    assert ask(device, resolver, "pacs01.hospital.example") == (NOERROR, 1)
    assert ask(device, resolver, "public.outside.example") == (REFUSED, 0)


def test_undeclared_client_is_refused(host: Host, domain: str) -> None:
    stranger = "198.51.100.7"
    host.check_output("ip address replace %s/32 dev lo", stranger)
    assert ask(host, address_of(host), f"pacs01.{domain}", source=stranger) == (REFUSED, 0)
    assert ask(host, address_of(host), f"pacs01.{domain}") == (NOERROR, 1)


def test_resolver_does_not_talk_about_itself(host: Host, domain: str) -> None:
    assert ask(host, "127.0.0.1", "version.bind", TXT)[0] == REFUSED
    assert ask(host, "127.0.0.1", domain, ANY)[1] == 0


def test_it_listens_on_declared_addresses_only(host: Host) -> None:
    listening = {line for line in host.socket.get_listening_sockets() if line.endswith(":53")}
    wanted = ("127.0.0.1", address_of(host))
    assert listening == {f"{protocol}://{address}:53" for protocol in ("tcp", "udp") for address in wanted}


def test_service_survives_a_reboot(host: Host) -> None:
    assert host.service("unbound").is_running
    assert host.service("unbound").is_enabled
    assert host.run("unbound-checkconf").rc == 0
