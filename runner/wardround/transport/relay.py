"""A service as one host of the hospital reaches it, at a port of this machine's loopback.

What speaks the service's language runs here, with the libraries for it; the connection starts on the host, passes its
firewall and the gateway, and carries the host's own certificate, whose key never leaves the host.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from wardround.errors import WardroundError
from wardround.transport.remote import relay as program
from wardround.transport.ssh import Login, command_of

_CHUNK = 65536
_FIRST_LINE = 4096
_UNREACHED = "the host was not reached, or its session ended at once"
_PROGRAM = Path(program.__file__)


class RelayError(WardroundError):
    """A host could not reach a service that a probe asks.

    The message says who failed: the way to the host itself, the network between host and service, or TLS between them.
    """

    code = "WR-706"

    def __init__(self, message: str, *, host_answered: bool) -> None:
        """Say what failed, and whether the host itself answered, so that the service is to blame."""
        super().__init__(message)
        self.host_answered = host_answered


@dataclass(frozen=True, slots=True)
class Order:
    """Where a host connects to; with a `name`, over mutual TLS as itself. Paths are files on that host.

    With a `tunnel` (name and port) a proxy is there, which is asked to lead on, and TLS is with who is behind it.
    `authorities` are certificates (PEM) that are trusted in place of the file `authority`.
    """

    address: str
    port: int
    seconds: float
    name: str = ""
    authority: str = "/etc/wardround/pki/ca.crt"
    certificate: str = "/etc/wardround/pki/host.crt"
    key: str = "/etc/wardround/pki/host.key"
    tunnel: str = ""
    authorities: str = ""


@dataclass(frozen=True, slots=True)
class Relay:
    """The loopback port that leads to the service; `tls` and `expires` are what the handshake said, empty without."""

    port: int
    tls: str
    expires: str


@contextlib.contextmanager
def relayed(login: Login, host: str, order: Order) -> Iterator[Relay]:
    """Open the way to a service from a host; it takes one connection and ends with the block.

    Raises:
        RelayError: the host was not reached, or did not reach the service.

    """
    words = ("sudo", "-n", "python3", "-c", _PROGRAM.read_text(encoding="utf-8"))
    with carried(command_of(login, host, words), order) as relay:
        yield relay


@contextlib.contextmanager
def carried(command: tuple[str, ...], order: Order) -> Iterator[Relay]:
    """Run the program by a command, wherever that runs it, and join it to a loopback port.

    Raises:
        RelayError: it did not start, or did not reach the service.

    """
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    )
    try:
        with process, socket.create_server(("127.0.0.1", 0)) as listener:
            to, back = process.stdin, process.stdout
            assert to is not None and back is not None  # noqa: S101, PT018 - both are pipes
            to.write(json.dumps(asdict(order)).encode() + b"\n")
            how = _first_line(back, order.seconds + 15)
            threading.Thread(target=_carry, args=(listener, to, back), daemon=True).start()
            try:
                yield Relay(listener.getsockname()[1], how["tls"], how["expires"])
            finally:
                listener.close()
                process.kill()
    except BrokenPipeError as broken:
        raise RelayError(_UNREACHED, host_answered=False) from broken


def _first_line(back: IO[bytes], seconds: float) -> dict[str, str]:
    line = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(back, selectors.EVENT_READ)
        while not line.endswith(b"\n") and len(line) < _FIRST_LINE:
            if not waiting.select(seconds):
                raise RelayError(f"the host said nothing for {seconds:.0f} s", host_answered=False)
            byte = back.read(1)
            if not byte:
                raise RelayError(_UNREACHED, host_answered=False)
            line += byte
    try:
        said = json.loads(line)
        if "error" in said:
            words = f"the host did not reach the service: {str(said['error'])[:500]}"
            raise RelayError(words, host_answered=True)
        return {"tls": str(said["tls"]), "expires": str(said["expires"])}
    except (ValueError, KeyError, TypeError) as wrong:
        words = f"the host's answer is not understood: {line[:100]!r}"
        raise RelayError(words, host_answered=False) from wrong


def _carry(listener: socket.socket, to: IO[bytes], back: IO[bytes]) -> None:
    # The probe may never connect; then the block's end closes the listener under this thread.
    with contextlib.suppress(OSError, ValueError):
        wire, _ = listener.accept()
        with wire:
            threading.Thread(target=_send, args=(wire, to), daemon=True).start()
            while data := back.read(_CHUNK):
                wire.sendall(data)


def _send(wire: socket.socket, to: IO[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := wire.recv(_CHUNK):
            to.write(data)
        to.close()
