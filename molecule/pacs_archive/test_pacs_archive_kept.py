"""What pacs_archive keeps: index and images belong together, outlive a restart, and come back from a backup."""

import json
import time
from collections.abc import Iterator

import pytest
import testinfra
from testinfra.backend.base import CommandResult
from testinfra.host import Host

PKI = "/etc/wardround/pki"
IMAGES = "/var/lib/orthanc/images"
PSQL = "psql -h /var/run/postgresql -At"
RESULT = "/var/lib/wardround-backup/restore-test.json"


def store(host: Host) -> CommandResult:
    """Let the other host store an image."""
    own = str(host.backend.hostname)
    other = own.replace("debian-12", "debian-13") if own.endswith("12") else own.replace("debian-13", "debian-12")
    tls = f"+tls {PKI}/host.key {PKI}/host.crt +cf {PKI}/ca.crt"
    to = f"{host.interface('eth0').addresses[0]} 2762"
    return testinfra.get_host(f"podman://{other}").run(
        f"timeout 30 storescu -aet CT_ONE -aec ARCHIVE {tls} {to} /root/first.dcm"
    )


def psql(host: Host, user: str, options: str, query: str) -> CommandResult:
    """Ask the database as a user of the system."""
    return host.run(f"cd / && runuser -u {user} -- {PSQL} {options} -c %s", query)


def known(host: Host) -> dict[str, str]:
    """Every image that the index knows: where it lies, and its digest."""
    said = psql(host, "orthanc", "-d orthanc", "SELECT uuid, compressedhash FROM attachedfiles").stdout
    pairs = (line.split("|") for line in said.splitlines())
    return {f"{IMAGES}/{uuid[:2]}/{uuid[2:4]}/{uuid}": digest for uuid, digest in pairs}


def run_unit(host: Host, unit: str) -> CommandResult:
    """Run a unit that ends by itself, after one that runs already."""
    host.run(f"timeout 60 sh -c 'while systemctl is-active {unit} | grep -q activating; do sleep 0.5; done'")
    return host.run(f"systemctl start {unit}")


@pytest.fixture(autouse=True, scope="module")
def _stored(host: Host) -> None:
    """The archive holds an image; it takes a moment to start."""
    host.check_output("timeout 60 sh -c 'until ss -Hltn sport = :2762 | grep -q .; do sleep 0.5; done'")
    result = store(host)
    assert result.rc == 0, result.stderr


def test_index_is_in_the_database_and_images_are_not(host: Host) -> None:
    images = known(host)
    assert images
    for path, digest in images.items():
        assert host.check_output("md5sum %s", path).split() == [digest, path]


def test_database_is_not_on_the_network(host: Host) -> None:
    assert host.check_output("ss -Hltn 'sport = :5432'") == ""


def test_database_refuses_who_is_not_the_archive(host: Host) -> None:
    assert psql(host, "orthanc", "-d orthanc", "SELECT 1").rc == 0
    refused = psql(host, "www-data", "-U orthanc -d orthanc", "SELECT 1")
    assert refused.rc != 0
    assert "Peer authentication failed" in refused.stderr


def test_archive_reaches_its_own_database_only(host: Host) -> None:
    refused = psql(host, "orthanc", "-d postgres", "SELECT 1")
    assert refused.rc != 0
    assert "no pg_hba.conf entry" in refused.stderr


def test_archive_outlives_a_restart_of_its_database(host: Host) -> None:
    started = "systemctl show 'postgresql@*-main.service' --property=InvocationID --value"
    before = host.check_output(started)
    host.check_output("systemctl restart 'postgresql@*-main.service'")
    assert before not in {"", host.check_output(started)}
    deadline = time.monotonic() + 60
    while store(host).rc:
        assert time.monotonic() < deadline
        time.sleep(1)


@pytest.fixture
def damaged(host: Host) -> Iterator[str]:
    """An image on disk that is no longer what came in, and nobody wrote to it."""
    path = next(iter(known(host)))
    host.check_output(f"cp -a {path} /root/undamaged && touch -r {path} /root/date")
    host.check_output(f"printf X | dd of={path} bs=1 seek=400 conv=notrunc status=none && touch -r /root/date {path}")
    yield path
    host.check_output(f"cp -a /root/undamaged {path}")


def test_archive_can_be_restored(host: Host) -> None:
    count = len(known(host))
    assert run_unit(host, "wardround-backup").rc == 0
    assert run_unit(host, "wardround-restore-test").rc == 0
    result = json.loads(host.file(RESULT).content_string)
    assert result["result"] == "passed"
    assert result["tables"]["orthanc"] > 10
    assert result["checks"]["archive"] == f"{count} images in index and backup, {count} restored with their digests"
    databases = psql(host, "postgres", "", "SELECT datname FROM pg_database").stdout
    assert "restore_test_orthanc" not in databases


def test_backup_of_a_damaged_image_does_not_pass(host: Host, damaged: str) -> None:
    # Backed up as it lies there, so that only the archive's own digest can tell.
    host.check_output(f"mv {damaged} {damaged}.moved && cp -a {damaged}.moved {damaged} && rm {damaged}.moved")
    assert run_unit(host, "wardround-backup").rc == 0
    assert run_unit(host, "wardround-restore-test").rc == 1
    assert "came back with another digest" in json.loads(host.file(RESULT).content_string)["reason"]


def test_archive_can_be_restored_again(host: Host) -> None:
    assert run_unit(host, "wardround-backup").rc == 0
    assert run_unit(host, "wardround-restore-test").rc == 0
