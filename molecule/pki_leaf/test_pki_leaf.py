"""Keys and certificates are tried with TLS between the hosts."""

import time

import pytest
import testinfra
from testinfra.host import Host

FOLDER = "/etc/wardround/pki"
OWN = f"-cert {FOLDER}/host.crt -key {FOLDER}/host.key"
TRUST = f"-CAfile {FOLDER}/ca.crt -no-CApath"


def name(host: Host) -> str:
    return f"{host.backend.name.replace('_', '-')}.st-example.test"


@pytest.fixture
def neighbour(host: Host) -> Host:
    """The scenario's other host."""
    own = host.backend.name
    other = own.replace("debian-12", "debian-13") if own.endswith("12") else own.replace("debian-13", "debian-12")
    return testinfra.get_host(f"podman://{other}")


@pytest.fixture
def server(neighbour: Host) -> str:
    """A TLS server on the other host that demands a certificate of the hospital; its address."""
    unit = f"tls-{time.monotonic_ns()}"
    command = f"openssl s_server -accept 8443 -quiet {OWN} {TRUST} -Verify 1 -verify_return_error"
    neighbour.check_output(f"systemctl stop 'tls-*'; systemd-run --quiet --collect --unit={unit} {command}")
    deadline = time.monotonic() + 10
    while ":8443 " not in neighbour.check_output("ss -Hltn"):
        assert time.monotonic() < deadline, "the TLS server did not start"
        time.sleep(0.1)
    return str(neighbour.check_output("hostname -I").split()[0])


def greet(host: Host, address: str, server_name: str, credentials: str) -> bool:
    """Tell whether a TLS 1.3 session comes about in which both sides accept each other."""
    options = (
        f"-connect {address}:8443 -verify_hostname {server_name} -verify_return_error {TRUST} {credentials} -tls1_3"
    )
    # In TLS 1.3 a server refuses a client's certificate after the handshake; only a later read shows it.
    answer = host.run(f"(sleep 1; echo Q) | timeout 10 openssl s_client {options} -brief")
    return answer.rc == 0 and "Verification: OK" in answer.stdout + answer.stderr and "alert" not in answer.stderr


def test_both_sides_accept_each_other(host: Host, neighbour: Host, server: str) -> None:
    assert greet(host, server, name(neighbour), OWN)


def test_a_client_without_a_certificate_is_refused(host: Host, neighbour: Host, server: str) -> None:
    assert not greet(host, server, name(neighbour), "")


def test_a_self_made_client_certificate_is_refused(host: Host, neighbour: Host, server: str) -> None:
    made = "-newkey rsa:3072 -keyout /run/made.key -out /run/made.crt"
    host.check_output(f"openssl req -x509 -new -nodes {made} -subj /CN={name(host)}")
    assert not greet(host, server, name(neighbour), "-cert /run/made.crt -key /run/made.key")


def test_a_server_under_another_name_is_refused(host: Host, server: str) -> None:
    assert not greet(host, server, "other.st-example.test", OWN)


def test_the_chain_verifies_for_servers_and_clients(host: Host) -> None:
    for purpose in ("sslserver", "sslclient"):
        host.check_output(f"openssl verify {TRUST} -x509_strict -purpose {purpose} {FOLDER}/host.crt")
    text = host.check_output(f"openssl x509 -in {FOLDER}/host.crt -noout -ext subjectAltName")
    assert f"DNS:{name(host)}, IP Address:192.0.2.10" in text


def test_the_key_is_readable_by_its_group_alone(host: Host) -> None:
    key = host.file(f"{FOLDER}/host.key")
    assert (key.mode, key.user, key.group) == (0o640, "root", "tls-readers")
    assert host.check_output(f"openssl pkey -in {FOLDER}/host.key -check -noout") == "Key is valid"


def test_every_program_trusts_the_hospital(host: Host) -> None:
    host.check_output(f"openssl verify {FOLDER}/host.crt")


def test_consumers_were_told(host: Host) -> None:
    assert host.file("/run/consumer-reloaded").exists


def test_nothing_half_made_is_left(host: Host) -> None:
    assert sorted(host.check_output(f"ls -A {FOLDER}").split()) == ["ca.crt", "host.crt", "host.key"]
