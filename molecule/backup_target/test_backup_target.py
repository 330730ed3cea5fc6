"""What backup_target promises, tried from the other host with restic, with backup_client's program and with curl."""

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import testinfra
from testinfra.backend.base import CommandResult
from testinfra.host import Host

CA = "/etc/wardround/pki/ca.crt"
CLIENT = "/etc/wardround/backup"
STORE = "/var/lib/backup-target"
LOGINS = "/etc/backup-target/logins"
PORT = 8000
# The client that is set up, and one whose name begins like it.
OWN, OTHER = "ward1", "ward10"
# Ways out of a folder, as they stand behind its name: dots, encoded once and twice, doubled slashes, a folder below, a
# backslash, dots of another width, and a zero.
WAYS_OUT = [
    *("/../", "/..%2f", "/%2e%2e/", "%2f%2e%2e%2f", "/%252e%252e%252f", "//..//", "/locks/../../", "/..%5c"),
    *("/%EF%BC%8E%EF%BC%8E/", "%00/../"),
]
LISTED = "--header 'Accept: application/vnd.x.restic.rest.v2'"


@cache
def password(login: str) -> str:
    """The password of a login, made anew for each scenario."""
    return (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / f"{login}.login").read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class Target:
    """A target, and the host that asks it."""

    host: Host
    client: Host

    @property
    def name(self) -> str:
        """The name in the target's certificate."""
        return str(self.host.backend.hostname).replace("_", "-")

    def restic(
        self, words: str, *, login: str = OWN, trust: str = f"--cacert={CA}", seconds: int = 60
    ) -> CommandResult:
        """Run restic on the client, for the client that is set up as its role does it."""
        address = f"--repo=rest:https://{login}:{password(login)}@{self.name}:{PORT}/{login}/"
        repository = f"--repository-file={CLIENT}/repository" if login == OWN else address
        return self.client.run(
            f"timeout --signal=INT --kill-after=5 {seconds} restic {repository} --password-file={CLIENT}/password"
            f" --no-cache {trust} {words}"
        )

    def snapshots(self) -> list[str]:
        """Names of the snapshots that the target has of the client."""
        asked = self.restic("--no-lock snapshots --json")
        assert asked.rc == 0, asked.stderr
        return [str(each["id"]) for each in json.loads(asked.stdout)]

    def ask(self, *requests: str, login: str = OWN, word: str = "") -> list[str]:
        """Status of each answer, or of what it points to. A request is a path and, behind a space, options for curl."""
        who = f"-u {login}:{word or password(login)}" if login else ""
        words = [request.partition(" ") for request in requests]
        asked = self.client.run(
            "; ".join(
                "curl --silent --path-as-is --location --max-time 20 --output /dev/null --write-out '%{http_code} '"
                f" --cacert {CA} {who} {options} 'https://{self.name}:{PORT}/{path}'"
                for path, _, options in words
            )
        )
        return str(asked.stdout).split()

    def kept(self) -> list[str]:
        """Path of one thing of each kind that the client keeps here, as the target is asked for it."""
        folders = ("keys", "snapshots", "index", "data")
        find = "; ".join(
            f"find {STORE}/{OWN}/{folder} -type f -printf '%f\\n' | sort | head -n 1" for folder in folders
        )
        names = self.host.check_output(find).split()
        return [f"{OWN}/config", *(f"{OWN}/{folder}/{name}" for folder, name in zip(folders, names, strict=True))]

    def digests(self) -> str:
        """What the client keeps here, locks apart."""
        files = f"cd {STORE}/{OWN} && find . -type f ! -path './locks/*'"
        return str(self.host.check_output(f"{files} -exec sha256sum {{}} + | sort"))


@pytest.fixture(scope="module")
def target(host: Host) -> Target:
    """This host as target of the other, with a backup of one client and a repository of another."""
    own = str(host.backend.hostname)
    other = own.replace("debian-12", "debian-13") if own.endswith("12") else own.replace("debian-13", "debian-12")
    made = Target(host, testinfra.get_host(f"podman://{other}"))
    assert made.client.check_output("wardround-backup repository") in {"made", "present"}
    done = made.client.run("wardround-backup backup")
    assert done.rc == 0, done.stderr
    if made.ask(f"{OTHER}/config", login=OTHER) == ["404"]:
        done = made.restic("init", login=OTHER)
        assert done.rc == 0, done.stderr
    return made


@pytest.fixture
def stranger(host: Host) -> Iterator[str]:
    """A login that somebody added by hand, with a password of its own; gone again afterwards."""
    word = uuid.uuid4().hex
    host.check_output(f"cp -a {LOGINS} /root/logins && echo stranger:$(openssl passwd -apr1 {word}) >> {LOGINS}")
    yield word
    host.run(f"test ! -e /root/logins || {{ cat /root/logins > {LOGINS} && rm /root/logins; }}")


def test_backup_of_a_client_comes_back(target: Target) -> None:
    # Restores every file, compares it with what is in use, and checks the repository.
    done = target.client.run("wardround-backup restore-test")
    assert done.rc == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["result"], result["files"], result["restored"], result["unchanged"]) == ("passed", 3, 3, 3)


def test_backup_can_be_restored_by_hand(target: Target) -> None:
    restored = target.restic("--no-lock restore latest --target /root/by-hand")
    assert restored.rc == 0, restored.stderr
    assert target.client.check_output("diff -r /srv/ward /root/by-hand/srv/ward && rm -r /root/by-hand") == ""


def test_a_second_backup_is_added(target: Target) -> None:
    before = target.snapshots()
    assert target.client.run("wardround-backup backup").rc == 0
    assert len(target.snapshots()) == len(before) + 1
    assert set(target.snapshots()) > set(before)


def test_client_sees_a_target_that_refuses_to_delete(target: Target) -> None:
    asked = target.client.run("wardround-backup append-only")
    assert (asked.rc, asked.stdout) == (0, "")


def test_restic_cannot_forget_a_snapshot(target: Target) -> None:
    before = target.snapshots()
    # Where it is refused, restic 0.14 asks again for a quarter of an hour; 0.18 gives up and counts that as success.
    asked = target.restic(f"forget {before[0]}", seconds=8)
    assert "403" in asked.stderr
    assert target.snapshots() == before


def test_lock_that_was_left_behind_can_be_removed(target: Target) -> None:
    assert target.ask(f"{OWN}/locks/{'0' * 64} --data x") == ["200"]
    assert target.restic("unlock --remove-all").rc == 0
    assert target.restic("--no-lock list locks").stdout.strip() == ""


def test_nothing_can_be_deleted(target: Target) -> None:
    before = target.digests()
    assert target.ask(*(f"{path} --request DELETE" for path in target.kept())) == ["403"] * 5
    assert target.digests() == before


def test_nothing_can_be_overwritten(target: Target) -> None:
    before = target.digests()
    assert target.ask(*(f"{path} --data x" for path in target.kept())) == ["403"] * 5
    assert target.digests() == before


def test_nothing_can_be_deleted_by_way_of_the_locks(target: Target) -> None:
    before = target.digests()
    ways = ("locks/../config", "locks/..%2fconfig", "locks%2fconfig/../../config", "locks//../config")
    assert target.ask(*(f"{OWN}/{way} --request DELETE" for way in ways)) == ["403"] * 4
    assert target.digests() == before


def test_no_other_method_is_known(target: Target) -> None:
    before = target.digests()
    methods = ("PUT", "PATCH", "MOVE", "COPY", "MKCOL", "PROPFIND", "TRACE")
    assert target.ask(*(f"{OWN}/config --request {method} --data x" for method in methods)) == ["405"] * 7
    assert target.digests() == before


@pytest.mark.parametrize(("login", "place"), [(OWN, OTHER), (OTHER, OWN)])
def test_anothers_place_cannot_be_read(target: Target, login: str, place: str) -> None:
    wanted = (f"{place}/config", f"{place}/keys/ {LISTED}")
    assert target.ask(*wanted, login=place) == ["200", "200"]
    assert target.ask(*wanted, f" {LISTED}", login=login) == ["403", "403", "403"]


@pytest.mark.parametrize(("login", "place"), [(OWN, OTHER), (OTHER, OWN), (OTHER, "new"), (OTHER, "locks")])
def test_anothers_place_cannot_be_written(target: Target, login: str, place: str) -> None:
    name = uuid.uuid4().hex
    wanted = (f"{place}/locks/{name} --data x", f"{place}/{name}/?create=true --data x")
    assert target.ask(*wanted, login=login) == ["403", "403"]
    assert target.host.check_output(f"find {STORE} -name '*{name}*'") == ""


def test_anothers_locks_cannot_be_removed(target: Target) -> None:
    lock = f"{OTHER}/locks/{uuid.uuid4().hex}"
    assert target.ask(f"{lock} --data x", login=OTHER) == ["200"]
    assert target.ask(f"{lock} --request DELETE", login=OWN) == ["403"]
    assert target.ask(lock, f"{lock} --request DELETE", lock, login=OTHER) == ["200", "200", "404"]


def test_no_way_leads_to_reading_anothers_place(target: Target) -> None:
    answers = target.ask(*(f"{OTHER}{way}{OWN}/config" for way in WAYS_OUT), login=OTHER)
    assert {way: answer for way, answer in zip(WAYS_OUT, answers, strict=True) if answer not in {"403", "404"}} == {}


def test_no_way_leads_to_writing_into_anothers_place(target: Target) -> None:
    before, name = target.digests(), uuid.uuid4().hex
    answers = target.ask(*(f"{OTHER}{way}{OWN}/{name} --data x" for way in WAYS_OUT), login=OTHER)
    assert "403" in answers
    assert target.digests() == before
    assert target.host.check_output(f"find / -xdev -name '*{name}*' ! -path '{STORE}/{OTHER}/*'") == ""


def test_path_that_does_not_begin_at_the_root_is_refused(target: Target) -> None:
    paths = (f"../{OWN}/config", f"{OTHER}/../{OWN}/config")
    assert target.ask(*(f" --http1.1 --request-target {path}" for path in paths), login=OTHER) == ["400", "400"]


@pytest.mark.parametrize(
    ("login", "word"),
    [
        pytest.param("", "", id="nobody"),
        pytest.param(OWN, "wrong", id="wrong password"),
        pytest.param("stranger", "wrong", id="stranger"),
        pytest.param("gone", "", id="client that is no longer declared"),
    ],
)
def test_refused_to_log_in(target: Target, login: str, word: str) -> None:
    assert target.ask(f"{OWN}/config", login=login, word=word) == ["401"]


def test_password_opens_its_own_login_only(target: Target) -> None:
    assert target.ask(f"{OWN}/config", login=OWN, word=password(OTHER)) == ["401"]
    assert target.ask(f"{OWN}/config", login=OWN.upper(), word=password(OWN)) == ["401"]


def test_question_for_methods_without_a_login_is_refused(target: Target) -> None:
    # rclone asks nobody for a login who uses this one.
    assert target.ask(f"{OWN}/config --request OPTIONS", login="") == ["403"]


def test_login_that_is_taken_away_is_refused_at_once(target: Target, stranger: str) -> None:
    assert target.ask("stranger/config", login="stranger", word=stranger) == ["404"]
    target.host.check_output(f"cat /root/logins > {LOGINS} && rm /root/logins")
    assert target.ask("stranger/config", login="stranger", word=stranger) == ["401"]
    assert target.ask(f"{OWN}/config") == ["200"]


def test_refused_login_is_in_the_journal(target: Target) -> None:
    name = f"visitor-{uuid.uuid4().hex}"
    assert target.ask(f"{OWN}/config", login=name, word="wrong") == ["401"]
    address = target.client.interface("eth0").addresses[0]
    said = target.host.check_output("journalctl --unit=backup-target --output=cat --no-pager --lines=20")
    assert any(name in line and address in line for line in said.splitlines())


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_old_tls_is_refused(target: Target, version: str) -> None:
    asked = target.client.run(
        f"openssl s_client -connect {target.name}:{PORT} -CAfile {CA} -{version} -cipher DEFAULT:@SECLEVEL=0 </dev/null"
    )
    assert asked.rc != 0
    assert "alert protocol version" in asked.stderr


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_new_tls_shows_a_certificate_of_the_hospital(target: Target, version: str) -> None:
    asked = target.client.run(
        f"openssl s_client -connect {target.name}:{PORT} -CAfile {CA} -{version}"
        f" -verify_return_error -verify_hostname {target.name} </dev/null"
    )
    assert asked.rc == 0, asked.stderr
    assert "Verify return code: 0 (ok)" in asked.stdout


def test_client_without_the_hospitals_authority_sends_nothing(target: Target) -> None:
    refused = target.restic("--no-lock snapshots", trust="", seconds=10)
    assert refused.rc != 0
    assert "certificate signed by unknown authority" in refused.stderr


def test_client_with_another_authority_sends_nothing(target: Target) -> None:
    refused = target.client.run(f"curl --silent --cacert /root/stranger.crt https://{target.name}:{PORT}/{OWN}/config")
    assert refused.rc == 60


def test_no_plaintext(target: Target) -> None:
    asked = target.client.run(
        f"curl --silent --write-out %{{http_code}} -u {OWN}:{password(OWN)} http://{target.name}:{PORT}/{OWN}/config"
    )
    assert asked.stdout.endswith("400")
    assert "HTTPS server" in asked.stdout


def test_target_cannot_read_what_it_keeps(target: Target) -> None:
    assert target.host.run(f"test -e {STORE}/{OWN}/config").rc == 0
    assert target.host.run(f"grep -rqa -e handover -e night {STORE}/{OWN}").rc == 1


def test_store_and_logins_are_closed(target: Target) -> None:
    shown = target.host.check_output(f"stat --format='%a %U %G' {STORE} {LOGINS}")
    assert shown.splitlines() == ["700 backup-target backup-target", "640 root backup-target"]
    assert target.host.check_output(f"find {STORE} -perm /077 -o ! -user backup-target") == ""


def test_logins_are_those_declared_and_no_password(target: Target) -> None:
    logins = target.host.file(LOGINS).content_string
    assert [line.partition(":")[0] for line in logins.splitlines()] == [OWN, OTHER]
    assert not any(password(login) in logins for login in (OWN, OTHER))


@pytest.mark.parametrize("path", [STORE, LOGINS, "/run/credentials/backup-target.service/host.key"])
def test_others_on_the_host_cannot_look(host: Host, path: str) -> None:
    assert host.run(f"test -e {path}").rc == 0
    assert "Permission denied" in host.run(f"runuser -u nobody -- cat {path}").stderr


def test_only_the_declared_address_listens(host: Host) -> None:
    address = host.interface("eth0").addresses[0]
    assert host.check_output(f"ss -Hltn 'sport = :{PORT}' | awk '{{print $4}}'") == f"{address}:{PORT}"


def test_target_is_confined_and_starts_with_the_host(host: Host) -> None:
    assert host.service("backup-target").is_running
    assert host.service("backup-target").is_enabled
    wanted = {
        "User": "backup-target",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "PrivateTmp": "yes",
        "CapabilityBoundingSet": "",
    }
    shown = host.check_output(f"systemctl show backup-target -p {','.join(wanted)}")
    assert dict(line.split("=", 1) for line in shown.splitlines()) == wanted
