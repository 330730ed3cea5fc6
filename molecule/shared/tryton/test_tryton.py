"""A real ERP is reached through connector and proxy, by what was granted and by nothing else."""

import base64
import http.client
import json
import os
import ssl
import uuid
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

PKI = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "pki"
ERP = f"podman://wr_{os.environ['MOLECULE_SCENARIO_NAME']}_debian-12"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


def ask(host: Host, method: str, path: str, body: object = None, session: str = "") -> tuple[int, str]:
    """Ask the host's connector as engine01; return status and content."""
    context = ssl.create_default_context(cafile=str(PKI / "hospital-ca.crt"))
    context.check_hostname = False
    context.load_cert_chain(PKI / "engine.crt", PKI / "engine.key")
    address = str(host.interface("eth0").addresses[0])
    connection = http.client.HTTPSConnection(address, 443, timeout=60, context=context)
    headers = (JSON if body is not None else {}) | ({"Authorization": session} if session else {})
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    content = response.read().decode()
    connection.close()
    return response.status, content


def call(host: Host, method: str, *parameters: object, session: str = "") -> tuple[int, str]:
    """Call a method of the ERP by JSON-RPC."""
    return ask(host, "POST", "/erp/", {"id": 1, "method": method, "params": parameters}, session)


@pytest.fixture(scope="module")
def password() -> str:
    """Password of the ERP's account."""
    return str(testinfra.get_host(ERP).check_output("cat /root/tenant/password"))


@pytest.fixture(scope="module")
def session(host: Host, password: str) -> str:
    """A session of the ERP's account, as the header that names it."""
    status, content = call(host, "common.db.login", "admin", {"password": password})
    assert status == 200
    user, key, *_ = json.loads(content)["result"]
    return f"Session {base64.b64encode(f'admin:{user}:{key}'.encode()).decode()}"


def test_erp_knows_its_account_and_no_other_password(host: Host, session: str) -> None:
    assert session
    status, content = call(host, "common.db.login", "admin", {"password": "wrong"})
    assert status == 401
    assert "result" not in content


def test_what_was_sent_is_in_the_erp(host: Host, session: str) -> None:
    name = f"Synthetic supplier {uuid.uuid4().hex}"
    status, content = call(host, "model.party.party.create", [{"name": name}], {}, session=session)
    assert status == 200
    (party,) = json.loads(content)["result"]
    assert ask(host, "GET", f"/erp/data/party.party?f=name&d=[[%22id%22,%22=%22,{party}]]", session=session) == (
        200,
        f"name\r\n{name}\r\n",
    )


def test_what_the_erp_would_tell_and_was_not_granted_is_refused(host: Host, session: str) -> None:
    path = "/erp/data/res.user?f=login"
    status, content = ask(host, "GET", path, session=session)
    assert status == 403
    assert "admin" not in content
    script = (
        "import sys, urllib.request as r; "
        "print(r.urlopen(r.Request(sys.argv[1], headers={'Authorization': sys.argv[2]})).read().decode())"
    )
    told = testinfra.get_host(ERP).check_output("python3 -c %s %s %s", script, f"http://127.0.0.1:8000{path}", session)
    assert "admin" in told.split()


def test_methods_of_the_whole_server_are_refused(host: Host) -> None:
    for method in ("common.server.version", "common.db.list"):
        assert ask(host, "POST", "/", {"id": 1, "method": method, "params": []})[0] == 403
