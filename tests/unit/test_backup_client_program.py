"""How the backup program decides what is due, what to restore and whether it came back, without restic or a target."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.role_program import role_program

pytestmark = pytest.mark.unit


program = role_program("backup_client", "wardround_backup.py")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder that is empty."""
    monkeypatch.setattr(program, "STATE", tmp_path)
    monkeypatch.setattr(program, "DUMPS", tmp_path / "dumps")
    return tmp_path


def settings(**given: object) -> object:
    """Settings of a host with two folders and no database."""
    usual: dict[str, object] = {
        "ca_file": "/ca.crt",
        "name": "pacs01",
        "paths": ["/srv/ward"],
        "excludes": [],
        "databases": [],
        "rpo_hours": 26,
        "upload_kib": 0,
        "restore_days": 7,
        "restore_files": 2,
        "restore_directory": "/restored",
        "restore_checks": [],
    }
    return program.Settings(**(usual | given))


def target_has(monkeypatch: pytest.MonkeyPatch, *hours: float) -> None:
    """Let the target keep snapshots of these ages."""
    found = [
        {"time": (datetime.now(UTC) - timedelta(hours=each)).isoformat(), "id": f"snapshot-{each}"} for each in hours
    ]
    monkeypatch.setattr(program, "ask_target", lambda *_: 200)
    monkeypatch.setattr(program, "run", lambda *_, **__: json.dumps(found))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("", "it said nothing"),
        ("once\n\n", "once"),
        ("trouble\nFatal: no way\nbye\n", "Fatal: no way"),
        (
            '{"error":{"message":"permission denied"},"item":"/srv/x"}\n{"code":3,"message":"a file is missing"}',
            "/srv/x: permission denied; a file is missing",
        ),
    ],
)
def test_the_reason_of_a_programs_failure_is_kept(told: str, expected: str) -> None:
    assert program.last_words(told) == expected


@pytest.mark.parametrize(("status", "reason"), [(404, "nothing stands at the target"), (401, "the target answers 401")])
def test_a_target_that_refuses_is_named_without_asking_restic(
    monkeypatch: pytest.MonkeyPatch, status: int, reason: str
) -> None:
    monkeypatch.setattr(program, "ask_target", lambda *_: status)
    with pytest.raises(program.BackupError, match=reason):
        program.newest(settings())


def test_no_snapshot_is_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    target_has(monkeypatch)
    assert program.overdue_backup(settings()) == "the target has no snapshot of this host"


def test_the_newest_snapshot_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    target_has(monkeypatch, 90, 3, 40)
    assert program.newest(settings())[0] == "snapshot-3"
    assert program.overdue_backup(settings()) == ""


def test_an_old_snapshot_is_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    target_has(monkeypatch, 30)
    assert program.overdue_backup(settings()) == "the newest snapshot at the target is 30 hours old"


def test_a_failed_backup_is_named_though_an_older_one_is_young_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    target_has(monkeypatch, 3)
    program.write_state("backup", {"result": "failed", "reason": "disk full"})
    assert program.overdue_backup(settings()) == "the last backup failed: disk full"


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        (None, "no restore was ever tested"),
        ({"result": "failed", "reason": "no way"}, "the last restore test failed: no way"),
        ({"result": "passed", "days": 9}, "the last restore test is 9 days old"),
        ({"result": "passed", "days": 6}, ""),
    ],
)
def test_restore_tests_grow_old(noted: dict[str, object] | None, expected: str) -> None:
    if noted:
        days = noted.pop("days", 0)
        assert isinstance(days, int)
        program.write_state(
            "restore-test", noted | {"finished": (datetime.now(UTC) - timedelta(days=days)).isoformat()}
        )
    assert program.overdue_restore(settings()) == expected


@pytest.mark.parametrize(
    ("shown", "started"),
    [
        ("ActiveState=inactive\n", True),
        ("ActiveState=failed\n", True),
        ("Job=17\nActiveState=inactive\n", False),
        ("ActiveState=activating\n", False),
    ],
)
def test_what_is_at_work_or_about_to_be_is_not_started_again(
    monkeypatch: pytest.MonkeyPatch, shown: str, *, started: bool
) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> str:
        calls.append(command)
        return shown

    monkeypatch.setattr(program, "run", run)
    said = program.overdue(settings(), "restore-test", look_only=False)
    assert bool(said) == started
    assert any("--no-block" in command for command in calls) == started


def test_a_check_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str]) -> str:
        assert command[1] == "show"
        return "ActiveState=inactive\n"

    monkeypatch.setattr(program, "run", run)
    assert program.overdue(settings(), "restore-test", look_only=True) == "no restore was ever tested"


@pytest.mark.parametrize(
    ("known", "found", "look_only", "said"),
    [
        (None, None, True, "missing"),
        (None, None, False, "made"),
        (None, "one", True, "found"),
        (None, "one", False, "found"),
        ("one", "one", False, "present"),
    ],
)
def test_a_repository_is_made_once(
    monkeypatch: pytest.MonkeyPatch, known: str | None, found: str | None, said: str, *, look_only: bool
) -> None:
    there = [found]
    if known:
        program.write_state("repository", {"id": known})
    monkeypatch.setattr(program, "repository_id", lambda _: there[0])
    monkeypatch.setattr(program, "run", lambda command: there.__setitem__(0, "new") if command[-1] == "init" else "")
    assert program.repository(settings(), look_only=look_only) == said
    kept = program.read_state("repository").get("id")
    assert kept == (known if look_only or known else there[0])


@pytest.mark.parametrize("found", [None, "another"])
def test_a_repository_that_is_gone_or_replaced_is_never_made_good(
    monkeypatch: pytest.MonkeyPatch, found: str | None
) -> None:
    program.write_state("repository", {"id": "one"})
    monkeypatch.setattr(program, "repository_id", lambda _: found)
    with pytest.raises(program.BackupError, match="at the target, where repository one was"):
        program.repository(settings(), look_only=False)


def listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *paths: str) -> Path:
    """Let restic list a snapshot with files at these paths."""
    nodes: list[dict[str, object]] = [{"struct_type": "snapshot"}, {"type": "dir", "path": "/srv"}]
    nodes += [{"type": "file", "path": path, "size": 5} for path in paths]
    listed = tmp_path / "nodes"
    listed.write_text("".join(f"{json.dumps(node)}\n" for node in nodes), encoding="utf-8")
    monkeypatch.setattr(program, "restic", lambda *_: ["cat", str(listed)])
    return tmp_path / "listing"


def test_every_dump_and_so_many_other_files_are_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = f"{tmp_path}/dumps/orthanc.dump"
    written = listing(tmp_path, monkeypatch, *(f"/srv/{number}" for number in range(50)), dump)
    count, chosen = program.pick(settings(), "latest", written)
    assert count == 51
    assert dump in chosen
    assert len(chosen) == 3
    assert written.read_text(encoding="utf-8").count("\n") == 51


def test_all_files_are_chosen_where_no_number_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = listing(tmp_path, monkeypatch, "/srv/a", "/srv/b\nc", "/srv/d")
    count, chosen = program.pick(settings(restore_files=0), "latest", written)
    assert (count, len(chosen)) == (3, 3)
    assert "5\t/srv/b?c\n" in written.read_text(encoding="utf-8")


def restored(tmp_path: Path, content: str) -> tuple[Path, Path]:
    """A file in use, and the same one restored with another content and the same date."""
    used = tmp_path / "used"
    used.write_text("right", encoding="utf-8")
    back = tmp_path / "root" / str(used).lstrip("/")
    back.parent.mkdir(parents=True)
    back.write_text(content, encoding="utf-8")
    os.utime(back, ns=(used.stat().st_mtime_ns, used.stat().st_mtime_ns))
    return used, tmp_path / "root"


def test_a_file_that_came_back_as_it_is_counts_as_unchanged(tmp_path: Path) -> None:
    used, root = restored(tmp_path, "right")
    assert program.compare(root, {str(used): 5}) == 1


@pytest.mark.parametrize(
    ("content", "reason"), [("wrong", "came back with another content"), ("short one", "did not come back whole")]
)
def test_a_file_that_came_back_otherwise_is_named(tmp_path: Path, content: str, reason: str) -> None:
    used, root = restored(tmp_path, content)
    with pytest.raises(program.BackupError, match=reason):
        program.compare(root, {str(used): 5})


def test_a_file_that_was_changed_since_is_not_held_against_its_backup(tmp_path: Path) -> None:
    used, root = restored(tmp_path, "wrong")
    os.utime(used, (0, 0))
    assert program.compare(root, {str(used): 5}) == 0


def test_the_reason_of_a_failure_is_noted(state: Path) -> None:
    with pytest.raises(program.BackupError), program.noted("backup"):
        raise program.BackupError("the target is full")
    noted = json.loads((state / "backup.json").read_text(encoding="utf-8"))
    assert (noted["result"], noted["reason"]) == ("failed", "the target is full")
