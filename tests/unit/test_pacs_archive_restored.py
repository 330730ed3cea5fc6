"""What the proof of a restored archive tells the restored index, from files that are made up."""

import hashlib
from pathlib import Path

import pytest

from tests.unit.role_program import role_program

pytestmark = pytest.mark.unit

STORAGE = "/var/lib/orthanc/images"
IMAGE = "0a1b2c3d-0000-1111-2222-333344445555"


program = role_program("pacs_archive", "pacs_archive_restored.py")


def test_only_images_of_the_storage_count(tmp_path: Path) -> None:
    listing = tmp_path / "listing"
    listing.write_text(
        f"17\t{STORAGE}/0a/1b/{IMAGE}\n"
        f"18\t/elsewhere/0a/1b/{IMAGE}\n"
        f"19\t{STORAGE}/ff/ff/{IMAGE}\n"
        f"20\t{STORAGE}/notes\n",
        encoding="utf-8",
    )
    assert list(program.backed_up(listing, STORAGE)) == [f"{IMAGE}\t17\n"]


def test_restored_images_are_told_with_their_digest(tmp_path: Path) -> None:
    folder = tmp_path / STORAGE.lstrip("/") / "0a" / "1b"
    folder.mkdir(parents=True)
    (folder / IMAGE).write_bytes(b"image")
    (folder / "stray").write_bytes(b"no image")
    digest = hashlib.md5(b"image", usedforsecurity=False).hexdigest()
    assert list(program.came_back(tmp_path, STORAGE)) == [f"{IMAGE}\t{digest}\n"]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([("known", "9"), ("restored", "3")], "9 images in index and backup, 3 restored with their digests"),
        ([("known", "0"), ("restored", "0")], "0 images in index and backup, 0 restored with their digests"),
        ([("known", "9"), ("restored", "0")], "not one image was restored"),
        ([("known", "9"), ("restored", "3"), ("wrong", "one came back with another digest")], "with another digest"),
    ],
)
def test_what_the_index_answers_is_judged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answers: list[tuple[str, str]], said: str
) -> None:
    for name in ("ROOT", "LISTING", "DATABASE_PREFIX"):
        monkeypatch.setenv(f"RESTORE_{name}", "x")
    monkeypatch.setattr("sys.argv", ["pacs-archive-restored", STORAGE, "orthanc"])
    monkeypatch.setattr(program, "answers", lambda database, _: answers if database == "xorthanc" else [])
    if "images in index" in said:
        program.main()
        assert said in capsys.readouterr().out
    else:
        with pytest.raises(SystemExit, match=said):
            program.main()
