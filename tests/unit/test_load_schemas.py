"""The exported JSON Schemas are what the models say, and editors can use them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from wardround.errors import ExitCode
from wardround.load.schemas import main, schemas, stale_schemas
from wardround.load.yaml_document import read_document

if TYPE_CHECKING:
    from pydantic import JsonValue

pytestmark = pytest.mark.contracts

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "schemas"
CASES = PROJECT / "tests" / "cases" / "load"
WRITTEN = sorted(
    [
        *PROJECT.glob("inventories/*/hospital.yml"),
        *PROJECT.glob("reference_architectures/*/*/architecture.yml"),
        PROJECT / "reference_architectures/device_models.yml",
    ]
)


def mistakes(schema: str, data: JsonValue) -> list[str]:
    text = json.loads((FOLDER / schema).read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(text, format_checker=jsonschema.FormatChecker())
    return [error.json_path for error in validator.iter_errors(data)]


def test_the_schemas_in_the_project_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FOLDER), "--check"]) is ExitCode.DONE, capsys.readouterr().err


def test_a_stale_schema_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "schemas"
    assert main([str(folder)]) is ExitCode.DONE
    assert stale_schemas(folder) == []
    path = folder / "hospital.schema.json"
    path.write_text(path.read_text(encoding="utf-8").replace("hospital", "clinic"), encoding="utf-8")
    assert main([str(folder), "--check"]) is ExitCode.CHANGES
    assert "hospital.schema.json is stale" in capsys.readouterr().err
    shutil.rmtree(folder)
    assert stale_schemas(folder) == sorted(schemas())


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_schema_is_valid_and_complete(name: str) -> None:
    schema: dict[str, Any] = json.loads(schemas()[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_all_that_the_project_holds_fits_its_schema_and_names_it(path: Path) -> None:
    schema = f"{path.stem}.schema.json"
    assert mistakes(schema, read_document(path).data) == []
    modeline = path.read_text(encoding="utf-8").splitlines()[0]
    assert modeline.startswith("# yaml-language-server: $schema=")
    assert (path.parent / modeline.partition("=")[2]).resolve() == FOLDER / schema


def test_an_editor_sees_the_mistakes_too() -> None:
    assert mistakes("hospital.schema.json", read_document(CASES / "manifest_without_mistakes" / "input.yml").data) == []
    seen = mistakes("hospital.schema.json", read_document(CASES / "manifest_with_five_mistakes" / "input.yml").data)
    assert len(seen) >= 4
