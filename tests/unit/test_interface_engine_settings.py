"""Declared channels are taken as a whole or refused, and decide where a message goes."""

import json
from pathlib import Path

import pytest

from roles.interface_engine.files.interface_engine.settings import SettingsError, load

pytestmark = pytest.mark.unit

VALID = {
    "store": "/nowhere/queue.sqlite",
    "archive_days": 30,
    "queue_age_seconds": 300,
    "max_message_bytes": 1000,
    "minimum_free_bytes": 1,
    "frame_seconds": 30,
    "answer_seconds": 30,
    "longest_retry_seconds": 30,
    "receivers": [
        {"name": "lab", "port": 2575, "max_connections": 5},
        {"name": "his", "port": 2576, "max_connections": 5},
    ],
    "destinations": [{"name": "his", "port": 7001}, {"name": "lis", "port": 7002}],
    "routes": [
        {"application": "LAB", "types": ["ORU^R01", "OUL^*"], "receivers": ["lab"], "destinations": ["lis", "his"]},
        {"application": "LAB", "types": ["ORU^R01"], "receivers": [], "destinations": ["his"]},
        {"application": "LAB", "types": ["ADT^A08"], "receivers": [], "destinations": []},
    ],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


@pytest.mark.parametrize(
    ("receiver", "application", "kind", "destinations"),
    [
        ("lab", "LAB", "ORU^R01", ["his", "lis"]),
        ("his", "LAB", "ORU^R01", ["his"]),
        ("lab", "LAB", "OUL^R22", ["his", "lis"]),
        ("lab", "LAB", "OULX^R22", None),
        ("lab", "LAB", "ORU^R30", None),
        ("lab", "OTHER", "ORU^R01", None),
        ("lab", "LAB", "ADT^A08", []),
        ("his", "LAB", "OUL^R22", None),
    ],
)
def test_routes(path: Path, receiver: str, application: str, kind: str, destinations: list[str] | None) -> None:
    path.write_text(json.dumps(VALID), encoding="utf-8")
    assert load(path).destinations_of(receiver, application, kind) == destinations


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"archive_days": 0}, "archive_days is less than 1"),
        ({"archive_days": "30"}, "archive_days is not of type int"),
        ({"archive_days": True}, "archive_days is not of type int"),
        ({"surprise": 1}, "surprise"),
        ({"routes": [{"application": "LAB", "types": [], "receivers": ["x"], "destinations": []}]}, "names x"),
        ({"routes": [{"application": "LAB", "types": [], "receivers": [], "destinations": ["y"]}]}, "names y"),
        ({"receivers": [{"name": "lab", "port": 0, "max_connections": 1}]}, "has no port"),
        ({"destinations": [{"name": "his", "port": 1}, {"name": "his", "port": 2}]}, "declared twice"),
        ({"receivers": [{"name": "lab", "port": 1}]}, "max_connections"),
    ],
)
def test_refused(path: Path, change: dict[str, object], said: str) -> None:
    path.write_text(json.dumps({**VALID, **change}), encoding="utf-8")
    with pytest.raises(SettingsError, match=said.replace("^", "\\^")):
        load(path)


def test_what_is_missing_or_no_json_is_refused(path: Path) -> None:
    with pytest.raises(SettingsError):
        load(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError):
        load(path)
    path.write_text(json.dumps({name: value for name, value in VALID.items() if name != "store"}), encoding="utf-8")
    with pytest.raises(SettingsError, match="store"):
        load(path)
