"""A RADIUS server of a test's own: Debian's FreeRADIUS on the loopback, with one network device and a few devices."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

_START_SECONDS = 30.0
_CONFIGURATION = """
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
run_dir = {folder}
proxy_requests = no
security {{
	reject_delay = 0
	status_server = no
}}
client probe {{
	ipaddr = 127.0.0.1
	secret = '{secret}'
	require_message_authenticator = yes
}}
modules {{
	always reject {{
		rcode = reject
	}}
	files devices {{
		filename = {folder}/devices
		key = "%{{Calling-Station-Id}}"
	}}
}}
server access {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		devices
		if (noop) {{
			reject
		}}
	}}
	post-auth {{
		update reply {{
			&Message-Authenticator := 0x00
		}}
		Post-Auth-Type REJECT {{
			update reply {{
				&Message-Authenticator := 0x00
			}}
		}}
	}}
}}
"""
_DEVICE = """
{mac} User-Password == "{password}", Auth-Type := Accept
	Tunnel-Type{tag} = VLAN,
	Tunnel-Medium-Type{tag} = IEEE-802,
	Tunnel-Private-Group-Id{tag} = "{vlan}"
"""


def device(mac: str, vlan: int, tag: str = "") -> str:
    """Write a device as the server's file has it; its MAC address is its name and its password."""
    return _DEVICE.format(mac=mac.replace(":", "-"), password=mac.replace(":", ""), vlan=vlan, tag=tag)


@contextlib.contextmanager
def radius_server(folder: Path, secret: str, devices: str) -> Iterator[int]:
    """Run a server, which answers when the block begins; give its port."""
    program = shutil.which("freeradius", path="/usr/sbin:/usr/bin")
    if program is None:
        raise RuntimeError("FreeRADIUS is not installed; .ci/setup installs it")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (folder / "devices").write_text(devices, encoding="ascii")
    configuration = _CONFIGURATION.format(folder=folder, secret=secret, port=port)
    (folder / "radiusd.conf").write_text(configuration, encoding="ascii")
    log = folder / "radius.log"
    with subprocess.Popen([program, "-f", "-l", str(log), "-d", str(folder)]) as process:
        try:
            _wait(process, log)
            yield port
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not log.exists() or "Ready to process requests" not in log.read_text(encoding="utf-8"):
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8") if log.exists() else "nothing"
            raise RuntimeError(f"FreeRADIUS did not start: {said}")
        time.sleep(0.05)
