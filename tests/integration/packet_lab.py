"""Three scratch network namespaces in a row: a left end, a router whose rules are tried, and a right end.

Frames are written and read raw at both ends, so nobody answers by himself and any address can be used. The router
handles packets in the order in which they come, so a mark that arrives says that all before it are decided.
"""

from __future__ import annotations

import ctypes
import os
import re
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

from wardround.proof.packet import Packet

LEFT, RIGHT = "left0", "right0"
"""The router's interfaces; behind them lie 10.11.0.0/16 and fd00:11::/32, and 10.12.0.0/16 and fd00:12::/32."""
OWN = ip_address("10.1.255.1")
"""The router's own address."""
MARKS: Final = {LEFT: ip_address("10.11.255.255"), RIGHT: ip_address("10.12.255.255")}
"""Rules that are tried must accept packets from these addresses before anything else."""
TCP, UDP = 6, 17
SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10
_CLONE_NEWNET: Final = 0x40000000
_ETH_P_ALL: Final = 3
_ETHERTYPES: Final = {4: 0x0800, 6: 0x86DD}
_MARK_NUMBER: Final = 0xFFFF
# As many as surely fit into a socket's buffer.
_BATCH: Final = 50
_PATIENCE_SECONDS: Final = 10.0


@dataclass(frozen=True)
class End:
    """One end: a raw socket, the router's interface in front of it, and both hardware addresses."""

    wire: socket.socket
    interface: str
    own: bytes
    router: bytes


class PacketLab:
    """The namespaces, from their making to their removal."""

    def __init__(self) -> None:
        """Name the namespaces; entering makes them."""
        prefix = f"wrproof-{os.getpid()}"
        self._router, self._left, self._right = (f"{prefix}-{part}" for part in ("router", "left", "right"))
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Make namespaces, wires and routes, and one table that keeps connection tracking awake."""
        with self._stack:
            for name in (self._router, self._left, self._right):
                run("ip", "netns", "add", name)
                self._stack.callback(run, "ip", "netns", "del", name)
            self._in_router("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
            self._ends = {LEFT: self._plug(LEFT, 1, self._left), RIGHT: self._plug(RIGHT, 2, self._right)}
            self._local = self._stack.enter_context(in_namespace(self._router, _datagrams))
            awake = "table inet awake { chain c { type filter hook prerouting priority 400; ct state new counter; }; }"
            self._in_router("nft", "-f", "-", text=awake)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _plug(self, here: str, net: int, far: str) -> End:
        run("ip", "link", "add", here, "netns", self._router, "type", "veth", "peer", "name", "end0", "netns", far)
        run("ip", "netns", "exec", far, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        run("ip", "-n", far, "link", "set", "end0", "up")
        hardware = [_hardware(name, device) for name, device in ((far, "end0"), (self._router, here))]
        address = hardware[0].hex(":")
        for command in (
            f"link set {here} up",
            f"addr add 10.{net}.255.1/16 dev {here}",
            f"neigh add 10.{net}.255.254 lladdr {address} dev {here} nud permanent",
            f"route add 10.{net + 10}.0.0/16 via 10.{net}.255.254 dev {here}",
            f"-6 addr add fd00:{net}::1/64 dev {here} nodad",
            f"-6 neigh add fd00:{net}::2 lladdr {address} dev {here} nud permanent",
            f"-6 route add fd00:{net + 10}::/32 via fd00:{net}::2 dev {here}",
        ):
            run("ip", "-n", self._router, *command.split())
        wire = self._stack.enter_context(in_namespace(far, lambda: _wire("end0")))
        return End(wire, here, *hardware)

    def load(self, rules: str) -> str:
        """Load rules of the tables `inet tried` and `ip tried`, in place of those before, and list the whole as JSON.

        Lines that contradict themselves, which nft refuses, are left out.
        """
        clear = [f"{word} table {family} tried" for family in ("inet", "ip") for word in ("", "delete")]
        lines = [*clear, *rules.splitlines()]
        script = "nft -f - && nft -j list ruleset"
        while True:
            done = subprocess.run(
                ["ip", "netns", "exec", self._router, "sh", "-c", script],
                input="\n".join(lines),
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            refused = {int(number) for number in re.findall(r"^/dev/stdin:([0-9]+):", done.stderr, re.MULTILINE)}
            if not refused:
                assert done.returncode == 0, done.stderr
                return done.stdout
            assert all(" " in lines[number - 1] and lines[number - 1][-1] != "{" for number in refused), done.stderr
            lines = ["" if at in refused else line for at, line in enumerate(lines, 1)]

    def forwarded(self, packets: Sequence[Packet], start: str = LEFT, flags: int = SYN) -> list[bool]:
        """Send packets in at one side and say of each whether it came out at the other."""
        opposite = RIGHT if start == LEFT else LEFT
        mark = Packet(MARKS[start], MARKS[opposite], UDP, 9, 9)
        goal = self._ends[opposite].wire
        return self._tried(start, packets, mark, flags, lambda: _number(goal.recv(4096)))

    def received(self, packets: Sequence[Packet]) -> list[bool]:
        """Send UDP packets from the left to the router's own address and say of each whether it got inside."""
        mark = Packet(MARKS[LEFT], OWN, UDP, 9, 9)
        return self._tried(LEFT, packets, mark, SYN, lambda: int.from_bytes(self._local.recv(4096)[4:6]))

    def establish(self, packet: Packet) -> None:
        """Open a connection through the router, as both ends of it; the rules must let everything pass."""
        assert self.forwarded([packet]) == [True]
        assert self.forwarded([packet.answer()], RIGHT, SYN_ACK) == [True]
        assert self.forwarded([packet], LEFT, ACK) == [True]

    def _tried(
        self, start: str, packets: Sequence[Packet], mark: Packet, flags: int, read: Callable[[], int]
    ) -> list[bool]:
        end = self._ends[start]
        arrived = []
        for first in range(0, len(packets), _BATCH):
            batch = packets[first : first + _BATCH]
            # What the router says of its own, such as a reset, carries the number 0.
            for number, packet in [*enumerate(batch, 1), (_MARK_NUMBER, mark)]:
                ethertype = _ETHERTYPES[packet.source.version].to_bytes(2)
                end.wire.send(end.router + end.own + ethertype + frame(packet, number, flags))
            seen = set()
            while (found := read()) != _MARK_NUMBER:
                seen.add(found)
            arrived += [number in seen for number in range(1, len(batch) + 1)]
        return arrived

    def _in_router(self, *command: str, text: str = "") -> str:
        return run("ip", "netns", "exec", self._router, *command, text=text)


def run(*command: str, text: str = "") -> str:
    """Run a command and give what it prints; say what it said when it fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}\n{text}"
    return done.stdout


def in_namespace(name: str, make: Callable[[], socket.socket]) -> socket.socket:
    """Make a socket inside a network namespace; only a thread enters it, and ends there (setns(2))."""
    made: list[socket.socket] = []

    def enter() -> None:
        with Path(f"/run/netns/{name}").open("rb") as namespace:
            library = ctypes.CDLL(None, use_errno=True)
            if library.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns into {name}")
        made.append(make())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]


def frame(packet: Packet, number: int, flags: int) -> bytes:
    """Write a packet as it goes over the wire (RFC 791, RFC 8200, RFC 768, RFC 9293); `number` tells it apart."""
    inner = _segment(packet, flags)
    source, destination = packet.source.packed, packet.destination.packed
    pseudo = source + destination + struct.pack("!II", len(inner), packet.protocol)
    at = 6 if packet.protocol == UDP else 16
    inner = inner[:at] + _checksum(pseudo + inner).to_bytes(2) + inner[at + 2 :]
    if packet.source.version == 6:
        return struct.pack("!IHBB", 6 << 28 | number, len(inner), packet.protocol, 64) + source + destination + inner
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(inner), number, 0, 64, packet.protocol, 0)
    whole = header + source + destination
    return whole[:10] + _checksum(whole).to_bytes(2) + whole[12:] + inner


def _segment(packet: Packet, flags: int) -> bytes:
    ports = struct.pack("!HH", packet.source_port, packet.destination_port)
    if packet.protocol == UDP:
        return ports + struct.pack("!HH", 8, 0)
    # Both ends count from 1000: after the handshake everything lies in the window.
    sequence = 1000 if flags in {SYN, SYN_ACK} else 1001
    acknowledged = 1001 if flags & ACK else 0
    return ports + struct.pack("!IIBBHHH", sequence, acknowledged, 5 << 4, flags, 64000, 0, 0)


def _checksum(data: bytes) -> int:
    """Sum up as the internet does (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def _number(received: bytes) -> int:
    """Tell which packet a frame is; -1 for what is none of ours."""
    ethertype = int.from_bytes(received[12:14])
    if ethertype == _ETHERTYPES[4]:
        return int.from_bytes(received[18:20])
    return int.from_bytes(received[16:18]) if ethertype == _ETHERTYPES[6] and received[20] in {TCP, UDP} else -1


def _datagrams() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    made.settimeout(_PATIENCE_SECONDS)
    return made


def _wire(device: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    made.bind((device, 0))
    made.settimeout(_PATIENCE_SECONDS)
    # What this end sends itself is not what arrives at it (packet(7), PACKET_IGNORE_OUTGOING).
    made.setsockopt(263, 23, 1)
    return made


def _hardware(namespace: str, device: str) -> bytes:
    shown = run("ip", "-n", namespace, "-o", "link", "show", device)
    return bytes.fromhex(shown.partition("link/ether ")[2].split()[0].replace(":", ""))
