"""Containers of a twin: what each is created with, and podman's word on which exist."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wardround.errors import TwinError
from wardround.twin.command import attempt, run
from wardround.twin.credentials import HostKey
from wardround.twin.furniture import File, furnish, gateway_files, host_files, name_files, ruleset_files
from wardround.twin.image import TENANT_IMAGE, Release, image_name
from wardround.twin.plan import GATEWAY, Lab, TwinBystander, TwinHost, TwinTenant, container_name
from wardround.twin.podman import Flags

HOSPITAL_LABEL = "wardround.hospital"
HOST_LABEL = "wardround.host"
DIGEST_LABEL = "wardround.digest"
PACKAGE_CACHE = "/var/cache/apt-cacher-ng"
"""Where a host with an uplink keeps packages; a volume of its own, because it makes the next twin fast."""

KILLED = "killed"
"""State of a container that podman believes in although its processes are gone: podman can only remove it."""

_FURNITURE_RELEASE: Release = "debian-12"
_NEVER_STARTED = frozenset({"created", "configured", "initialized"})
_ALIVE = frozenset({"running", "paused", "stopping"})
_ZOMBIE = "Z"
_ORPHAN_SECONDS = 60.0
_QUIET = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")


@dataclass(frozen=True, slots=True)
class Container:
    """A container as it should be; `digest` covers all that would need a new one when it changes."""

    host: str
    name: str
    image: str
    options: tuple[str, ...]
    files: tuple[File, ...]
    account: bool
    digest: str
    boots: bool = True
    """Whether it runs a system with services; otherwise it only holds its place on the network."""


@dataclass(frozen=True, slots=True)
class Found:
    """A container as podman reports it; `pid` is 0 unless it runs."""

    host: str
    name: str
    state: str
    pid: int
    digest: str


def host_container(lab: Lab, host: TwinHost, key: HostKey, automation: str, upstream: dict[str, str]) -> Container:
    """Return a managed host's container; the one that is the gateway routes by rules that the role then replaces."""
    network: tuple[str, ...] = ("--network=none",)
    if host.uplink:
        volume = f"--volume={package_volume(lab.hospital.name)}:{PACKAGE_CACHE}"
        network = ("--network=podman", "--dns=none", volume)
    # A network namespace starts with what this machine forwards; a server does not route.
    options = (*network, *_sysctls(*_QUIET, f"net.ipv4.ip_forward={int(host.gateway)}"))
    legs = [asdict(leg) for leg in lab.legs(host)]
    files = host_files(host.name, key, automation, upstream)
    parts: list[object] = [host.release, options, key.public, automation, legs]
    if host.gateway:
        # A new host can only be reached through a gateway whose rules know it.
        parts += [str(host.address), lab.hospital.forward_rules]
        files += ruleset_files(lab.hospital.forward_rules)
    digest = _digest(*parts)
    return Container(
        host.name, lab.container(host.name), image_name(host.release), options, files, account=True, digest=digest
    )


def bystander_container(lab: Lab, bystander: TwinBystander) -> Container:
    """Return the container that holds the place of a host that nobody manages from here."""
    options = ("--network=none", *_sysctls(*_QUIET, "net.ipv4.ip_forward=0"))
    digest = _digest(_FURNITURE_RELEASE, options, [asdict(leg) for leg in lab.legs(bystander)])
    name, image = lab.container(bystander.name), image_name(_FURNITURE_RELEASE)
    files = name_files(bystander.name)
    return Container(bystander.name, name, image, options, files, account=False, digest=digest, boots=False)


def tenant_container(lab: Lab, tenant: TwinTenant, files: tuple[File, ...]) -> Container:
    """Return the container of a bystander that is an ERP, with the files that tell it from others."""
    place = bystander_container(lab, tenant)
    digest = _digest(TENANT_IMAGE, place.digest, [asdict(file) for file in files])
    return replace(place, image=TENANT_IMAGE, files=(*place.files, *files), digest=digest, boots=True)


def gateway_container(lab: Lab) -> Container:
    """Return the container that routes between the zones where no managed host does."""
    options = ("--network=none", *_sysctls(*_QUIET, "net.ipv4.ip_forward=1"))
    legs = [asdict(leg) for leg in lab.gateway_legs()]
    digest = _digest(_FURNITURE_RELEASE, options, lab.hospital.forward_rules, legs)
    files = gateway_files("gateway", lab.hospital.forward_rules)
    return Container(
        GATEWAY, lab.container(GATEWAY), image_name(_FURNITURE_RELEASE), options, files, account=False, digest=digest
    )


def releases(lab: Lab) -> tuple[Release, ...]:
    """Return the releases whose images the twin needs."""
    needs_furniture = lab.gateway_host is None or bool(lab.hospital.bystanders)
    furniture: set[Release] = {_FURNITURE_RELEASE} if needs_furniture else set()
    return tuple(sorted(furniture | {host.release for host in lab.hospital.hosts}))


def create_command(container: Container, hospital: str, flags: Flags) -> tuple[str, ...]:
    """Return the command that creates a container without starting it, over what a crash may have left of it."""
    labels = {HOSPITAL_LABEL: hospital, HOST_LABEL: container.host, DIGEST_LABEL: container.digest}
    return (
        *("podman", *flags.podman, "create", "--quiet", "--replace", "--no-hosts"),
        *("--name", container.name, "--hostname", container.host.lstrip("-")),
        *flags.run_options(),
        *(f"--label={name}={value}" for name, value in labels.items()),
        *container.options,
        container.image,
        *(("/sbin/init",) if container.boots else ("sleep", "infinity")),
    )


def await_orphans(hospital: str, processes: Path = Path("/proc")) -> None:
    """Wait until no podman command is at work on a hospital's containers.

    A killed `up` leaves the podman commands that it had started; they end by themselves, and in order.
    """
    deadline = time.monotonic() + _ORPHAN_SECONDS
    while orphans := _podman_commands(container_name(hospital, ""), processes):
        if time.monotonic() > deadline:
            raise TwinError(
                f"podman is at work on the twin of {hospital} since more than {_ORPHAN_SECONDS:.0f} s",
                remedy=f"look what the processes {', '.join(orphans)} wait for",
            )
        time.sleep(0.1)


def find(hospital: str, processes: Path = Path("/proc")) -> dict[str, Found]:
    """Return the containers of a hospital by host name, whatever their state."""
    listed = run(("podman", "ps", "--all", "--filter", f"label={HOSPITAL_LABEL}={hospital}", "--format", "json"))
    found = [as_found(entry, processes) for entry in json.loads(listed)]
    return {container.host: container for container in found}


def as_found(entry: dict[str, Any], processes: Path) -> Found:
    """Read an entry of podman's list; its word that a container runs counts only while there is such a process."""
    labels, state, pid = entry["Labels"], entry["State"], entry["Pid"]
    if state in _ALIVE and not _is_init(pid, processes):
        state = KILLED
    return Found(
        host=labels.get(HOST_LABEL, ""),
        name=entry["Names"][0],
        state=state,
        pid=pid if state == "running" else 0,
        digest=labels.get(DIGEST_LABEL, ""),
    )


def ensure_running(container: Container, found: Found | None, hospital: str, flags: Flags) -> bool:
    """Create, furnish and start a container as far as it is not; return whether it was started.

    A container that was created but never started may be half furnished, so it is made anew.
    """
    if found is not None and found.state == "running":
        return False
    if found is not None and found.state == "paused":
        run(("podman", "unpause", container.name))
        return False
    if found is None or found.state in _NEVER_STARTED:
        run(create_command(container, hospital, flags))
        furnish(container.name, container.files, account=container.account)
    run(("podman", *flags.podman, "start", container.name))
    return True


def first_process(name: str) -> int:
    """Return the process id, on this machine, of a running container's init."""
    return int(run(("podman", "inspect", "--format", "{{.State.Pid}}", name)))


def restart(name: str, flags: Flags) -> None:
    """Stop a container, by force after a few seconds, and start it with its file system as it was."""
    run(("podman", *flags.podman, "restart", "--time", "5", name))


def remove(names: tuple[str, ...]) -> None:
    """Remove containers at once, running or not, and the anonymous volumes they made."""
    command = ("podman", "rm", "--force", "--ignore", "--volumes", "--time", "0", *names)
    # Podman 4.3 fails to stop a container whose processes were killed, but knows by then that it has ended.
    if names and attempt(command).code != 0:
        run(command)


def package_volume(hospital: str) -> str:
    """Return the name of the volume that keeps a hospital's packages across twins."""
    return f"{container_name(hospital, 'packages')}"


def remove_package_volume(hospital: str) -> None:
    """Forget the packages that earlier twins fetched."""
    name = package_volume(hospital)
    if attempt(("podman", "volume", "exists", name)).code == 0:
        run(("podman", "volume", "rm", name))


def _is_init(pid: int, processes: Path) -> bool:
    """Tell whether a process lives and is a container's first one, which another process with its number is not."""
    try:
        text = (processes / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    status = dict(line.split(":", 1) for line in text.splitlines())
    numbers = status["NSpid"].split()
    return not status["State"].strip().startswith(_ZOMBIE) and len(numbers) > 1 and numbers[-1] == "1"


def _podman_commands(prefix: str, processes: Path) -> list[str]:
    found = []
    for entry in processes.glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
        except OSError:
            # The process ended between listing and reading, which is what is waited for.
            continue
        if Path(words[0]).name == "podman" and any(word.startswith(prefix) for word in words):
            found.append(entry.name)
    return found


def _sysctls(*settings: str) -> tuple[str, ...]:
    return tuple(f"--sysctl={setting}" for setting in settings)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()
