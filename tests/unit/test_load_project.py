"""Finding the project and its hospitals from wherever somebody stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wardround.errors import InvalidInputError, UsageError
from wardround.load.project import Project, find_project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit

MANIFEST = """\
hospital: st-elsewhere
name: St. Elsewhere
timezone: Europe/Berlin
domain: st-elsewhere.example
architecture: {baseline: 1.0.0}
control: {zone: management, address: 10.20.250.5}
zones: {management: {subnet: 10.20.250.0/24}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for folder in ("reference_architectures", "roles", "inventories/st-elsewhere", "inventories/_template", "docs/a"):
        (root / folder).mkdir(parents=True)
    for name in ("st-elsewhere", "_template"):
        (root / "inventories" / name / "hospital.yml").write_text(MANIFEST, encoding="utf-8")
    (root / "inventories" / "not-yet").mkdir()
    return root


def test_the_project_is_found_upwards(root: Path) -> None:
    assert find_project(None, {}, root / "docs" / "a").root == root
    assert find_project(None, {}, root).root == root


def test_what_is_given_comes_before_the_environment_before_the_place(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for folder in ("reference_architectures", "roles"):
        (other / folder).mkdir(parents=True)
    environment = {"WARDROUND_PROJECT": str(other)}
    assert find_project(None, environment, root).root == other
    assert find_project(root, environment, tmp_path).root == root


def test_no_project_says_what_to_do(tmp_path: Path, root: Path) -> None:
    with pytest.raises(UsageError, match="WARDROUND_PROJECT"):
        find_project(None, {}, tmp_path)
    with pytest.raises(UsageError, match="is not a project"):
        find_project(root / "docs", {}, root)
    with pytest.raises(UsageError, match="is not a project"):
        find_project(None, {"WARDROUND_PROJECT": "/nonexistent"}, root)


def test_hospitals_are_folders_with_a_manifest(root: Path) -> None:
    assert Project(root).hospitals() == ("st-elsewhere",)
    assert Project(root / "docs").hospitals() == ()


@pytest.mark.parametrize("given", ["st-elsewhere", "inventories/st-elsewhere", "inventories/st-elsewhere/hospital.yml"])
def test_a_hospital_is_found_by_name_folder_and_manifest(
    root: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    folder = Project(root).hospital(given)
    assert folder.path == root / "inventories" / "st-elsewhere"
    assert Project(root).hospital(str(root / "inventories" / "st-elsewhere") + "/").name == "st-elsewhere"
    monkeypatch.chdir(folder.path)
    assert Project(root).hospital(".").name == "st-elsewhere"
    assert Project(root).hospital("hospital.yml").name == "st-elsewhere"


def test_the_files_of_a_hospital_lie_in_its_folder(root: Path) -> None:
    folder = Project(root).hospital("st-elsewhere")
    files = [folder.shown(path) for path in (folder.manifest, folder.waivers, folder.secrets, folder.known_hosts)]
    assert files == [
        "inventories/st-elsewhere/hospital.yml",
        "inventories/st-elsewhere/waivers.yml",
        "inventories/st-elsewhere/secrets.yml",
        "inventories/st-elsewhere/known_hosts",
    ]


@pytest.mark.parametrize(
    "given", ["st-elsewere", "_template", "not-yet", "../st-elsewhere", "/st-elsewhere", "", "a\x00"]
)
def test_an_unknown_hospital_is_refused(root: Path, given: str) -> None:
    with pytest.raises(UsageError, match="does not exist") as caught:
        Project(root).hospital(given)
    assert caught.value.remedy == "known: st-elsewhere"


def test_a_misspelt_hospital_is_suggested(root: Path) -> None:
    with pytest.raises(UsageError, match='did you mean "st-elsewhere"'):
        Project(root).hospital("st-elsewere")


def test_the_manifest_is_loaded_under_the_name_that_people_use(root: Path) -> None:
    loaded = Project(root).hospital("st-elsewhere").load_manifest()
    assert loaded.model.hospital == "st-elsewhere"
    assert loaded.document.file == "inventories/st-elsewhere/hospital.yml"


def test_a_manifest_in_another_hospitals_folder_is_refused(root: Path) -> None:
    (root / "inventories" / "st-elsewhere").rename(root / "inventories" / "st-somewhere")
    with pytest.raises(InvalidInputError) as caught:
        Project(root).hospital("st-somewhere").load_manifest()
    [problem] = caught.value.problems
    assert str(problem).startswith("inventories/st-somewhere/hospital.yml:1:11 WR-157 ")
