"""The points of the reference architectures, decided from what a run leaves."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.architecture_points import (
    BAD_INPUT,
    CONTRACTS,
    DOCUMENTS,
    PACKETS,
    PLANTED,
    REFUSED,
    Evidence,
    decide,
)
from tests.acceptance.architectures import roles_beside_the_baseline
from tests.acceptance.points import Ran

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
DEMO = (
    "14 hosts: applied 900 changes; second apply changed 0; "
    "19 faults planted; the same 19 found, no other; remedied; clean\n"
    "5 probes answered; every flow proved both ways in 9000 checks; the 2 flows changed by hand named, no other\n"
)
PROOF = [{"zones": zones, "render": 0.1, "prove": 1.0, "mebibytes": 20.0} for zones in (10, 100, 500)]
GATEWAY = [{"flows": 5000, "load": 1.5, "ratio": 3.0}]
TESTS = (*REFUSED, *PACKETS, *PLANTED, *BAD_INPUT, *CONTRACTS, *DOCUMENTS)
WHOLE = Evidence(
    demo=Ran(0, 900.0, DEMO),
    pinned=("baseline", "cloud_erp_link", "community_hospital", "iomt_network", "laboratory", "pacs"),
    outcomes=dict.fromkeys(TESTS, "passed"),
    roles=("egress_proxy", "zone_gateway"),
    molecule=Ran(0, 300.0, "molecule egress_proxy         91 s  ok\nmolecule zone_gateway        120 s  ok\n"),
    proof=Ran(0, 9.0, json.dumps({"proof": PROOF})),
    gateway=Ran(0, 9.0, json.dumps({"gateway": GATEWAY})),
)


def failed(evidence: Evidence) -> list[str]:
    """Give the names of the points that do not hold."""
    return [point.name for point in decide(evidence) if not point.holds]


def test_every_point_holds_where_everything_was_seen() -> None:
    assert failed(WHOLE) == []


@pytest.mark.parametrize(
    "demo",
    [
        Ran(1, 900.0, DEMO),
        Ran(0, 900.0, DEMO.partition("\n")[0]),
        Ran(0, 900.0, DEMO.replace("changed 0", "changed 1")),
        Ran(0, 900.0, DEMO.replace("the 2 flows", "the 1 flow")),
        Ran(0, 900.0, DEMO.replace("; the 2 flows changed by hand named, no other", "")),
        Ran(0, 900.0, DEMO.replace("5 probes answered; ", "")),
        Ran(0, 900.0, DEMO.replace("5 probes", "0 probes")),
    ],
)
def test_a_demonstration_shows_all_of_it(demo: Ran) -> None:
    assert failed(replace(WHOLE, demo=demo)) == ["make demo of the community hospital"]


def test_a_hospital_of_fewer_architectures_is_not_the_whole() -> None:
    assert failed(replace(WHOLE, pinned=("baseline", "pacs"))) == ["make demo of the community hospital"]


@pytest.mark.parametrize("test", TESTS)
def test_what_a_point_needs_is_a_test(test: str) -> None:
    file, _, name = test.partition("::")
    found = re.findall(r"^def (test_\w+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert name.partition("[")[0] in found


@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_did_not_pass_fails_its_point(test: str) -> None:
    for outcomes in ({**WHOLE.outcomes, test: "skipped"}, {each: "passed" for each in TESTS if each != test}):
        assert len(failed(replace(WHOLE, outcomes=outcomes))) == 1


def test_a_role_without_a_scenario_that_passed_fails() -> None:
    assert failed(replace(WHOLE, roles=("egress_proxy", "lis"))) == ["a Molecule scenario for each role"]
    assert failed(replace(WHOLE, roles=())) == ["a Molecule scenario for each role"]


def test_a_size_that_was_not_measured_fails() -> None:
    fewer = Ran(0, 9.0, json.dumps({"proof": PROOF[:2]}))
    assert failed(replace(WHOLE, proof=fewer)) == ["benchmarks"]
    assert failed(replace(WHOLE, gateway=Ran(0, 9.0, "nothing"))) == ["benchmarks"]
    assert failed(replace(WHOLE, gateway=replace(WHOLE.gateway, code=1))) == ["benchmarks"]


def architecture(name: str, everywhere: list[str], **components: list[str]) -> dict[str, object]:
    return {
        "name": name,
        "everywhere": {"roles": everywhere},
        "components": {component: {"roles": roles} for component, roles in components.items()},
    }


def test_roles_of_the_baseline_are_left_out() -> None:
    baseline = architecture("baseline", ["accounts"], mirror=["patch_mirror"])
    pacs = architecture("pacs", [], archive=["pacs_archive", "patch_mirror"], station=[])
    assert roles_beside_the_baseline([baseline, pacs]) == ("pacs_archive",)
