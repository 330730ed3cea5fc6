# SPDX-License-Identifier: Apache-2.0
"""Command line of the engine."""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
from pathlib import Path

from .engine import log_to_journal, run
from .settings import Settings, SettingsError, load
from .store import Store, StoreError

_COMMANDS = {
    "run": "receive and deliver",
    "check": "say whether the settings can be used",
    "status": "print how the queues stand, as JSON",
    "refused": "print what destinations refused, as JSON, without content",
    "retry": "queue a refused delivery again, behind what waits",
    "discard": "take a refused delivery out of the error queue; the message stays in the archive",
}


def main() -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(prog="interface-engine", description="HL7 v2 interface engine")
    parser.add_argument("--settings", type=Path, default=Path("/etc/interface_engine/settings.json"))
    commands = parser.add_subparsers(dest="command", required=True)
    for name, description in _COMMANDS.items():
        command = commands.add_parser(name, help=description)
        if name in {"retry", "discard"}:
            command.add_argument("delivery", type=int)
    arguments = parser.parse_args()
    try:
        settings = load(arguments.settings)
        if arguments.command == "run":
            log_to_journal()
            asyncio.run(run(settings))
        elif arguments.command != "check":
            return _ask(settings, arguments)
    except (SettingsError, StoreError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _ask(settings: Settings, arguments: argparse.Namespace) -> int:
    """Ask the store, or change what an answer said, beside a running engine."""
    store = Store(Path(settings.store))
    if arguments.command == "status":
        print(json.dumps(store.status(settings.queue_age_seconds, settings.archive_days), indent=1))
    elif arguments.command == "refused":
        print(json.dumps(store.refused(), indent=1))
    elif not store.handle(arguments.delivery, again=arguments.command == "retry"):
        print(f"delivery {arguments.delivery} is not in the error queue", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
