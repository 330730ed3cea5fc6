#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Back up this host with restic, and prove that the backup can be restored.

wardround-backup repository [--check]    make the repository at the target where none was ever made; print "present"
                                         where all is well, and otherwise what is not
wardround-backup append-only             ask the target to delete what does not exist; print what it does but refuse
wardround-backup overdue KIND [--check]  print why a backup or a restore-test is due, and start it; print nothing
                                         where none is due or one is at work
wardround-backup backup                  dump the databases and back up
wardround-backup restore-test            restore the newest snapshot beside what is in use, and judge it

With --check nothing is made or started, and what stands in the way is printed like any other answer.
"""

import argparse
import base64
import fcntl
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CONFIGURATION = Path("/etc/wardround/backup/backup.json")
STATE = Path("/var/lib/wardround-backup")
DUMPS = STATE / "dumps"
PREFIX = "restore_test_"
ANSWER = 60
AT_WORK = re.compile(r"^(ActiveState=activating|Job=[1-9]\d*)$", re.MULTILINE)
SPECIAL = str.maketrans({character: f"\\{character}" for character in "*?[]\\"})


class BackupError(Exception):
    """What stands in the way, in a sentence."""


@dataclass(frozen=True)
class Settings:
    """What `backup.json` says."""

    ca_file: str
    name: str
    paths: list[str]
    excludes: list[str]
    databases: list[str]
    rpo_hours: int
    upload_kib: int
    restore_days: int
    restore_files: int
    restore_directory: str
    restore_checks: list[dict[str, Any]]

    @property
    def repository_file(self) -> Path:
        """File with the repository's address and the login to it."""
        return CONFIGURATION.with_name("repository")


def in_words(line: str) -> str:
    """Return what a line says, which restic may have put into JSON."""
    try:
        told = json.loads(line)
        return str(told.get("message") or f"{told['item']}: {told['error']['message']}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return line


def last_words(text: str) -> str:
    """Return the lines of a program's errors that say most: a fatal one, or the first and the last."""
    lines = [in_words(line.strip()) for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal")]
    return "; ".join(dict.fromkeys(fatal[-1:] or [*lines[:1], *lines[-1:]])) or "it said nothing"


def run(command: list[str], **options: Any) -> str:
    """Run a program and return what it prints, or raise its last words."""
    options = {"stdout": subprocess.PIPE} | options
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **options)
    except subprocess.TimeoutExpired:
        raise BackupError(f"{Path(command[0]).name} had no answer for {options['timeout']} seconds") from None
    if done.returncode:
        raise BackupError(f"{Path(command[0]).name} failed: {last_words(done.stderr)}")
    return done.stdout or ""


def as_postgres(command: list[str], **options: Any) -> str:
    """Run a program of PostgreSQL as the database's owner."""
    return run(command, user="postgres", group="postgres", extra_groups=(), cwd="/", **options)


def restic(settings: Settings, *arguments: str) -> list[str]:
    """Put a restic command together."""
    return [
        "restic",
        f"--repository-file={settings.repository_file}",
        f"--password-file={CONFIGURATION.with_name('password')}",
        f"--cacert={settings.ca_file}",
        f"--cache-dir={STATE}/cache",
        f"--limit-upload={settings.upload_kib}",
        *arguments,
    ]


def read_state(kind: str) -> dict[str, Any]:
    """Return what was noted last, or nothing."""
    try:
        content = json.loads((STATE / f"{kind}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_state(kind: str, content: dict[str, Any]) -> None:
    """Note a result, all of it or nothing."""
    path = STATE / f"{kind}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(path)


@contextmanager
def noted(kind: str) -> Iterator[dict[str, Any]]:
    """Do one thing at a time, and note how it ended and how long it took."""
    result: dict[str, Any] = {}
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = time.monotonic()
        try:
            yield result
            result["result"] = "passed"
        except BaseException as error:
            result |= {"result": "failed", "reason": str(error) or type(error).__name__}
            raise
        finally:
            result |= {"finished": datetime.now(UTC).isoformat(), "seconds": round(time.monotonic() - started, 1)}
            write_state(kind, result)


def ask_target(settings: Settings, method: str, name: str) -> int:
    """Ask the target for something of the repository, and return the status of its answer."""
    address = urllib.parse.urlsplit(settings.repository_file.read_text(encoding="utf-8").strip().removeprefix("rest:"))
    login = f"{urllib.parse.unquote(address.username or '')}:{urllib.parse.unquote(address.password or '')}"
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    context = ssl.create_default_context(cafile=settings.ca_file)
    connection = http.client.HTTPSConnection(address.hostname or "", address.port, context=context, timeout=30)
    try:
        connection.request(method, f"{address.path}{name}", headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise BackupError(f"the target does not answer: {str(error) or type(error).__name__}") from error
    finally:
        connection.close()


def answers(settings: Settings) -> bool:
    """Return whether the target has a repository. Restic would ask one that is away again for a quarter of an hour."""
    status = ask_target(settings, "HEAD", "config")
    if status not in {http.HTTPStatus.OK, http.HTTPStatus.NOT_FOUND}:
        raise BackupError(f"the target answers {status}")
    return status == http.HTTPStatus.OK


def repository_id(settings: Settings) -> str | None:
    """Return which repository stands at the target, or None without one."""
    if not answers(settings):
        return None
    command = restic(settings, "--no-lock", "cat", "config")
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ANSWER)
    except subprocess.TimeoutExpired:
        raise BackupError(f"the target had no answer for {ANSWER} seconds") from None
    if asked.returncode == 0:
        return str(json.loads(asked.stdout)["id"])
    raise BackupError(last_words(asked.stderr))


def repository(settings: Settings, *, look_only: bool) -> str:
    """Make the repository unless it was made before; one that is gone, or another in its place, is not made good."""
    known, found = read_state("repository").get("id"), repository_id(settings)
    if known and found != known:
        there = f"repository {found[:10]} stands" if found else "nothing stands"
        raise BackupError(f"{there} at the target, where repository {known[:10]} was")
    if known:
        return "present"
    if not look_only:
        if not found:
            run(restic(settings, "init"))
        write_state("repository", {"id": repository_id(settings)})
    return "found" if found else "missing" if look_only else "made"


def append_only(settings: Settings) -> str:
    """Return what is wrong with the target's refusal to delete; nothing where it refuses."""
    try:
        status = ask_target(settings, "DELETE", f"snapshots/{'0' * 64}")
    except BackupError as error:
        return str(error)
    return "" if status == http.HTTPStatus.FORBIDDEN else f"asked to delete, the target answers {status} instead of 403"


def newest(settings: Settings) -> tuple[str, datetime] | None:
    """Return the newest snapshot at the target and when it was made."""
    if not answers(settings):
        raise BackupError("nothing stands at the target")
    asked = restic(settings, "--no-lock", "snapshots", "--json", "--latest=1", f"--host={settings.name}")
    found = [(datetime.fromisoformat(each["time"]), str(each["id"])) for each in json.loads(run(asked, timeout=ANSWER))]
    return max(found)[::-1] if found else None


def overdue_backup(settings: Settings) -> str:
    """Say why a backup is due. The target is asked, for it alone knows what it kept."""
    latest = newest(settings)
    if latest is None:
        return "the target has no snapshot of this host"
    hours = (datetime.now(UTC) - latest[1]) / timedelta(hours=1)
    if hours > settings.rpo_hours:
        return f"the newest snapshot at the target is {hours:.0f} hours old"
    last = read_state("backup")
    return f"the last backup failed: {last.get('reason')}" if last.get("result") == "failed" else ""


def overdue_restore(settings: Settings) -> str:
    """Say why a restore test is due."""
    last = read_state("restore-test")
    if last.get("result") != "passed":
        return f"the last restore test failed: {last.get('reason')}" if last else "no restore was ever tested"
    days = (datetime.now(UTC) - datetime.fromisoformat(last["finished"])) / timedelta(days=1)
    return f"the last restore test is {days:.0f} days old" if days > settings.restore_days else ""


def overdue(settings: Settings, kind: str, *, look_only: bool) -> str:
    """Say why a backup or a restore test is due, and start it."""
    unit = f"wardround-{kind}.service"
    # One that waits for another unit has a job and no activity.
    shown = run(["systemctl", "show", "--property=ActiveState,Job", unit])
    try:
        reason = (overdue_backup if kind == "backup" else overdue_restore)(settings)
    except BackupError as error:
        reason = str(error)
    if AT_WORK.search(shown):
        return ""
    if reason and not look_only:
        run(["systemctl", "start", "--no-block", unit])
    return reason


def backup(settings: Settings, result: dict[str, Any]) -> None:
    """Dump first, then files: whatever a dump names is older than the snapshot of the files."""
    shutil.rmtree(DUMPS, ignore_errors=True)
    DUMPS.mkdir(mode=0o700)
    for database in settings.databases:
        with (DUMPS / f"{database}.dump").open("wb") as target:
            as_postgres(["pg_dump", "--format=custom", f"--dbname={database}"], stdout=target)
    own = [f"{STATE}/cache", settings.restore_directory]
    excludes = [f"--exclude={pattern}" for pattern in [*settings.excludes, *own]]
    said = run(
        restic(settings, "backup", "--json", f"--host={settings.name}", *excludes, "--", *settings.paths, str(DUMPS))
    )
    summary = json.loads(said.splitlines()[-1])
    result |= {"snapshot": summary["snapshot_id"], "files": summary["total_files_processed"]}
    result["bytes"] = summary["total_bytes_processed"]


def pick(settings: Settings, snapshot: str, listing: Path) -> tuple[int, dict[str, int]]:
    """List every file of a snapshot, and choose which to restore: all dumps, and so many of the others at random."""
    dumps: dict[str, int] = {}
    others: list[tuple[str, int]] = []
    count = 0
    command = restic(settings, "--no-lock", "ls", "--json", snapshot)
    with (
        listing.open("w", encoding="utf-8", errors="surrogateescape") as written,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asked,
    ):
        for node in map(json.loads, asked.stdout or ()):
            if node.get("type") != "file":
                continue
            path, size = node["path"], node.get("size", 0)
            written.write(f"{size}\t{path.replace(chr(10), '?')}\n")
            count += 1
            place = random.SystemRandom().randrange(count) if settings.restore_files else count
            if path.startswith(f"{DUMPS}/"):
                dumps[path] = size
            elif not settings.restore_files or len(others) < settings.restore_files:
                others.append((path, size))
            elif place < settings.restore_files:
                others[place] = (path, size)
    if asked.returncode:
        raise BackupError("the snapshot cannot be listed")
    return count, dumps | dict(others)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare(root: Path, chosen: dict[str, int]) -> int:
    """Hold restored files against the snapshot, and against what is unchanged here; return how many those were."""
    same = 0
    for path, size in chosen.items():
        restored, used = root / path.lstrip("/"), Path(path)
        if not restored.is_file() or restored.stat().st_size != size:
            raise BackupError(f"{path} did not come back whole")
        unchanged = used.is_file() and used.stat().st_mtime_ns == restored.stat().st_mtime_ns
        if unchanged and digest(used) != digest(restored):
            raise BackupError(f"{path} came back with another content than it has here")
        same += unchanged
    return same


def load(root: Path, database: str) -> int:
    """Load a restored dump into a database of its own and return how many tables came."""
    scratch = f"{PREFIX}{database}"
    as_postgres(["dropdb", "--if-exists", scratch])
    as_postgres(["createdb", "--template=template0", "--encoding=UTF8", scratch])
    with (root / str(DUMPS).lstrip("/") / f"{database}.dump").open("rb") as source:
        as_postgres(
            ["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={scratch}"], stdin=source
        )
    count = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    tables = int(
        as_postgres(["psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--dbname={scratch}", f"--command={count}"])
    )
    if not tables:
        raise BackupError(f"database {database} came back without tables")
    return tables


def restore_test(settings: Settings, result: dict[str, Any]) -> None:
    """Restore the newest snapshot beside what is in use, judge it, and leave nothing behind."""
    latest = newest(settings)
    if latest is None:
        raise BackupError("the target has no snapshot of this host")
    folder = Path(settings.restore_directory)
    root, listing = folder / "files", folder / "listing"
    shutil.rmtree(root, ignore_errors=True)
    try:
        count, chosen = pick(settings, latest[0], listing)
        includes = [f"--include={path.translate(SPECIAL)}" for path in chosen] if len(chosen) < count else []
        run(restic(settings, "--no-lock", "restore", latest[0], "--verify", f"--target={root}", *includes))
        result |= {"snapshot": latest[0], "made": latest[1].isoformat(), "files": count, "restored": len(chosen)}
        result["unchanged"] = compare(root, chosen)
        result["tables"] = {database: load(root, database) for database in settings.databases}
        told = {"RESTORE_ROOT": str(root), "RESTORE_LISTING": str(listing), "RESTORE_DATABASE_PREFIX": PREFIX}
        for each in settings.restore_checks:
            result.setdefault("checks", {})[each["name"]] = run(each["argv"], env=os.environ | told).strip()
        run(restic(settings, "--no-lock", "check"))
    finally:
        shutil.rmtree(root, ignore_errors=True)
        listing.unlink(missing_ok=True)
        for database in settings.databases:
            as_postgres(["dropdb", "--if-exists", f"{PREFIX}{database}"])


def main() -> None:
    """Read what is asked, and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("repository", "append-only", "overdue", "backup", "restore-test"):
        verbs.add_parser(verb)
    verbs.choices["repository"].add_argument("--check", action="store_true")
    verbs.choices["overdue"].add_argument("--check", action="store_true")
    verbs.choices["overdue"].add_argument("kind", choices=["backup", "restore-test"])
    asked = parser.parse_args()
    settings = Settings(**json.loads(CONFIGURATION.read_text(encoding="utf-8")))
    os.environ["RESTIC_PROGRESS_FPS"] = "0.1"
    try:
        match asked.verb:
            case "repository":
                said = repository(settings, look_only=asked.check)
            case "append-only":
                said = append_only(settings)
            case "overdue":
                said = overdue(settings, asked.kind, look_only=asked.check)
            case verb:
                with noted(verb) as result:
                    (backup if verb == "backup" else restore_test)(settings, result)
                said = json.dumps(result, sort_keys=True)
    except BackupError as error:
        if not getattr(asked, "check", False):
            sys.exit(str(error))
        said = str(error)
    if said:
        print(said)


if __name__ == "__main__":
    main()
