"""A PostgreSQL server of the tests' own: Debian's binaries, a temporary folder, a unix socket, no network."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import URL

_USER = "wardround"
_START_SECONDS = 60.0
_DURABILITY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PrivatePostgres:
    """A server with a fresh cluster; it ends with the tests, also when they are killed."""

    def __init__(self) -> None:
        self._binaries = _find_binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="wardround-pg-"))
        self._prefix = _as_ordinary_user(self._folder)
        self._log = self._folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        where = ["-D", f"{self._folder}/data", "-U", _USER, "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8"]
        initdb = [*self._prefix, f"{self._binaries}/initdb", *where]
        subprocess.run(initdb, check=True, capture_output=True, cwd=self._folder)
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [part for setting in _DURABILITY for part in ("-c", setting)]
        place = ["-D", f"{self._folder}/data", "-k", str(self._folder), "-h", ""]
        server = [*self._prefix, f"{self._binaries}/postgres", *place, *settings]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(server, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self._folder)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server, and every session with it, without waiting for clients."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def new_database(self) -> str:
        """Make an empty database and give its URL."""
        name = f"ledger_{next(self._numbers)}"
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        url = URL.create("postgresql", username=_USER, database=name, query={"host": str(self._folder)})
        return url.render_as_string(hide_password=False)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._conninfo("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def _conninfo(self, database: str) -> str:
        return f"host={self._folder} user={_USER} dbname={database}"


def _find_binaries() -> Path:
    """Find the newest server that Debian installed, or one on the usual path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    for folder in (*debian, Path("/usr/local/bin")):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError("the ledger's tests need a PostgreSQL server: install the apt package `postgresql`")


def _as_ordinary_user(folder: Path) -> list[str]:
    """Give the command that starts a server which ends with this process; PostgreSQL refuses to run as root."""
    dying = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() != 0:
        return dying
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return [*dying, "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
