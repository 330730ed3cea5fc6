"""Where a ledger lives: a SQLite file or a PostgreSQL database, named without ever showing a password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from wardround.errors import LedgerError

_FORMS = "write sqlite:////absolute/path/ledger.sqlite or postgresql://user@host/database"
_SECRET_OPTIONS = frozenset({"password", "sslpassword"})


@dataclass(frozen=True, slots=True)
class Address:
    """A ledger's URL, with the driver that wardround uses; `file` is None for a database server."""

    url: URL
    file: Path | None

    @property
    def name(self) -> str:
        """Give what may be printed: the file's path, or the URL without any password."""
        if self.file is not None:
            return str(self.file)
        shown = self.url.difference_update_query(_SECRET_OPTIONS).set(drivername="postgresql")
        return shown.render_as_string(hide_password=True)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give the texts that no message may contain."""
        options = (self.url.query.get(key) for key in _SECRET_OPTIONS)
        return tuple(text for text in (self.url.password, *options) if isinstance(text, str) and text)


def default_url(state: Path) -> str:
    """Give the URL of the ledger in a state folder: `<state>/ledger.sqlite`."""
    return URL.create("sqlite", database=str(state.absolute() / "ledger.sqlite")).render_as_string()


def parse_address(text: str) -> Address:
    """Read a ledger's URL.

    Raises:
        LedgerError: it is no URL of a SQLite file or a PostgreSQL database. The text itself is not repeated, because
            what cannot be read cannot be masked.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise LedgerError("the ledger's URL cannot be read", remedy=_FORMS) from None
    if url.host is not None and "@" in url.host:
        remedy = "percent-encode the special characters of user and password, @ as %40"
        raise LedgerError("the ledger's URL has more than one @ before its host", remedy=remedy)
    backend = url.get_backend_name()
    if backend == "sqlite":
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise LedgerError("the ledger's URL names no file; a ledger in memory would forget", remedy=_FORMS)
        return Address(url=URL.create("sqlite", database=url.database), file=Path(url.database).absolute())
    if backend in {"postgresql", "postgres"}:
        return Address(url=url.set(drivername="postgresql+psycopg"), file=None)
    raise LedgerError(f"a ledger cannot live in {backend!r}; only SQLite and PostgreSQL are known", remedy=_FORMS)
