"""Probes against real servers: DICOM by pynetdicom over mutual TLS, HL7 over MLLP, HTTP, also behind a real proxy."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pynetdicom import AE, evt
from pynetdicom.sop_class import SecondaryCaptureImageStorage, Verification

from wardround.probe import dicom, mllp, web
from wardround.transport.relay import Order, Relay, RelayError, carried
from wardround.transport.remote import relay as program

pytestmark = pytest.mark.integration

NAME = "pacs01.st-test.internal"
TITLES = dicom.Titles("PROBE", "ARCHIVE")
NOW = datetime.now(UTC)


class Authority:
    """A certificate authority for one test, and the certificates that it issues."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(*(each in {5, 6} for each in range(9)))
        self._certificate = self._sign(self._subject, self._key, x509.BasicConstraints(ca=True, path_length=0), usage)
        self.file = self._write("ca.crt", self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[str, str]:
        """Give the files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = self._sign(subject, key, x509.BasicConstraints(ca=False, path_length=None), names)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return (
            self._write(f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM)),
            self._write(f"{name}.key", pem),
        )

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(hours=1))
            .not_valid_after(NOW + timedelta(days=20, hours=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name: str, content: bytes) -> str:
        (self._folder / name).write_bytes(content)
        return str(self._folder / name)


@pytest.fixture
def hospital(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "hospital")


@contextmanager
def archive(authority: Authority) -> Iterator[tuple[int, list[str]]]:
    """Run an archive that takes one calling title, over mutual TLS; give its port and the images that it got."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*authority.issue(NAME))
    images: list[str] = []

    def take(event: evt.Event) -> int:
        images.append(str(event.dataset.SOPInstanceUID))
        return 0

    entity = AE(ae_title=TITLES.called)
    entity.add_supported_context(Verification)
    entity.add_supported_context(SecondaryCaptureImageStorage)
    entity.require_calling_aet = [TITLES.calling]
    entity.require_called_aet = True
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, ssl_context=context, evt_handlers=[(evt.EVT_C_STORE, take)]
    )
    try:
        yield server.server_address[1], images
    finally:
        server.shutdown()


def order(port: int, authority: Authority | None = None, name: str = "") -> Order:
    """Ask for a connection to a port of the loopback, over mutual TLS where an authority is given."""
    files = ("", "", "") if authority is None else (authority.file, *authority.issue("gateway.st-test.internal"))
    return Order("127.0.0.1", port, 5.0, name, *files)


@contextmanager
def relayed(order: Order) -> Iterator[Relay]:
    """Run the program in another Python, as a host does."""
    with carried((sys.executable, "-I", "-c", Path(program.__file__).read_text(encoding="utf-8")), order) as relay:
        yield relay


def through(port: int, authority: Authority | None = None, name: str = "") -> AbstractContextManager[Relay]:
    return relayed(order(port, authority, name))


def test_an_archive_answers_an_echo_and_takes_an_image_over_mutual_tls(hospital: Authority) -> None:
    with archive(hospital) as (port, images):
        with through(port, hospital, NAME) as relay:
            assert dicom.echo(relay.port, TITLES, 5).good
            assert relay.tls == "TLSv1.3"
            assert web.handshake(relay.tls, relay.expires, NOW, 10).words == "TLSv1.3, certificate good for 20 days"
            assert not web.handshake(relay.tls, relay.expires, NOW, 30).good
        for _ in range(2):
            with through(port, hospital, NAME) as relay:
                assert dicom.store(relay.port, TITLES, "st-test", 5).good
    assert len(images) == 2
    assert len(set(images)) == 1


@pytest.mark.parametrize("titles", [dicom.Titles("STRANGER", "ARCHIVE"), dicom.Titles("PROBE", "ELSEWHERE")])
def test_an_archive_that_knows_neither_title_is_heard(hospital: Authority, titles: dicom.Titles) -> None:
    with archive(hospital) as (port, _), through(port, hospital, NAME) as relay:
        found = dicom.echo(relay.port, titles, 5)
    assert not found.good
    assert "was rejected" in found.words


@contextmanager
def echoing(authority: Authority) -> Iterator[int]:
    """Send everything back, over TLS; everything goes both ways at the same time."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue(NAME))

    def echo(listener: socket.socket) -> None:
        wire, _ = listener.accept()
        with context.wrap_socket(wire, server_side=True) as secured:
            while data := secured.recv(16384):
                secured.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=echo, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_bytes_go_both_ways_at_the_same_time_and_none_is_lost(hospital: Authority) -> None:
    sent = random.Random(1).randbytes(4 << 20)
    with echoing(hospital) as port, through(port, hospital, NAME) as relay:
        got = bytearray()
        with socket.create_connection(("127.0.0.1", relay.port), timeout=20) as wire:
            sender = threading.Thread(target=wire.sendall, args=(sent,))
            sender.start()
            while len(got) < len(sent) and (data := wire.recv(65536)):
                got += data
            sender.join()
    assert hashlib.sha256(got).digest() == hashlib.sha256(sent).digest()


def test_a_service_is_told_when_who_asked_has_gone(hospital: Authority) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*hospital.issue(NAME))
    told = threading.Event()

    def wait(listener: socket.socket) -> None:
        wire, _ = listener.accept()
        with context.wrap_socket(wire, server_side=True) as secured, contextlib.suppress(OSError):
            while secured.recv(16384):
                pass
        told.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=wait, args=(listener,))
        thread.start()
        asked = replace(order(listener.getsockname()[1], hospital, NAME), seconds=60.0)
        with relayed(asked) as relay:
            socket.create_connection(("127.0.0.1", relay.port), timeout=20).close()
            assert told.wait(timeout=30)
        thread.join()


def test_another_authority_and_another_name_are_refused(hospital: Authority, tmp_path: Path) -> None:
    stranger, other = Authority(tmp_path, "stranger"), "other.st-test.internal"
    with archive(stranger) as (port, _), refused("certificate verify failed"), through(port, hospital, NAME):
        pass
    with archive(hospital) as (port, _), refused("mismatch"), through(port, hospital, other):
        pass


def refused(words: str) -> AbstractContextManager[object]:
    return pytest.raises(RelayError, match=words)


def test_nobody_there_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(RelayError, match="ConnectionRefusedError"), through(unused.getsockname()[1]):
            pass


def test_a_host_that_cannot_be_reached_is_said() -> None:
    with pytest.raises(RelayError, match="was not reached"), carried(("false",), Order("127.0.0.1", 1, 1.0)):
        pass


@contextmanager
def listener(answer: bytes) -> Iterator[int]:
    """Take one message and give one answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            wire, _ = server.accept()
            with wire:
                while not wire.recv(65536).endswith(b"\x1c\r"):
                    pass
                wire.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize(
    ("answer", "good", "words"),
    [
        (b"\x0bMSH|^~\\&|L|L|W|W|1||ACK|2|T|2.5.1\rMSA|AA|4711\r\x1c\r", True, "acknowledged with AA"),
        (b"\x0bMSH|^~\\&|L|L|W|W|1||ACK|2|T|2.5.1\rMSA|AE|4711\r\x1c\r", False, "acknowledged with AE"),
        (b"\x0bMSH|^~\\&|L|L|W|W|1||ACK|2|T|2.5.1\rMSA|AA|4712\r\x1c\r", False, "is of message '4712'"),
        (b"\x0bHTTP/1.1 400 Bad Request\r\x1c\r", False, "is no acknowledgement"),
    ],
)
def test_an_acknowledgement_is_judged(answer: bytes, *, good: bool, words: str) -> None:
    message = mllp.result_message("4711", "20261122040000", "WARDROUND", "LIS")
    with listener(answer) as port, through(port) as relay:
        found = mllp.send_result(relay.port, message, 5)
    assert (found.good, words in found.words) == (good, True), found.words


def test_a_page_is_judged_by_its_status() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        with through(port) as relay:
            assert web.fetch(relay.port, NAME, "/", 501, 5).good
        with through(port) as relay:
            assert web.fetch(relay.port, NAME, "/", 200, 5).words == "GET / gave 501"
        server.shutdown()


class Tenant(http.server.BaseHTTPRequestHandler):
    """A service outside, which says who it was asked by."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def tenants(tmp_path: Path) -> Authority:
    """An authority outside, in which the hospital trusts for one service only."""
    return Authority(tmp_path, "tenants")


@pytest.fixture
def tenant(hospital: Authority, tenants: Authority) -> Iterator[int]:
    """Run a service with a certificate of an authority outside, which asks for one of the hospital's."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=hospital.file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*tenants.issue("localhost"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tenant) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def proxy(tmp_path: Path, tenant: int) -> Iterator[int]:
    """Run a proxy that leads to the service's port, and to no other."""
    program = shutil.which("tinyproxy")
    if program is None:
        raise RuntimeError("tinyproxy is not installed; .ci/setup installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings = tmp_path / "tinyproxy.conf"
    settings.write_text(f"Listen 127.0.0.1\nPort {port}\nAllow 127.0.0.1\nConnectPort {tenant}\n", encoding="ascii")
    with subprocess.Popen([program, "-d", "-c", str(settings)], stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while process.poll() is None and not _listens(port):
            assert time.monotonic() < deadline, "the proxy did not start"
            time.sleep(0.05)
        yield port
        process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as wire:
        return wire.connect_ex(("127.0.0.1", port)) == 0


def beyond(proxy: int, tenant: int, hospital: Authority, authority: Authority) -> Order:
    """Ask for a service behind a proxy, of which one authority may vouch."""
    known = Path(authority.file).read_text(encoding="ascii")
    return replace(order(proxy, hospital, "localhost"), tunnel=f"localhost:{tenant}", authorities=known)


def test_a_tenant_is_asked_through_the_proxy(proxy: int, tenant: int, hospital: Authority, tenants: Authority) -> None:
    with relayed(beyond(proxy, tenant, hospital, tenants)) as relay:
        assert relay.tls == "TLSv1.3"
        assert web.fetch(relay.port, "localhost", "/", 200, 5).good


def test_a_proxy_that_leads_nowhere_is_said(proxy: int, tenant: int, hospital: Authority, tenants: Authority) -> None:
    elsewhere = replace(beyond(proxy, tenant, hospital, tenants), tunnel="localhost:9")
    with refused("Tunnel connection failed: 403"), relayed(elsewhere):
        pass


def test_the_hospitals_own_authority_does_not_vouch_for_a_tenant(proxy: int, tenant: int, hospital: Authority) -> None:
    with refused("certificate verify failed"), relayed(beyond(proxy, tenant, hospital, hospital)):
        pass


def test_a_tenant_with_another_name_is_refused(
    proxy: int, tenant: int, hospital: Authority, tenants: Authority
) -> None:
    other = replace(beyond(proxy, tenant, hospital, tenants), name="tenant.erp.example")
    with refused("mismatch"), relayed(other):
        pass


def test_a_proxy_that_is_none_is_said(tenant: int, hospital: Authority, tenants: Authority) -> None:
    with refused("BadStatusLine|RemoteDisconnected|reset"), relayed(beyond(tenant, tenant, hospital, tenants)):
        pass
