# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a hospital manifest as an inventory, so that plain Ansible works without the runner."""

from __future__ import annotations

DOCUMENTATION = """
name: wardround
plugin_type: inventory
short_description: A hospital manifest as an inventory
description:
  - Resolves C(hospital.yml) with the reference architectures that it pins, and gives each managed host its roles and
    variables. Texts of the manifest are data - Ansible never templates them.
  - Needs the C(wardround) Python package in the interpreter that runs Ansible.
"""

import sys
from pathlib import Path
from typing import Any, NoReturn

from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.display import Display

try:
    from wardround.errors import WardroundError
    from wardround.load.project import find_project
    from wardround.render.inventory import MANAGED_GROUP, groups_of, hospital_variables, host_variables
    from wardround.verbs.opening import load_design, site_connection
except ImportError as error:
    MISSING: ImportError | None = error
else:
    MISSING = None


PARSER_ERROR = 4
"""What Ansible itself ends with when it cannot read something."""


def _refuse(why: str) -> NoReturn:
    # An exception would make Ansible try its YAML plugin next, which takes any manifest for an inventory without hosts:
    # nothing would be checked, and the call would end well.
    Display().error(why, wrap_text=False)
    sys.exit(PARSER_ERROR)


class InventoryModule(BaseInventoryPlugin):
    NAME = "wardround"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and Path(path).name == "hospital.yml"

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        if MISSING is not None:
            _refuse(f"the wardround package is not importable here: {MISSING}")
        manifest = Path(path).resolve()
        try:
            project = find_project(None, {}, manifest.parent)
            design = load_design(project, manifest.parent.name)
        except WardroundError as error:
            _refuse(str(error))
        connection, secrets_file = site_connection(manifest.parent, design)
        inventory.add_group(MANAGED_GROUP)
        for name, value in hospital_variables(design, connection, secrets_file).items():
            inventory.set_variable(MANAGED_GROUP, name, value)
        for host in design.managed_hosts():
            inventory.add_host(host.name, group=MANAGED_GROUP)
            for group in groups_of(host):
                inventory.add_group(group)
                inventory.add_host(host.name, group=group)
            for name, value in host_variables(host).items():
                inventory.set_variable(host.name, name, value)
