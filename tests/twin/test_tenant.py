"""The ERP outside a hospital: a real one boots in its place, and lets in whoever shows the hospital's certificate."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from wardround.twin.hand import by_hand, put_by_hand
from wardround.twin.lifecycle import down, up
from wardround.twin.plan import TwinControl, TwinHospital, TwinHost, TwinTenant, TwinZone, container_name
from wardround.twin.tenant import HOSPITAL_AUTHORITY, ensure_papers

pytestmark = [pytest.mark.twin, pytest.mark.timeout(2400)]

NAME = "erp.tenant-test.internal"
LAB = TwinHospital(
    name="tenant-test",
    zones=(
        TwinZone(id="core", subnet=IPv4Network("10.76.1.0/24"), gateway=IPv4Address("10.76.1.1")),
        TwinZone(id="cloud", subnet=IPv4Network("10.76.2.0/24"), gateway=IPv4Address("10.76.2.1")),
    ),
    hosts=(TwinHost(name="link01", zone="core", address=IPv4Address("10.76.1.10"), release="debian-13"),),
    bystanders=(
        TwinTenant(
            name="erp",
            zone="cloud",
            address=IPv4Address("10.76.2.10"),
            tls_name=NAME,
            caller="link01",
            architecture="way_out",
        ),
    ),
    control=TwinControl(zone="core", address=IPv4Address("10.76.1.5")),
    forward_rules="""\
table inet lab {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        ip saddr 10.76.1.10 ip daddr 10.76.2.10 tcp dport 443 accept
    }
}
""",
)
# Asks the ERP from the host. Its words: the ERP's name, a file with certificate and key to show, and what is asked.
CALL = """\
import http.client, json, socket, ssl, sys
name, shown, method, path, session, content = sys.argv[1:]
context = ssl.create_default_context(cafile="/root/erp-authority.crt")
if shown:
    context.load_cert_chain(shown)
connection = http.client.HTTPConnection(name, timeout=120)
try:
    connection.sock = context.wrap_socket(socket.create_connection(("10.76.2.10", 443), 10), server_hostname=name)
except ssl.SSLCertVerificationError as refused:
    sys.exit(json.dump({"refused": refused.verify_message}, sys.stdout))
headers = {"Content-Type": "application/json", **({"Authorization": session} if session else {})}
connection.request(method, path, content or None, headers)
answer = connection.getresponse()
json.dump({"status": answer.status, "content": answer.read().decode()}, sys.stdout)
"""
OWN, RIVALS = "/root/own.pem", "/root/rivals.pem"


def quiet(_line: str) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class Link:
    """The hospital's host, and what it may say to the ERP."""

    state: Path

    def up(self) -> bool:
        """Build what is missing."""
        return up(LAB, self.state, quiet)

    def call(
        self, shown: str = OWN, *, name: str = NAME, body: object = None, path: str = "", session: str = ""
    ) -> Any:  # noqa: ANN401 - JSON
        """Ask the ERP, and wait until it has started."""
        method, content = ("GET", "") if path else ("POST", json.dumps(body))
        words = (name, shown, method, path or "/erp/", session, content)
        argv = ("podman", "exec", container_name(LAB.name, "link01"), "python3", "/root/call.py", *words)
        deadline = time.monotonic() + 120
        while True:
            said = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
            if said.get("status") != 502 or time.monotonic() > deadline:
                return said
            time.sleep(1)

    def login(self, shown: str = OWN) -> Any:  # noqa: ANN401 - JSON
        """Log in as the ERP's account."""
        password = by_hand(LAB.name, "erp", "cat /etc/tenant/password").strip()
        return self.call(
            shown, body={"id": 1, "method": "common.db.login", "params": ["admin", {"password": password}]}
        )

    def session(self) -> str:
        """Give the header that names a session of the ERP's account."""
        said = self.login()
        assert said["status"] == 200, said
        user, key, *_ = json.loads(said["content"])["result"]
        return f"Session {base64.b64encode(f'admin:{user}:{key}'.encode()).decode()}"


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    """The twin as it comes up; a host with a certificate of the hospital's authority and one of another's."""
    folder = tmp_path_factory.mktemp("tenant")
    link = Link(folder / "twin")
    try:
        assert link.up()
        authority = yaml.safe_load((link.state / "overlay.yml").read_text())["parameters"]["way_out"]
        put_by_hand(LAB.name, "link01", "/root/erp-authority.crt", authority["tenant_authorities"])
        put_by_hand(LAB.name, "link01", "/root/call.py", CALL)
        for path in (OWN, RIVALS):
            papers = ensure_papers(folder / Path(path).stem, "link01.tenant-test.internal", datetime.now(UTC))
            put_by_hand(LAB.name, "link01", path, papers.key + papers.certificate)
        yield link
    finally:
        down(LAB.name, link.state)


@pytest.fixture(scope="module")
def before(link: Link) -> Any:  # noqa: ANN401 - JSON
    """What the ERP answers before it knows the hospital's authority."""
    return link.login()


@pytest.fixture(scope="module")
def known(link: Link, before: Any) -> Link:  # noqa: ANN401 - JSON
    """The hospital after its authority exists, and the ERP has been told of it."""
    assert before
    authority = (link.state.parent / "own" / "authority.crt").read_text()
    by_hand(LAB.name, "link01", f"mkdir -p {Path(HOSPITAL_AUTHORITY).parent}")
    put_by_hand(LAB.name, "link01", HOSPITAL_AUTHORITY, authority)
    assert link.up()
    return link


def test_an_erp_that_was_told_nothing_lets_nobody_in(before: Any) -> None:  # noqa: ANN401 - JSON
    assert before["status"] == 400
    assert "certificate" in before["content"]


def test_the_erp_lets_the_hospital_in_and_is_told_of_it_once(known: Link) -> None:
    assert known.session()
    assert not known.up()


def test_what_was_sent_is_in_the_erp_also_after_a_boot(known: Link) -> None:
    create = {"id": 1, "method": "model.party.party.create", "params": [[{"name": "Synthetic supplier"}], {}]}
    made = known.call(body=create, session=known.session())
    assert made["status"] == 200, made
    (party,) = json.loads(made["content"])["result"]
    subprocess.run(["podman", "restart", container_name(LAB.name, "erp")], check=True, capture_output=True)
    assert known.up()
    kept = known.call(path=f"/erp/data/party.party?f=name&d=[[%22id%22,%22=%22,{party}]]", session=known.session())
    assert kept == {"status": 200, "content": "name\r\nSynthetic supplier\r\n"}


@pytest.mark.parametrize("shown", ["", RIVALS], ids=["no certificate", "one of another authority"])
def test_the_erp_refuses_callers_with(shown: str, known: Link) -> None:
    said = known.login(shown)
    assert said["status"] == 400
    assert "certificate" in said["content"]


def test_the_erp_is_nobody_else(known: Link) -> None:
    assert "match" in known.call(name="other.tenant-test.internal")["refused"]


def test_nothing_but_the_front_is_reached(known: Link) -> None:
    assert known.session()
    listening = by_hand(LAB.name, "erp", "ss --tcp --listening --numeric --no-header | awk '{ print $4 }'").split()
    assert [each for each in listening if not each.startswith(("127.0.0.1:", "[::1]:"))] == ["0.0.0.0:443"]
