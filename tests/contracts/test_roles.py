"""What every role promises: one truth about its variables, documents, a scenario, and tags that name one thing only."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from wardround.report.role_readme import Option, read_specs, with_table

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
NAMES = [role.name for role in ROLES]

each_role = pytest.mark.parametrize("role", ROLES, ids=NAMES)


def load(path: Path) -> object:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def mapping(path: Path) -> dict[str, object]:
    content = load(path) if path.is_file() else {}
    if content is None:
        return {}
    assert isinstance(content, dict), f"{path} is not a mapping"
    return content


def imports(role: Path) -> list[dict[str, object]]:
    content = load(role / "tasks" / "main.yml")
    assert isinstance(content, list)
    assert content, f"{role.name}/tasks/main.yml does nothing"
    return content


def tags_of(task: Mapping[str, object]) -> list[str]:
    tags = task.get("tags", [])
    return [tags] if isinstance(tags, str) else [str(tag) for tag in tags] if isinstance(tags, list) else []


def main_options(role: Path) -> dict[str, Option]:
    specs = read_specs(role / "meta" / "argument_specs.yml").argument_specs
    assert list(specs) == ["main"], "one way in"
    return specs["main"].options


def every_option(options: Mapping[str, Option], prefix: str = "") -> Iterator[tuple[str, Option]]:
    for name, option in options.items():
        yield f"{prefix}{name}", option
        yield from every_option(option.options, f"{prefix}{name}.")


def test_there_are_roles() -> None:
    assert ROLES


@each_role
def test_defaults_are_what_the_specification_says(role: Path) -> None:
    declared = {name: option.default for name, option in main_options(role).items() if option.has_default}
    assert mapping(role / "defaults" / "main.yml") == declared


@each_role
def test_a_variable_is_required_or_has_a_default(role: Path) -> None:
    neither = [name for name, option in main_options(role).items() if option.required == option.has_default]
    assert neither == []


@each_role
def test_variables_carry_the_role_name_and_are_described(role: Path) -> None:
    options = main_options(role)
    assert [name for name in options if not name.startswith(f"{role.name}_")] == []
    assert [name for name, option in every_option(options) if not "".join(option.description).strip()] == []


@each_role
def test_lists_say_what_they_hold(role: Path) -> None:
    lists = {name: option for name, option in every_option(main_options(role)) if option.type == "list"}
    assert [name for name, option in lists.items() if option.elements is None] == []


@each_role
def test_the_readme_table_is_fresh(role: Path) -> None:
    readme = role / "README.md"
    text = readme.read_text(encoding="utf-8")
    fresh = with_table(text, read_specs(role / "meta" / "argument_specs.yml"), path=str(readme))
    assert text == fresh, "run `make docs`"


@each_role
def test_the_readme_has_words_of_its_own(role: Path) -> None:
    before, _, _ = (role / "README.md").read_text(encoding="utf-8").partition("<!-- argument_specs -->")
    assert before.startswith(f"# {role.name}\n")
    assert len(before.split()) > 20, "say what the role is for"


@each_role
def test_the_description_for_ansible_is_complete(role: Path) -> None:
    info = mapping(role / "meta" / "main.yml").get("galaxy_info")
    assert isinstance(info, dict)
    assert info["role_name"] == role.name
    assert info["namespace"] == info["author"] == "wardround"
    assert info["license"] == "Apache-2.0"
    assert info["min_ansible_version"] == "2.19"
    assert info["platforms"] == [{"name": "Debian", "versions": ["bookworm", "trixie"]}]
    assert info["description"]


@each_role
def test_no_role_depends_on_another(role: Path) -> None:
    assert mapping(role / "meta" / "main.yml").get("dependencies", []) == []


@each_role
def test_the_scenario_verifies_with_something_else_and_plants_a_fault(role: Path) -> None:
    scenario = ROOT / "molecule" / role.name
    expected = {"molecule.yml", "converge.yml", "fault.yml", f"test_{role.name}.py"}
    assert expected - {path.name for path in scenario.glob("*")} == set()


@each_role
def test_main_only_imports_and_each_import_names_one_component(role: Path) -> None:
    for task in imports(role):
        assert set(task) <= {"name", "ansible.builtin.import_tasks", "tags", "when", "become"}, task
        assert "ansible.builtin.import_tasks" in task, task
        tags = set(tags_of(task))
        assert tags, task
        assert len(tags - {"always"}) <= 1, task


@each_role
def test_every_tasks_file_is_reached(role: Path) -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in role.glob("**/tasks/*.yml"))
    assert [
        path.name for path in (role / "tasks").glob("*.yml") if path.name != "main.yml" and path.name not in texts
    ] == []


def test_a_tag_means_one_component_of_one_role() -> None:
    users: dict[str, list[str]] = defaultdict(list)
    for role in ROLES:
        for tag in {tag for task in imports(role) for tag in tags_of(task)} - {"always"}:
            users[tag].append(role.name)
    assert {tag: roles for tag, roles in users.items() if len(roles) > 1} == {}
    assert sorted(set(users) & set(NAMES)) == [], "a tag that is also a role's name selects more than it says"


def test_a_handler_name_is_used_once() -> None:
    users: dict[str, list[str]] = defaultdict(list)
    for role in ROLES:
        for path in sorted(role.glob("handlers/*.yml")):
            handlers = load(path)
            assert isinstance(handlers, list), path
            for handler in handlers:
                assert handler["name"].startswith(f"{role.name.capitalize()} | "), f"{path}: {handler['name']}"
                users[handler["name"]].append(role.name)
    assert {name: roles for name, roles in users.items() if len(roles) > 1} == {}


@each_role
def test_roles_know_no_hospital_and_no_other_role(role: Path) -> None:
    foreign = {"groups[", "hostvars[", "group_names"}
    for path in sorted((role / "tasks").glob("*.yml")) + sorted((role / "templates").glob("**/*.j2")):
        text = path.read_text(encoding="utf-8")
        assert [word for word in foreign if word in text] == [], path
        assert "import_role" not in text, path
        assert "include_role" not in text, path


def test_sets_are_sorted_or_only_counted() -> None:
    # Ansible's set filters give another order in each run, which rewrites a file that nobody changed.
    files = [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("roles/*/templates/*"), *ROOT.glob("playbooks/**/*.yml")]
    unordered = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\|\s*(union|intersect|difference|symmetric_difference)\(", line)
        and not re.search(r"\|\s*(sort|length)\b", line)
    ]
    assert unordered == []
