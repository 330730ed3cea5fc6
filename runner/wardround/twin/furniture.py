"""What a container's file system holds before its first boot, so that it boots as a freshly installed server."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wardround.errors import TwinError
from wardround.twin.command import run
from wardround.twin.credentials import ACCOUNT, HostKey
from wardround.twin.mirror import Mirror

_RULESET_HEAD = "#!/usr/sbin/nft -f\nflush ruleset\n\n"


@dataclass(frozen=True, slots=True)
class File:
    """A file or, with `link`, a symbolic link; `account` files belong to the automation account, the others to root."""

    path: str
    mode: int
    text: str = ""
    link: str = ""
    account: bool = False


def host_files(name: str, key: HostKey, automation: str, upstream: dict[str, str]) -> tuple[File, ...]:
    """Return the files of a bare host that the provider has just taken over.

    Args:
        name: the host's name.
        key: its SSH host key, made on this machine so that it is known before the first contact.
        automation: public key that the automation account trusts until certificates take its place.
        upstream: addresses of mirror hosts by name, for a host with an uplink.
    """
    home = f"/home/{ACCOUNT}"
    return (
        *name_files(name, upstream),
        File("/etc/ssh/ssh_host_ed25519_key", 0o600, key.private),
        File("/etc/ssh/ssh_host_ed25519_key.pub", 0o644, f"{key.public}\n"),
        File(f"/etc/sudoers.d/{ACCOUNT}", 0o440, f"{ACCOUNT} ALL=(ALL:ALL) NOPASSWD: ALL\n"),
        File(f"{home}/.ssh/authorized_keys", 0o600, f"{automation}\n", account=True),
    )


def gateway_files(name: str, forward_rules: str) -> tuple[File, ...]:
    """Return the files of the gateway: its ruleset, loaded at boot, and no way to log in."""
    return (
        *name_files(name),
        *ruleset_files(forward_rules),
        File("/etc/systemd/system/ssh.service", 0o777, link="/dev/null"),
    )


def ruleset_files(forward_rules: str) -> tuple[File, ...]:
    """Return the files of a ruleset that is loaded at boot, as an installer leaves it."""
    return (
        File("/etc/nftables.conf", 0o644, _RULESET_HEAD + forward_rules),
        _enabled("nftables.service", "sysinit.target"),
    )


def name_files(name: str, upstream: Mapping[str, str] | None = None) -> tuple[File, ...]:
    """Return the files by which a machine knows its own name and those of mirror hosts, and no resolver yet."""
    hosts = "".join(f"{address} {mirror}\n" for mirror, address in (upstream or {}).items())
    return (
        File("/etc/hosts", 0o644, f"127.0.0.1 localhost\n127.0.1.1 {name}\n{hosts}"),
        File("/etc/resolv.conf", 0o644, "# No resolver is configured yet.\n"),
    )


def upstream_addresses(mirror: Mirror) -> dict[str, str]:
    """Resolve the mirror's host names on this machine, for a host that has no resolver of its own yet."""
    names = {urlsplit(url).hostname for url in (mirror.archive, mirror.security, mirror.proxy)} - {None}
    found = {}
    for name in sorted(str(name) for name in names):
        try:
            found[name] = str(socket.getaddrinfo(name, None, socket.AF_INET)[0][4][0])
        except OSError as failed:
            raise TwinError(f"this machine cannot resolve its own package mirror {name}: {failed}") from failed
    return found


def furnish(container: str, files: tuple[File, ...], *, account: bool) -> None:
    """Write files into a container that has not started yet; with `account`, make the automation account first."""
    root = Path(run(("podman", "mount", container)).strip())
    try:
        owner = _make_account(root) if account else (0, 0)
        for file in files:
            _write(root, file, owner if file.account else (0, 0))
    finally:
        run(("podman", "umount", container))


def _enabled(unit: str, target: str) -> File:
    return File(f"/etc/systemd/system/{target}.wants/{unit}", 0o777, link=f"/usr/lib/systemd/system/{unit}")


def _make_account(root: Path) -> tuple[int, int]:
    if _ids(root) is None:
        # An asterisk: no password opens the account, yet it is not locked, so keys do.
        options = ("--create-home", "--shell", "/bin/bash", "--password", "*", "--comment", "automation")
        run(("chroot", str(root), "useradd", *options, ACCOUNT))
    ids = _ids(root)
    if ids is None:
        raise TwinError(f"useradd made no account {ACCOUNT}", path=str(root))
    return ids


def _ids(root: Path) -> tuple[int, int] | None:
    for line in (root / "etc/passwd").read_text(encoding="utf-8").splitlines():
        fields = line.split(":")
        if fields[0] == ACCOUNT:
            return int(fields[2]), int(fields[3])
    return None


def _write(root: Path, file: File, owner: tuple[int, int]) -> None:
    target = root / file.path.lstrip("/")
    if not target.parent.exists():
        target.parent.mkdir(mode=0o700 if file.account else 0o755, parents=True)
        os.chown(target.parent, *owner)
    target.unlink(missing_ok=True)
    if file.link:
        target.symlink_to(file.link)
        return
    target.touch(mode=0o600)
    target.write_text(file.text, encoding="utf-8")
    os.chown(target, *owner)
    target.chmod(file.mode)
