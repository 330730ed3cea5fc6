"""What README.md tells people to type and to copy works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from wardround.cli.main import app
from wardround.load.project import Project
from wardround.verbs.opening import load_design

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
CALLS = sorted({line.partition("#")[0].strip() for line in SHELL.splitlines() if line.startswith("wardround ")})


def commands_of(group: object, prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """Give every command of the application by its words."""
    found: dict[tuple[str, ...], object] = {}
    for name, command in getattr(group, "commands", {}).items():
        found |= commands_of(command, (*prefix, name)) or {(*prefix, name): command}
    return found


COMMANDS = commands_of(typer.main.get_command(app))


@pytest.mark.parametrize("call", CALLS)
def test_every_call_is_one_that_the_command_line_takes(call: str) -> None:
    words = shlex.split(call)[1:]
    name = next(length for length in COMMANDS if tuple(words[: len(length)]) == length)
    command = COMMANDS[name]
    assert isinstance(command, typer.core.TyperCommand)
    command.make_context(" ".join(name), words[len(name) :])


def test_every_verb_has_a_row_in_the_tour() -> None:
    rows = "\n".join(line for line in README.splitlines() if line.startswith("| `wardround "))
    assert [name for name in COMMANDS if not all(re.search(rf"\b{word}\b", rows) for word in name)] == []


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    # In code only: in prose, "make" is a verb.
    code = [*re.findall(r"`make ([a-z -]+)", README), *re.findall(r"^make ([a-z -]+)", SHELL, re.MULTILINE)]
    named = {word for words in code for word in words.split()}
    assert {"demo", "test"} <= named
    assert sorted(named - targets) == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"(?<!!)\[[^\]]+\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_manifest_that_people_copy_resolves(tmp_path: Path) -> None:
    for name in ("roles", "reference_architectures"):
        (tmp_path / name).symlink_to(ROOT / name)
    found = re.search(r"<!-- manifest: .*?```yaml\n(.*?)```", README, re.DOTALL)
    assert found is not None
    folder = tmp_path / "inventories" / "riverside"
    folder.mkdir(parents=True)
    (folder / "hospital.yml").write_text(found[1], encoding="utf-8")
    assert len(load_design(Project(tmp_path), "riverside").managed_hosts()) == 5
