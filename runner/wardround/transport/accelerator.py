"""The optional accelerator: Mitogen keeps one Python process a host instead of starting one for each task."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from wardround.errors import MissingToolError


def strategy_plugins() -> str:
    """Give the folder of Mitogen's strategy plugins.

    Raises:
        MissingToolError: Mitogen is not installed.

    """
    found = find_spec("ansible_mitogen")
    if found is None or found.origin is None:
        raise MissingToolError("--fast needs Mitogen", remedy="pip install 'wardround[fast]'")
    return str(Path(found.origin).parent / "plugins" / "strategy")
