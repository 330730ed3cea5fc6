"""Try connections from this host and say how each ended: a JSON list on stdin becomes one on stdout.

Each entry is `[protocol, address, port, question]`; the question is a datagram in hexadecimal. Nothing is sent over a
TCP connection that was made: it is closed at once.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

AT_ONCE = 64
SECONDS = 3.5
"""Long enough for a lost first packet and the two that follow it (RFC 6298: after one second, and two more)."""


async def tcp(address: str, port: int) -> str:
    """Shake hands and hang up."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), SECONDS)
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    except OSError:
        return "not sent"
    writer.close()
    return "connected"


async def udp(address: str, port: int, question: str) -> str:
    """Send one datagram and wait for any."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(0)
        try:
            await loop.sock_connect(wire, (address, port))
            await loop.sock_sendall(wire, bytes.fromhex(question) or b"\0")
            await asyncio.wait_for(loop.sock_recv(wire, 4096), SECONDS)
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "silent"
        except OSError:
            return "not sent"
    return "answered"


async def tried(room: asyncio.Semaphore, entry: tuple[str, str, int, str]) -> str:
    """Try one connection when there is room."""
    protocol, address, port, question = entry
    async with room:
        return await (tcp(address, port) if protocol == "tcp" else udp(address, port, question))


async def main(entries: list[tuple[str, str, int, str]]) -> list[str]:
    """Try everything, some at once, in the order given."""
    room = asyncio.Semaphore(AT_ONCE)
    return await asyncio.gather(*(tried(room, entry) for entry in entries))


if __name__ == "__main__":
    json.dump(asyncio.run(main(json.load(sys.stdin))), sys.stdout)
