"""Every code that wardround can print is explained, and every explanation belongs to a code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import wardround
from wardround.errors import UsageError
from wardround.load.catalogue import _TEXTS, explain, explanations

pytestmark = pytest.mark.contracts

RUNNER = Path(__file__).parents[2] / "runner"
CODE = re.compile(r"WR-\d{3}")


@pytest.fixture(autouse=True)
def _every_room_is_imported() -> None:
    for module in pkgutil.walk_packages(wardround.__path__, "wardround."):
        # Commands print errors and define none; migrations are run by Alembic alone.
        if ".migrations" not in module.name and ".cli" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _codes_in(path: Path) -> set[str]:
    return set(CODE.findall(path.read_text(encoding="utf-8")))


def test_every_code_is_explained() -> None:
    used = {code: path.name for path in RUNNER.rglob("*.py") for code in _codes_in(path)}
    assert {code: file for code, file in used.items() if code not in explanations()} == {}


def test_every_explanation_belongs_to_a_code_in_use() -> None:
    catalogue = RUNNER / "wardround" / "load" / "catalogue.py"
    used = {code for path in RUNNER.rglob("*.py") if path != catalogue for code in _codes_in(path)}
    assert set(_TEXTS) - used == set()


def test_an_explanation_says_more_than_a_title() -> None:
    assert [code for code, text in explanations().items() if len(text.split()) < 6] == []
    assert [code for code, text in _TEXTS.items() if "\n\n" not in text] == []


def test_codes_are_found_in_any_case() -> None:
    assert explain("wr-104").startswith("Unknown key.")
    assert "SHA-256" in explain("WR-601")


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean"):
        explain("WR-1044")
