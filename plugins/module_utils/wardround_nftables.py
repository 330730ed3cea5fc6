# SPDX-License-Identifier: GPL-3.0-or-later
"""See rule sets of nftables in the kernel's own words, and say in what two of them differ."""

from __future__ import annotations

import json
import os
import re
import tempfile
from typing import TYPE_CHECKING, Any

from ansible.module_utils.wardround_command import run_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ansible.module_utils.basic import AnsibleModule

# A container may hold no CAP_SYS_ADMIN of its own; then a user namespace lends it for the scratch one.
SCRATCH_NAMESPACES = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])
# Root of a user namespace may not enlarge the buffer that a whole transaction has to fit into.
PIECE_LENGTH = 60_000
NAMED_AT_MOST = 20
LOAD_AND_LIST = 'for piece in "$1"/*; do nft -f "$piece" || exit; done; nft -s list ruleset'

Tables = dict[str, str]
"""The text of each table under its family and name."""


class PacketFilter:
    """The packet filter of this host, seen and changed through nft."""

    def __init__(self, module: AnsibleModule) -> None:
        """Take the module that runs commands."""
        self.module = module

    def run(self, command: list[str], data: str | None = None) -> str:
        """Return what a command prints; end the module when it fails."""
        code, out, err = run_command(self.module, command, data)
        if code != 0:
            self.module.fail_json(msg=f"{' '.join(command)} failed: {err.strip()}", rc=code)
        return str(out)

    def load(self, transaction: str) -> None:
        """Load everything, or nothing where the kernel refuses a part of it."""
        self.run(["nft", "-f", "-"], data=transaction)

    def listed(self, what: str) -> list[dict[str, Any]]:
        """Return the entries of one kind that `nft -j list` knows."""
        listing = json.loads(self.run(["nft", "-j", "list", f"{what}s"]))["nftables"]
        return [item[what] for item in listing if what in item]

    def names(self) -> list[str]:
        """Return family and name of every running table."""
        return [f"{table['family']} {table['name']}" for table in self.listed("table")]

    def running(self, names: Iterable[str]) -> Tables:
        """Return the running tables of these names."""
        return {name: in_order(self.run(["nft", "-s", "list", "table", *name.split()])) for name in names}

    def declared(self, content: str) -> Tables:
        """Return the tables that a rule set would load, as the kernel writes them in a short-lived namespace."""
        with tempfile.TemporaryDirectory() as folder:
            for number, piece in enumerate(pieces(content)):
                path = os.path.join(folder, f"{number:06}")
                with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(piece)
            listing = self.run([*self._scratch(), "sh", "-c", LOAD_AND_LIST, "load", folder])
        tables: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in listing.splitlines(keepends=True):
            if line.startswith("table "):
                lines = tables.setdefault(" ".join(line.split()[1:3]), [])
            lines.append(line)
        return {name: in_order("".join(lines)) for name, lines in tables.items()}

    def _scratch(self) -> list[str]:
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


def pieces(content: str) -> Iterator[str]:
    """Divide a long rule set between statements; one begins where a line does not begin with a blank or a brace."""
    piece: list[str] = []
    length = 0
    for line in content.splitlines(keepends=True):
        if length > PIECE_LENGTH and line[0] not in " \t\n#}":
            yield "".join(piece)
            piece, length = [], 0
        piece.append(line)
        length += len(line)
    yield "".join(piece)


def items_of(table: str) -> list[list[str]]:
    """Return the lines of each chain, set or object of a listed table."""
    items: list[list[str]] = []
    for line in table.splitlines()[1:-1]:
        if re.match(r"\t[^\t}]", line):
            items.append([line])
        elif line:
            items[-1].append(line)
    return items


def in_order(table: str) -> str:
    """Return a listed table with its chains, sets and objects in the order of their names.

    The kernel lists them in the order in which they came, which means nothing: rules are in order within their chains.
    """
    head, *_, end = table.splitlines()
    return "\n".join([head, *(line for item in sorted(items_of(table)) for line in item), end]) + "\n"


def in_words(tables: Tables) -> str:
    """Return the text of all tables in a stable order."""
    return "".join(tables[name] for name in sorted(tables))


def rules(tables: Tables) -> list[str]:
    """Return every line of rule sets that says something, with its table and its chain, set or object."""
    found = []
    for name, text in tables.items():
        found.append(f"table {name}")
        for head, *body in items_of(text):
            words = head.strip(" \t{").split()
            found.append(f"{name} {words[-1]}: {' '.join(words)}")
            found += [f"{name} {words[-1]}: {line.strip()}" for line in body if line.strip(" \t}")]
    return found


def difference(declared: Tables, running: Tables) -> dict[str, Any]:
    """Return a module's result: whether the running tables differ from the declared ones, and in what."""
    differing = [name for name in {**declared, **running} if declared.get(name) != running.get(name)]
    wanted = {name: declared[name] for name in differing if name in declared}
    found = {name: running[name] for name in differing if name in running}
    expected, actual = rules(wanted), rules(found)
    known, present = set(expected), set(actual)
    missing = [rule for rule in expected if rule not in present]
    undeclared = [rule for rule in actual if rule not in known]
    lines = [f"missing: {rule}" for rule in missing] + [f"undeclared: {rule}" for rule in undeclared]
    if len(lines) > NAMED_AT_MOST:
        lines = [*lines[:NAMED_AT_MOST], f"and {len(lines) - NAMED_AT_MOST} more"]
    return {
        "changed": bool(differing),
        "missing": missing,
        "undeclared": undeclared,
        "msg": "; ".join(lines),
        "diff": {
            "before_header": "running rule set",
            "after_header": "declared rule set",
            "before": in_words(found),
            "after": in_words(wanted),
        },
    }
