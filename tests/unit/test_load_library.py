"""The architecture library: exact pins, named conflicts, and releases that never change again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wardround.errors import ExitCode, InvalidInputError, Problem, StaleArchitectureError, UsageError, WardroundError
from wardround.load.digests import file_digests, tree_digest
from wardround.load.library import ArchitectureLibrary, LibraryArchitecture
from wardround.load.released_lock import LOCK_NAME, read_lock
from wardround.load.yaml_document import Document, parse_document

pytestmark = pytest.mark.unit

Pins = dict[str, str]


class Shelf:
    """A library in a temporary folder."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.root = project / "reference_architectures"
        self.root.mkdir()
        self.library = ArchitectureLibrary(project)

    def put(self, name: str, version: str, *, requires: Pins | None = None, composes: Pins | None = None) -> Path:
        folder = self.root / name / version
        folder.mkdir(parents=True)
        text = f"name: {name}\nversion: {version}\nsummary: A part\nsupported_until: 2030-12-31\n"
        for key, pins in (("requires", requires), ("composes", composes)):
            if pins:
                text += f"{key}:\n" + "".join(f"  {pin}: {wanted}\n" for pin, wanted in pins.items())
        (folder / "architecture.yml").write_text(text, encoding="utf-8")
        (folder / "README.md").write_text(f"# {name}\n", encoding="utf-8")
        return folder

    def resolve(self, **pins: str) -> list[str]:
        document = manifest(pins)
        return [found.label for found in self.library.resolve(document, pins)]

    def problems(self, **pins: str) -> tuple[Problem, ...]:
        with pytest.raises(InvalidInputError) as caught:
            self.resolve(**pins)
        return caught.value.problems


def manifest(pins: Pins) -> Document:
    lines = "".join(f"  {name}: {version}\n" for name, version in pins.items())
    return parse_document(f"hospital: a\narchitecture:\n{lines}".encode(), "hospital.yml")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_what_is_required_comes_before_what_requires_it(shelf: Shelf) -> None:
    shelf.put("baseline", "1.0.0")
    shelf.put("network", "1.0.0", requires={"baseline": "1.0.0"})
    shelf.put("pacs", "2.1.0", requires={"network": "1.0.0", "baseline": "1.0.0"})
    shelf.put("clinic", "1.0.0", composes={"pacs": "2.1.0", "baseline": "1.0.0"})
    assert shelf.resolve(clinic="1.0.0") == ["baseline 1.0.0", "network 1.0.0", "pacs 2.1.0", "clinic 1.0.0"]


def test_several_versions_stand_side_by_side_oldest_first(shelf: Shelf) -> None:
    for version in ("1.10.0", "1.2.0", "0.9.1"):
        shelf.put("pacs", version)
    assert shelf.library.versions("pacs") == ("0.9.1", "1.2.0", "1.10.0")
    assert shelf.library.names() == ("pacs",)
    assert shelf.resolve(pacs="1.2.0") == ["pacs 1.2.0"]


def test_only_exact_folders_count(shelf: Shelf) -> None:
    for name in ("1.0", "01.0.0", "1.0.0-rc1", "latest", "1.0.0.0"):
        (shelf.root / "pacs" / name).mkdir(parents=True)
    (shelf.root / "Pacs" / "1.0.0").mkdir(parents=True)
    (shelf.root / "pacs" / "2.0.0").write_text("a file", encoding="utf-8")
    elsewhere = shelf.project / "elsewhere"
    elsewhere.mkdir()
    (shelf.root / "pacs" / "3.0.0").symlink_to(elsewhere)
    (shelf.root / "linked").symlink_to(shelf.root / "pacs")
    assert shelf.library.names() == ()
    assert shelf.library.versions("pacs") == ()
    assert shelf.library.versions("linked") == ()


@pytest.mark.parametrize("name", ["../pacs", "..", "", "pacs/..", "/etc", "pacs\n"])
def test_a_name_leads_nowhere_else(shelf: Shelf, name: str) -> None:
    shelf.put("pacs", "1.0.0")
    assert shelf.library.versions(name) == ()
    with pytest.raises(UsageError, match="does not exist"):
        shelf.library.get(name, "1.0.0")


def test_an_unknown_architecture_is_said_at_its_pin(shelf: Shelf) -> None:
    shelf.put("pacs", "1.0.0")
    [name, version] = shelf.problems(pasc="1.0.0", pacs="2.0.0")
    assert str(name) == 'hospital.yml:3:9 WR-150 architecture "pasc" does not exist, did you mean "pacs"?'
    assert str(version) == "hospital.yml:4:9 WR-150 pacs has no version 2.0.0"
    assert version.remedy == "versions: 1.0.0"


def test_an_unknown_requirement_is_said_in_the_architecture(shelf: Shelf) -> None:
    shelf.put("pacs", "1.0.0", requires={"baseline": "1.0.0"})
    [problem] = shelf.problems(pacs="1.0.0")
    assert problem.file == "reference_architectures/pacs/1.0.0/architecture.yml"
    assert (problem.line, problem.column, problem.path) == (6, 13, "requires.baseline")


def test_two_versions_of_one_architecture_name_both_ways(shelf: Shelf) -> None:
    shelf.put("baseline", "1.0.0")
    shelf.put("baseline", "1.1.0")
    shelf.put("pacs", "1.0.0", requires={"baseline": "1.1.0"})
    shelf.put("clinic", "1.0.0", composes={"baseline": "1.0.0", "pacs": "1.0.0"})
    [problem] = shelf.problems(clinic="1.0.0")
    assert problem.code == "WR-152"
    assert problem.message == (
        "two versions of baseline: hospital.yml → clinic 1.0.0 → baseline 1.0.0, "
        "and hospital.yml → clinic 1.0.0 → pacs 1.0.0 → baseline 1.1.0"
    )
    assert problem.file == "reference_architectures/pacs/1.0.0/architecture.yml"


def test_a_circle_is_named(shelf: Shelf) -> None:
    shelf.put("a", "1.0.0", requires={"b": "1.0.0"})
    shelf.put("b", "1.0.0", requires={"c": "1.0.0"})
    shelf.put("c", "1.0.0", requires={"a": "1.0.0"})
    [problem] = shelf.problems(a="1.0.0")
    assert problem.code == "WR-153"
    assert "hospital.yml → a 1.0.0 → b 1.0.0 → c 1.0.0 → a 1.0.0" in problem.message


def test_an_architecture_that_requires_itself_is_a_circle(shelf: Shelf) -> None:
    shelf.put("a", "1.0.0", requires={"a": "1.0.0"})
    assert [problem.code for problem in shelf.problems(a="1.0.0")] == ["WR-153"]


def test_the_mistakes_of_all_architectures_come_together(shelf: Shelf) -> None:
    for name in ("a", "b"):
        path = shelf.put(name, "1.0.0") / "architecture.yml"
        path.write_text(path.read_text(encoding="utf-8").replace("summary", "sumary"), encoding="utf-8")
    assert [problem.code for problem in shelf.problems(a="1.0.0", b="1.0.0")] == ["WR-104", "WR-104"]


def test_name_and_version_inside_must_be_those_of_the_folder(shelf: Shelf) -> None:
    shelf.put("a", "1.0.0").rename(shelf.root / "a" / "1.1.0")
    shelf.put("b", "1.0.0")
    (shelf.root / "b").rename(shelf.root / "c")
    found = shelf.problems(a="1.1.0", c="1.0.0")
    assert [(problem.code, problem.path) for problem in found] == [("WR-151", "version"), ("WR-151", "name")]


def test_a_link_in_a_folder_is_refused(shelf: Shelf) -> None:
    folder = shelf.put("a", "1.0.0")
    (folder / "migration.yml").symlink_to("/etc/hostname")
    assert [problem.code for problem in shelf.problems(a="1.0.0")] == ["WR-154"]


def test_a_folder_without_its_file_is_refused(shelf: Shelf) -> None:
    (shelf.put("a", "1.0.0") / "architecture.yml").unlink()
    assert [problem.code for problem in shelf.problems(a="1.0.0")] == ["WR-110"]


def test_release_writes_a_sorted_lock_of_all_files(shelf: Shelf) -> None:
    for name in ("zeta", "alpha"):
        shelf.put(name, "1.0.0")
        assert shelf.library.release(name, "1.0.0").released
    lines = (shelf.root / LOCK_NAME).read_text(encoding="utf-8").splitlines()
    assert [line[66:] for line in lines] == [
        "alpha/1.0.0/README.md",
        "alpha/1.0.0/architecture.yml",
        "zeta/1.0.0/README.md",
        "zeta/1.0.0/architecture.yml",
    ]
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", LOCK_NAME], cwd=shelf.root, capture_output=True, check=False, text=True
    )
    assert checked.returncode == 0, checked.stderr
    shelf.library.check_releases()


@pytest.mark.parametrize("fault", ["flip", "append", "delete", "add", "add in folder", "swap"])
def test_a_released_folder_that_changed_is_refused_naming_the_file(shelf: Shelf, fault: str) -> None:
    folder = shelf.put("a", "1.0.0")
    shelf.library.release("a", "1.0.0")
    readme, main = folder / "README.md", folder / "architecture.yml"
    match fault:
        case "flip":
            raw = bytearray(main.read_bytes())
            raw[-2] ^= 1
            main.write_bytes(raw)
        case "append":
            main.write_bytes(main.read_bytes() + b"\n")
        case "delete":
            readme.unlink()
        case "add":
            (folder / "notes.txt").write_text("x", encoding="utf-8")
        case "add in folder":
            (folder / "more").mkdir()
            (folder / "more" / "notes.txt").write_text("x", encoding="utf-8")
        case "swap":
            content = readme.read_bytes()
            readme.write_bytes(main.read_bytes())
            main.write_bytes(content)
    said = {
        "flip": "architecture.yml changed",
        "append": "architecture.yml changed",
        "delete": "README.md is missing",
        "add": "notes.txt was added",
        "add in folder": "more/notes.txt was added",
        "swap": "README.md changed, architecture.yml changed",
    }[fault]
    for call in (
        lambda: shelf.resolve(a="1.0.0"),
        lambda: shelf.library.get("a", "1.0.0"),
        shelf.library.check_releases,
    ):
        with pytest.raises(StaleArchitectureError) as caught:
            call()
        assert said in caught.value.message
        assert caught.value.path == "reference_architectures/a/1.0.0"
        assert caught.value.exit_code is ExitCode.TRUST


def test_a_released_folder_that_is_gone_is_refused(shelf: Shelf) -> None:
    folder = shelf.put("a", "1.0.0")
    shelf.library.release("a", "1.0.0")
    folder.rename(shelf.project / "away")
    for call in (
        lambda: shelf.resolve(a="1.0.0"),
        lambda: shelf.library.get("a", "1.0.0"),
        shelf.library.check_releases,
    ):
        with pytest.raises(StaleArchitectureError, match="is gone"):
            call()


def test_what_is_not_released_may_change(shelf: Shelf) -> None:
    shelf.put("a", "1.0.0")
    shelf.library.release("a", "1.0.0")
    newer = shelf.put("a", "1.1.0")
    before = shelf.library.get("a", "1.1.0")
    (newer / "README.md").write_text("another", encoding="utf-8")
    after = shelf.library.get("a", "1.1.0")
    assert not after.released
    assert before.digest != after.digest


def test_a_version_is_released_once(shelf: Shelf) -> None:
    shelf.put("a", "1.0.0")
    shelf.library.release("a", "1.0.0")
    before = (shelf.root / LOCK_NAME).read_bytes()
    with pytest.raises(UsageError, match="is released already"):
        shelf.library.release("a", "1.0.0")
    assert (shelf.root / LOCK_NAME).read_bytes() == before


def test_only_what_is_valid_and_pins_released_versions_is_released(shelf: Shelf) -> None:
    broken = shelf.put("broken", "1.0.0") / "architecture.yml"
    broken.write_text("name: broken\n", encoding="utf-8")
    shelf.put("a", "1.0.0")
    shelf.put("b", "1.0.0", requires={"a": "1.0.0"})
    for name, code in (("broken", "WR-105"), ("b", "WR-156")):
        with pytest.raises(InvalidInputError) as caught:
            shelf.library.release(name, "1.0.0")
        assert code in {problem.code for problem in caught.value.problems}
    assert not (shelf.root / LOCK_NAME).exists()
    shelf.library.release("a", "1.0.0")
    shelf.library.release("b", "1.0.0")


def test_releases_at_the_same_time_are_all_recorded(shelf: Shelf) -> None:
    names = [f"part{number}" for number in range(6)]
    for name in names:
        shelf.put(name, "1.0.0")
    program = (
        "import sys; from pathlib import Path; from wardround.load.library import ArchitectureLibrary; "
        "ArchitectureLibrary(Path(sys.argv[1])).release(sys.argv[2], '1.0.0')"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "runner")}
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(shelf.project), name], env=environment) for name in names
    ]
    assert [process.wait(timeout=60) for process in running] == [0] * len(names)
    assert sorted(read_lock(shelf.root).releases) == [f"{name}/1.0.0" for name in names]


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        f"{'a' * 63}  a/1.0.0/x",
        f"{'a' * 64} a/1.0.0/x",
        f"{'A' * 64}  a/1.0.0/x",
        f"{'a' * 64}  ../1.0.0/x",
        f"{'a' * 64}  a/1.0/x",
        "\u202e",
        "",
    ],
)
def test_a_damaged_lock_is_refused(shelf: Shelf, line: str) -> None:
    shelf.put("a", "1.0.0")
    shelf.library.release("a", "1.0.0")
    lock = shelf.root / LOCK_NAME
    lock.write_text(lock.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    [problem] = shelf.problems(a="1.0.0")
    assert str(problem).startswith("reference_architectures/released.lock:3:1 WR-155 ")
    assert problem.message.isprintable()


def test_a_path_that_stands_twice_in_the_lock_is_refused(shelf: Shelf) -> None:
    shelf.put("a", "1.0.0")
    shelf.library.release("a", "1.0.0")
    lock = shelf.root / LOCK_NAME
    lock.write_text(lock.read_text(encoding="utf-8") + f"{'0' * 64}  a/1.0.0/README.md\n", encoding="utf-8")
    assert [problem.code for problem in shelf.problems(a="1.0.0")] == ["WR-155"]


def test_a_digest_is_the_same_wherever_the_folder_lies(tmp_path: Path) -> None:
    def make(folder: Path, names: list[str]) -> str:
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"content of {name}", encoding="utf-8")
        return tree_digest(folder)

    names = ["tasks/main.yml", "defaults/main.yml", "README.md", "tasks-x"]
    first = make(tmp_path / "a", names)
    assert make(tmp_path / "b" / "c", names[::-1]) == first
    (tmp_path / "a" / "__pycache__").mkdir()
    (tmp_path / "a" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert tree_digest(tmp_path / "a") == first
    assert list(file_digests(tmp_path / "a")) == sorted(names)
    (tmp_path / "a" / "README.md").rename(tmp_path / "a" / "README")
    assert tree_digest(tmp_path / "a") != first


@pytest.mark.parametrize("kind", ["link", "pipe", "odd name", "missing"])
def test_a_digest_of_more_than_plain_files_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "a"
    if kind != "missing":
        folder.mkdir()
    match kind:
        case "link":
            (folder / "x").symlink_to(tmp_path)
        case "pipe":
            os.mkfifo(folder / "x")
        case "odd name":
            (folder / "x\ny").write_text("", encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        tree_digest(folder)
    assert [p.code for p in caught.value.problems] == ["WR-110" if kind == "missing" else "WR-154"]


def test_every_refusal_has_a_code_of_its_own(shelf: Shelf) -> None:
    with pytest.raises(WardroundError) as caught:
        shelf.library.get("a", "1.0.0")
    assert caught.value.code == "WR-002"
    assert isinstance(shelf.library.resolve(manifest({}), {}), tuple)


def test_a_loaded_architecture_keeps_its_document(shelf: Shelf) -> None:
    shelf.put("a", "1.0.0")
    found: LibraryArchitecture = shelf.library.get("a", "1.0.0")
    problem = found.loaded.document.problem("WR-146", "x", ("summary",))
    assert str(problem) == "reference_architectures/a/1.0.0/architecture.yml:3:10 WR-146 x"
