"""The rules of the zone gateway's role, as the kernel lists them, are proved to be the design."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from benchmarks.gateway import gateway_rules
from tests.integration.packet_lab import run
from tests.integration.small_project import ROOT
from tests.unit.hospital_samples import design, hospital
from wardround.design.variable import surroundings, value_of
from wardround.load.project import Project
from wardround.model.design import Design
from wardround.model.source import FromFlows, FromZones
from wardround.proof.listing import read_ruleset
from wardround.proof.prove import prove_gateway
from wardround.proof.result import Kind
from wardround.verbs.opening import load_design

pytestmark = pytest.mark.integration

HOSPITALS = Project(ROOT).hospitals()
RULE_INPUT = TypeAdapter(list[dict[str, Any]])


def of_design(resolved: Design) -> str:
    """Give the file for a design, as an architecture asks for its variables that has the role."""
    around = surroundings(hospital(), {}, resolved.hosts, resolved.zones, resolved.flows)
    host = resolved.managed_hosts()[0]
    flows = value_of(FromFlows(flows="forwarded"), "any", host, around)
    zones = value_of(FromZones(zones=("internal",)), "any", host, around)
    return gateway_rules(RULE_INPUT.validate_python(flows), RULE_INPUT.validate_python(zones))


def listed(rules: str) -> str:
    """Load rules where nobody else sees them and give the kernel's listing."""
    return run("unshare", "--net", "sh", "-c", "nft -f - && nft -j list ruleset", text=rules)


@pytest.mark.parametrize(
    "resolved", [design(), *(load_design(Project(ROOT), name) for name in HOSPITALS)], ids=["sample", *HOSPITALS]
)
def test_rules_and_design_agree_until_a_flow_is_closed(resolved: Design) -> None:
    rules = of_design(resolved)
    assert prove_gateway(resolved, read_ruleset(listed(rules))).agrees
    closed = next(line for line in rules.splitlines() if " accept comment " in line)
    flow = closed.split('"')[-2]
    found = prove_gateway(resolved, read_ruleset(listed(rules.replace(closed, "")))).differences()
    assert {(each.kind, each.flows) for each in found} == {(Kind.DENIED, (flow,))}
