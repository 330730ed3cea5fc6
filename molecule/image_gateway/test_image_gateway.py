"""What image_gateway promises, tried with real modalities and archives (dcmtk) on the scenario's other host."""

import base64
import http.client
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

PORT, LEGACY_PORT, REST_PORTS = 11112, 104, (8042, 8043)
LISTENERS = ("image-gateway-modality", "image-gateway-legacy")
SERVICES = (*LISTENERS, "image-gateway-forward")
STORES = "/var/lib/image-gateway"
ARCHIVED = "/srv/archive"

DUMP = """(0008,0016) UI =CTImageStorage
(0008,0018) UI [{uid}]
(0008,0060) CS [CT]
(0010,0010) PN [Synthetic^Patient]
(0010,0020) LO [{uid}]
(0009,0010) LO [SCENARIO PRIVATE]
(0009,1001) LO [kept as it came]
(0020,000d) UI [{uid}.1]
(0020,000e) UI [{uid}.2]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US 16
(0028,0011) US 16
(0028,0100) US 8
(0028,0101) US 8
(0028,0102) US 7
(0028,0103) US 0
(7fe0,0010) OB {pixels}
"""


def tls(name: str, authority: str = "hospital", *options: str) -> tuple[str, ...]:
    """Words for an archive that demands a certificate of an authority and shows the named one."""
    pki = "/root/pki"
    own = ("+tls", f"{pki}/{name}.key", f"{pki}/{name}.crt", "+cf", f"{pki}/{authority}.crt", "--require-peer-cert")
    return ("storescp", "--aetitle", "ARCHIVE", *own, *options, "2762")


ARCHIVE = tls("archive")
OLD_TLS = (
    *("openssl", "s_server", "-accept", "2762", "-cert", "/root/pki/archive.crt", "-key", "/root/pki/archive.key"),
    *("-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-www"),
)


def play(host: Host, *command: str) -> None:
    """Let the host play this archive, or none."""
    host.check_output(" ".join(["archive", *command]))


@cache
def address_of(host: Host) -> str:
    """The host's own address on the network of the scenario."""
    return str(host.interface("eth0").addresses[0])


def eventually(host: Host, condition: str) -> bool:
    """Whether a command on the host succeeds in time."""
    return bool(host.run("timeout 60 sh -c %s", f"until {condition}; do sleep 0.2; done").rc == 0)


@dataclass(frozen=True)
class Image:
    """An image on the host that plays the modality, and its traces elsewhere."""

    uid: str
    path: str

    @property
    def archived(self) -> str:
        return f"{ARCHIVED}/CT.{self.uid}"

    def arrives_unchanged(self, other: Host) -> bool:
        """Whether all of it arrives, but for the header that each hop writes anew."""
        content = "dcmdump +L {} | grep -v -e '^#' -e '^(0002,'"
        before, after = content.format(self.path), content.format(self.archived)
        return eventually(other, f"test -e {self.archived}") and other.check_output(before) == other.check_output(after)


def image(host: Host, *, compressed: bool = False) -> Image:
    """A new image on a host."""
    uid = f"2.25.{uuid.uuid4().int}"[:60]
    path = f"/root/{uid}.dcm"
    pixels = "\\".join(f"{number:02x}" for number in range(256))
    compress = f" && dcmcjpeg +e1 {path} {path}.jpeg && mv {path}.jpeg {path}" if compressed else ""
    host.check_output(
        f"printf %%s %s > {path}.dump && dump2dcm +te {path}.dump {path}{compress}", DUMP.format(uid=uid, pixels=pixels)
    )
    return Image(uid, path)


@cache
def any_image(host: Host) -> Image:
    """An image of a host that nobody takes."""
    return image(host)


def store(
    modality: Host, gateway: Host, *images: Image, aet: str = "CT01", called: str = "GATEWAY", port: int = PORT
) -> bool:
    """Whether the gateway took images; one that was broken off counts as refused."""
    paths = " ".join(image.path for image in images)
    command = f"storescu -xs -aet '{aet}' -aec '{called}' {address_of(gateway)} {port} {paths}"
    return bool(modality.run(command).rc == 0)


# What the gateway's stores hold, seen on its disk.
HELD = f"find {STORES} -path '*/images/*' -type f"
EMPTY = f'test -z "$({HELD})"'


def held(gateway: Host) -> int:
    """How many images the gateway holds."""
    return int(gateway.check_output(f"{HELD} | wc -l"))


def now(gateway: Host) -> str:
    """Words for the part of the journal that comes after this."""
    cursor = gateway.check_output("journalctl -q -n 0 --show-cursor").partition("cursor: ")[2]
    return f"--after-cursor='{cursor}'"


def says(gateway: Host, words: str, since: str = "") -> bool:
    """Whether the forwarder says so in time."""
    return eventually(gateway, f"journalctl -q -o cat -u image-gateway-forward {since} | grep -qF '{words}'")


@pytest.fixture
def other(host: Host) -> Host:
    """The other host, which plays modalities and the archive."""
    name = str(host.backend.hostname)
    other = name.replace("debian-12", "debian-13") if name.endswith("12") else name.replace("debian-13", "debian-12")
    return testinfra.get_host(f"podman://{other}")


@pytest.fixture
def gateway(host: Host, other: Host) -> Iterator[Host]:
    """The host as a gateway whose archive is there, before and after the test, and in which nothing waits."""
    if other.run("systemctl --quiet is-active archive").rc != 0:
        play(other, *ARCHIVE)
    yield host
    if host.run(EMPTY).rc != 0:
        play(other, *tls("archive", "hospital", "+xa"))
        assert eventually(host, EMPTY)
        play(other, *ARCHIVE)


@pytest.mark.parametrize(("aet", "port"), [("CT01", PORT), ("XA 01", LEGACY_PORT)])
def test_an_image_arrives_over_mutual_tls_as_it_was_and_leaves_the_gateway(
    gateway: Host, other: Host, aet: str, port: int
) -> None:
    sent = image(other)
    assert store(other, gateway, sent, aet=aet, port=port)
    assert sent.arrives_unchanged(other)
    assert eventually(gateway, EMPTY)


def test_a_compressed_image_is_not_unpacked_on_its_way(gateway: Host, other: Host) -> None:
    play(other, *tls("archive", "hospital", "+xa"))
    sent = image(other, compressed=True)
    assert store(other, gateway, sent)
    assert sent.arrives_unchanged(other)
    assert "JPEGLossless" in other.check_output("dcmdump +P 0002,0010 %s", sent.archived)
    play(other, *ARCHIVE)


@pytest.mark.parametrize(("aet", "port"), [("CT01", PORT), ("XA 01", LEGACY_PORT)])
def test_a_declared_modality_may_echo(gateway: Host, other: Host, aet: str, port: int) -> None:
    other.check_output(f"echoscu -aet '{aet}' -aec GATEWAY {address_of(gateway)} {port}")


def test_images_wait_for_an_archive_that_is_down_and_outlive_every_restart(gateway: Host, other: Host) -> None:
    play(other)
    start = now(gateway)
    sent, old = image(other), image(other)
    assert store(other, gateway, sent)
    assert store(other, gateway, old, aet="XA 01", port=LEGACY_PORT)
    assert says(gateway, "Connection refused", start)
    gateway.check_output("systemctl kill --signal=KILL image-gateway-modality image-gateway-forward")
    gateway.check_output("systemctl restart image-gateway-legacy")
    late = gateway.check_output(
        'for _ in $(seq 20); do out=$(image-gateway late) && echo "$out" && break; sleep 1; done'
    ).splitlines()
    assert [line.partition(", ")[0] for line in late] == ["modality: 1 images wait", "legacy: 1 images wait"]
    play(other, *ARCHIVE)
    assert sent.arrives_unchanged(other)
    assert old.arrives_unchanged(other)
    assert eventually(gateway, EMPTY)
    assert gateway.check_output("image-gateway late") == ""


def test_an_image_that_the_archive_refuses_waits_and_holds_up_no_other(gateway: Host, other: Host) -> None:
    play(other)
    refused, before, after = image(other, compressed=True), image(other), image(other)
    for sent in (before, refused, after):
        assert store(other, gateway, sent)
    play(other, *ARCHIVE)
    assert before.arrives_unchanged(other)
    assert after.arrives_unchanged(other)
    assert says(gateway, "for the archive refuses it")
    assert eventually(gateway, f'test "$({HELD} | wc -l)" = 1')
    assert not other.file(refused.archived).exists


ASK = "curl -s --fail -u forward:$(cut -d= -f2 /etc/image-gateway/credential) http://127.0.0.1:8042"


@pytest.mark.parametrize(
    ("archive", "said", "orthanc_knows"),
    [
        pytest.param(tls("impostor"), "CERTIFICATE_VERIFY_FAILED", True, id="a certificate of another authority"),
        pytest.param(tls("other"), "Hostname mismatch", False, id="another host of the hospital"),
        pytest.param(OLD_TLS, "VERSION", True, id="TLS 1.1"),
        pytest.param(("storescp", "2762"), "no archive named", True, id="plaintext"),
    ],
)
def test_nothing_is_sent_to_what_is_not_the_archive(
    gateway: Host, other: Host, archive: tuple[str, ...], said: str, *, orthanc_knows: bool
) -> None:
    play(other, *archive)
    start = now(gateway)
    sent = image(other)
    assert store(other, gateway, sent)
    assert says(gateway, said, start)
    # Only what Orthanc cannot tell apart hangs on the forwarder alone.
    assert (gateway.run(f"{ASK}/modalities/to-archive/echo -d '{{}}'").rc != 0) == orthanc_knows
    assert held(gateway) == 1
    assert not other.file(sent.archived).exists
    play(other, *ARCHIVE)
    assert sent.arrives_unchanged(other)


@pytest.mark.parametrize(
    "caller",
    [
        pytest.param({"aet": "CT99"}, id="unknown calling title"),
        pytest.param({"aet": "ct01"}, id="calling title in another case"),
        pytest.param({"called": "ORTHANC"}, id="wrong called title"),
        pytest.param({"aet": "CT02"}, id="title of another address"),
        pytest.param({"aet": "XA 01"}, id="legacy title on the other port"),
        pytest.param({"port": LEGACY_PORT}, id="title on the legacy port"),
        pytest.param({"aet": "ARCHIVE"}, id="the archive's title"),
    ],
)
def test_refused_to_store(host: Host, other: Host, caller: dict[str, Any]) -> None:
    assert not store(other, host, any_image(other), **caller)
    assert held(host) == 0


def test_an_undeclared_address_is_refused(host: Host) -> None:
    # The title is declared, for the other host.
    assert not store(host, host, any_image(host))
    assert "Forbidding access from AET" in host.check_output("journalctl -q -o cat -u image-gateway-modality")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        # findscu ends with 0 all the same.
        ("findscu -S -k 0008,0052=STUDY -k 0020,000d", "Peer aborted Association"),
        ("findscu -W -k 0010,0020", "No Acceptable Presentation Contexts"),
        ("movescu -S -aem CT01 -k 0008,0052=STUDY -k 0020,000d=1", "Peer aborted Association"),
        ("getscu -S -k 0008,0052=STUDY -k 0020,000d=1", "Peer aborted Association"),
    ],
)
def test_a_modality_may_not_ask_for_images(host: Host, other: Host, command: str, answer: str) -> None:
    result = other.run(f"{command} -aet CT01 -aec GATEWAY {address_of(host)} {PORT}")
    assert answer in result.stderr


@pytest.mark.parametrize("port", REST_PORTS)
def test_no_other_host_gets_at_the_stores(host: Host, port: int) -> None:
    word = host.check_output("cut -d= -f2 /etc/image-gateway/credential")
    headers = {"Authorization": "Basic " + base64.b64encode(f"forward:{word}".encode()).decode()}
    with closing(http.client.HTTPConnection(address_of(host), port, timeout=10)) as connection:
        connection.request("GET", "/instances", headers=headers)
        with connection.getresponse() as answer:
            assert answer.status in {401, 403}


def test_stores_answer_to_the_credential_only_and_run_no_scripts(host: Host) -> None:
    ask = "curl -s -o /dev/null -w %{http_code} http://127.0.0.1:8042"
    word = "$(cut -d= -f2 /etc/image-gateway/credential)"
    assert host.check_output(f"{ask}/instances") == "401"
    assert host.check_output(f"{ask}/instances -u orthanc:orthanc") == "401"
    assert host.check_output(f"{ask}/instances -u forward:") == "401"
    assert host.check_output(f"{ask}/instances -u forward:{word}") == "200"
    assert host.check_output(f"{ask}/tools/execute-script -u forward:{word} -d 'print(1)'") == "403"


def test_only_declared_ports_listen(host: Host) -> None:
    ports = {int(line.rsplit(":", 1)[1]) for line in host.socket.get_listening_sockets() if line.startswith("tcp://")}
    # The scenario's own: SSH, and the archive for the other gateway.
    assert ports - {22, 2762} == {PORT, LEGACY_PORT, *REST_PORTS}
    assert not host.service("orthanc").is_running


def test_what_waits_is_logged_by_a_timer(host: Host) -> None:
    assert host.service("image-gateway-report.timer").is_running
    assert host.service("image-gateway-report.timer").is_enabled
    host.check_output("systemctl start image-gateway-report")
    said = host.check_output("journalctl -q -o cat -u image-gateway-report")
    assert "modality: 0 images wait" in said
    assert "legacy: 0 images wait" in said


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_confined_and_survive_a_reboot(host: Host, name: str) -> None:
    service = host.service(name)
    assert service.is_running
    assert service.is_enabled
    wanted = {"User": "orthanc", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "PrivateTmp": "yes"}
    wanted["CapabilityBoundingSet"] = "cap_net_bind_service" if name == "image-gateway-legacy" else ""
    properties = host.check_output(f"systemctl show {name} -p {','.join(wanted)}")
    assert dict(line.split("=", 1) for line in properties.splitlines()) == wanted


def test_what_was_taken_is_on_the_disk_at_once(host: Host) -> None:
    for path in (f"{STORES}/modality/images", f"{STORES}/modality/index/index", f"{STORES}/legacy/index/index"):
        assert "S" in host.check_output("lsattr -d %s", path).split()[0]


def test_keys_and_images_are_for_those_who_need_them(host: Host) -> None:
    assert host.file("/etc/image-gateway/credential").mode == 0o600
    assert host.file(f"{STORES}/modality").user == "orthanc"
    assert host.file(f"{STORES}/modality").mode == 0o700
    assert host.file("/etc/wardround/pki/host.key").mode == 0o600
    assert host.run("runuser -u nobody -- ls /etc/image-gateway").rc != 0
