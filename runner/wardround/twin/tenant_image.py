"""The image of a real ERP: a bare server on which `tenant.sh` ran once, so that a twin's ERP has only to boot."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from wardround.twin.boot import await_system
from wardround.twin.capacity import INSTANCES_A_HOST, check_room, free_instances
from wardround.twin.command import run
from wardround.twin.containers import Container, ensure_running, remove
from wardround.twin.furniture import File, name_files, upstream_addresses
from wardround.twin.image import LABEL, TENANT_IMAGE, Release, ensure_image, image_name, one_at_a_time, recorded
from wardround.twin.mirror import Mirror, machine_mirror
from wardround.twin.podman import detect, flags
from wardround.twin.tenant import FOLDER

_PORT = 443
# Debian 13's Tryton says the length of its exports twice, which nginx refuses since 1.23.
_BASE: Release = "debian-12"
_NAME = "wr-tenant-image"
_SCRIPT = "/root/tenant.sh"
_SECONDS = 1800.0
# Each twin puts papers of its own in the place of these.
_PREPARE = f"""
mkdir -m 0700 {FOLDER}
cd {FOLDER}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=nobody -keyout tenant.key -out tenant.crt
cp tenant.crt callers.crt
apt-get update --quiet
"""
_CLEAN = f"""
rm -f {_SCRIPT} /etc/apt/apt.conf.d/00proxy
apt-get clean
: > /etc/machine-id
"""


def ensure_tenant_image() -> bool:
    """Build the image unless one of the same script and base exists; return whether it was built.

    The password of the ERP's account is made with it, so the twins of one machine have the same.
    """
    ensure_image(_BASE)
    script = Path(__file__).with_name("tenant.sh").read_text(encoding="utf-8")
    wanted = digest(recorded(image_name(_BASE)), script)
    if recorded(TENANT_IMAGE) == wanted:
        return False
    with one_at_a_time():
        if recorded(TENANT_IMAGE) == wanted:
            return False
        _build(script, wanted)
    return True


def digest(base: str, script: str) -> str:
    """Return the SHA-256 of all that decides what is in the image: its base's recipe and what is done on it."""
    return hashlib.sha256(json.dumps([base, script, _PORT, _PREPARE, _CLEAN]).encode()).hexdigest()


def builder(script: str, mirror: Mirror, upstream: dict[str, str]) -> Container:
    """Return the container on which the script runs: it reaches the mirror, and nothing reaches it."""
    files = [
        *name_files("tenant", upstream),
        File(_SCRIPT, 0o700, script),
        *(File(f"/etc/systemd/system/{unit}.service", 0o777, link="/dev/null") for unit in ("nginx", "ssh")),
    ]
    if mirror.proxy:
        files.append(File("/etc/apt/apt.conf.d/00proxy", 0o644, f'Acquire::http::Proxy "{mirror.proxy}";\n'))
    options = ("--network=podman", "--dns=none")
    return Container("tenant", _NAME, image_name(_BASE), options, tuple(files), account=False, digest="")


def _build(script: str, wanted: str) -> None:
    mirror = machine_mirror()
    container = builder(script, mirror, upstream_addresses(mirror))
    check_room(free_instances(INSTANCES_A_HOST), 1)
    # A build that was killed may have left one.
    remove((_NAME,))
    try:
        ensure_running(container, None, "", flags(detect()))
        await_system(_NAME)
        _inside("sh", "-euc", _PREPARE)
        _inside("sh", _SCRIPT, FOLDER, str(_PORT))
        _inside("sh", "-euc", _CLEAN)
        # The database has to end in order.
        run(("podman", "stop", "--time", "60", _NAME))
        run(("podman", "commit", "--quiet", "--change", f"LABEL {LABEL}={wanted}", _NAME, TENANT_IMAGE))
    finally:
        remove((_NAME,))


def _inside(*command: str) -> None:
    run(("podman", "exec", _NAME, *command), timeout=_SECONDS)
