#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the running rules between zones equal to the declared ones, and what their counters have counted."""

from __future__ import annotations

import re

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_nftables import PacketFilter, Tables, difference, items_of

DOCUMENTATION = r"""
---
module: zone_gateway_ruleset
short_description: Keep the running rules between zones equal to the declared ones
description:
  - Loads the declared table into a network namespace that lives only for the comparison, so that the kernel itself
    writes both sides in the same words; counts and handles are left out.
  - What differs is loaded in one transaction, so no packet ever meets half of it. Chains stay where they are, open
    connections go on, and counters of flows that stay keep what they have counted.
  - Looks at its own table only. Nothing is touched when both sides agree.
options:
  content:
    description: The declared table, as C(nft -f) reads it.
    type: str
    required: true
author: wardround
"""

TABLE = "inet wardround_gateway"
HEAD = re.compile(r"\t((?:ct )?\w+) (\S+) \{")
KEPT = ("counter", "chain")
# What refers to something else goes before it.
ORDER = ("map", "set", "chain")


def objects(table: str) -> list[tuple[str, str, str]]:
    """Return kind, name and the line of the hook, if any, of each chain, set and object of a listed table."""
    found = []
    for head, *body in items_of(table):
        match = HEAD.match(head)
        if match:
            found.append((match[1], match[2], next((line for line in body if " hook " in line), "")))
    return found


def clearance(running: str, declared: str) -> str:
    """Return what empties the running table, but for counters and chains that are declared too.

    A chain that is taken away and made again drops everything for a moment in between.
    """
    kept = {each for each in objects(declared) if each[0] in KEPT}
    leaving = [(kind, name) for kind, name, hook in objects(running) if (kind, name, hook) not in kept]
    leaving.sort(key=lambda each: ORDER.index(each[0]) if each[0] in ORDER else len(ORDER))
    return f"flush table {TABLE}\n" + "".join(f"delete {kind} {TABLE} {name}\n" for kind, name in leaving)


def main() -> None:
    """Compare, and load what differs unless only asked to look."""
    module = AnsibleModule(argument_spec={"content": {"type": "str", "required": True}}, supports_check_mode=True)
    content = module.params["content"]
    filters = PacketFilter(module)

    def running() -> Tables:
        found: Tables = filters.running([TABLE] if TABLE in filters.names() else [])
        return found

    declared, found = filters.declared(content), running()
    result = {"name": f"running table {TABLE}", **difference(declared, found)}
    if result["changed"] and not module.check_mode:
        filters.load((clearance(found[TABLE], declared[TABLE]) if found else "") + content)
        if running() != declared:
            module.fail_json(**{**result, "msg": "The rules were loaded, but the running ones still differ"})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
