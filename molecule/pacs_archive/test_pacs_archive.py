"""What pacs_archive promises, with real DICOM and HTTPS between two hosts that are each other's archive."""

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
import testinfra
from testinfra.backend.base import CommandResult
from testinfra.host import Host

PKI = "/etc/wardround/pki"
SETTINGS = "/etc/orthanc/wardround"
PORT = 2762
STUDY = "1.2.826.0.1.3680043.10.1.1.2"
FIRST = "1.2.826.0.1.3680043.10.1.1.1"
PATIENT = "SYNTHETIC-0001"
OWN = f"+tls {PKI}/host.key {PKI}/host.crt +cf {PKI}/ca.crt"
SUM = "find /var/lib/orthanc/images -type f -exec md5sum {} + | sort"

ASK = """
import base64, http.client, json, ssl, sys
scheme, method, host, port, path, login = sys.argv[1:]
context = ssl.create_default_context(cafile="/etc/wardround/pki/ca.crt")
if scheme == "https":
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=20)
else:
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {}
connection.request(method, path, headers=headers)
answer = connection.getresponse()
print(json.dumps([answer.status, dict(answer.getheaders()), answer.read().decode("latin-1")]))
"""


@dataclass(frozen=True)
class Ward:
    """An archive, and a host that plays everybody else."""

    archive: Host
    client: Host


def address(host: Host) -> str:
    """The host's own address on the network of the scenario."""
    return str(host.interface("eth0").addresses[0])


def name(host: Host) -> str:
    """The name in the host's certificate."""
    return str(host.backend.hostname).replace("_", "-")


def login(host: Host) -> str:
    """A login that the archive knows, with its password."""
    users = json.loads(host.file(f"{SETTINGS}/users.json").content_string)["RegisteredUsers"]
    return f"reader:{users['reader']}"


def ask(
    ward: Ward, path: str, who: str = "", *, method: str = "GET", at: str = "https:443"
) -> tuple[int, dict[str, str], str]:
    """Status, headers and content of the archive's answer to a request of the client."""
    scheme, _, port = at.partition(":")
    command = "python3 -c %s %s %s %s %s %s %s"
    said = ward.client.check_output(command, ASK, scheme, method, name(ward.archive), port, path, who)
    status, headers, content = json.loads(said)
    return status, headers, content


def dicom(ward: Ward, command: str, more: str = "") -> CommandResult:
    """Run one of DCMTK's tools on the client against the archive."""
    return ward.client.run(f"timeout 30 {command} {address(ward.archive)} {PORT} {more}")


def echo(ward: Ward, aet: str, *, called: str = "ARCHIVE", tls: str = OWN) -> CommandResult:
    """Ask the archive whether it is there."""
    return dicom(ward, f"echoscu -aet '{aet}' -aec {called} {tls}")


def store(ward: Ward, aet: str, image: str = "first") -> CommandResult:
    """Send the archive an image."""
    return dicom(ward, f"storescu -aet '{aet}' -aec ARCHIVE {OWN}", f"/root/{image}.dcm")


def find(ward: Ward, aet: str) -> CommandResult:
    """Ask the archive for the studies of a patient; the exit code says nothing, for findscu ends with 0 in any case."""
    keys = f"-v -S -k QueryRetrieveLevel=STUDY -k PatientID={PATIENT} -k StudyInstanceUID"
    return dicom(ward, f"findscu -aet '{aet}' -aec ARCHIVE {OWN} {keys}")


def modality(ward: Ward, verb: str, aet: str, uid: str) -> dict[str, Any]:
    """What came of an association that DCMTK has no tool for."""
    command = "PYTHONPATH=/root/library timeout 60 python3 /root/modality.py %s %s %s %s"
    came: dict[str, Any] = json.loads(ward.client.check_output(command, verb, aet, name(ward.archive), uid))
    assert came.pop("established")
    return came


def handshake(ward: Ward, options: str, port: int = PORT) -> CommandResult:
    """Try a TLS handshake."""
    certificate = f"-cert {PKI}/host.crt -key {PKI}/host.key -CAfile {PKI}/ca.crt"
    to = f"{address(ward.archive)}:{port}"
    return ward.client.run(f"timeout 10 openssl s_client {options} {certificate} -connect {to} </dev/null")


def journal(host: Host, tag: str, *texts: str, seconds: float = 20) -> str:
    """Wait for a line with all texts in what the host logged under a tag, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        lines = host.check_output(f"journalctl --quiet --no-pager --output=cat -t {tag}").splitlines()
        for line in lines:
            if all(text in line for text in texts):
                return str(line)
        time.sleep(0.5)
    pytest.fail(f"{tag} did not log {texts}")


@pytest.fixture(autouse=True, scope="module")
def _listening(host: Host) -> None:
    """The archive takes a moment to start."""
    host.check_output(f"timeout 60 sh -c 'until ss -Hltn sport = :{PORT} | grep -q .; do sleep 0.5; done'")


@pytest.fixture(scope="module")
def ward(host: Host) -> Ward:
    """This host as archive, the other one as its modality and reader."""
    own = str(host.backend.hostname)
    other = own.replace("debian-12", "debian-13") if own.endswith("12") else own.replace("debian-13", "debian-12")
    return Ward(archive=host, client=testinfra.get_host(f"podman://{other}"))


@pytest.fixture(scope="module")
def stored(ward: Ward) -> str:
    """A study that the archive holds."""
    result = store(ward, "CT_ONE")
    assert result.rc == 0, result.stderr
    return STUDY


@pytest.mark.parametrize("aet", ["CT_ONE", "READER", "IMAGE GATEWAY"])
def test_declared_modality_is_answered(ward: Ward, aet: str) -> None:
    result = echo(ward, aet)
    assert result.rc == 0, result.stderr


def test_gateway_may_store(ward: Ward) -> None:
    result = store(ward, "IMAGE GATEWAY", "second")
    assert result.rc == 0, result.stderr


def test_stored_image_is_found_over_https(host: Host, ward: Ward, stored: str) -> None:
    status, headers, content = ask(ward, f"/dicom-web/studies?PatientID={PATIENT}", login(host))
    assert status == 200
    found = json.loads(content)
    assert [study["0020000D"]["Value"] for study in found] == [[stored]]
    assert found[0]["00081190"]["Value"] == [f"https://{name(host)}/dicom-web/studies/{stored}"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_stored_image_comes_back_over_https(host: Host, ward: Ward, stored: str) -> None:
    status, _, content = ask(ward, f"/dicom-web/studies/{stored}", login(host))
    assert status == 200
    assert "DICM" in content
    assert "\x00\x01\x02\x03" in content


def test_reader_finds_what_was_stored(ward: Ward, stored: str) -> None:
    result = find(ward, "READER")
    assert f"[{stored}]" in result.stdout + result.stderr


def test_reader_gets_what_was_stored(ward: Ward, stored: str) -> None:
    came = modality(ward, "retrieve", "READER", stored)
    assert came["status"] == 0
    assert FIRST in came["came"]


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("instance", [pytest.param(FIRST, id="kept"), pytest.param(f"{FIRST}.1", id="never sent")])
def test_archive_says_what_it_keeps_to_who_asks_for_commitment(ward: Ward, instance: str) -> None:
    came = modality(ward, "commit", "CT_ONE", instance)
    assert came["status"] == 0
    kept, lost = ([instance], []) if instance == FIRST else ([], [instance])
    assert came["report"] == {"transaction": came["transaction"], "kept": kept, "lost": lost, "caller": "ARCHIVE"}


def test_viewer_is_offered_to_who_logs_in(host: Host, ward: Ward) -> None:
    assert ask(ward, "/web-viewer/app/viewer.html")[0] == 401
    assert ask(ward, "/web-viewer/app/viewer.html", login(host))[0] == 200


@pytest.mark.parametrize(
    ("aet", "called", "reason"),
    [
        pytest.param("NOBODY", "ARCHIVE", "Calling AE Title Not Recognized", id="unknown calling title"),
        pytest.param("ct_one", "ARCHIVE", "Calling AE Title Not Recognized", id="title in small letters"),
        pytest.param("ELSEWHERE", "ARCHIVE", "Calling AE Title Not Recognized", id="title of another address"),
        pytest.param("CT_ONE", "OTHER", "Called AE Title Not Recognized", id="wrong called title"),
    ],
)
def test_association_is_refused(ward: Ward, aet: str, called: str, reason: str) -> None:
    result = echo(ward, aet, called=called)
    assert result.rc != 0
    assert reason in result.stderr


@pytest.mark.parametrize(
    "tls",
    [
        pytest.param("", id="plaintext"),
        pytest.param(f"+tla +cf {PKI}/ca.crt", id="no certificate"),
        pytest.param(
            f"+tls /root/stranger.key /root/stranger.crt +cf {PKI}/ca.crt", id="certificate of another authority"
        ),
    ],
)
def test_connection_is_refused(ward: Ward, tls: str) -> None:
    result = echo(ward, "CT_ONE", tls=tls)
    assert result.rc != 0
    assert "Association Request Failed" in result.stderr


@pytest.mark.parametrize("port", [PORT, 443])
def test_tls_1_1_is_refused(ward: Ward, port: int) -> None:
    result = handshake(ward, "-tls1_1 -cipher DEFAULT:@SECLEVEL=0", port)
    assert result.rc != 0
    assert "alert protocol version" in result.stderr


@pytest.mark.parametrize("port", [PORT, 443])
def test_tls_1_2_is_enough(ward: Ward, port: int) -> None:
    result = handshake(ward, "-tls1_2", port)
    assert "Verify return code: 0 (ok)" in result.stdout
    assert "Cipher is (NONE)" not in result.stdout


def test_reader_may_not_store(host: Host, ward: Ward) -> None:
    before = host.check_output(SUM)
    result = store(ward, "READER")
    assert result.rc != 0
    assert "Store Failed" in result.stderr
    assert host.check_output(SUM) == before


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("aet", ["CT_ONE", "IMAGE GATEWAY"])
def test_modality_may_not_ask(ward: Ward, aet: str) -> None:
    result = find(ward, aet)
    assert "Find Failed" in result.stderr
    assert STUDY not in result.stdout + result.stderr


def test_modality_may_not_get(ward: Ward, stored: str) -> None:
    came = modality(ward, "retrieve", "CT_ONE", stored)
    assert came["status"] != 0
    assert came["came"] == []


@pytest.mark.usefixtures("stored")
def test_gateway_may_not_ask_for_commitment(ward: Ward) -> None:
    came = modality(ward, "commit", "IMAGE GATEWAY", FIRST)
    assert came["status"] != 0
    assert came["report"] is None


@pytest.mark.usefixtures("stored")
def test_stored_image_is_never_overwritten(host: Host, ward: Ward) -> None:
    before = host.check_output(SUM)
    store(ward, "CT_ONE", "forged")
    assert host.check_output(SUM) == before


@pytest.mark.parametrize("who", ["", "reader:wrong", "orthanc:orthanc"])
def test_rest_without_a_login_is_refused(ward: Ward, who: str) -> None:
    assert ask(ward, "/dicom-web/studies", who)[0] == 401


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/system",
        "/instances",
        "/modalities",
        "/app/explorer.html",
        "/tools/execute-script",
        "/dicom-web/servers",
        "/dicom-web/studies/../../system",
        "/dicom-web/studies/..%2f..%2fsystem",
        "/dicom-web/studies/%2e%2e/%2e%2e/system",
        "/webdav/",
    ],
)
def test_undeclared_path_is_not_there(host: Host, ward: Ward, path: str) -> None:
    assert ask(ward, path, login(host))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_undeclared_method_is_refused(host: Host, ward: Ward, stored: str, method: str) -> None:
    assert ask(ward, f"/dicom-web/studies/{stored}", login(host), method=method)[0] == 403
    assert ask(ward, "/dicom-web/studies", login(host))[0] == 200


def test_rest_is_refused_from_outside_and_answers_on_the_host(host: Host, ward: Ward) -> None:
    assert ask(ward, "/system", login(host), at="http:8042")[0] in {401, 403}
    said = host.check_output("python3 -c %s http GET 127.0.0.1 8042 /system %s", ASK, login(host))
    assert json.loads(said)[0] == 200


def test_only_declared_ports_listen(host: Host) -> None:
    found = host.check_output("ss -Hltn | awk '{print $4}' | grep -v -e '^127' -e '^.::1.:'").splitlines()
    # The scenario's own: SSH, and the other host's backup target.
    assert {int(each.rpartition(":")[2]) for each in found} - {22, 8000} == {443, PORT, 8042}


def test_https_port_answers_no_plaintext(host: Host, ward: Ward) -> None:
    assert ask(ward, "/dicom-web/studies", login(host), at="http:443")[0] == 400


@pytest.mark.usefixtures("stored")
def test_transfer_is_recorded(host: Host, ward: Ward) -> None:
    begun = journal(host, "orthanc", '"code":"110102"', '"aet":"CT_ONE"', f'"address":"{address(ward.client)}"')
    assert f'"study":"{STUDY}"' in begun
    journal(host, "orthanc", '"code":"110104"', '"aet":"CT_ONE"', '"instances":')


def test_query_is_recorded(host: Host, ward: Ward) -> None:
    find(ward, "READER")
    line = journal(host, "orthanc", '"code":"110112"', '"aet":"READER"', f'"address":"{address(ward.client)}"')
    assert '"keys":"0008,0052 0010,0020"' in line


@pytest.mark.usefixtures("stored")
def test_recorded_patient_is_found_in_the_archive(host: Host) -> None:
    line = journal(host, "orthanc", '"code":"110102"')
    patient = json.loads(line[line.index("{") :])["patient"]
    listed = host.check_output("python3 -c %s http GET 127.0.0.1 8042 /patients %s", ASK, login(host))
    assert json.loads(json.loads(listed)[2]) == [patient]


def test_refused_title_is_recorded(host: Host, ward: Ward) -> None:
    echo(ward, "NOBODY")
    journal(host, "orthanc", "Rejected association", "AET NOBODY", f"IP {address(ward.client)}")


def test_refused_request_is_recorded(host: Host, ward: Ward) -> None:
    store(ward, "READER")
    journal(host, "orthanc", "Rejected Store request", "READER", address(ward.client))


def test_web_access_is_recorded_without_what_was_asked(host: Host, ward: Ward) -> None:
    ask(ward, f"/dicom-web/studies?PatientID={PATIENT}", login(host))
    journal(host, "archive_web", "AUDIT", '"user":"reader"', f'"address":"{address(ward.client)}"', '"status":"200"')


@pytest.mark.usefixtures("stored")
def test_log_names_no_patient(host: Host, ward: Ward) -> None:
    find(ward, "READER")
    logged = host.check_output("journalctl --quiet --no-pager -t orthanc -t archive_web -t archive_database")
    assert "AUDIT" in logged
    assert PATIENT not in logged
    assert "Nobody^Synthetic" not in logged


def test_only_root_reads_the_key(host: Host) -> None:
    for path in (f"{PKI}/host.key", "/run/credentials/orthanc.service/host.key"):
        assert host.run(f"runuser -u www-data -- cat {path}").rc != 0
    assert host.file(f"{PKI}/host.key").mode == 0o600
    assert host.file(f"{SETTINGS}/users.json").mode == 0o640


@pytest.mark.parametrize("unit", ["orthanc", "nginx", "postgresql@*-main.service"])
def test_service_is_confined(host: Host, unit: str) -> None:
    shown = host.check_output(f"systemctl show '{unit}' -p ActiveState,NoNewPrivileges,ProtectSystem,PrivateTmp")
    assert set(shown.splitlines()) == {
        "ActiveState=active",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
    }


@pytest.mark.parametrize("unit", ["orthanc", "nginx", "postgresql"])
def test_service_starts_with_the_host(host: Host, unit: str) -> None:
    assert host.service(unit).is_enabled
