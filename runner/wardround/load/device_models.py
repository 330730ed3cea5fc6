"""The catalogue of device models, beside the architectures: it grows with the devices that hospitals buy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wardround.load.library import FOLDER
from wardround.load.validation import load
from wardround.model.device import DeviceCatalogue

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "device_models.yml"


def load_device_models(root: Path) -> DeviceCatalogue:
    """Read a project's catalogue; a project without the file knows no models.

    Raises:
        InvalidInputError: with every mistake of the file.

    """
    path = root / FOLDER / FILE
    if not path.is_file():
        return DeviceCatalogue()
    return load(path, DeviceCatalogue, file=f"{FOLDER}/{FILE}").model
