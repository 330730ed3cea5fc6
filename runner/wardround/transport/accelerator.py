"""The optional accelerator: Mitogen keeps one Python process a host instead of starting one for each task."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from wardround.errors import MissingToolError


def acceleration(project: Path) -> dict[str, str]:
    """Give the environment in which Ansible is accelerated.

    Raises:
        MissingToolError: Mitogen is not installed.

    """
    if find_spec("ansible_mitogen") is None:
        raise MissingToolError("--fast needs Mitogen", remedy="pip install 'wardround[fast]'")
    return {
        "ANSIBLE_STRATEGY_PLUGINS": str(project / "plugins" / "strategy"),
        "ANSIBLE_STRATEGY": "wardround_linear",
    }
