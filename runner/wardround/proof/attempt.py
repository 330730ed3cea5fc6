"""Connections to try between managed hosts, and what their ends say about the design's flows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from wardround.design.device_port import SITE
from wardround.model.architecture import Protocol
from wardround.proof.expectation import Expected, expected_flows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from wardround.model.design import Design, DesignHost

QUESTIONS: Final = {
    # The name servers of the root (RFC 1035 section 4), not recursive: any name server answers or refuses.
    53: "1d0a00000001000000000000" + "00" + "00020001",
    # A client's packet, version 4 (RFC 5905 section 7.3).
    123: "23" + "00" * 47,
}
"""Datagrams that a server answers whatever it holds, in hexadecimal by UDP port."""
_NUMBERS: Final = {Protocol.TCP: 6, Protocol.UDP: 17}


class End(StrEnum):
    """How an attempt ended, as the host that made it saw it."""

    CONNECTED = "connected"
    ANSWERED = "answered"
    REFUSED = "refused"
    SILENT = "silent"
    NOT_SENT = "not sent"


class Standing(StrEnum):
    """What an attempt says about the design."""

    HOLDS = "holds"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection to try: a TCP handshake, or a datagram; `flows` are those that allow it, none if none does."""

    source: str
    destination: str
    address: str
    protocol: Protocol
    port: int
    service: str
    flows: tuple[str, ...]

    @property
    def question(self) -> str:
        """The datagram to send, in hexadecimal; empty for TCP, and where nothing is known that would be answered."""
        return QUESTIONS.get(self.port, "") if self.protocol is Protocol.UDP else ""

    @property
    def can_tell(self) -> bool:
        """Whether its end says anything: nobody answers a datagram without a question."""
        return self.protocol is Protocol.TCP or bool(self.question)

    def __str__(self) -> str:
        """Write it as `pacs01 → log01 tcp/6514 (syslog_tls)`."""
        return f"{self.source} → {self.destination} {self.protocol.value}/{self.port} ({self.service})"


@dataclass(frozen=True, slots=True)
class Judged:
    """An attempt, how it ended (none if it was not made), and what that says."""

    attempt: Attempt
    end: End | None
    standing: Standing
    reason: str


def attempts(design: Design) -> tuple[Attempt, ...]:
    """Give every attempt from each managed host to each other one, for every service of the design.

    Nothing is ever sent to a device: only managed hosts are destinations. A range of ports is tried at both ends.
    """
    expected = expected_flows(design)
    hosts = design.managed_hosts()
    doors = _doors(design)
    return tuple(
        Attempt(
            source.name,
            destination.name,
            str(destination.address),
            protocol,
            port,
            service,
            _allowing(expected, source, destination, (protocol, port)),
        )
        for source in hosts
        for destination in hosts
        if source.address != destination.address
        for (protocol, port), service in doors.items()
    )


def judged(tried: Iterable[Attempt], ends: Mapping[Attempt, End], unreached: Mapping[str, str]) -> tuple[Judged, ...]:
    """Say of each attempt what its end means.

    Args:
        tried: the attempts that were meant to be made.
        ends: how those ended that were made.
        unreached: hosts that could make none, with the reason.
    """
    everything = tuple(tried)
    talkers = {(each.address, each.port) for each, end in ends.items() if end is End.ANSWERED}
    return tuple(_judge(each, ends.get(each), talkers, unreached.get(each.source, "")) for each in everything)


def _judge(attempt: Attempt, end: End | None, talkers: Collection[tuple[str, int]], unreached: str) -> Judged:
    if end is None:
        return Judged(attempt, None, Standing.UNKNOWN, unreached or "its host did not say how it ended")
    if attempt.flows:
        return Judged(attempt, end, *_judge_allowed(attempt, end))
    return Judged(attempt, end, *_judge_forbidden(attempt, end, talkers))


def _judge_allowed(attempt: Attempt, end: End) -> tuple[Standing, str]:
    by = ", ".join(attempt.flows)
    match end:
        case End.CONNECTED | End.ANSWERED:
            return Standing.HOLDS, ""
        case End.REFUSED:
            return Standing.DIFFERS, f"{by} allows it; it arrives, but nothing listens there"
        case _ if not attempt.can_tell:
            return Standing.UNKNOWN, "nothing is known to send that would be answered"
        case _:
            return Standing.DIFFERS, f"{by} allows it, yet it was {end.value}"


def _judge_forbidden(attempt: Attempt, end: End, talkers: Collection[tuple[str, int]]) -> tuple[Standing, str]:
    if end in {End.CONNECTED, End.ANSWERED, End.REFUSED}:
        return Standing.DIFFERS, f"no flow allows it, yet it was {end.value}"
    if attempt.protocol is Protocol.UDP and (attempt.address, attempt.port) not in talkers:
        return Standing.UNKNOWN, "nothing there answers datagrams, so silence says nothing"
    return Standing.HOLDS, ""


def _doors(design: Design) -> dict[tuple[Protocol, int], str]:
    """Give each protocol and port of the design with the service that it is of, in the order of their numbers.

    A flow whose devices a hospital does not have may have a port that nobody knows.
    """
    found: dict[tuple[Protocol, int], str] = {}
    for flow in design.flows:
        for protocol in flow.protocols:
            for port in (each for each in flow.ports if each != SITE):
                for edge in dict.fromkeys((int(port.partition("-")[0]), int(port.rpartition("-")[2]))):
                    found.setdefault((protocol, edge), flow.service)
    return dict(sorted(found.items(), key=lambda each: (each[0][0].value, each[0][1])))


def _allowing(
    expected: Iterable[Expected], source: DesignHost, destination: DesignHost, door: tuple[Protocol, int]
) -> tuple[str, ...]:
    protocol, port = door
    return tuple(
        flow.flow
        for flow in expected
        if int(source.address) in flow.sources
        and int(destination.address) in flow.destinations
        and _NUMBERS[protocol] in flow.protocols
        and port in flow.ports
    )
