"""The proof on a whole hospital: the design holds, and what is opened or closed by hand is named on both ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.twin.small_hospital import HOSTS, NAME, Answer, SmallHospital

pytestmark = [pytest.mark.twin, pytest.mark.timeout(600)]


def prove(hospital: SmallHospital) -> Answer:
    return hospital.call("--json", "prove", NAME, "--twin")


@contextmanager
def rule(hospital: SmallHospital, host: str, *words: str) -> Iterator[None]:
    """Put a rule in front of a host's own for a while, by hand."""
    chain = ("inet", "wardround", "input")
    assert hospital.host(host, "nft", "insert", "rule", *chain, *words).code == 0
    try:
        yield
    finally:
        listed = hospital.host(host, "nft", "--handle", "list", "chain", *chain).out
        (handle,) = [line.rpartition("# handle ")[2] for line in listed.splitlines() if "by-hand" in line]
        assert hospital.host(host, "nft", "delete", "rule", *chain, "handle", handle.strip()).code == 0


def test_rules_and_connections_are_the_design(hardened: SmallHospital) -> None:
    seen = prove(hardened)
    assert seen.code == 0, seen.out + seen.err
    assert seen.data["findings"] == []
    assert seen.data["coverage"]["hosts_seen"] == len(HOSTS)
    standings = Counter(attempt["standing"] for attempt in seen.data["attempts"])
    assert standings["differs"] == 0
    # Datagrams to ports on which nothing answers say nothing, and no more than those.
    unclear = [attempt for attempt in seen.data["attempts"] if attempt["standing"] == "unknown"]
    assert {attempt["protocol"] for attempt in unclear} == {"udp"}
    allowed = [attempt for attempt in seen.data["attempts"] if attempt["flows"]]
    assert {attempt["end"] for attempt in allowed} == {"connected", "answered"}
    assert len(allowed) > 3 * len(HOSTS)


def places(found: Answer) -> set[tuple[str, str]]:
    """Give host and what each finding is about."""
    findings: list[dict[str, Any]] = found.data["findings"]
    return {(finding["host"], finding["resource"]) for finding in findings}


def test_a_flow_that_was_closed_by_hand_is_named_on_both_ways(hardened: SmallHospital) -> None:
    # New connections only: 6514 may also be the port to which somebody answers.
    words = ("ct", "state", "new", "tcp", "dport", "6514", "drop", "comment", "by-hand")
    with rule(hardened, "log01", *words):
        seen = prove(hardened)
    assert seen.code == 2, seen.out + seen.err
    senders = {host for host in HOSTS if host != "log01"}
    assert places(seen) == {
        *((host, f"{host} → log01 tcp/6514 (syslog_tls)") for host in senders),
        *(("log01", f"{zone} → security_operations: syslog_tls (F-LOG-01)") for zone in ("infrastructure", "patch")),
    }


def test_a_port_that_was_opened_by_hand_is_named(hardened: SmallHospital) -> None:
    with rule(hardened, "ca01", "ip", "saddr", "10.77.1.12", "tcp", "dport", "53", "accept", "comment", "by-hand"):
        seen = prove(hardened)
    assert seen.code == 2, seen.out + seen.err
    assert ("ca01", "infrastructure → infrastructure: dns") in places(seen)
    assert {host for host, _ in places(seen)} == {"ca01"}


def test_what_is_mended_is_resolved(hardened: SmallHospital) -> None:
    assert prove(hardened).code == 0
    known = hardened.call("--json", "findings", NAME).data["findings"]
    assert [finding for finding in known if finding["role"] == "proof"] == []
