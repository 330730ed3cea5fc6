"""Say hello to a TLS server in a good way or a wrong one; runs on a host of the twin, with its own Python.

Arguments: the way, address, port and the server's name. Prints, as a JSON text, `accepted` or why not.
"""

import json
import socket
import ssl
import subprocess
import sys
import tempfile

PKI = "/etc/wardround/pki"
# An A-ASSOCIATE-RQ (DICOM PS3.8 section 9.3.2) that asks for verification, as a peer without TLS sends it.
ABSTRACT, TRANSFER = b"\x30\x00\x00\x11" + b"1.2.840.10008.1.1", b"\x40\x00\x00\x11" + b"1.2.840.10008.1.2"
CONTEXT = b"\x20\x00\x00\x2e\x01\x00\x00\x00" + ABSTRACT + TRANSFER
USER = b"\x50\x00\x00\x08\x51\x00\x00\x04\x00\x00\x40\x00"
ITEMS = b"\x10\x00\x00\x15" + b"1.2.840.10008.3.1.1.1" + CONTEXT + USER
FIXED = b"\x00\x01\x00\x00" + b"ARCHIVE".ljust(16) + b"IMAGEGW".ljust(16) + bytes(32)
ASSOCIATE = b"\x01\x00" + (len(FIXED) + len(ITEMS)).to_bytes(4, "big") + FIXED + ITEMS


def context(way: str, folder: str) -> ssl.SSLContext:
    """Make the client's side of TLS for a way."""
    made = ssl.create_default_context(cafile=f"{PKI}/ca.crt")
    if way == "own":
        made.load_cert_chain(f"{PKI}/host.crt", f"{PKI}/host.key")
    if way == "stranger":
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=stranger"]
        subprocess.run([*command, "-keyout", f"{folder}/key", "-out", f"{folder}/crt"], check=True, capture_output=True)
        made.load_cert_chain(f"{folder}/crt", f"{folder}/key")
    if way == "tls11":
        made.load_cert_chain(f"{PKI}/host.crt", f"{PKI}/host.key")
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


def answer(way: str, address: str, port: int, name: str) -> str:
    """Say hello and wait a moment for a refusal; a server that took us in says nothing before it is asked."""
    with socket.create_connection((address, port), timeout=5) as plain, tempfile.TemporaryDirectory() as folder:
        if way == "plaintext":
            plain.sendall(ASSOCIATE)
            said = plain.recv(1)
            return "accepted" if said == b"\x02" else f"closed after {said!r}"
        with context(way, folder).wrap_socket(plain, server_hostname=name) as wrapped:
            try:
                return "accepted" if wrapped.recv(1) else "closed"
            except TimeoutError:
                return "accepted"


if __name__ == "__main__":
    try:
        print(json.dumps(answer(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])))
    except OSError as refused:
        print(json.dumps(str(refused)))
