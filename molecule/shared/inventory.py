#!/usr/bin/env python3
"""Ansible inventory of a scenario's hosts: one per supported release, named after the scenario.

The scenario's name is part of every host's name, so scenarios may run side by side. A scenario that needs more hosts
adds an inventory of its own.
"""

from __future__ import annotations

import json
import os

RELEASES = ("debian-12", "debian-13")


def inventory(scenario: str) -> dict[str, object]:
    """Return the inventory in the form that Ansible expects of a script."""
    hosts = {
        f"wr_{scenario}_{release}": {
            "molecule_release": release,
            # Ansible takes it for containers.podman.podman, Mitogen for its own.
            "ansible_connection": "podman",
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        for release in RELEASES
    }
    return {
        "all": {"children": ["scenario_hosts"]},
        "scenario_hosts": {"hosts": sorted(hosts)},
        "_meta": {"hostvars": hosts},
    }


if __name__ == "__main__":
    print(json.dumps(inventory(os.environ["MOLECULE_SCENARIO_NAME"])))
