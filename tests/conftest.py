"""What every session has: results on request, and examples that a continuous integration run can repeat.

With WARDROUND_JUNIT naming a folder, each session leaves a JUnit file of its own there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("patient", deadline=None)
# A run that gates a change must fail for the change's sake; new examples are looked for on developers' machines.
settings.register_profile("ci", parent=settings.get_profile("patient"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "patient")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name the file before pytest's own reporter looks for its name; workers of a session have no report."""
    folder = os.environ.get("WARDROUND_JUNIT")
    if folder and not hasattr(config, "workerinput"):
        config.option.xmlpath = str(Path(folder) / f"{os.getpid()}.xml")
