"""A ledger's URL is understood or refused, and never shown with a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from wardround.errors import LedgerError
from wardround.ledger.address import default_url, parse_address

pytestmark = pytest.mark.unit

SECRET = "kn0wn-t0-n0b0dy"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sqlite:////var/lib/wardround/ledger.sqlite", "/var/lib/wardround/ledger.sqlite"),
        (f"postgresql://ward:{SECRET}@db.example:5433/ledger", "postgresql://ward:***@db.example:5433/ledger"),
        (f"postgres://ward:{SECRET}@db.example/ledger", "postgresql://ward:***@db.example/ledger"),
        (f"postgresql+psycopg://ward:{SECRET}@db.example/ledger", "postgresql://ward:***@db.example/ledger"),
        ("postgresql:///ledger?host=/run/postgresql", "postgresql:///ledger?host=%2Frun%2Fpostgresql"),
        (f"postgresql://h/l?password={SECRET}&sslpassword={SECRET}&user=w", "postgresql://h/l?user=w"),
        (f"postgresql://ward:{SECRET}%40%2F@h/l", "postgresql://ward:***@h/l"),
    ],
)
def test_a_url_is_named_without_its_password(text: str, name: str) -> None:
    address = parse_address(text)
    assert address.name == name
    assert all(SECRET in secret for secret in address.secrets)


def test_a_relative_file_is_named_in_full() -> None:
    assert parse_address("sqlite:///state/ledger.sqlite").name == str(Path.cwd() / "state/ledger.sqlite")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        (SECRET, "cannot be read"),
        (f"postgresql://ward:{SECRET}@host:port/ledger", "cannot be read"),
        (f"postgresql://ward:half@{SECRET}@host/ledger", "more than one @"),
        (f"mysql://ward:{SECRET}@host/ledger", "cannot live in 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "names no file"),
    ],
)
def test_what_is_no_ledgers_url_is_refused_without_being_repeated(text: str, message: str) -> None:
    with pytest.raises(LedgerError, match=message) as caught:
        parse_address(text)
    assert SECRET not in str(caught.value)
    assert caught.value.remedy


def test_the_default_lies_in_the_state_folder() -> None:
    address = parse_address(default_url(Path("/srv/St. Elsewhere 1")))
    assert address.file == Path("/srv/St. Elsewhere 1/ledger.sqlite")
