"""What reference architectures promise: every name in them leads to a role, tag, variable or known requirement."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from wardround.load.device_models import load_device_models
from wardround.load.library import FOLDER, LibraryArchitecture
from wardround.load.project import Project
from wardround.load.roles import load_roles
from wardround.load.yaml_document import parse_document
from wardround.model.architecture import Architecture, Asked
from wardround.model.source import Variables
from wardround.report.role_readme import read_specs
from wardround.verbs.opening import check_consistency, load_design

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project(ROOT)
LABELS = [(name, version) for name in PROJECT.library.names() for version in PROJECT.library.versions(name)]
FRAMEWORKS = json.loads((ROOT / FOLDER / "frameworks.json").read_text(encoding="utf-8"))
HIPAA = re.compile(r"164\.(3(06|08|10|12|14|16)|502|514)(\([a-z]\))?(\([0-9]\))?(\([ivx]+\))?(\([A-Z]\))?")
CIS_DEBIAN = "cis_debian12_v1.1.0"

each_architecture = pytest.mark.parametrize(("name", "version"), LABELS, ids=[" ".join(label) for label in LABELS])


def get(name: str, version: str) -> Architecture:
    return PROJECT.library.get(name, version).architecture


def with_what_it_requires(name: str, version: str) -> tuple[LibraryArchitecture, ...]:
    document = parse_document(json.dumps({"architecture": {name: version}}).encode(), "contract.yml")
    return PROJECT.library.resolve(document, {name: version})


def blocks(architecture: Architecture) -> list[tuple[str, Variables]]:
    """Give the variables that each part of an architecture sets."""
    return [
        ("everywhere", architecture.everywhere.variables),
        *((name, component.variables) for name, component in architecture.components.items()),
    ]


def roles_in_reach(name: str, version: str) -> list[str]:
    return sorted({role for each in with_what_it_requires(name, version) for role in each.architecture.roles})


def variables_in_reach(name: str, version: str) -> set[str]:
    roles = load_roles(ROOT, tuple(roles_in_reach(name, version)))
    return {variable for role in roles.values() for variable in role.variables}


def test_there_are_architectures() -> None:
    assert ("baseline", "1.0.0") in LABELS


@each_architecture
def test_every_name_in_it_is_declared_by_it_or_by_what_it_requires(name: str, version: str) -> None:
    check_consistency(with_what_it_requires(name, version))


@each_architecture
def test_every_role_it_names_exists(name: str, version: str) -> None:
    architecture = get(name, version)
    used = {*architecture.roles, *architecture.everywhere.roles}
    used |= {role for component in architecture.components.values() for role in component.roles}
    assert sorted(role for role in used if not (ROOT / "roles" / role / "tasks" / "main.yml").is_file()) == []


@each_architecture
def test_a_role_that_it_orders_is_used_by_something(name: str, version: str) -> None:
    reach = [each.architecture for each in with_what_it_requires(name, version)]
    used = {role for each in reach for role in each.everywhere.roles}
    used |= {role for each in reach for component in each.components.values() for role in component.roles}
    assert sorted(set(get(name, version).roles) - used) == []


@each_architecture
def test_every_variable_it_sets_belongs_to_one_of_its_roles(name: str, version: str) -> None:
    known = variables_in_reach(name, version)
    strange = {
        f"{part}.{variable}"
        for part, variables in blocks(get(name, version))
        for variable in variables
        if variable not in known
    }
    assert sorted(strange) == []


@each_architecture
def test_every_variable_it_sets_reaches_a_host_that_has_the_role(name: str, version: str) -> None:
    """A variable of a role that the host does not have would be set and never read."""
    architecture = get(name, version)
    reach = with_what_it_requires(name, version)
    everywhere = {role for each in reach for role in each.architecture.everywhere.roles}
    lost = []
    for part, variables in blocks(architecture):
        own = set(architecture.components[part].roles) if part in architecture.components else set()
        owners = {
            variable: role
            for role in load_roles(ROOT, tuple(sorted(everywhere | own))).values()
            for variable in role.variables
        }
        lost += [f"{part}.{variable}" for variable in variables if variable not in owners]
    assert lost == []


@each_architecture
def test_every_evidence_is_a_tag_of_its_role(name: str, version: str) -> None:
    wrong = []
    for control in get(name, version).controls:
        for evidence in control.evidence:
            role, _, tag = evidence.partition(":")
            if evidence.startswith(("attestation: ", "elsewhere: ", "F-", "P-")):
                continue
            if tag not in load_roles(ROOT, (role,))[role].tags:
                wrong.append(f"{control.id}: {evidence}")
    assert wrong == []


@each_architecture
def test_every_requirement_it_maps_to_exists(name: str, version: str) -> None:
    unknown = [
        f"{control.id}: {framework} {requirement}"
        for control in get(name, version).controls
        for framework, requirements in control.maps.items()
        for requirement in requirements
        if not known_requirement(framework, requirement)
    ]
    assert unknown == []


def known_requirement(framework: str, requirement: str) -> bool:
    """Say whether a framework has the requirement; of those whose lists we hold no copy of, its form is checked."""
    if framework == "hipaa_164":
        return HIPAA.fullmatch(requirement) is not None
    if framework == "other":
        benchmark = re.match(r"CISDEB12:([0-9.,]+)", requirement)
        return benchmark is None or set(benchmark[1].split(",")) <= set(FRAMEWORKS[CIS_DEBIAN])
    return requirement in FRAMEWORKS.get(framework, ())


@each_architecture
def test_controls_and_probes_have_ids_of_their_own(name: str, version: str) -> None:
    reach = [each.architecture for each in with_what_it_requires(name, version)]
    ids = Counter(control.id for each in reach for control in each.controls)
    ids += Counter(probe.id for each in reach for probe in each.probes)
    ids += Counter(flow.id for each in reach for flow in each.flows)
    assert sorted(each for each, count in ids.items() if count > 1) == []


@each_architecture
def test_every_secret_is_a_variable_of_some_role(name: str, version: str) -> None:
    assert sorted(set(get(name, version).secrets) - variables_in_reach(name, version)) == []


@each_architecture
def test_a_secret_is_never_set_by_the_design(name: str, version: str) -> None:
    architecture = get(name, version)
    assert [part for part, variables in blocks(architecture) if set(variables) & set(architecture.secrets)] == []


def test_the_lists_of_requirements_say_where_they_come_from() -> None:
    assert FRAMEWORKS["_source"].startswith("ids only")
    assert all(len(set(ids)) == len(ids) for name, ids in FRAMEWORKS.items() if name != "_source")


@pytest.mark.parametrize("hospital", PROJECT.hospitals())
def test_every_hospital_resolves_and_gives_each_role_what_it_demands(hospital: str) -> None:
    design = load_design(PROJECT, hospital)
    roles = load_roles(ROOT, tuple(sorted({role for host in design.hosts for role in host.roles})))
    for host in design.managed_hosts():
        known = {variable for role in host.roles for variable in roles[role].variables}
        assert sorted(set(host.variables) - known) == [], host.name
        secrets = {secret.variable for secret in design.secrets}
        missing = {
            variable
            for role in host.roles
            for variable in required_variables(role)
            if variable not in host.variables and variable not in secrets
        }
        assert sorted(missing) == [], host.name


@pytest.mark.parametrize("hospital", PROJECT.hospitals())
def test_every_device_is_of_a_model_that_the_catalogue_knows(hospital: str) -> None:
    known = load_device_models(ROOT).models
    design = load_design(PROJECT, hospital)
    components = {
        name: component
        for pinned in design.architectures
        for name, component in get(pinned.name, pinned.version).components.items()
    }
    devices = [host for host in design.hosts if Asked.MODEL in components[host.component].asks]
    assert {host.name: host.model for host in devices if host.model not in known} == {}


def required_variables(role: str) -> list[str]:
    specs = read_specs(ROOT / "roles" / role / "meta" / "argument_specs.yml").argument_specs["main"]
    return [name for name, option in specs.options.items() if option.required]


def rows(name: str) -> dict[str, dict[str, str]]:
    """Give a table of the catalogue by id."""
    with (ROOT / FOLDER / "catalogue" / name).open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_rows_of_the_catalogue_say_how_sure_they_are() -> None:
    flows, controls = rows("flows.csv"), rows("controls.csv")
    assert {row["port_basis"] for row in flows.values() if row["action"] == "allow"} <= {
        "registered",
        "convention",
        "vendor",
        "site",
    }
    assert {row["confidence"] for row in controls.values()} <= {"H", "M", "L"}


@each_architecture
def test_every_flow_and_control_of_it_stands_in_the_catalogue(name: str, version: str) -> None:
    architecture = get(name, version)
    assert sorted({flow.id for flow in architecture.flows} - rows("flows.csv").keys()) == []
    assert sorted({control.id for control in architecture.controls} - rows("controls.csv").keys()) == []


@each_architecture
def test_a_control_says_what_the_catalogue_says_of_it(name: str, version: str) -> None:
    known = rows("controls.csv")
    differing = [
        control.id
        for control in get(name, version).controls
        if (control.title, control.confidence, ",".join(control.maps.get("iso27001_2022_annex_a", ())))
        != tuple(known[control.id][key] for key in ("title", "confidence", "iso27001"))
    ]
    assert differing == []
