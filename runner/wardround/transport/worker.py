"""The process that holds Ansible: it dies with its parent and takes ansible-playbook with it.

Run as `python -m wardround.transport.worker FOLDER`, where FOLDER is an ansible-runner private data folder that holds
`run.json` as well. Ends with Ansible's exit code, or 130 when it was told to stop. Where its parent was killed, it is
the last that can end what the run started and remove what the run needed.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from threading import Event
from types import FrameType

import ansible_runner

from wardround.transport.processes import MARKER, end_processes

_PR_SET_PDEATHSIG = 1
_INTERRUPTED = 130


def main() -> int:
    """Run the playbook that `run.json` describes."""
    folder = Path(sys.argv[1])
    stop = Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A killed parent cannot stop its worker any more, so the kernel does (prctl(2)).
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    if os.getppid() != run["parent"]:
        _clear(folder)
        return _INTERRUPTED
    result = ansible_runner.run(
        private_data_dir=str(folder),
        project_dir=run["project"],
        playbook=run["playbook"],
        cmdline=run["arguments"],
        envvars=run["environment"],
        settings={"pexpect_timeout": 1, "suppress_ansible_output": True},
        event_handler=lambda _event: False,
        cancel_callback=stop.is_set,
        quiet=True,
    )
    if os.getppid() != run["parent"]:
        _clear(folder)
    return _INTERRUPTED if stop.is_set() else int(result.rc if result.rc is not None else 1)


def _clear(folder: Path) -> None:
    end_processes(MARKER, os.environ[MARKER])
    shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
