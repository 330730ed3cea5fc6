# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command of the host and return everything that it said."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def run_command(module: AnsibleModule, command: list[str], data: str | None = None) -> tuple[int, str, str]:
    """Return exit code, output and errors of a command in the C locale; end the module when there is no such command.

    AnsibleModule.run_command stops reading once the command is gone and a wait of a second brought nothing: on a busy
    host it was seen to return success without the output, which a module must never take for an answer.
    """
    try:
        done = subprocess.run(
            command,
            input=data or "",  # without it, a command would read what Ansible sends the module
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        module.fail_json(msg=f"{command[0]} cannot be run: {error.strerror}", cmd=command)
        raise
    return done.returncode, done.stdout, done.stderr
