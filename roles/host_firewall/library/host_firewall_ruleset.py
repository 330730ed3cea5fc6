#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the running nftables rule set equal to a declared one."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_nftables import PacketFilter, Tables, difference

DOCUMENTATION = r"""
---
module: host_firewall_ruleset
short_description: Keep the running nftables rule set equal to a declared one
description:
  - Loads the declared set into a network namespace that lives only for the comparison, so that the kernel itself
    writes both sides in the same words; counters and handles are left out.
  - A table that is neither declared nor allowed is drift, and is removed.
  - Changes are loaded in one transaction. Nothing is touched when both sides agree.
options:
  content:
    description: The declared rule set, as C(nft -f) reads it.
    type: str
    required: true
  foreign_tables_allowed:
    description: Tables of other owners, each as family and name, that are neither compared nor removed.
    type: list
    elements: str
    default: []
author: wardround
"""


def main() -> None:
    """Compare, and load what differs unless only asked to look."""
    module = AnsibleModule(
        argument_spec={
            "content": {"type": "str", "required": True},
            "foreign_tables_allowed": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    content = module.params["content"]
    foreign = {" ".join(table.split()) for table in module.params["foreign_tables_allowed"]}
    filters = PacketFilter(module)

    def running() -> Tables:
        found: Tables = filters.running(name for name in filters.names() if name not in foreign)
        return found

    declared, found = filters.declared(content), running()
    result = {"name": "running nftables rule set", **difference(declared, found)}
    if result["changed"] and not module.check_mode:
        removal = "".join(f"delete table {name}\n" for name in found if name not in declared)
        differs = any(found.get(name) != text for name, text in declared.items())
        filters.load(removal + (content if differs else ""))
        if running() != declared:
            module.fail_json(**{**result, "msg": "The rule set was loaded, but the running one still differs"})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
