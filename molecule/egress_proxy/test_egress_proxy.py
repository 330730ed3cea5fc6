"""What egress_proxy promises, tried between two hosts: each is a proxy, and the other's client and tenant."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

TENANT = "tenant.erp.example:443"
CLIENT = "/root/client.py"


def address_of(host: Host) -> str:
    """The host's own address on the network of the scenario."""
    return str(host.interface("eth0").addresses[0])


def ask(host: Host, proxy: str, *words: str) -> dict[str, object]:
    """What the host gets when it asks a proxy."""
    quoted = " ".join(["%s"] * len(words))
    answer: dict[str, object] = json.loads(host.check_output(f"python3 {CLIENT} %s {quoted}", proxy, *words))
    return answer


def logged(host: Host, tag: str, *words: str) -> bool:
    """Whether one line with all of the words comes into the host's journal."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = host.check_output("journalctl --quiet --output=cat --identifier=%s", tag).splitlines()
        if any(all(word in line.split() for word in words) for line in lines):
            return True
        time.sleep(0.5)
    return False


@pytest.fixture
def other(host: Host) -> Host:
    """The other host, whose proxy this host uses."""
    name = str(host.backend.hostname)
    other = name.replace("debian-12", "debian-13") if name.endswith("12") else name.replace("debian-13", "debian-12")
    return testinfra.get_host(f"podman://{other}")


@pytest.fixture
def proxy(other: Host) -> str:
    """Address of the proxy that this host uses."""
    return address_of(other)


WHOLE = {"connect": 200, "status": 200, "whole": True, "seen": "nothing"}


@pytest.mark.parametrize(
    ("target", "name"),
    [
        pytest.param(TENANT, "tenant.erp.example", id="exact name"),
        pytest.param("eu.cloud.example:443", "eu.cloud.example", id="name below a suffix"),
        pytest.param("eu.cloud.example:8443", "eu.cloud.example", id="second port"),
    ],
)
def test_listed_name_is_reached_and_tls_holds_from_end_to_end(host: Host, proxy: str, target: str, name: str) -> None:
    # The client trusts the tenant's authority alone, so nobody between the two can have read along.
    assert ask(host, proxy, "tls", target, name) == WHOLE


def test_declared_tunnel_may_hold_another_protocol(host: Host, proxy: str) -> None:
    assert ask(host, proxy, "connect", "files.laboratory.example:22") == {"connect": 200, "first": "SSH-2.0"}


def test_declared_plain_request_passes_and_tells_nothing_about_the_client(host: Host, proxy: str) -> None:
    assert ask(host, proxy, "get", "http://archive.example/") == {"status": 200, "whole": True, "seen": "nothing"}


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("unlisted.example:443", id="name that is not listed for anybody"),
        pytest.param("archive.example:443", id="name that is listed for something else"),
        pytest.param("tenant.erp.example.unlisted.example:443", id="name that only begins like a listed one"),
        pytest.param("evil-tenant.erp.example:443", id="name that only ends like a listed one"),
        pytest.param("tenant.erp.example:22", id="port 22"),
        pytest.param("tenant.erp.example:8443", id="port of another target"),
        pytest.param("files.laboratory.example:443", id="tunnel to another port"),
        pytest.param("archive.example:80", id="tunnel where plain requests are declared"),
        pytest.param("hidden.erp.example:443", id="listed name that leads to a forbidden network"),
        pytest.param("loop.erp.example:443", id="listed name that leads back to the proxy"),
    ],
)
def test_tunnel_is_refused(host: Host, proxy: str, target: str) -> None:
    assert ask(host, proxy, "connect", target) == {"connect": 403}


@pytest.mark.parametrize("port", [22, 443])
def test_tunnel_to_the_tenants_address_is_refused(host: Host, proxy: str, port: int) -> None:
    assert ask(host, proxy, "connect", f"{address_of(host)}:{port}") == {"connect": 403}


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://tenant.erp.example/", id="plain request to a name that is listed for tunnels"),
        pytest.param("http://archive.example:443/", id="plain request to another port"),
        pytest.param("https://tenant.erp.example/", id="TLS that the proxy would have to make"),
        pytest.param("ftp://archive.example:80/", id="another protocol"),
    ],
)
def test_request_is_refused(host: Host, proxy: str, url: str) -> None:
    assert ask(host, proxy, "get", url)["status"] == 403


@pytest.mark.parametrize("path", ["/squid-internal-mgr/info", "/squid-internal-mgr/menu"])
def test_proxy_has_no_page_about_itself(host: Host, other: Host, proxy: str, path: str) -> None:
    assert ask(host, proxy, "get", f"http://{proxy}:3128{path}")["status"] == 403
    assert ask(other, "127.0.0.1", "get", f"http://127.0.0.1:3128{path}")["status"] == 403


def test_undeclared_client_is_refused(host: Host) -> None:
    # The host's own address is not among its proxy's declared clients, and neither is this machine's.
    assert ask(host, address_of(host), "connect", TENANT) == {"connect": 403}
    script = Path(__file__).with_name("client.py")
    command = [sys.executable, str(script), address_of(host), "connect", TENANT]
    assert json.loads(subprocess.check_output(command)) == {"connect": 403}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("unlisted.example", id="name that is not listed"),
        pytest.param("eu.cloud.example", id="name that is listed for another target"),
    ],
)
def test_tls_that_asks_for_another_name_than_the_tunnel_is_cut(host: Host, other: Host, proxy: str, name: str) -> None:
    answer = ask(host, proxy, "tls", TENANT, name)
    assert answer["connect"] == 200
    assert answer["error"] in {"SSLEOFError", "SSLZeroReturnError", "ConnectionResetError"}
    assert logged(
        other,
        "egress-inspection",
        f"client={address_of(host)}",
        f"target={TENANT}",
        f"server_name={name}",
        "decision=terminate/NONE_NONE",
    )


def test_tunnel_without_tls_is_cut(host: Host, proxy: str) -> None:
    # Without TLS in it, the declared tunnel to the tenant's TLS port carries nothing to the tenant.
    request = rf"CONNECT {TENANT} HTTP/1.1\r\nHost: {TENANT}\r\n\r\n"
    talk = f"printf '{request}'; sleep 1; echo SSH-2.0-client; sleep 1"
    said = host.check_output(f"({talk}) | timeout 10 nc -N {proxy} 3128")
    assert said.strip() == "HTTP/1.1 200 Connection established"


def test_nobody_but_the_proxy_reaches_the_inspecting_process(host: Host, proxy: str) -> None:
    assert host.run("nc -z -w 2 %s 3129", proxy).rc != 0


def test_requests_are_in_the_journal_with_client_target_and_decision(host: Host, other: Host, proxy: str) -> None:
    client = f"client={address_of(host)}"
    ask(host, proxy, "tls", TENANT, "tenant.erp.example")
    assert logged(other, "egress-proxy", client, "method=CONNECT", f"target={TENANT}", "decision=TCP_TUNNEL/200")
    assert logged(other, "egress-inspection", client, f"target={TENANT}", "decision=splice/NONE_NONE")
    assert ask(host, proxy, "get", "http://tenant.erp.example/journal")["status"] == 403
    assert logged(
        other,
        "egress-proxy",
        client,
        "method=GET",
        "target=http://tenant.erp.example/journal",
        "decision=TCP_DENIED/403",
    )


def test_first_request_after_a_reload_and_a_restart_passes(host: Host, other: Host, proxy: str) -> None:
    for change in ("reload egress-inspection squid", "restart squid"):
        other.check_output(f"systemctl {change}")
        assert ask(host, proxy, "tls", TENANT, "tenant.erp.example") == WHOLE


def test_nothing_passes_while_the_inspecting_process_is_away(host: Host, other: Host, proxy: str) -> None:
    other.check_output("systemctl stop egress-inspection")
    try:
        assert ask(host, proxy, "connect", TENANT) in ({"connect": 500}, {"connect": 502}, {"connect": 503})
    finally:
        other.check_output("systemctl start egress-inspection")
    time.sleep(1)
    assert ask(host, proxy, "tls", TENANT, "tenant.erp.example") == WHOLE


def test_it_listens_on_declared_addresses_only(host: Host) -> None:
    sockets = host.check_output("ss -Hltn '( sport = :3128 or sport = :3129 )'").splitlines()
    listening = {line.split()[3] for line in sockets}
    assert listening == {"127.0.0.1:3128", f"{address_of(host)}:3128", "127.0.0.1:3129"}


@pytest.mark.parametrize("unit", ["squid", "egress-inspection"])
def test_service_is_confined_and_survives_a_reboot(host: Host, unit: str) -> None:
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled
    properties = host.check_output(
        "systemctl show %s -p User,NoNewPrivileges,ProtectSystem,CapabilityBoundingSet", unit
    )
    assert set(properties.splitlines()) == {
        "User=proxy",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
    }
