"""How the image gateway's forwarder decides, with a store and an archive that are made up."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from tests.unit.role_program import role_program

pytestmark = pytest.mark.unit


gateway = role_program("image_gateway", "image_gateway.py")


class Store:
    """Holds images by name, and an archive that refuses some of them, or all of them once it is gone."""

    name = "modality"

    def __init__(self, names: list[str], *, refused: dict[str, str], gone_after: int | None = None) -> None:
        self.names = names
        self.refused = refused
        self.left = gone_after
        self.archived: list[str] = []

    def waiting(self) -> list[object]:
        return [gateway.Image(name, datetime.now(UTC)) for name in self.names]

    def send(self, images: list[tuple[str, datetime]]) -> None:
        for name, _ in images:
            if self.left is not None:
                if not self.left:
                    raise gateway.RefusedError("500 connection lost")
                self.left -= 1
            if name in self.refused:
                raise gateway.RefusedError(f"500 {self.refused[name]}")
            self.archived.append(name)

    def echo(self) -> None:
        if self.left == 0:
            raise gateway.SilentError("the archive does not answer")

    def let_go(self, image: tuple[str, datetime]) -> None:
        assert image[0] in self.archived or self.refused[image[0]] == "DIMSE status 0x0111"
        self.names.remove(image[0])


class Archive:
    """Is there, and who it should be."""

    def check(self, _: Path) -> None:
        """Never raise."""


class Forwarder(Protocol):
    def round(self) -> Iterator[None]:
        """Send what is due, a batch a step."""


def forwarder(store: Store, monkeypatch: pytest.MonkeyPatch) -> Forwarder:
    monkeypatch.setattr(gateway.time, "monotonic", lambda: 1000.0)
    made: Forwarder = gateway.Forwarder(store, Archive(), Path(), 30)
    return made


def run(made: Forwarder) -> None:
    for _ in made.round():
        pass


def test_confirmed_images_leave_and_refused_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number:03}" for number in range(120)]
    store = Store(list(names), refused={"007": "no context", "099": "no context"})
    run(forwarder(store, monkeypatch))
    assert store.names == ["007", "099"]
    assert set(store.archived) == set(names) - {"007", "099"}


def test_a_refused_image_is_left_alone_until_it_is_due_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(["bad"], refused={"bad": "no context"})
    made = forwarder(store, monkeypatch)
    run(made)
    store.refused = {}
    run(made)
    assert store.names == ["bad"]
    monkeypatch.setattr(gateway.time, "monotonic", lambda: 1030.0)
    run(made)
    assert store.names == []


def test_what_the_archive_has_already_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(["twice", "new"], refused={"twice": "DIMSE status 0x0111"})
    run(forwarder(store, monkeypatch))
    assert store.names == []


def test_an_archive_that_goes_away_ends_the_round_and_nothing_unconfirmed_leaves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store([f"{number:03}" for number in range(200)], refused={}, gone_after=70)
    made = forwarder(store, monkeypatch)
    run(made)
    assert len(store.names) == 150
    assert "images wait, for the archive does not answer" in capsys.readouterr().out
    store.left = None
    run(made)
    assert len(store.names) == 150, "not before the retry is due"
    monkeypatch.setattr(gateway.time, "monotonic", lambda: 1030.0)
    run(made)
    assert store.names == []
    assert "images can leave again" in capsys.readouterr().out


def test_a_round_steps_aside_after_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store([f"{number:03}" for number in range(120)], refused={})
    steps = forwarder(store, monkeypatch).round()
    next(steps)
    assert len(store.archived) == 50
