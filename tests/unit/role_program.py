"""Programs that roles put on hosts, loaded to be tested here: they are no part of any package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROLES = Path(__file__).resolve().parents[2] / "roles"


def role_program(role: str, file: str) -> ModuleType:
    """Load a program from a role's files."""
    path = ROLES / role / "files" / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
