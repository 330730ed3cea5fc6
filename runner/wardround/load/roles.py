"""Roles as data: which tasks a role has, where, and under which tags. Nothing is run and nothing is templated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from wardround.errors import UsageError
from wardround.model.role import Role, RoleTask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEYWORDS = frozenset(
    [
        "name",
        "when",
        "loop",
        "loop_control",
        "with_items",
        "register",
        "tags",
        "notify",
        "become",
        "become_user",
        "check_mode",
        "changed_when",
        "failed_when",
        "delegate_to",
        "run_once",
        "no_log",
        "diff",
        "environment",
        "vars",
        "until",
        "retries",
        "delay",
        "listen",
        "block",
        "rescue",
        "always",
        "args",
        "throttle",
        "any_errors_fatal",
        "async",
        "become_exe",
        "become_flags",
        "become_method",
        "collections",
        "connection",
        "debugger",
        "delegate_facts",
        "ignore_errors",
        "ignore_unreachable",
        "module_defaults",
        "poll",
        "port",
        "remote_user",
        "timeout",
    ]
)
_NEVER_CHECKS = frozenset(
    ["set_fact", "debug", "meta", "include_vars", "setup", "wait_for", "pause", "find", "getent", "slurp", "stat"]
)
_IMPORTS = frozenset({"import_tasks", "include_tasks"})


class _Loader(yaml.CSafeLoader):
    """Keeps Ansible's own tags as plain text; the values do not matter here."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: node.value)  # noqa: ARG005 - PyYAML's signature


def load_roles(root: Path, names: tuple[str, ...]) -> dict[str, Role]:
    """Read the named roles below `root/roles`.

    Raises:
        UsageError: a role does not exist or one of its task files is not a list of tasks.

    """
    return {name: _load_role(root, name) for name in names}


def _load_role(root: Path, name: str) -> Role:
    folder = root / "roles" / name
    main = folder / "tasks" / "main.yml"
    if not main.is_file():
        raise UsageError(f'role "{name}" does not exist', path=f"roles/{name}", remedy="check the architecture's roles")
    specs = yaml.load((folder / "meta" / "argument_specs.yml").read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader
    handlers = folder / "handlers" / "main.yml"
    return Role(
        name=name,
        tasks=tuple(_file_tasks(root, name, main, ())),
        handlers=tuple(task.name for task in _file_tasks(root, name, handlers, ())) if handlers.is_file() else (),
        variables=tuple(sorted(specs["argument_specs"]["main"].get("options") or {})),
    )


def _file_tasks(root: Path, role: str, file: Path, tags: tuple[str, ...]) -> Iterator[RoleTask]:
    node = yaml.compose(file.read_text(encoding="utf-8"), _Loader)
    if not isinstance(node, yaml.SequenceNode):
        place = str(file.relative_to(root))
        raise UsageError("a task file is a list of tasks", path=place, remedy="run ansible-lint on the role")
    yield from _sequence_tasks(root, role, file, node, tags)


def _sequence_tasks(
    root: Path, role: str, file: Path, node: yaml.SequenceNode, tags: tuple[str, ...]
) -> Iterator[RoleTask]:
    for entry in node.value:
        keys = {key.value: value for key, value in entry.value}
        own = (*tags, *_tag_names(keys.get("tags")))
        if "block" in keys:
            for part in ("block", "rescue", "always"):
                if part in keys:
                    yield from _sequence_tasks(root, role, file, keys[part], own)
            continue
        action = next(key for key in keys if key not in _KEYWORDS and not key.startswith("with_"))
        short = action.rpartition(".")[2]
        if short in _IMPORTS:
            yield from _file_tasks(root, role, file.parent / _imported(keys[action]), own)
            continue
        yield RoleTask(
            role=role,
            name=keys["name"].value if "name" in keys else action,
            path=f"{file.relative_to(root)}:{entry.start_mark.line + 1}",
            tags=tuple(sorted(set(own))),
            action=action,
            is_check=_is_check(short, keys),
        )


def _tag_names(node: yaml.Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    if isinstance(node, yaml.SequenceNode):
        return tuple(each.value for each in node.value)
    return (str(node.value),)


def _imported(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return str(next(value.value for key, value in node.value if key.value == "file"))
    return str(node.value)


def _is_check(action: str, keys: dict[str, yaml.Node]) -> bool:
    """Say whether a task's result says something of the host, rather than only feeding later tasks."""
    changed_when = keys.get("changed_when")
    if "failed_when" in keys:
        return True
    if isinstance(changed_when, yaml.ScalarNode):
        return bool(changed_when.value != "false")
    return changed_when is not None or action not in _NEVER_CHECKS
