"""The rules that a design gives its gateway, as the kernel lists them, are proved to be the design."""

from __future__ import annotations

import pytest

from tests.integration.packet_lab import run
from tests.integration.small_project import ROOT
from tests.unit.hospital_samples import design
from wardround.load.project import Project
from wardround.model.design import Design
from wardround.proof.listing import read_ruleset
from wardround.proof.prove import prove_gateway
from wardround.proof.result import Kind
from wardround.render.gateway import forward_rules
from wardround.verbs.opening import load_design

pytestmark = pytest.mark.integration

HOSPITALS = Project(ROOT).hospitals()


def listed(rules: str) -> str:
    """Load rules where nobody else sees them and give the kernel's listing."""
    return run("unshare", "--net", "sh", "-c", "nft -f - && nft -j list ruleset", text=rules)


@pytest.mark.parametrize(
    "resolved", [design(), *(load_design(Project(ROOT), name) for name in HOSPITALS)], ids=["sample", *HOSPITALS]
)
def test_rules_and_design_agree_until_one_flow_is_closed_and_one_opened(resolved: Design) -> None:
    rules = forward_rules(resolved)
    assert prove_gateway(resolved, read_ruleset(listed(rules))).agrees

    closed = next(line for line in rules.splitlines() if "comment" in line and "accept" in line)
    flow = closed.split('"')[1]
    opened = 'ip saddr 198.18.0.1 tcp dport 65001 accept comment "by hand"'
    changed = rules.replace(closed, closed.replace(" accept ", " drop ")).replace(
        "    limit", f"    {opened}\n    limit"
    )
    found = list(prove_gateway(resolved, read_ruleset(listed(changed))).differences())
    assert {each.flows for each in found if each.kind is Kind.DENIED} == {(flow,)}
    assert {each.decision.comment for each in found if each.kind is Kind.ALLOWED} == {"by hand"}
    assert {each.kind for each in found} == {Kind.DENIED, Kind.ALLOWED}
