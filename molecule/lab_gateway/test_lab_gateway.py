"""The gateway is tried with real connections, over TLS from this machine and in plaintext from the other host."""

import contextlib
import os
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

PKI = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "pki"
TLS_PORT, NARROW_PORT, OLD_ANALYSER, NEW_ANALYSER, TO_PEER, TO_NOBODY = 2576, 2577, 4001, 4002, 6700, 6701
START, END = b"\x0b", b"\x1c\r"
TALK = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
try:
    connection.sendall(b"\\x0bMSH|^~\\\\&|||||||ORU^R01|plain|P|2.5.1\\r\\x1c\\r")
    print(connection.recv(1000))
except ConnectionError as error:
    print(type(error).__name__)
"""


def other(host: Host) -> Host:
    name = host.backend.name
    ends = ("debian-12", "debian-13")
    mine = name[-len(ends[0]) :]
    return testinfra.get_host(f"podman://{name.replace(mine, ends[1 - ends.index(mine)])}")


def address(host: Host) -> str:
    return str(host.check_output("hostname -I").split()[0])


def connections(host: Host) -> int:
    """How many connections ever reached the laboratory's software."""
    return int(host.check_output("cat /srv/connections 2>/dev/null | wc -l"))


def journal(host: Host, *texts: str, seconds: float = 10) -> bool:
    """Wait until one line of the gateway's log has all texts."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        lines = host.check_output("journalctl --identifier lab_gateway --output cat --no-pager").splitlines()
        if any(all(text in line for text in texts) for line in lines):
            return True
        time.sleep(0.3)
    return False


def connect(host: Host, certificate: str = "lis", port: int = TLS_PORT) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(PKI / "ca.crt"))
    if certificate:
        context.load_cert_chain(PKI / f"{certificate}.crt", PKI / f"{certificate}.key")
    plain = socket.create_connection((address(host), port), timeout=10)
    return context.wrap_socket(plain, server_hostname=f"{host.backend.name}.hospital.example")


def ask(connection: socket.socket, identifier: str = "1") -> bytes:
    """Send a message and return the answer, nothing where the connection ends instead."""
    connection.sendall(START + rb"MSH|^~\&|||||||ORU^R01|" + identifier.encode() + b"|P|2.5.1\r" + END)
    answer = b""
    while not answer.endswith(END) and (part := connection.recv(4096)):
        answer += part
    return answer


def talk(sender: Host, to: str, port: int) -> str:
    return str(sender.check_output(f"python3 -c '{TALK}' {to} {port}"))


@pytest.mark.parametrize("certificate", ["lis", "middleware"], ids=["common name", "second DNS name"])
def test_a_declared_certificate_is_answered(host: Host, certificate: str) -> None:
    with connect(host, certificate) as connection:
        assert b"MSA|AA|42\r" in ask(connection, "42")


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_current_versions_of_tls_are_spoken(host: Host, version: str) -> None:
    done = s_client(host, f"-{version.lower().replace('v', '').replace('.', '_')}", *certificate_of("lis"))
    assert f"New, {version}" in done.stdout


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param("stranger", id="a name that is not declared"),
        pytest.param("impostor", id="a declared name from another authority"),
        pytest.param("revoked", id="a declared name, revoked"),
        pytest.param("", id="no certificate"),
    ],
)
def test_refused_before_a_byte_reaches_the_backend(host: Host, certificate: str) -> None:
    before = connections(host)
    with contextlib.suppress(OSError), connect(host, certificate) as connection:
        assert ask(connection) == b""
    assert connections(host) == before


def certificate_of(name: str) -> tuple[str, ...]:
    return "-cert", str(PKI / f"{name}.crt"), "-key", str(PKI / f"{name}.key")


def s_client(host: Host, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        "openssl",
        "s_client",
        "-CAfile",
        str(PKI / "ca.crt"),
        "-connect",
        f"{address(host)}:{TLS_PORT}",
        *options,
    ]
    return subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20)


def test_tls_1_1_is_refused(host: Host) -> None:
    done = s_client(host, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0", *certificate_of("lis"))
    assert done.returncode != 0
    assert "alert protocol version" in done.stderr
    assert journal(host, "listener=results", "refused=", "unsupported protocol")


def test_plaintext_to_the_tls_port_is_refused(host: Host) -> None:
    before = connections(host)
    with (
        socket.create_connection((address(host), TLS_PORT), timeout=10) as connection,
        contextlib.suppress(ConnectionError),
    ):
        assert b"MSA" not in ask(connection)
    assert connections(host) == before


def test_a_connection_is_logged_with_its_peer_and_size(host: Host) -> None:
    with connect(host) as connection:
        source = "{}:{}".format(*connection.getsockname())
        size = len(ask(connection, "logged"))
    assert journal(host, "listener=results", 'subject="lis01"', f"source={source}", f"sent={size} ", "milliseconds=")


def test_a_refusal_is_logged_with_its_reason(host: Host) -> None:
    assert journal(host, "listener=results", 'subject="stranger"', "backend=-:-", "end=PR")
    assert journal(host, "listener=results", "refused=", "certificate verify failed")
    assert journal(host, "listener=results", "refused=", "peer did not return a certificate")


def test_messages_are_not_logged(host: Host) -> None:
    assert "ORU" not in host.check_output("journalctl --identifier lab_gateway --output cat --no-pager")


def test_plaintext_from_a_declared_source_is_answered_even_past_its_time(host: Host) -> None:
    assert "MSA|AA|plain" in talk(other(host), address(host), OLD_ANALYSER)


@pytest.mark.parametrize("port", [OLD_ANALYSER, NEW_ANALYSER])
def test_plaintext_from_any_other_source_is_refused(host: Host, port: int) -> None:
    before = connections(host)
    assert talk(host, address(host), port) in {"b''", "ConnectionResetError", "BrokenPipeError"}
    assert connections(host) == before
    name = {OLD_ANALYSER: "old_analyser", NEW_ANALYSER: "new_analyser"}[port]
    assert journal(host, f"listener={name}", f"source={address(host)}:", "backend=-:-", "end=PR")


def test_software_without_tls_reaches_a_peer_over_tls(host: Host) -> None:
    assert "MSA|AA|plain" in talk(host, "127.0.0.1", TO_PEER)
    assert journal(other(host), f'subject="{host.backend.name}"', f"source={address(host)}:")


def test_a_peer_with_another_name_gets_nothing(host: Host) -> None:
    before = connections(other(host))
    assert talk(host, "127.0.0.1", TO_NOBODY) in {"b''", "ConnectionResetError", "BrokenPipeError"}
    assert connections(other(host)) == before


def test_more_connections_than_declared_wait(host: Host) -> None:
    first, second = connect(host, port=NARROW_PORT), connect(host, port=NARROW_PORT)
    assert b"MSA|AA" in ask(first)
    assert b"MSA|AA" in ask(second)
    with pytest.raises(TimeoutError):
        third_within(host, 2)
    first.close()
    assert b"MSA|AA" in third_within(host, 10)
    second.close()


def third_within(host: Host, seconds: float) -> bytes:
    context = ssl.create_default_context(cafile=str(PKI / "ca.crt"))
    context.load_cert_chain(PKI / "lis.crt", PKI / "lis.key")
    with (
        socket.create_connection((address(host), NARROW_PORT), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=f"{host.backend.name}.hospital.example") as connection,
    ):
        return ask(connection)


def test_a_reload_costs_no_connection_and_refuses_none(host: Host) -> None:
    kept = connect(host)
    assert b"MSA|AA|before" in ask(kept, "before")
    refused: list[str] = []
    over = threading.Event()

    def keep_connecting() -> None:
        while not over.is_set():
            try:
                with connect(host) as connection:
                    assert b"MSA|AA" in ask(connection)
            except (OSError, AssertionError) as error:
                refused.append(repr(error))

    worker = "systemctl show --property MainPID --value haproxy.service | xargs pgrep --newest --parent"
    former = host.check_output(worker)
    meanwhile = threading.Thread(target=keep_connecting)
    meanwhile.start()
    for _ in range(2):
        host.check_output("systemctl reload haproxy.service")
        time.sleep(1)
    over.set()
    meanwhile.join()
    assert host.check_output(worker) != former
    assert refused == []
    assert b"MSA|AA|after" in ask(kept, "after")
    kept.close()


def test_it_listens_for_declared_flows_only(host: Host) -> None:
    # Root of a container does not see the sockets of another account's process.
    others = ("sshd", "python3")
    sockets = [line for line in host.check_output("ss -Hltnp").splitlines() if not any(name in line for name in others)]
    everywhere = {f"0.0.0.0:{port}" for port in (TLS_PORT, NARROW_PORT, OLD_ANALYSER, NEW_ANALYSER)}
    assert {line.split()[3] for line in sockets} == everywhere | {f"127.0.0.1:{port}" for port in (TO_PEER, TO_NOBODY)}


def test_only_root_asks_the_running_proxy(host: Host) -> None:
    for path, mode in (("/run/lab_gateway", 0o700), ("/run/lab_gateway/admin.sock", 0o600)):
        assert (host.file(path).user, host.file(path).group, host.file(path).mode) == ("root", "root", mode)


def test_connections_are_held_by_an_account_of_its_own(host: Host) -> None:
    main = host.check_output("systemctl show --property MainPID --value haproxy.service")
    assert set(host.check_output(f"ps --ppid {main} -o user=").split()) == {"haproxy"}


def test_service_is_confined_and_survives_a_reboot(host: Host) -> None:
    service = host.service("haproxy")
    assert service.is_running
    assert service.is_enabled
    properties = host.check_output(
        "systemctl show haproxy -p NoNewPrivileges,ProtectSystem,PrivateTmp,CapabilityBoundingSet"
    )
    assert set(properties.splitlines()) == {
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=cap_kill cap_setgid cap_setuid cap_net_bind_service cap_sys_chroot",
    }
