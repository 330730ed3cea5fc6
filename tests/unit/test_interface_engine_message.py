"""Headers of HL7 messages are read, acknowledged, and refused where no acknowledgement could name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roles.interface_engine.files.interface_engine.message import MessageError, acknowledge, answer_in, parse

pytestmark = pytest.mark.unit

RESULT = b"MSH|^~\\&|LAB^1.2.3^ISO|LIS|ENGINE|HOSPITAL|20261122||ORU^R01^ORU_R01|M-1|P|2.5.1\rPID|1||\xe4\r"


def test_a_header_is_read() -> None:
    header = parse(RESULT)
    assert (header.application, header.type, header.control_id) == ("LAB", "ORU^R01", "M-1")


def test_other_separators_are_read() -> None:
    header = parse(b"MSH#*~!&#LAB*x#LIS#E#H#2026##ADT*A01#7#P#2.3")
    assert (header.application, header.type, header.control_id) == ("LAB", "ADT^A01", "7")
    assert acknowledge(header, "AA").startswith(b"MSH#*~!&#E#H#LAB*x#LIS#")
    assert answer_in(acknowledge(header, "AA")) == ("AA", "7")


def test_an_acknowledgement_exchanges_sender_and_receiver() -> None:
    first, second = acknowledge(parse(RESULT), "AR", "not declared").decode().splitlines()
    fields = first.split("|")
    assert fields[:6] == ["MSH", "^~\\&", "ENGINE", "HOSPITAL", "LAB^1.2.3^ISO", "LIS"]
    assert (fields[8], fields[10:]) == ("ACK^R01", ["P", "2.5.1"])
    assert second == "MSA|AR|M-1|not declared"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MSH",
        b"PID|1",
        b"MSHA^~\\&A",
        b"MSH ^~\\& LAB LIS E H 2026  ORU^R01 1 P 2.5",
        b"MSH|^~\\&|LAB|LIS|E|H|2026",
        b"MSH||LAB|LIS|E|H|2026||ORU^R01|1|P|2.5",
        b"MSH|^~\\&|LAB|LIS|E|H|2026||ORU^R01||P|2.5",
        b"MSH|^~\\&|LAB|LIS|E|H|2026|||1|P|2.5",
        b"MSH|^~\\&|LAB|LIS|E|H|2026||ORU^R01|1\x1b|P|2.5",
        b"MSH|^~\\&|L\xc3\xa4B|LIS|E|H|2026||ORU^R01|1|P|2.5",
        b"MSH|^~\\&|LAB|LIS|E|H|2026||ORU^R01|" + b"1" * 200 + b"|P|2.5",
        b"FHS|^~\\&|LAB|LIS|E|H|2026||ORU^R01|1|P|2.5",
    ],
)
def test_a_header_that_names_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(MessageError):
        parse(content)


@given(st.binary() | st.binary().map(lambda rest: b"MSH|^~\\&|LAB|LIS|E|H|2026||ORU^R01|1|P|2.5" + rest))
def test_anything_is_read_or_refused(content: bytes) -> None:
    try:
        header = parse(content)
    except MessageError:
        return
    assert answer_in(acknowledge(header, "AA")) == ("AA", header.control_id)
    assert acknowledge(header, "AA").count(b"\r") == 2


@given(st.lists(st.sampled_from(["AA", "XX", "", "MSA", "1", "\r", "\n", "|"])).map("".join))
def test_an_answer_is_read_or_refused(text: str) -> None:
    try:
        answer = answer_in(RESULT + text.encode())
    except MessageError:
        return
    assert answer.code == "AA"


def test_a_message_is_no_answer() -> None:
    with pytest.raises(MessageError):
        answer_in(RESULT)
