"""Network access is tried with RADIUS packets and a supplicant, from the scenario's other host."""

import json
import os
import re
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

Answer = dict[str, Any]
Attributes = Sequence[tuple[int, str | int]]

REQUEST, ACCEPT, REJECT, ACCOUNTING, ACCOUNTED, STATUS = 1, 2, 3, 4, 5, 12
USER, PASSWORD, SERVICE, CALLING, CALL_CHECK = 1, 2, 6, 31, 10
VLAN_TYPE, MEDIUM, VLAN, SESSION_TIMEOUT, TERMINATION = "64", "65", "81", "27", "29"
CT, CT_DASHED = "02005e002111", "02-00-5e-00-21-11"
PROBE = Path(__file__).resolve().parents[2] / "runner" / "wardround" / "transport" / "remote" / "radius.py"
"""What a hospital's host runs to answer a probe."""
RECORD = {"code": ACCOUNTING, "port": 1813, "signed": False}
SECRETS = json.loads(
    Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "pki", "secrets.json").read_text(encoding="ascii")
)


def switch_of(host: Host) -> Host:
    """Return the scenario's other host, the network device that may ask this one."""
    name = host.backend.name
    ends = ("debian-12", "debian-13")
    mine = name[-len(ends[0]) :]
    return testinfra.get_host(f"podman://{name.replace(mine, ends[1 - ends.index(mine)])}")


@cache
def address_of(name: str) -> str:
    return str(testinfra.get_host(f"podman://{name}").check_output("hostname -I").split()[0])


def address(host: Host) -> str:
    return address_of(host.backend.name)


def ask(host: Host, attributes: Attributes, *, sender: Host | None = None, **unusual: str | int) -> Answer | None:
    """Send one packet to the host's server, by default as its network device does; None without an answer."""
    sender = sender or switch_of(host)
    question = {
        "server": address(host),
        "port": 1812,
        "source": address(sender),
        "secret": SECRETS[switch_of(host).backend.name],
        "code": REQUEST,
        "attributes": attributes,
        "signed": True,
        "seconds": 10,
        **unusual,
    }
    answer: Answer | None = json.loads(sender.check_output(f"echo '{json.dumps(question)}' | python3 /root/radius.py"))
    return answer


def mac(user: str, calling: str) -> Attributes:
    """Return what a switch asks for a device that only has a MAC address."""
    return [(USER, user), (PASSWORD, user), (CALLING, calling), (SERVICE, CALL_CHECK)]


def assert_no_answer(host: Host, attributes: Attributes, *, sender: Host | None = None, **unusual: str | int) -> None:
    """Ask; then ask what has an answer, so that the silence is about the packet and not about the server."""
    assert ask(host, attributes, sender=sender, seconds=2, **unusual) is None
    answer = ask(host, mac(CT, CT_DASHED))
    assert answer is not None
    assert answer["code"] == ACCEPT


def supplicate(host: Host, network: dict[str, str], calling: str = "02:00:5e:00:22:12") -> tuple[bool, str]:
    """Authenticate by EAP from the other host; return whether it was let in, and what was said."""
    sender = switch_of(host)
    lines = "".join(f"{key}={value}\n" for key, value in {"key_mgmt": "IEEE8021X", **network}.items())
    options = f"-a {address(host)} -s {SECRETS[sender.backend.name]} -M {calling} -t 10"
    result = sender.run(f"echo 'network={{\n{lines}}}' > /root/eapol.conf && eapol_test -c /root/eapol.conf {options}")
    return result.rc == 0 and result.stdout.rstrip().endswith("SUCCESS"), result.stdout


def by_certificate(name: str, identity: str | None = None, **more: str) -> dict[str, str]:
    folder = "/root/supplicants"
    return {
        "eap": "TLS",
        "identity": f'"{identity or name}.st-test.internal"',
        "ca_cert": f'"{folder}/ca.crt"',
        "client_cert": f'"{folder}/{name}.crt"',
        "private_key": f'"{folder}/{name}.key"',
        **more,
    }


def granted(said: str) -> str:
    """Return the packet that let a supplicant in, as eapol_test prints it."""
    return said.rpartition("(Access-Accept)")[2].partition("STA ")[0]


def journal(host: Host, pattern: str) -> str:
    deadline = time.monotonic() + 10
    while not (found := host.run(f"journalctl -q --unit freeradius --grep '{pattern}' --output cat").stdout):
        if time.monotonic() > deadline:
            return ""
        time.sleep(0.5)
    return str(found)


@pytest.mark.parametrize("writing", ["02005e002111", "02-00-5E-00-21-11", "02:00:5e:00:21:11", "0200.5e00.2111"])
def test_a_declared_device_gets_the_vlan_of_its_zone(host: Host, writing: str) -> None:
    answer = ask(host, mac(writing, CT_DASHED.upper()))
    assert answer is not None
    assert answer["code"] == ACCEPT
    assert {name: answer["attributes"][name] for name in (VLAN_TYPE, MEDIUM, VLAN)} == {
        VLAN_TYPE: 13,
        MEDIUM: 6,
        VLAN: "121",
    }


def test_a_host_can_ask_for_itself_where_devices_are_let_in(host: Host) -> None:
    sender = switch_of(host)
    own = sender.file("/etc/freeradius/wardround/own.secret")
    assert (own.user, own.group, own.mode) == ("root", "root", 0o600)
    question = {
        "address": address(host),
        "port": 1812,
        "seconds": 5,
        "name": sender.backend.name,
        "credential": "/etc/freeradius/wardround/own.secret",
        "macs": ["02:00:5e:00:21:11", "02:00:5e:00:41:11", "02:00:5e:00:21:99"],
    }
    asked = sender.run("echo %s | python3 -c %s", json.dumps(question), PROBE.read_text(encoding="utf-8"))
    assert json.loads(asked.stdout) == [
        {"said": "accept", "vlan": "121"},
        {"said": "accept", "vlan": "141"},
        {"said": "reject", "vlan": ""},
    ]


def test_answers_are_signed(host: Host) -> None:
    for user in (CT, "02005e002199"):
        answer = ask(host, mac(user, user))
        assert answer is not None
        assert (answer["genuine"], answer["signed"]) == (True, True)


def test_a_device_that_keeps_somebody_alive_is_never_asked_again(host: Host) -> None:
    answer = ask(host, mac("02005e004111", "02-00-5e-00-41-11"))
    assert answer is not None
    assert answer["code"] == ACCEPT
    assert answer["attributes"] == {VLAN_TYPE: 13, MEDIUM: 6, VLAN: "141"}


def test_another_device_is_asked_again_without_losing_its_port(host: Host) -> None:
    answer = ask(host, mac(CT, CT_DASHED))
    assert answer is not None
    assert (answer["attributes"][SESSION_TIMEOUT], answer["attributes"][TERMINATION]) == (28800, 1)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        pytest.param(mac("02005e002199", "02-00-5e-00-21-99"), "is not declared", id="an undeclared MAC address"),
        pytest.param(mac("02005e002212", "02-00-5e-00-22-12"), "needs a certificate", id="a supplicant's MAC address"),
        pytest.param(mac(CT, "02-00-5e-00-21-99"), "neither EAP nor", id="the MAC address of another port"),
        pytest.param(mac("admin", CT_DASHED), "neither EAP nor", id="a name and a password"),
        pytest.param([(USER, CT), (PASSWORD, CT)], "neither EAP nor", id="no word of who is at the port"),
    ],
)
def test_rejected_and_logged(host: Host, attributes: Attributes, reason: str) -> None:
    answer = ask(host, attributes)
    assert answer is not None
    assert answer["code"] == REJECT
    assert answer["attributes"] == {}
    assert journal(host, f"Login incorrect .*{reason}.*{dict(attributes)[USER]}.*{switch_of(host).backend.name}")


def test_a_packet_without_signature_is_dropped(host: Host) -> None:
    assert_no_answer(host, mac(CT, CT_DASHED), signed=False)


def test_a_wrong_secret_is_dropped(host: Host) -> None:
    assert_no_answer(host, mac(CT, CT_DASHED), secret="0123456789abcdef0123456789")


def test_an_undeclared_network_device_is_ignored(host: Host) -> None:
    assert_no_answer(host, mac(CT, CT_DASHED), sender=host)
    assert journal(host, f"unknown client {re.escape(address(host))}")


def test_nobody_knows_the_packages_sample_secret(host: Host) -> None:
    assert_no_answer(host, mac(CT, CT_DASHED), sender=host, secret="testing123")


def test_the_server_does_not_tell_how_it_is(host: Host) -> None:
    assert_no_answer(host, [], code=STATUS)


def test_sessions_are_recorded(host: Host) -> None:
    session = f"{time.monotonic_ns():x}"
    # Start of a session, its identifier, how the device was told.
    attributes: Attributes = [(USER, CT), (CALLING, CT_DASHED), (40, 1), (44, session), (61, 15)]
    answer = ask(host, attributes, **RECORD)
    assert answer is not None
    assert (answer["code"], answer["genuine"]) == (ACCOUNTED, True)
    assert f"Start user {CT} cli {CT_DASHED} client {switch_of(host).backend.name}" in journal(
        host, f"session {session}"
    )


def test_a_forged_record_of_a_session_is_dropped(host: Host) -> None:
    attributes: Attributes = [(USER, CT), (CALLING, CT_DASHED), (40, 1), (44, "forged"), (61, 15)]
    assert_no_answer(host, attributes, **RECORD, secret="0123456789abcdef0123456789")
    assert host.run("journalctl -q --unit freeradius --grep 'session forged'").stdout == ""


def test_a_declared_supplicant_gets_the_vlan_of_its_zone(host: Host) -> None:
    let_in, said = supplicate(host, by_certificate("mr01"))
    assert let_in
    assert "Value: 0000000d" in granted(said)
    assert f"Value: {b'122'.hex()}" in granted(said)
    assert "Session-Timeout" in granted(said)


def test_the_certificate_decides_not_the_name_that_the_supplicant_uses(host: Host) -> None:
    let_in, said = supplicate(host, by_certificate("vent01", identity="mr01"))
    assert let_in
    assert f"Value: {b'143'.hex()}" in granted(said)
    assert "Value: 'vent01.st-test.internal'" in granted(said)
    assert journal(host, "Login OK: .mr01.st-test.internal.*as vent01.st-test.internal in VLAN 143")


def test_a_supplicant_that_keeps_somebody_alive_is_never_asked_again(host: Host) -> None:
    let_in, said = supplicate(host, by_certificate("vent01"))
    assert let_in
    assert "Tunnel-Private-Group-Id" in granted(said)
    assert "Session-Timeout" not in granted(said)
    assert "Termination-Action" not in granted(said)


OLD_TLS = {
    "phase1": '"tls_disable_tlsv1_0=0 tls_disable_tlsv1_1=0 tls_disable_tlsv1_2=1 tls_disable_tlsv1_3=1"',
    "openssl_ciphers": '"DEFAULT@SECLEVEL=0"',
}
PASSWORD_OF = {"identity": '"mr01.st-test.internal"', "password": '"secret"'}


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        pytest.param(
            by_certificate("forged", "mr01"), "unable to get local issuer", id="a foreign authority's certificate"
        ),
        pytest.param(
            by_certificate("undeclared", "mr01"), "is not declared", id="a certificate with an undeclared name"
        ),
        pytest.param(
            by_certificate("server_only", "mr01"), "unsuitable certificate purpose", id="a server's certificate"
        ),
        pytest.param(by_certificate("mr01", **OLD_TLS), "protocol", id="TLS 1.1"),
        pytest.param({"eap": "MD5", **PASSWORD_OF}, "No mutually acceptable types", id="EAP-MD5"),
        pytest.param(
            {"eap": "PEAP", "phase2": '"auth=MSCHAPV2"', **PASSWORD_OF}, "No mutually acceptable types", id="PEAP"
        ),
        pytest.param({"eap": "TTLS", "phase2": '"auth=PAP"', **PASSWORD_OF}, "No mutually acceptable types", id="TTLS"),
    ],
)
def test_a_supplicant_is_refused(host: Host, network: dict[str, str], reason: str) -> None:
    let_in, said = supplicate(host, network)
    assert not let_in
    assert "(Access-Reject)" in said
    assert "(Access-Accept)" not in said
    assert journal(host, f"Login incorrect .*{reason}.*mr01")


def test_it_listens_on_the_declared_address_only(host: Host) -> None:
    listening = {line.split()[3] for line in host.check_output("ss -Hlun").splitlines()}
    assert listening == {f"{address(host)}:1812", f"{address(host)}:1813"}


def test_secrets_are_read_by_root_and_the_server_only(host: Host) -> None:
    clients = host.file("/etc/freeradius/wardround/clients.conf")
    assert (clients.user, clients.group, clients.mode) == ("root", "freerad", 0o640)
    assert host.file("/etc/freeradius/wardround").mode == 0o750


def test_the_key_stays_roots_own(host: Host) -> None:
    assert host.run("runuser -u freerad -- cat /etc/wardround/pki/host.key").rc != 0
    assert host.file("/etc/wardround/pki/host.key").mode == 0o600


def test_the_package_serves_no_site(host: Host) -> None:
    assert host.check_output("find /etc/freeradius/3.0/sites-enabled -mindepth 1") == ""


def test_the_service_is_confined(host: Host) -> None:
    shown = host.check_output(
        "systemctl show freeradius -p User,NoNewPrivileges,ProtectSystem,PrivateTmp,CapabilityBoundingSet"
    )
    assert sorted(shown.splitlines()) == [
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
        "ProtectSystem=strict",
        "User=freerad",
    ]


def test_the_service_starts_with_the_host(host: Host) -> None:
    assert host.service("freeradius").is_enabled


def test_a_configuration_that_the_server_cannot_read_is_refused(host: Host) -> None:
    check = "/usr/local/sbin/wardround-radius-check"
    assert host.run(check).rc == 0
    host.check_output("printf 'client broken {' > /root/broken.conf")
    assert host.run(f"{check} clients.conf /root/broken.conf").rc != 0
    assert host.run(f"{check} clients.conf /etc/freeradius/wardround/clients.conf").rc == 0
