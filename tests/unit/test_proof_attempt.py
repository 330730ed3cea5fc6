"""Connections to try: what is tried, what never is, and what an end says about the design."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.hospital_samples import architecture_data, design, manifest
from wardround.model.architecture import Protocol
from wardround.model.design import Design
from wardround.proof.attempt import Attempt, End, Standing, attempts, judged

TALK = Attempt("srv01", "srv02", "10.0.1.12", Protocol.TCP, 443, "https", ("F-WRD-07",))
SILENCE = replace(TALK, flows=())
NAMES = replace(TALK, protocol=Protocol.UDP, port=53, service="dns")
RADIUS = replace(TALK, protocol=Protocol.UDP, port=1812, service="radius")


def two_servers() -> Design:
    """A hospital with two servers, of which only the flow to a zone and back speaks."""
    hospital, architecture = manifest(), architecture_data()
    hospital["hosts"]["srv02"] = {**hospital["hosts"]["srv01"], "address": "10.0.1.12"}
    architecture["flows"].append(
        {"id": "F-WRD-07", "from": ["server"], "to": ["server"], "service": "https", "purpose": "each other"}
    )
    return design(hospital, architecture)


def test_every_service_is_tried_between_managed_hosts_and_never_towards_a_device() -> None:
    found = attempts(two_servers())
    assert {each.destination for each in found} == {"srv01", "srv02"}
    assert {each.source for each in found} == {"srv01", "srv02"}
    tried = {(each.protocol, each.port): each.flows for each in found if each.source == "srv01"}
    assert tried == {
        (Protocol.TCP, 22): (),
        (Protocol.TCP, 53): ("F-WRD-02",),
        (Protocol.TCP, 443): ("F-WRD-07",),
        (Protocol.TCP, 8443): ("F-WRD-07",),
        (Protocol.UDP, 53): ("F-WRD-02",),
        (Protocol.UDP, 1812): (),
        (Protocol.UDP, 1813): (),
    }


def test_a_flow_to_the_outside_allows_nothing_inside() -> None:
    hospital = manifest()
    hospital["hosts"]["srv02"] = {**hospital["hosts"]["srv01"], "address": "10.0.1.12"}
    found = attempts(design(hospital))
    assert all("F-WRD-04" not in each.flows for each in found)


def test_a_port_that_only_devices_would_know_is_not_tried_where_there_are_none() -> None:
    architecture = architecture_data()
    architecture["components"]["pump"] = {**architecture["components"]["monitor"], "summary": "A pump"}
    architecture["services"]["pumping"] = {"protocols": ["tcp"], "ports": ["site", 4000], "standard": "vendor"}
    architecture["flows"].append(
        {"id": "F-WRD-07", "from": ["pump"], "to": ["server"], "service": "pumping", "purpose": "drugs"}
    )
    hospital = manifest()
    hospital["hosts"]["srv02"] = {**hospital["hosts"]["srv01"], "address": "10.0.1.12"}
    tried = {each.port for each in attempts(design(hospital, architecture)) if each.service == "pumping"}
    assert tried == {4000}


@pytest.mark.parametrize(
    ("attempt", "end", "standing", "words"),
    [
        (TALK, End.CONNECTED, Standing.HOLDS, ""),
        (TALK, End.REFUSED, Standing.DIFFERS, "nothing listens"),
        (TALK, End.SILENT, Standing.DIFFERS, "yet it was silent"),
        (TALK, End.NOT_SENT, Standing.DIFFERS, "yet it was not sent"),
        (TALK, None, Standing.UNKNOWN, "host is dead"),
        (SILENCE, End.SILENT, Standing.HOLDS, ""),
        (SILENCE, End.NOT_SENT, Standing.HOLDS, ""),
        (SILENCE, End.CONNECTED, Standing.DIFFERS, "no flow allows it"),
        # A refusal is an answer: the packet arrived.
        (SILENCE, End.REFUSED, Standing.DIFFERS, "no flow allows it"),
        (NAMES, End.ANSWERED, Standing.HOLDS, ""),
        (NAMES, End.SILENT, Standing.DIFFERS, "yet it was silent"),
        (RADIUS, End.SILENT, Standing.UNKNOWN, "nothing is known to send"),
        (replace(RADIUS, flows=()), End.SILENT, Standing.UNKNOWN, "silence says nothing"),
        (replace(NAMES, flows=()), End.ANSWERED, Standing.DIFFERS, "no flow allows it"),
    ],
    ids=str,
)
def test_what_an_end_says(attempt: Attempt, end: End | None, standing: Standing, words: str) -> None:
    (found,) = judged([attempt], {} if end is None else {attempt: end}, {"srv01": "host is dead"})
    assert found.standing is standing
    assert words in found.reason


def test_silence_of_a_datagram_counts_where_somebody_else_was_answered() -> None:
    stranger = replace(NAMES, source="srv03", flows=())
    found = judged([NAMES, stranger], {NAMES: End.ANSWERED, stranger: End.SILENT}, {})
    assert [each.standing for each in found] == [Standing.HOLDS, Standing.HOLDS]


def test_an_attempt_is_written_as_people_read_it() -> None:
    assert str(TALK) == "srv01 → srv02 tcp/443 (https)"
