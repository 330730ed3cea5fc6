"""When a database cannot serve, the error says which ledger, what happened and what to try, and holds no password."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import column, create_engine, table, text, update
from sqlalchemy.engine import make_url

from tests.integration.ledger_samples import run_record
from tests.integration.postgres import PrivatePostgres
from wardround.errors import ExitCode, LedgerError
from wardround.ledger import Ledger
from wardround.ledger.address import parse_address
from wardround.ledger.database import Database
from wardround.ledger.schema import VERSION_TABLE

pytestmark = pytest.mark.integration

PROGRAM = Path(__file__).with_name("ledger_process.py")
PASSWORD = "kn0wn-t0-n0b0dy"


def refusal(url: str) -> LedgerError:
    """Open a ledger that cannot be opened."""
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url)
    assert PASSWORD not in str(caught.value)
    assert caught.value.remedy
    assert caught.value.code == "WR-301"
    assert caught.value.exit_code is ExitCode.ERROR
    return caught.value


def in_a_tiny_folder(folder: Path, script: str) -> str:
    """Run a shell script where `folder` is a file system of one megabyte; give what it printed."""
    folder.mkdir()
    alone = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    mount = f"mount -t tmpfs -o size=1m,mode=0700 tmpfs '{folder}'"
    done = subprocess.run(
        [*alone, "sh", "-ec", f"{mount}\n{script}"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "LEDGER": f"sqlite:///{folder}/ledger.sqlite", "PROGRAM": f"{sys.executable} {PROGRAM}"},
    )
    assert not done.stderr, done.stderr
    return done.stdout


def test_a_full_disk_is_said_and_what_was_recorded_stays_whole(tmp_path: Path) -> None:
    script = """
        $PROGRAM fill "$LEDGER" || echo "exit $?"
        $PROGRAM open "$LEDGER" || echo "exit $?"
    """
    said, exit_code, *rest = in_a_tiny_folder(tmp_path / "tiny", script).splitlines()
    assert said.startswith(f"{tmp_path}/tiny/ledger.sqlite: WR-301 the disk is full: ")
    assert "(free some space; " in said
    assert exit_code == "exit 1"
    # A full disk may also keep SQLite from reading; what it must not do is lose the chain.
    assert len(rest) == 1
    assert int(rest[0]) > 0


def test_a_full_disk_without_room_for_a_ledger_is_said(tmp_path: Path) -> None:
    script = """
        head -c 2000000 /dev/zero 2>&- > "${LEDGER#sqlite:///}.ballast" || true
        $PROGRAM open "$LEDGER" || echo "exit $?"
    """
    said = in_a_tiny_folder(tmp_path / "tiny", script)
    assert said.startswith(f"{tmp_path}/tiny/ledger.sqlite: WR-301 the disk is full: ")
    assert said.endswith("exit 1\n")


def test_a_read_only_disk_is_said(tmp_path: Path) -> None:
    script = f"""
        $PROGRAM append "$LEDGER" 3
        mount -o remount,ro '{tmp_path}/tiny'
        $PROGRAM open "$LEDGER" || echo "exit $?"
    """
    said = in_a_tiny_folder(tmp_path / "tiny", script)
    assert said.startswith(f"{tmp_path}/tiny/ledger.sqlite: WR-301 the ledger is read-only (let this user write to it")
    assert said.endswith("exit 1\n")


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_text("Dear colleague, " * 500)
    error = refusal(f"sqlite:///{file}")
    assert "the file is damaged or is no ledger: file is not a database" in error.message
    assert error.path == str(file)


def test_a_damaged_file_is_said(sqlite_url: str) -> None:
    with Ledger.open(sqlite_url) as ledger:
        for number in range(200):
            ledger.append_event("noted", {"number": number, "ballast": "x" * 500})
        file = Path(ledger.name)
        with file.open("r+b") as raw:
            raw.seek(4096 * 12)
            raw.write(b"\xa5" * (file.stat().st_size - 4096 * 14))
        with pytest.raises(LedgerError, match="the file is damaged or is no ledger") as caught:
            ledger.verify()
    assert caught.value.path == str(file)
    assert "restore the last backup" in caught.value.remedy


def test_a_folder_in_the_files_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").mkdir()
    assert "cannot be opened" in refusal(f"sqlite:///{tmp_path}/ledger.sqlite").message


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    error = refusal(f"sqlite:///{tmp_path}/state/ledger.sqlite")
    assert error.path == f"{tmp_path}/state/ledger.sqlite"
    assert str(tmp_path / "state") in error.message


def test_a_writer_that_never_ends_is_said(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardround.ledger.database.BUSY_SECONDS", 0.2)
    with Ledger.open(sqlite_url) as ledger, closing(sqlite3.connect(ledger.name)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="another process kept the ledger locked"):
            ledger.append_event("noted", {})


def test_a_writer_that_never_ends_is_said_by_a_server(
    postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wardround.ledger.database.BUSY_SECONDS", 1)
    url = postgres.new_database()
    with Ledger.open(url) as ledger, Ledger.open(url) as other, other._database.writing() as connection:
        connection.execute(text("UPDATE heads SET sequence = sequence"))
        with pytest.raises(LedgerError, match="another process kept the ledger locked"):
            ledger.append_event("noted", {})


def test_the_file_is_its_owners_alone(sqlite_url: str) -> None:
    old = os.umask(0)
    try:
        with Ledger.open(sqlite_url) as ledger, ledger.lease("st-elsewhere", "first", "run-1"):
            ledger.start_run(run_record("run-1"))
            with ledger._database.reading():
                made = [path for path in Path(ledger.name).parent.rglob("*") if path.is_file()]
                modes = {path.name: oct(path.stat().st_mode & 0o777) for path in made}
    finally:
        os.umask(old)
    assert modes == dict.fromkeys(
        [
            "ledger.sqlite",
            "ledger.sqlite-wal",
            "ledger.sqlite-shm",
            "ledger.sqlite.upgrade.lock",
            "st-elsewhere.lock",
        ],
        "0o600",
    )


def test_a_copy_that_all_could_read_is_made_private(sqlite_url: str) -> None:
    Ledger.open(sqlite_url).close()
    file = parse_address(sqlite_url).file
    assert file is not None
    file.chmod(0o644)
    Ledger.open(sqlite_url).close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_sqlite_is_set_up_to_be_safe(sqlite_url: str) -> None:
    with Ledger.open(sqlite_url) as ledger, ledger._database.reading() as connection:
        names = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert values == ["wal", 1, 2, 30_000]


def test_a_server_that_is_not_there_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = refusal(f"postgresql://ward:{PASSWORD}@127.0.0.1:{port}/ledger")
    assert error.message.startswith("there is no connection to the database: ")
    assert error.path == f"postgresql://ward:***@127.0.0.1:{port}/ledger"


def test_a_password_among_the_options_is_not_shown() -> None:
    error = refusal(f"postgresql://127.0.0.1:1/ledger?user=ward&password={PASSWORD}")
    assert error.path == "postgresql://127.0.0.1:1/ledger?user=ward"


def test_a_missing_database_is_said(postgres: PrivatePostgres) -> None:
    url = make_url(postgres.new_database()).set(database="nowhere").render_as_string()
    assert 'database "nowhere" does not exist' in refusal(url).message


def test_an_unknown_user_is_said(postgres: PrivatePostgres) -> None:
    url = make_url(postgres.new_database()).set(username="stranger", password=PASSWORD)
    error = refusal(url.render_as_string(hide_password=False))
    assert 'role "stranger" does not exist' in error.message


def test_a_user_without_rights_is_told(postgres: PrivatePostgres) -> None:
    url = postgres.new_database()
    engine = create_engine(parse_address(url).url)
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE visitor LOGIN"))
    engine.dispose()
    error = refusal(make_url(url).set(username="visitor").render_as_string())
    assert error.message.startswith("the database user lacks a right: ")


def test_a_server_that_goes_away_is_said_and_its_return_is_enough() -> None:
    with PrivatePostgres() as server:
        url = server.new_database()
        with Ledger.open(url) as ledger:
            ledger.append_event("noted", {})
            server.stop()
            with pytest.raises(LedgerError, match="there is no connection to the database"):
                ledger.append_event("noted", {})
            server.start()
            assert ledger.append_event("noted", {}).sequence == 2
            assert ledger.verify().sequence == 2


def test_a_newer_ledger_is_refused(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    set_version(ledger_url, "9999")
    error = refusal(ledger_url)
    assert error.message == "the ledger has schema 9999; this wardround knows it up to 0001"
    assert "a ledger is never turned back" in error.remedy


def set_version(url: str, version: str) -> None:
    engine = create_engine(parse_address(url).url)
    with engine.begin() as connection:
        connection.execute(update(table(VERSION_TABLE, column("version_num"))).values(version_num=version))
    engine.dispose()


def test_no_error_is_shown_with_what_was_being_recorded(ledger: Ledger) -> None:
    """A driver's error carries the parameters of its statement, which may hold a host's files."""
    run = run_record("run-1").model_copy(update={"actor": PASSWORD})
    ledger.start_run(run)
    with pytest.raises(LedgerError) as caught:
        ledger.start_run(run)
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in str(caught.value.__cause__)


def test_closing_gives_every_connection_back(postgres: PrivatePostgres) -> None:
    url = postgres.new_database()
    with Ledger.open(url) as ledger:
        database: Database = ledger._database
        ledger.append_event("noted", {})
    assert database.writers.pool.status().startswith("Pool size: 5  Connections in pool: 0")
