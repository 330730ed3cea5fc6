"""A twin's life: up, status, a command on a host, down. Each call starts from what is there, also after a crash."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wardround.errors import LockedError, TwinError
from wardround.twin.boot import all_answers
from wardround.twin.build import Build, Report, container_specs
from wardround.twin.containers import Found, await_orphans, find, releases, remove, remove_package_volume
from wardround.twin.credentials import ensure_credentials, write_private
from wardround.twin.furniture import upstream_addresses
from wardround.twin.image import ensure_image
from wardround.twin.mirror import machine_mirror
from wardround.twin.network import ensure_leg, ensure_switch, guard_machine, remove_network
from wardround.twin.plan import GATEWAY, Lab, TwinHospital, container_name, lab
from wardround.twin.podman import detect, flags
from wardround.twin.tenant import ensure_papers, introduce, tenant_files, tenant_parameters
from wardround.twin.tenant_image import ensure_tenant_image

RECORD = "lab.json"
_SCHEMA_VERSION = 1


class RootNeededError(TwinError):
    """A twin is made of network namespaces and routes, which only root may create. Run the command with sudo."""

    code = "WR-703"


@dataclass(frozen=True, slots=True)
class HostStatus:
    """A row of `twin status`: what podman says of a host and whether its sshd answers this machine."""

    host: str
    state: str
    address: str
    ssh: bool


def up(hospital: TwinHospital, state_dir: Path, report: Report) -> bool:
    """Build what is missing of a twin and start what is stopped; return whether anything had to be done.

    Hosts that answer are left exactly as they are, with everything that was applied to them. One whose SSH server is
    silent is restarted, and one whose boot hangs is made anew.

    Args:
        hospital: what to build.
        state_dir: the twin's own folder for keys, known hosts and overlay; made with mode 0700.
        report: is told each step in a line.
    """
    _need_root()
    wanted = lab(hospital)
    for release in releases(wanted):
        report(f"image {release}")
        ensure_image(release)
    tenant = hospital.tenant
    if tenant is not None:
        report("image of the ERP")
        ensure_tenant_image()
    with _only_one(state_dir, hospital.name):
        changed = guard_machine(wanted)
        # Marks the folder as a twin's before anything else is in it.
        write_private(state_dir / RECORD, _record(wanted))
        mirror = machine_mirror()
        papers = ensure_papers(state_dir / "tenant", tenant.tls_name, datetime.now(UTC)) if tenant else None
        parameters = tenant_parameters(tenant, papers) if tenant and papers else {}
        keys = ensure_credentials(hospital, state_dir, mirror, parameters)
        upstream = upstream_addresses(mirror) if any(host.uplink for host in hospital.hosts) else {}
        automation = (state_dir / "id_ed25519.pub").read_text(encoding="ascii").strip()
        files = tenant_files(papers) if papers else ()
        build = Build(wanted, container_specs(wanted, keys, automation, upstream, files), flags(detect()), report)
        changed |= ensure_switch(wanted)
        changed |= ensure_leg(wanted)
        changed |= build.remove_useless()
        changed |= build.start_all()
        changed |= build.await_boot()
        changed |= introduce(hospital)
        return changed


def down(hospital: str, state_dir: Path, *, purge: bool = False) -> bool:
    """Remove everything of a twin, also what a crash left half made; return whether there was anything.

    Args:
        hospital: the hospital's name; nothing that carries another name is touched.
        state_dir: the folder that `up` was given.
        purge: also forget the package cache, which otherwise serves the next twin.
    """
    _need_root()
    existed = bool(find(hospital)) or state_dir.exists()
    if not existed:
        remove_network(hospital)
    else:
        with _only_one(state_dir, hospital):
            remove(tuple(container.name for container in find(hospital).values()))
            remove_network(hospital)
            _remove_state(state_dir)
    if purge:
        remove_package_volume(hospital)
    return existed


def status(hospital: TwinHospital) -> tuple[HostStatus, ...]:
    """Return a row for each managed host, `absent` when it has no container."""
    _need_root()
    found = find(hospital.name)
    answers = all_answers({host.name: str(host.address) for host in hospital.hosts})
    states = {host: container.state for host, container in found.items()}
    return tuple(
        HostStatus(host.name, states.get(host.name, "absent"), str(host.address), answers[host.name])
        for host in hospital.hosts
    )


def execute(hospital: str, host: str, command: tuple[str, ...]) -> int:
    """Run a command as root on a host, past everything wardround does, on the caller's own standard streams.

    Returns:
        The command's exit code.
    """
    _need_root()
    found = find(hospital)
    if host not in found or found[host].state != "running":
        raise TwinError(
            f"host {host} of {hospital} does not run", remedy=f"running: {', '.join(sorted(_running(found))) or 'none'}"
        )
    interactive = ("--tty",) if os.isatty(0) and os.isatty(1) else ()
    argv = ("podman", "exec", "--interactive", *interactive, container_name(hospital, host), *command)
    return subprocess.run(argv, check=False).returncode


def _running(found: dict[str, Found]) -> list[str]:
    return [name for name, container in found.items() if container.state == "running" and name != GATEWAY]


def _record(wanted: Lab) -> str:
    hosts = {
        host.name: {
            "address": str(host.address),
            "container": wanted.container(host.name),
            "release": host.release,
            "zone": host.zone,
        }
        for host in wanted.hospital.hosts
    }
    record = {
        "schema_version": _SCHEMA_VERSION,
        "hospital": wanted.hospital.name,
        "gateway": wanted.container(GATEWAY if wanted.gateway_host is None else wanted.gateway_host.name),
        "hosts": hosts,
    }
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def _need_root() -> None:
    if os.geteuid() != 0:
        raise RootNeededError("a twin needs root", remedy="run the same command with sudo")


def _remove_state(state_dir: Path) -> None:
    # Whatever was named by mistake, only a folder that a twin has marked is removed with its contents.
    if (state_dir / RECORD).exists():
        shutil.rmtree(state_dir)


@contextmanager
def _only_one(state_dir: Path, hospital: str) -> Iterator[None]:
    """Hold the state folder for one call; the lock ends with the process, however it ends."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    state_dir.chmod(0o700)
    descriptor = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor, hospital, state_dir)
        await_orphans(hospital)
        yield
    finally:
        if state_dir.exists() and not any(state_dir.iterdir()):
            state_dir.rmdir()
        os.close(descriptor)


def _lock(descriptor: int, hospital: str, state_dir: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as held:
        raise LockedError(f"another command is working on the twin of {hospital}", path=str(state_dir)) from held
