"""Two mistakes of a person at a gateway, which must be found: a forbidden flow opened, an allowed one closed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from wardround.design.network import GATEWAY_COMPONENT
from wardround.model.architecture import Protocol
from wardround.proof.attempt import attempts
from wardround.proof.expectation import expected_flows
from wardround.proof.result import Kind

if TYPE_CHECKING:
    from wardround.model.design import Design
    from wardround.proof.attempt import Attempt

_CHAIN: Final = "inet wardround_gateway forward"
"""Where the role zone_gateway decides what passes between zones."""
_TCP: Final = 6


class Change(StrEnum):
    """Whether packets pass now that no flow allows, or a flow's packets do not pass any more."""

    OPENED = "opened"
    CLOSED = "closed"


_KINDS: Final = {Change.OPENED: Kind.ALLOWED, Change.CLOSED: Kind.DENIED}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What a person did to a gateway's rules.

    Attributes:
        change: what became of the flow.
        attempt: a connection that comes about now and should not, or that should and does not.
        source: the zone where it starts.
        destination: the zone where it ends.
        match: what the rule that was put in matches, in nftables' words; empty where a rule was taken away.
    """

    change: Change
    attempt: Attempt
    source: str
    destination: str
    match: str = ""

    @property
    def difference(self) -> tuple[Kind, str, str, str]:
        """What a proof must find: kind, source, destination and service."""
        return _KINDS[self.change], self.source, self.destination, self.attempt.service

    @property
    def connection(self) -> tuple[str, str, str]:
        """Both hosts and the service."""
        return self.attempt.source, self.attempt.destination, self.attempt.service

    @property
    def command(self) -> str:
        """The shell command that makes the mistake."""
        if self.change is Change.OPENED:
            return f"nft insert rule {_CHAIN} {self.match} accept"
        handles = f"nft --handle list chain {_CHAIN} | sed -n 's/.*comment \"{self._flow}\" # handle //p'"
        return f"{handles} | xargs -n 1 nft delete rule {_CHAIN} handle"

    def is_rule(self, line: str) -> bool:
        """Whether a line in which the gateway's role says how its rules differ speaks of this mistake."""
        if self.change is Change.OPENED:
            return line == f"undeclared: {_CHAIN}: {self.match} accept"
        return line.startswith(f"missing: {_CHAIN}: ") and line.endswith(f'comment "{self._flow}"')

    @property
    def _flow(self) -> str:
        return self.attempt.flows[0]

    def __str__(self) -> str:
        """Write it as `opened log01 → pacs01 tcp/2762 (dicom_tls), which no flow allows`."""
        return f"{self.change.value} {self.attempt}, which {', '.join(self.attempt.flows) or 'no flow'} allows"


def mistakes(design: Design, seed: int) -> tuple[Mistake, ...]:
    """Choose a flow to open and one to close, the same for the same seed; fewer where the design has none to choose.

    What is closed is something that a probe asks, where the design has one, so that a clinical question fails as well.
    """
    dice = random.Random(seed)  # noqa: S311  repeatable on purpose; nothing secret depends on it
    zones = {host.name: host.zone for host in design.hosts}
    routed = [each for each in _unmistakable(design) if _passes_gateway(each, design, zones)]
    forbidden = [each for each in routed if not each.flows]
    allowed = [each for each in routed if _is_of_two_hosts(each, design)]
    probed = {(probe.source, probe.destination, probe.port) for probe in design.probes}
    asked = [each for each in allowed if (each.source, each.destination, each.port) in probed]
    addresses = {host.name: str(host.address) for host in design.hosts}
    found = []
    if forbidden:
        one = dice.choice(forbidden)
        match = f"ip saddr {addresses[one.source]} ip daddr {one.address} tcp dport {one.port}"
        found.append(Mistake(Change.OPENED, one, zones[one.source], zones[one.destination], match))
    if allowed:
        one = dice.choice(asked or allowed)
        found.append(Mistake(Change.CLOSED, one, zones[one.source], zones[one.destination]))
    return tuple(found)


def _passes_gateway(attempt: Attempt, design: Design, zones: dict[str, str]) -> bool:
    """Whether its packets are passed on: between zones, and neither from nor to the gateway itself."""
    gateways = {host.name for host in design.hosts if host.component == GATEWAY_COMPONENT}
    return zones[attempt.source] != zones[attempt.destination] and not gateways & {attempt.source, attempt.destination}


def _unmistakable(design: Design) -> list[Attempt]:
    """Give the attempts whose port belongs to one service only, so that a proof names one service for it."""
    flows = [flow for flow in expected_flows(design) if _TCP in flow.protocols]
    return [
        each
        for each in attempts(design)
        if each.protocol is Protocol.TCP and len({flow.service for flow in flows if each.port in flow.ports}) == 1
    ]


def _is_of_two_hosts(attempt: Attempt, design: Design) -> bool:
    """Whether exactly one flow allows it, from one host to one host: without it nothing else is closed."""
    flows = [flow for flow in design.flows if flow.id in attempt.flows]
    return len(flows) == 1 and len(flows[0].source_hosts) == len(flows[0].destination_hosts) == 1
