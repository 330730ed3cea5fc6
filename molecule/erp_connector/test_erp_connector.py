"""What erp_connector promises: this machine is its consumer, the scenario's other host its proxy."""

import http.client
import json
import os
import ssl
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

PKI = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "pki"
TENANT = "tenant.erp.example:8443"
ALLOWED = "/odata/v4/Materials"


@dataclass(frozen=True)
class Answer:
    """What a consumer gets: a status, and from the tenant what it saw."""

    status: int
    seen: dict[str, object] = field(default_factory=dict)


def address_of(host: Host) -> str:
    """The host's own address on the network of the scenario."""
    return str(host.interface("eth0").addresses[0])


def ask(
    host: Host, request: str, who: str = "engine", body: str | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask the host's connector with the certificate of `who`."""
    context = ssl.create_default_context(cafile=str(PKI / "hospital-ca.crt"))
    context.check_hostname = False
    if who:
        context.load_cert_chain(PKI / f"{who}.crt", PKI / f"{who}.key")
    connection = http.client.HTTPSConnection(address_of(host), 443, timeout=20, context=context)
    method, _, path = request.partition(" ")
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode() if body is not None else None)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return Answer(response.status, json.loads(content) if response.status == 200 and content else {})


def logged(host: Host, tag: str, *words: str) -> bool:
    """Whether one line with all of the words comes into the host's journal."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = host.check_output("journalctl --quiet --output=cat --identifier=%s", tag).splitlines()
        if any(all(word in line for word in words) for line in lines):
            return True
        time.sleep(0.5)
    return False


@pytest.fixture
def other(host: Host) -> Host:
    """The other host, with the proxy. Through it, the tenant is on the host itself again."""
    name = str(host.backend.hostname)
    other = name.replace("debian-12", "debian-13") if name.endswith("12") else name.replace("debian-13", "debian-12")
    return testinfra.get_host(f"podman://{other}")


def test_allowed_resource_is_answered_by_the_tenant_through_the_proxy(host: Host, other: Host) -> None:
    answer = ask(host, f"GET {ALLOWED}?$filter=name%20eq%20'a%2Fb'")
    assert answer.status == 200
    assert answer.seen["path"] == f"{ALLOWED}?$filter=name%20eq%20'a%2Fb'"
    assert answer.seen["host"] == TENANT
    # The tenant demands a certificate, and sees who calls: the proxy.
    assert answer.seen["certificate"] == "connector01"
    assert answer.seen["from"] == address_of(other)
    words = f"client={address_of(host)} method=CONNECT target={TENANT} decision=TCP_TUNNEL/200"
    assert logged(other, "egress-proxy", words)


@pytest.mark.parametrize("path", [f"{ALLOWED}('4711')", f"{ALLOWED}/4711/texts", f"{ALLOWED}(id='a%20b')/$count"])
def test_what_is_below_a_resource_belongs_to_it(host: Host, path: str) -> None:
    assert ask(host, f"GET {path}").seen["path"] == path


def test_body_and_declared_method_arrive(host: Host) -> None:
    answer = ask(host, "POST /odata/v4/Charges", body='{"amount": 3}')
    assert (answer.seen["method"], answer.seen["body"]) == ("POST", '{"amount": 3}')


def test_each_consumer_has_resources_of_its_own(host: Host) -> None:
    assert ask(host, "GET /odata/v4/Stock", who="cabinet").status == 200
    assert ask(host, "GET /odata/v4/Stock", who="engine").status == 403
    assert ask(host, f"GET {ALLOWED}", who="cabinet").status == 403


def test_headers_that_change_method_or_path_or_tell_of_the_hospital_do_not_arrive(host: Host) -> None:
    sent = {
        "X-HTTP-Method": "DELETE",
        "X-HTTP-Method-Override": "DELETE",
        "X-Original-URL": "/odata/v4/Payroll",
        "X-Forwarded-For": "10.1.2.3",
        "X-Kept": "yes",
    }
    answer = ask(host, "POST /odata/v4/Charges", body="x", headers=sent)
    assert answer.seen["headers"] == ["content-length", "host", "x-kept"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/odata/v4/Payroll", id="granted to nobody"),
        pytest.param("/", id="the root"),
        pytest.param("/odata/v4/MaterialsAndMore", id="a longer name"),
        pytest.param("/ODATA/V4/MATERIALS", id="other letters"),
        pytest.param("/odata/v4/$batch", id="a batch"),
        pytest.param(f"{ALLOWED}/../Payroll", id="dots"),
        pytest.param(f"{ALLOWED}/%2e%2e/Payroll", id="encoded dots"),
        pytest.param(f"{ALLOWED}/..%2FPayroll", id="an encoded slash"),
        pytest.param(f"{ALLOWED}/%252e%252e/Payroll", id="dots that are encoded twice"),
        pytest.param("/odata/v4//Payroll/../Materials", id="an empty segment"),
        pytest.param(f"{ALLOWED};/../Payroll", id="a path parameter"),
        pytest.param(f"{ALLOWED}/%50ayroll", id="an encoded letter"),
        pytest.param(f"{ALLOWED}/%c0%ae%c0%ae/Payroll", id="bytes that no character has"),
        pytest.param(f"{ALLOWED}/a%0d%0ab", id="encoded ends of lines"),
        pytest.param("http://tenant.erp.example/odata/v4/Payroll", id="an absolute address"),
    ],
)
def test_path_that_is_not_on_the_list_is_refused(host: Host, path: str) -> None:
    assert ask(host, f"GET {path}") == Answer(403)


@pytest.mark.parametrize("batch", ["$batch", "%24batch", "$%62atch", "$BATCH"])
def test_batch_below_what_is_allowed_is_refused(host: Host, batch: str) -> None:
    assert ask(host, "POST /odata/v4/stock_service/issue", who="cabinet", body="").status == 200
    assert ask(host, f"POST /odata/v4/stock_service/{batch}", who="cabinet", body="") == Answer(403)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_method_that_is_not_on_the_list_is_refused(host: Host, method: str) -> None:
    assert ask(host, f"{method} {ALLOWED}", body="") == Answer(403)


@pytest.mark.parametrize(
    "who",
    [
        pytest.param("", id="no certificate"),
        pytest.param("rogue", id="a consumer's name from another authority"),
        pytest.param("stranger", id="a name that is not declared"),
    ],
)
def test_consumer_is_refused(host: Host, who: str) -> None:
    assert ask(host, f"GET {ALLOWED}", who=who) == Answer(403)


def test_consumer_without_tls_is_refused(host: Host) -> None:
    connection = http.client.HTTPConnection(address_of(host), 443, timeout=20)
    connection.request("GET", ALLOWED)
    assert connection.getresponse().status == 403


def test_refusals_and_what_was_allowed_are_in_the_journal_without_the_query(host: Host) -> None:
    mark = uuid.uuid4().hex
    ask(host, f"GET /odata/v4/Payroll/{mark}?patient=secret-{mark}")
    ask(host, f"GET {ALLOWED}/{mark}?patient=secret-{mark}")
    assert logged(
        host,
        "erp_connector",
        "consumer=engine01",
        f"path=/odata/v4/Payroll/{mark} decision=refused status=403 tenant=- ",
    )
    assert logged(
        host, "erp_connector", "consumer=engine01", f"path={ALLOWED}/{mark} decision=allowed status=200 tenant=200 "
    )
    # The tenant, which is on this host too, has lines of its own.
    own = "--identifier=erp_connector --identifier=erp_tunnel"
    assert f"secret-{mark}" not in host.check_output(f"journalctl --quiet --output=cat {own}")


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        pytest.param("tenant-foreign", "upstream SSL certificate verify error", id="certificate of another authority"),
        pytest.param(
            "tenant-other-name", "upstream SSL certificate does not match", id="certificate with another name"
        ),
    ],
)
def test_false_tenant_gets_nothing(host: Host, certificate: str, reason: str) -> None:
    host.check_output("echo %s >/run/tenant-certificate", certificate)
    before = len(host.check_output("journalctl --quiet --output=cat --unit=tenant").splitlines())
    try:
        assert ask(host, "POST /odata/v4/Charges", body="secret").status == 502
    finally:
        host.check_output("echo tenant >/run/tenant-certificate")
    assert logged(host, "erp_connector", reason)
    after = host.check_output("journalctl --quiet --output=cat --unit=tenant").splitlines()[before:]
    assert not [line for line in after if "POST" in line]


def test_without_the_proxy_nothing_goes_out(host: Host, other: Host) -> None:
    # The connector's host could reach a tenant by its name, and both tenants write down who connects.
    host.check_output("nc -z -w 5 tenant.erp.example 8443")
    seen = [each.check_output("cat /run/tenant.log") for each in (host, other)]
    other.check_output("systemctl stop squid")
    try:
        assert ask(host, f"GET {ALLOWED}").status == 502
        assert [each.check_output("cat /run/tenant.log") for each in (host, other)] == seen
    finally:
        other.check_output("systemctl start squid")
    assert ask(host, f"GET {ALLOWED}").status == 200


def test_refusal_by_the_proxy_is_told_as_such(host: Host, other: Host) -> None:
    other.check_output("cp -p /etc/squid/squid.conf /root/declared.conf")
    other.check_output("sed -i 's/^http_access allow erp_tenant/http_access deny erp_tenant/' /etc/squid/squid.conf")
    try:
        other.check_output("systemctl reload squid")
        assert ask(host, f"GET {ALLOWED}").status == 502
    finally:
        other.check_output("cp -p /root/declared.conf /etc/squid/squid.conf")
        other.check_output("systemctl reload squid")
    words = f"client={address_of(host)} method=CONNECT target={TENANT} decision=TCP_DENIED"
    assert logged(other, "egress-proxy", words, "/403 ")
    assert ask(host, f"GET {ALLOWED}").status == 200


def test_administration_is_on_loopback_only(host: Host) -> None:
    listening = {line.split()[3] for line in host.check_output("ss -Hltn").splitlines()}
    assert {"127.0.0.1:8081", "127.0.0.1:443", f"{address_of(host)}:443"} <= listening
    assert not {"0.0.0.0:8081", f"{address_of(host)}:8081", "0.0.0.0:443", "0.0.0.0:80"} & listening
    page = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8081/status').read().decode())"
    assert "Active connections" in host.check_output("python3 -c %s", page)
    with pytest.raises(OSError, match="refused"):
        http.client.HTTPConnection(address_of(host), 8081, timeout=5).request("GET", "/status")


def test_nobody_else_on_the_host_may_use_the_tunnel(host: Host) -> None:
    assert host.run("runuser -u nobody -- test -w /run/erp-tunnel/tenant.sock").rc != 0
    assert host.run("runuser -u www-data -- test -w /run/erp-tunnel/tenant.sock").rc == 0


def test_old_tls_is_refused(host: Host) -> None:
    options = "-tls1_1 -cipher DEFAULT:@SECLEVEL=0"
    assert host.run(f"openssl s_client -connect {address_of(host)}:443 {options} </dev/null").rc != 0


def test_services_are_confined_and_survive_a_reboot(host: Host) -> None:
    expected = {
        "erp-tunnel": {"User=erp-tunnel", "CapabilityBoundingSet="},
        "nginx": {"CapabilityBoundingSet=cap_chown cap_kill cap_setgid cap_setuid cap_net_bind_service"},
    }
    for name, own in expected.items():
        service = host.service(name)
        assert service.is_running
        assert service.is_enabled
        properties = host.check_output(
            "systemctl show %s -p User,NoNewPrivileges,ProtectSystem,CapabilityBoundingSet", name
        )
        assert own | {"NoNewPrivileges=yes", "ProtectSystem=strict"} <= set(properties.splitlines())
