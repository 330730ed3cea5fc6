#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the running nftables rule set equal to a declared one."""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wardround_command import run_command

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

# A container may hold no CAP_SYS_ADMIN of its own; then a user namespace lends it for the scratch one.
SCRATCH_NAMESPACES = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])
Tables = dict[str, str]


class Ruleset:
    """The packet filter of this host, seen and changed through nft."""

    def __init__(self, module: AnsibleModule, foreign: list[str]) -> None:
        """Take the module that runs commands, and the tables that belong to others."""
        self.module = module
        self.foreign = {" ".join(table.split()) for table in foreign}

    def run(self, command: list[str], data: str | None = None) -> str:
        """Return what a command prints; end the module when it fails."""
        code, out, err = run_command(self.module, command, data)
        if code != 0:
            self.module.fail_json(msg=f"{' '.join(command)} failed: {err.strip()}", rc=code)
        return str(out)

    def scratch(self) -> list[str]:
        """Return the command prefix that runs in a network namespace of its own."""
        refusals = []
        for prefix in SCRATCH_NAMESPACES:
            code, _, err = run_command(self.module, [*prefix, "true"])
            if code == 0:
                return prefix
            refusals.append(err.strip())
        self.module.fail_json(
            msg="The declared rule set cannot be compared, for this host grants no scratch network namespace: "
            + "; ".join(refusals),
        )
        raise AssertionError

    def running(self) -> Tables:
        """Return every running table that is not someone else's, by family and name."""
        listing = json.loads(self.run(["nft", "-j", "list", "tables"]))["nftables"]
        names = [f"{item['table']['family']} {item['table']['name']}" for item in listing if "table" in item]
        return {
            name: self.run(["nft", "-s", "list", "table", *name.split()]) for name in names if name not in self.foreign
        }

    def declared(self, content: str) -> Tables:
        """Return the tables that the declared set would load, in the kernel's own words."""
        load_and_list = "nft -f - && nft -s list ruleset"
        listing = self.run([*self.scratch(), "sh", "-c", load_and_list], data=content)
        tables: Tables = {}
        name = ""
        for line in listing.splitlines(keepends=True):
            if line.startswith("table "):
                name = " ".join(line.split()[1:3])
            tables[name] = tables.get(name, "") + line
        return tables


def in_words(tables: Tables) -> str:
    """Return the text of all tables in a stable order."""
    return "".join(tables[name] for name in sorted(tables))


def rules(tables: Tables) -> list[str]:
    """Return every line of a rule set that says something, with its table and chain."""
    found = []
    for name, text in tables.items():
        chain = ""
        found.append(f"table {name}")
        for line in text.splitlines()[1:]:
            words = line.strip()
            if words.endswith("{") and words.startswith(("chain ", "set ", "map ")):
                chain = words.split()[1]
            if words.strip("}"):
                found.append(f"{name} {chain}: {words}")
    return found


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
    ruleset = Ruleset(module, module.params["foreign_tables_allowed"])
    declared, running = ruleset.declared(content), ruleset.running()
    expected, actual = rules(declared), rules(running)
    missing = [rule for rule in expected if rule not in actual]
    undeclared = [rule for rule in actual if rule not in expected]
    result = {
        "changed": running != declared,
        "name": "running nftables rule set",
        "missing": missing,
        "undeclared": undeclared,
        "diff": {
            "before_header": "running rule set",
            "after_header": "declared rule set",
            "before": in_words(running),
            "after": in_words(declared),
        },
    }
    if result["changed"] and not module.check_mode:
        removal = "".join(f"delete table {name}\n" for name in running if name not in declared)
        differs = any(running.get(name) != text for name, text in declared.items())
        ruleset.run(["nft", "-f", "-"], data=removal + (content if differs else ""))
        if ruleset.running() != declared:
            module.fail_json(msg="The rule set was loaded, but the running one still differs", **result)
    module.exit_json(
        msg="; ".join([f"missing: {rule}" for rule in missing] + [f"undeclared: {rule}" for rule in undeclared]),
        **result,
    )


if __name__ == "__main__":
    main()
