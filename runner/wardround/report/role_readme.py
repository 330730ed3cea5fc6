"""The table of variables in each role's README, written from the role's argument specification.

`meta/argument_specs.yml` is the truth. `python -m wardround.report.role_readme` rewrites what stands between the lines
`<!-- argument_specs -->` and `<!-- /argument_specs -->`; with `--check` it changes nothing, names the stale files and
ends with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from wardround.errors import ExitCode, WardroundError

BEGIN: Final = "<!-- argument_specs -->"
END: Final = "<!-- /argument_specs -->"
HEADER: Final = "| Variable | Type | Required | Default | Description |\n| --- | --- | --- | --- | --- |\n"

CODE_MARKUP: Final = re.compile(r"\b[COVE]\(([^)]*)\)")
"""Ansible's C(constant), O(option), V(value) and E(VARIABLE)."""


class RoleDocumentError(WardroundError):
    """A role's argument specification cannot be read, or its README has no place for the table.

    The README needs the two lines `<!-- argument_specs -->` and `<!-- /argument_specs -->`, in this order.
    """

    code = "WR-801"
    exit_code = ExitCode.INVALID


def _as_paragraphs(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Paragraphs = Annotated[tuple[str, ...], BeforeValidator(_as_paragraphs)]


class Option(_Spec):
    """One variable of a role, or one key inside it."""

    type: str
    description: Paragraphs
    required: bool = False
    default: object = None
    elements: str | None = None
    choices: tuple[object, ...] | None = None
    no_log: bool = False
    version_added: str | None = None
    options: dict[str, Option] = Field(default_factory=dict)

    @property
    def has_default(self) -> bool:
        """Whether a default is written down, be it null."""
        return "default" in self.model_fields_set


class EntryPoint(_Spec):
    """One way into a role: a tasks file and the variables it takes."""

    short_description: str
    description: Paragraphs = ()
    author: Paragraphs = ()
    version_added: str | None = None
    options: dict[str, Option] = Field(default_factory=dict)


class ArgumentSpecs(_Spec):
    """The whole `meta/argument_specs.yml` of a role."""

    argument_specs: dict[str, EntryPoint]


def read_specs(path: Path) -> ArgumentSpecs:
    """Read a role's argument specification."""
    try:
        return ArgumentSpecs.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        reason = error.strerror or str(error)
        raise RoleDocumentError(reason, path=str(path), remedy="every role has this file") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise RoleDocumentError(str(error), path=str(path), remedy="mend the specification") from error


def _literal(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"`{text}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _type(option: Option) -> str:
    return f"{option.type} of {option.elements}" if option.elements else option.type


def _default(option: Option) -> str:
    return _literal(option.default) if option.has_default else ""


def _description(option: Option) -> str:
    text = CODE_MARKUP.sub(r"`\1`", " ".join(option.description))
    choices = f" One of {', '.join(_literal(choice) for choice in option.choices)}." if option.choices else ""
    return text + choices


def _rows(options: Mapping[str, Option], prefix: str = "") -> Iterator[str]:
    for name, option in options.items():
        cells = (
            f"`{prefix}{name}`",
            _type(option),
            "yes" if option.required else "no",
            _default(option),
            _description(option),
        )
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |\n"
        inside = "[]." if option.type == "list" else "."
        yield from _rows(option.options, f"{prefix}{name}{inside}")


def table(specs: ArgumentSpecs) -> str:
    """Render the specification as Markdown, one row a variable, keys inside it by dotted names."""
    parts = []
    for name, entry in specs.argument_specs.items():
        heading = f"**{name}**: {entry.short_description}\n\n" if len(specs.argument_specs) > 1 else ""
        body = HEADER + "".join(_rows(entry.options)) if entry.options else "This role takes no variables.\n"
        parts.append(heading + body)
    return "\n".join(parts)


def with_table(readme: str, specs: ArgumentSpecs, *, path: str) -> str:
    """Return the README's text with a fresh table between its markers.

    Args:
        readme: The text as it stands.
        specs: The role's argument specification.
        path: Where the text came from, for the error.

    Raises:
        RoleDocumentError: The markers are missing, doubled or in the wrong order.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        message = f"needs exactly one {BEGIN} followed by one {END}"
        raise RoleDocumentError(message, path=path, remedy="add the two lines where the table belongs")
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(specs)}\n{END}{after}"


def stale_readmes(roles: Path) -> dict[Path, str]:
    """Map each README whose table differs from its role's specification to the text it should have."""
    stale: dict[Path, str] = {}
    for role in sorted(path for path in roles.iterdir() if path.is_dir()):
        readme = role / "README.md"
        specs = read_specs(role / "meta" / "argument_specs.yml")
        if not readme.is_file():
            raise RoleDocumentError("is missing", path=str(readme), remedy=f"write it, with {BEGIN} and {END} in it")
        current = readme.read_text(encoding="utf-8")
        wanted = with_table(current, specs, path=str(readme))
        if wanted != current:
            stale[readme] = wanted
    return stale


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the stale tables, or with `--check` only name them."""
    parser = argparse.ArgumentParser(prog="python -m wardround.report.role_readme", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a table is stale")
    parser.add_argument("--roles", type=Path, default=Path("roles"), help="folder of the roles (roles)")
    options = parser.parse_args(arguments)
    try:
        stale = stale_readmes(options.roles)
    except RoleDocumentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for readme, wanted in stale.items():
        if options.check:
            print(f"{readme}: table differs from meta/argument_specs.yml; run `make docs`")
        else:
            readme.write_text(wanted, encoding="utf-8")
            print(f"{readme}: rewritten")
    return ExitCode.ERROR if stale and options.check else ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
