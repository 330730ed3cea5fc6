"""The file of events: whole lines only, each once, and places relative to the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.judge_samples import event
from wardround.model.event import HostStarted, TaskEvent
from wardround.transport.event_file import EventFile

pytestmark = pytest.mark.unit


def line(**fields: object) -> str:
    return json.dumps({**event("alpha").model_dump(mode="json"), **fields}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_a_file_that_is_not_there_yet_is_silent(file: Path) -> None:
    assert list(EventFile(file, Path("/project")).read()) == []


def test_each_event_comes_once_and_the_end_is_no_event(file: Path) -> None:
    reader = EventFile(file, Path("/project"))
    file.write_text(json.dumps({"outcome": "start", "host": "srv01", "task": "Alpha"}) + "\n" + line())
    assert list(reader.read()) == [HostStarted(host="srv01", task="Alpha"), event("alpha")]
    assert list(reader.read()) == []
    with file.open("a") as stream:
        stream.write(line(task="beta") + json.dumps({"outcome": "task", "task": "x"}) + "\n")
    assert [each.task for each in reader.read()] == ["beta"]
    assert not reader.ended
    with file.open("a") as stream:
        stream.write(json.dumps({"outcome": "end", "hosts": []}) + "\n")
    assert list(reader.read()) == []
    assert reader.ended


def test_a_place_below_the_project_is_relative_to_it(file: Path) -> None:
    file.write_text(line(path="/project/roles/a/tasks/b.yml:3") + line(path="/elsewhere/c.yml:1"))
    found = [each for each in EventFile(file, Path("/project")).read() if isinstance(each, TaskEvent)]
    assert [each.path for each in found] == ["roles/a/tasks/b.yml:3", "/elsewhere/c.yml:1"]


@given(st.lists(st.integers(1, 40), max_size=30))
@settings(max_examples=50, deadline=None)
def test_however_it_grows_nothing_is_lost_or_doubled(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    whole = "".join(line(task=f"täsk {number}") for number in range(4)).encode()
    reader = EventFile(path, Path("/project"))
    found: list[str] = []
    position = 0
    for cut in [each * 29 for each in cuts]:
        with path.open("ab") as stream:
            stream.write(whole[position : position + cut])
        position += cut
        found += [each.task for each in reader.read()]
    with path.open("ab") as stream:
        stream.write(whole[position:])
    found += [each.task for each in reader.read()]
    assert found == [f"täsk {number}" for number in range(4)]


def test_a_role_behind_a_symbolic_link_keeps_its_place_in_the_project(tmp_path: Path) -> None:
    file = EventFile(tmp_path / "events.jsonl", tmp_path)
    real = "/elsewhere/checkout/roles/os_hardening/tasks/cron.yml:7"
    assert file._relative(real, "os_hardening") == "roles/os_hardening/tasks/cron.yml:7"
    assert file._relative(f"{tmp_path}/playbooks/site.yml:4", "") == "playbooks/site.yml:4"
