"""JSON Schemas of the files that people write, for editors: `python -m wardround.load.schemas [--check] [FOLDER]`.

An editor with the YAML language server completes and checks a file that starts with
`# yaml-language-server: $schema=../../schemas/hospital.schema.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wardround.errors import ExitCode
from wardround.model.architecture import Architecture
from wardround.model.device import DeviceCatalogue
from wardround.model.hospital import Hospital

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wardround.model.base import Model

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_MODELS: Final[dict[str, tuple[type[Model], str]]] = {
    "architecture.schema.json": (Architecture, "A reference architecture: architecture.yml"),
    "device_models.schema.json": (DeviceCatalogue, "The catalogue of device models: device_models.yml"),
    "hospital.schema.json": (Hospital, "A hospital manifest: hospital.yml"),
}


def schemas() -> dict[str, str]:
    """Give the text of each schema file by its name."""
    return {name: _text(model, title) for name, (model, title) in _MODELS.items()}


def stale_schemas(folder: Path) -> list[str]:
    """Name the files of a folder that are not what the models say."""
    return [name for name, text in schemas().items() if _read(folder / name) != text]


def write_schemas(folder: Path) -> None:
    """Write all schemas into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str]) -> ExitCode:
    """Write the schemas, or with `--check` say which are stale."""
    parser = argparse.ArgumentParser(prog="wardround.load.schemas", description="Export JSON Schemas for editors.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("schemas"))
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a schema is stale")
    given = parser.parse_args(arguments)
    if not given.check:
        write_schemas(given.folder)
        return ExitCode.DONE
    stale = stale_schemas(given.folder)
    for name in stale:
        sys.stderr.write(f"{given.folder / name} is stale; run python -m wardround.load.schemas\n")
    return ExitCode.CHANGES if stale else ExitCode.DONE


def _text(model: type[Model], title: str) -> str:
    schema: dict[str, Any] = {"$schema": DIALECT, **model.model_json_schema(), "title": title}
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
