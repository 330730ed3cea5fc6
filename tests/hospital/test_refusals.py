"""What a hospital must refuse, tried on its twin; beside each refusal stands what is let through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hospital.conftest import Twin
from wardround.probe import dicom
from wardround.probe.answer import Reply
from wardround.transport.relay import Order, relayed

pytestmark = [pytest.mark.hospital]

DICOM, HL7, HTTPS = 2762, 2575, 443
GATEWAY, ARCHIVE = "IMAGEGW", "ARCHIVE"


def echo(twin: Twin, calling: str, called: str) -> Reply:
    """Ask the archive for verification from the image gateway, under some titles."""
    order = Order(twin.address("pacs01"), DICOM, 10.0, "pacs01.st-elsewhere.internal")
    with relayed(twin.login, twin.address("imagegw01"), order) as relay:
        return dicom.echo(relay.port, dicom.Titles(calling, called), 10.0)


def test_known_titles_are_answered(twin: Twin) -> None:
    assert echo(twin, GATEWAY, ARCHIVE).good


def test_an_unknown_calling_title_is_refused(twin: Twin) -> None:
    refused = echo(twin, "STRANGER", ARCHIVE)
    assert not refused.good
    assert "STRANGER" in refused.words


def test_a_wrong_called_title_is_refused(twin: Twin) -> None:
    refused = echo(twin, GATEWAY, "ANY-SCP")
    assert not refused.good
    assert "rejected" in refused.words


def hello(twin: Twin, way: str) -> str:
    """Say hello to the archive from the image gateway."""
    return twin.handshake("imagegw01", way, twin.address("pacs01"), DICOM, "pacs01.st-elsewhere.internal")


def test_the_hospitals_own_certificate_is_accepted(twin: Twin) -> None:
    assert hello(twin, "own") == "accepted"


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("none", ("certificate required", "handshake failure", "reset", "EOF", "closed")),
        ("stranger", ("unknown ca", "bad certificate", "reset", "EOF", "closed")),
        ("tls11", ("protocol version", "unsupported protocol", "handshake failure", "no protocols available")),
        ("plaintext", ("closed", "reset")),
    ],
)
def test_another_hello_is_refused(twin: Twin, way: str, words: tuple[str, ...]) -> None:
    said = hello(twin, way)
    assert said != "accepted"
    assert any(word.lower() in said.lower().replace("_", " ") for word in words), said


@pytest.fixture
def information_system(twin: Twin) -> Iterator[str]:
    """A TCP server in the place of the laboratory information system, which nobody manages from here: its address."""
    script = f"nc -lk {HL7} > /dev/null 2>&1 & echo $!; until nc -z 127.0.0.1 {HL7}; do sleep 0.1; done"
    pid = twin.run("lis01", "sh", "-c", script).stdout.strip()
    yield twin.address("lis01")
    assert twin.run("lis01", "kill", pid).returncode == 0


def test_an_analyser_never_reaches_the_laboratory_information_system(twin: Twin, information_system: str) -> None:
    assert twin.connects("lab01", information_system, HL7), "the laboratory's gateway may"
    assert not twin.connects("chem01", information_system, HL7)
    assert twin.connects("chem01", twin.address("lab01"), 4001), "the analyser may speak to its gateway"


def test_a_modality_never_reaches_what_is_outside(twin: Twin) -> None:
    assert twin.connects("proxy01", twin.address("erp"), HTTPS), "the proxy may"
    assert not twin.connects("ct01", twin.address("erp"), HTTPS)
    assert twin.connects("ct01", twin.address("pacs01"), DICOM), "the modality may send images"


def test_the_erp_connector_never_bypasses_the_proxy(twin: Twin) -> None:
    assert twin.connects("proxy01", twin.address("erp"), HTTPS), "the proxy may"
    assert not twin.connects("erplink01", twin.address("erp"), HTTPS)
    assert twin.connects("erplink01", twin.address("proxy01"), 3128), "the connector may ask the proxy"


def test_a_refusal_is_counted_on_the_gateway(twin: Twin, information_system: str) -> None:
    before = denied(twin)
    assert not twin.connects("chem01", information_system, HL7)
    assert denied(twin) > before


def denied(twin: Twin) -> int:
    """Read how many packets the gateway has refused between zones."""
    said = twin.run("gw01", "nft", "list", "counter", "inet", "wardround_gateway", "D-01").stdout
    return int(said.split("packets")[1].split()[0])
