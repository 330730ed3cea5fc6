"""HL7 v2 over MLLP: a synthetic result (ORU^R01) and its acknowledgement (HL7 v2.5.1 chapter 2.9.2)."""

from __future__ import annotations

import hl7
from hl7.client import MLLPClient

from wardround.probe.answer import Reply

_ACCEPTED = frozenset({"AA", "CA"})


def result_message(control_id: str, moment: str, sender: str, receiver: str) -> str:
    """Give a result of no patient, told by its processing id `T` and its names to be a test.

    Args:
        control_id: MSH-10, which the acknowledgement repeats.
        moment: MSH-7, `YYYYMMDDHHMMSS`.
        sender: MSH-3, the application that the receiver knows probes by.
        receiver: MSH-5.
    """
    segments = (
        rf"MSH|^~\&|{sender}|WARDROUND|{receiver}||{moment}||ORU^R01^ORU_R01|{control_id}|T|2.5.1",
        "PID|1||WARDROUND-PROBE||PROBE^WARDROUND",
        f"OBR|1|||PROBE^Probe of the interface^L|||{moment}",
        f"OBX|1|ST|PROBE^Probe of the interface^L||{control_id}||||||F",
    )
    return "\r".join(segments) + "\r"


def send_result(port: int, message: str, seconds: float) -> Reply:
    """Send a message and judge its acknowledgement."""
    control_id = str(hl7.parse(message).segment("MSH")[10])
    try:
        with MLLPClient("127.0.0.1", port) as client:
            client.socket.settimeout(seconds)
            answer = client.send_message(message)
    except (OSError, TimeoutError) as failed:
        return Reply(good=False, words=f"no acknowledgement: {failed}")
    return acknowledged(answer, control_id)


def acknowledged(answer: bytes, control_id: str) -> Reply:
    """Say whether an answer accepts the message with that control id."""
    text = answer.strip(b"\x0b\x1c\r").decode("utf-8", errors="replace")
    try:
        segment = hl7.parse(text).segment("MSA")
        code, repeated = str(segment[1]), str(segment[2])
    except (KeyError, IndexError, hl7.HL7Exception):
        return Reply(good=False, words=f"the answer is no acknowledgement: {text[:80]!r}")
    if repeated != control_id:
        return Reply(good=False, words=f"the acknowledgement is of message {repeated[:40]!r}, not of {control_id}")
    said = f"acknowledged with {code}"
    return Reply(good=code in _ACCEPTED, words=said)
