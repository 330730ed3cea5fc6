"""What backup_client promises, with real snapshots between two hosts that are each other's target."""

import json
import time
from collections.abc import Iterator

import pytest
import testinfra
from testinfra.host import Host

COMMAND = "/usr/local/sbin/wardround-backup"
FOLDER = "/etc/wardround/backup"
STATE = "/var/lib/wardround-backup"
CA = "/etc/wardround/pki/ca.crt"
# Where it is refused, restic may ask again for a quarter of an hour.
RESTIC = (
    f"timeout 20 restic --no-cache --no-lock --repository-file {FOLDER}/repository --password-file {FOLDER}/password"
)

DELETE = """
import base64, http.client, ssl, sys, urllib.parse
address = urllib.parse.urlsplit(open("/etc/wardround/backup/repository").read().strip().removeprefix("rest:"))
context = ssl.create_default_context(cafile="/etc/wardround/pki/ca.crt")
connection = http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=20)
login = base64.b64encode(f"{address.username}:{address.password}".encode()).decode()
connection.request("DELETE", address.path + sys.argv[1], headers={"Authorization": "Basic " + login})
print(connection.getresponse().status)
"""


def result(host: Host, kind: str) -> dict[str, object]:
    """What the host noted of its last backup or restore test."""
    content: dict[str, object] = json.loads(host.file(f"{STATE}/{kind}.json").content_string)
    return content


def at_rest(host: Host) -> None:
    """Wait until the units that the role started have ended."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        states = host.check_output(
            "systemctl show --property=ActiveState --value wardround-backup wardround-restore-test"
        )
        if "activating" not in states and host.file(f"{STATE}/restore-test.json").exists:
            return
        time.sleep(0.5)
    pytest.fail("a backup or a restore test does not end")


def snapshots(host: Host) -> list[str]:
    """Names of the host's snapshots at its target."""
    return [str(each["id"]) for each in json.loads(host.check_output(f"{RESTIC} --cacert {CA} snapshots --json"))]


@pytest.fixture
def other(host: Host) -> Host:
    """The other host, which is this host's target."""
    name = str(host.backend.hostname)
    other = name.replace("debian-12", "debian-13") if name.endswith("12") else name.replace("debian-13", "debian-12")
    return testinfra.get_host(f"podman://{other}")


@pytest.fixture
def handover(host: Host) -> Iterator[str]:
    """A folder that may be damaged."""
    at_rest(host)
    host.check_output("cp -a /srv/ward /srv/kept")
    yield "/srv/ward"
    host.check_output("rm -r /srv/ward && mv /srv/kept /srv/ward")


def test_first_apply_made_a_backup_and_tested_a_restore(host: Host) -> None:
    at_rest(host)
    assert result(host, "backup")["result"] == "passed"
    assert len(snapshots(host)) >= 1
    restored = result(host, "restore-test")
    assert restored["result"] == "passed", restored
    assert restored["snapshot"] in snapshots(host)
    assert (restored["files"], restored["restored"], restored["unchanged"]) == (5, 3, 3)
    assert "handover of night" in str(restored["checks"])


def test_backup_can_be_restored_by_hand(host: Host) -> None:
    at_rest(host)
    host.check_output(f"{RESTIC} --cacert {CA} restore latest --target /root/by-hand")
    assert host.check_output("diff -r /srv/ward /root/by-hand/srv/ward") == ""
    host.check_output("rm -r /root/by-hand")


def test_target_cannot_read_what_it_keeps(host: Host, other: Host) -> None:
    at_rest(host)
    kept = f"/srv/backups/{host.backend.hostname}"
    assert other.file(f"{kept}/config").exists
    assert other.run(f"grep -rq -e handover -e night {kept}").rc == 1


def test_snapshot_cannot_be_deleted_with_what_this_host_knows(host: Host) -> None:
    at_rest(host)
    before = snapshots(host)
    assert host.check_output("python3 -c %s %s", DELETE, f"snapshots/{before[0]}") == "403"
    assert snapshots(host) == before


def test_repository_of_another_host_stays_closed(host: Host) -> None:
    at_rest(host)
    another = "--repository-file /root/another"
    host.check_output(f"sed 's#/[^/]*/$#/another/#' {FOLDER}/repository > /root/another")
    asked = host.run(f"{RESTIC} {another} --cacert {CA} snapshots")
    assert asked.rc != 0
    assert "403" in asked.stderr


def test_target_without_a_trusted_certificate_is_refused(host: Host) -> None:
    asked = host.run(f"{RESTIC} snapshots")
    assert asked.rc != 0
    assert "certificate signed by unknown authority" in asked.stderr


def test_target_that_is_away_is_named(host: Host, other: Host) -> None:
    at_rest(host)
    other.check_output("systemctl stop backup-target")
    try:
        for question in ("overdue backup --check", "repository --check", "append-only"):
            assert host.check_output(f"{COMMAND} {question}") not in {"", "present"}
        assert host.run(f"{COMMAND} repository").rc == 1
    finally:
        other.check_output("systemctl start backup-target")


def test_repository_that_is_gone_is_not_made_anew(host: Host, other: Host) -> None:
    at_rest(host)
    kept = f"/srv/backups/{host.backend.hostname}"
    other.check_output(f"mv {kept} /srv/away && systemctl restart backup-target && sleep 1")
    try:
        asked = host.run(f"{COMMAND} repository")
        assert asked.rc == 1
        assert "nothing stands at the target" in asked.stderr
        assert not other.file(f"{kept}/config").exists
    finally:
        other.check_output(f"rm -rf {kept} && mv /srv/away {kept} && systemctl restart backup-target && sleep 1")


def test_file_that_changed_unnoticed_fails_the_restore_test(host: Host, handover: str) -> None:
    # Same size, same date: what damage on a disk looks like.
    host.check_output(
        f'for file in {handover}/*; do touch -r "$file" /root/date; tr a-z A-Z < "$file" > /root/upper;'
        f' cat /root/upper > "$file"; touch -r /root/date "$file"; done'
    )
    assert host.run("systemctl start wardround-restore-test").rc == 1
    assert "came back with another content" in str(result(host, "restore-test")["reason"])
    assert "the last restore test failed" in host.check_output(f"{COMMAND} overdue restore-test --check")
    assert host.file(f"{STATE}/restored").listdir() == []


def test_restore_test_passes_again(host: Host) -> None:
    at_rest(host)
    host.check_output("systemctl start wardround-restore-test")
    assert result(host, "restore-test")["result"] == "passed"


@pytest.mark.parametrize("name", ["repository", "password", "backup.json"])
def test_only_root_reads_how_to_get_at_the_backup(host: Host, name: str) -> None:
    file = host.file(f"{FOLDER}/{name}")
    assert (file.user, file.group, file.mode) == ("root", "root", 0o600)


@pytest.mark.parametrize("unit", ["wardround-backup", "wardround-restore-test"])
def test_unit_is_planned_and_confined(host: Host, unit: str) -> None:
    assert host.service(f"{unit}.timer").is_enabled
    assert host.service(f"{unit}.timer").is_running
    shown = host.check_output(f"systemctl show {unit} -p NoNewPrivileges,ProtectSystem,PrivateTmp")
    assert set(shown.splitlines()) == {"NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes"}
