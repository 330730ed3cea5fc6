from pathlib import Path

import pytest

from wardround.report.role_readme import BEGIN, END, RoleDocumentError, main, read_specs, table

pytestmark = pytest.mark.unit

SPECS = """\
argument_specs:
  main:
    short_description: A door
    options:
      door_state:
        description: Whether it is C(open) or C(shut).
        type: str
        choices: [open, shut]
        default: shut
      door_keys:
        description:
          - Who may open it;
          - see O(door_state).
        type: list
        elements: dict
        required: true
        options:
          owner: {description: A | B., type: str, required: true}
          limits:
            description: How often.
            type: dict
            options:
              daily: {description: Times a day., type: int, default: null}
"""

TABLE = """\
| Variable | Type | Required | Default | Description |
| --- | --- | --- | --- | --- |
| `door_state` | str | no | `"shut"` | Whether it is `open` or `shut`. One of `"open"`, `"shut"`. |
| `door_keys` | list of dict | yes |  | Who may open it; see `door_state`. |
| `door_keys[].owner` | str | yes |  | A \\| B. |
| `door_keys[].limits` | dict | no |  | How often. |
| `door_keys[].limits.daily` | int | no | `null` | Times a day. |
"""


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    role = tmp_path / "roles" / "door"
    (role / "meta").mkdir(parents=True)
    (role / "meta" / "argument_specs.yml").write_text(SPECS)
    (role / "README.md").write_text(f"# door\n\n{BEGIN}\nold\n{END}\n\nThe end.\n")
    return tmp_path / "roles"


def test_table_has_a_row_for_each_variable_and_each_key_inside_it(roles: Path) -> None:
    assert table(read_specs(roles / "door" / "meta" / "argument_specs.yml")) == TABLE


def test_check_names_a_stale_readme_and_leaves_it_alone(roles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = roles / "door" / "README.md"
    before = readme.read_text()
    assert main(["--check", "--roles", str(roles)]) == 1
    assert str(readme) in capsys.readouterr().out
    assert readme.read_text() == before


def test_rewriting_keeps_the_text_around_the_table_and_is_stable(roles: Path) -> None:
    assert main(["--roles", str(roles)]) == 0
    text = (roles / "door" / "README.md").read_text()
    assert text == f"# door\n\n{BEGIN}\n\n{TABLE}\n{END}\n\nThe end.\n"
    assert main(["--check", "--roles", str(roles)]) == 0
    assert main(["--roles", str(roles)]) == 0
    assert (roles / "door" / "README.md").read_text() == text


def test_a_role_without_variables_says_so(roles: Path) -> None:
    path = roles / "door" / "meta" / "argument_specs.yml"
    path.write_text("argument_specs: {main: {short_description: Nothing to choose}}\n")
    assert table(read_specs(path)) == "This role takes no variables.\n"


@pytest.mark.parametrize("text", ["# door\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n"])
def test_a_readme_without_a_place_for_the_table_is_refused(
    roles: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (roles / "door" / "README.md").write_text(text)
    assert main(["--roles", str(roles)]) == RoleDocumentError.exit_code
    assert f"{roles}/door/README.md: WR-801" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        ("argument_specs: [", "WR-801"),
        ("argument_specs: {main: {short_description: x, options: {a: {type: str}}}}", "description"),
        ("argument_specs: {main: {short_description: x, options: {a: {description: y, typ: str}}}}", "typ"),
    ],
)
def test_a_specification_that_cannot_be_read_is_named(roles: Path, damage: str, word: str) -> None:
    path = roles / "door" / "meta" / "argument_specs.yml"
    path.write_text(damage)
    with pytest.raises(RoleDocumentError) as caught:
        read_specs(path)
    assert str(caught.value).startswith(f"{path}: WR-801")
    assert word in str(caught.value)


def test_a_missing_readme_is_refused(roles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (roles / "door" / "README.md").unlink()
    assert main(["--check", "--roles", str(roles)]) == RoleDocumentError.exit_code
    assert "README.md" in capsys.readouterr().err
