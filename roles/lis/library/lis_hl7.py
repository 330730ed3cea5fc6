#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask an HL7 listener one declared query and say how it was acknowledged."""

from __future__ import annotations

import secrets
import socket
import ssl
import time

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: lis_hl7
short_description: Ask an HL7 listener one declared query and say how it was acknowledged
description:
  - Sends the query over MLLP, with the present time and a control id of its own, and reads one answer. The answer must
    acknowledge this control id with one of the codes.
  - What the listener says is not repeated, except for the code, since an answer may hold anything.
  - In check mode anything else is reported as changed. Otherwise nothing is changed, because nothing may be, and it is
    a warning.
options:
  address:
    description: Address of the listener.
    type: str
    required: true
  port:
    description: Port of the listener.
    type: int
    required: true
  query:
    description: The message, one segment a line.
    type: str
    required: true
  codes:
    description: Codes (MSA-1) that count as an answer.
    type: list
    elements: str
    required: true
  tls_name:
    description: Name in the listener's certificate; empty for no TLS.
    type: str
    default: ""
  ca_file:
    description: Authority of the listener's certificate.
    type: path
    required: true
  certificate_file:
    description: Certificate that is shown.
    type: path
    required: true
  key_file:
    description: Its key.
    type: path
    required: true
author: wardround
"""

START, END = b"\x0b", b"\x1c\r"
SECONDS = 10.0
MOST_BYTES = 1 << 20
TIME, CONTROL_ID, VERSION = 6, 9, 11
"""MSH-7, MSH-10 and MSH-12: the separator is MSH-1 itself."""


class NoAnswerError(Exception):
    """The listener did not answer as a listener does."""


def with_identity(query: str, control_id: str) -> bytes:
    """Return the message as it is sent.

    Raises:
        ValueError: it has no whole header.

    """
    header, *segments = [line.strip("\r") for line in query.strip().split("\n")]
    fields = header.split(header[3:4] or "|")
    if not header.startswith("MSH") or len(fields) <= VERSION:
        raise ValueError("the query does not begin with a whole MSH segment")
    fields[TIME], fields[CONTROL_ID] = time.strftime("%Y%m%d%H%M%S"), control_id
    return "".join(f"{segment}\r" for segment in (header[3].join(fields), *segments)).encode()


def exchange(connection: socket.socket, message: bytes) -> bytes:
    """Send a message and return the answer, both in MLLP's frame.

    Raises:
        NoAnswerError: no whole answer came.

    """
    deadline = time.monotonic() + SECONDS
    connection.sendall(START + message + END)
    received = b""
    while END not in received:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        part = connection.recv(65536)
        received += part
        if not part or len(received) > MOST_BYTES:
            raise NoAnswerError("closed the connection without an answer" if not part else "does not end its answer")
    return received.partition(END)[0].removeprefix(START)


def acknowledgement(answer: bytes) -> tuple[str, str]:
    """Return code and control id of an answer's MSA segment, empty without one."""
    separator = answer[3:4].decode("latin-1")
    for segment in answer.decode("latin-1").split("\r"):
        if separator and segment.startswith(f"MSA{separator}"):
            fields = [*segment.split(separator), "", ""]
            return fields[1], fields[2]
    return "", ""


def ask(module: AnsibleModule, message: bytes) -> bytes:
    """Connect, with TLS where a name for the certificate is declared, and return the answer."""
    asked = module.params
    with socket.create_connection((asked["address"], asked["port"]), timeout=SECONDS) as plain:
        if not asked["tls_name"]:
            return exchange(plain, message)
        context = ssl.create_default_context(cafile=asked["ca_file"])
        context.load_cert_chain(asked["certificate_file"], asked["key_file"])
        with context.wrap_socket(plain, server_hostname=asked["tls_name"]) as connection:
            return exchange(connection, message)


def complaint(module: AnsibleModule, message: bytes, control_id: str) -> str:
    """Say what is wrong with the listener, nothing where all is well."""
    wrong = ""
    try:
        code, acknowledged = acknowledgement(ask(module, message))
        if not code:
            wrong = "answered without an acknowledgement"
        elif acknowledged != control_id:
            wrong = "acknowledged another message"
        elif code not in module.params["codes"]:
            wrong = f"answered {code[:2]!r}"
    except NoAnswerError as error:
        wrong = str(error)
    except ssl.SSLError as error:
        wrong = f"does not agree to TLS: {error.reason}"
    except TimeoutError:
        wrong = f"did not answer within {SECONDS:.0f} seconds"
    except OSError as error:
        wrong = f"cannot be reached: {error.strerror or error}"
    return wrong


def main() -> None:
    """Ask and report."""
    text, path = {"type": "str", "required": True}, {"type": "path", "required": True}
    module = AnsibleModule(
        argument_spec={
            **dict.fromkeys(("address", "query"), text),
            "port": {"type": "int", "required": True},
            "codes": {"type": "list", "elements": "str", "required": True},
            "tls_name": {"type": "str", "default": ""},
            **dict.fromkeys(("ca_file", "certificate_file", "key_file"), path),
        },
        supports_check_mode=True,
    )
    control_id = f"WR{secrets.token_hex(8)}"
    try:
        message = with_identity(module.params["query"], control_id)
    except ValueError as error:
        module.fail_json(msg=str(error))
        return
    listener = f"{module.params['address']}:{module.params['port']}"
    wrong = complaint(module, message, control_id)
    if wrong and not module.check_mode:
        module.warn(f"The HL7 listener on {listener} {wrong}")
    module.exit_json(
        changed=module.check_mode and bool(wrong),
        name=listener,
        msg=wrong,
        diff={
            "before_header": "listener",
            "after_header": "declared",
            "before": f"{listener} {wrong}\n" if wrong else "",
            "after": f"{listener} answers {' or '.join(module.params['codes'])}\n" if wrong else "",
        },
    )


if __name__ == "__main__":
    main()
