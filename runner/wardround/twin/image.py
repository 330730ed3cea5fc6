"""The image of a bare Debian server, built from the distribution's own packages and cached by content."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from wardround.errors import WardroundError
from wardround.twin.command import attempt, run
from wardround.twin.mirror import Mirror, machine_mirror, one_line_sources

Release = Literal["debian-12", "debian-13"]

RELEASES: tuple[Release, ...] = get_args(Release)
REPOSITORY = "localhost/wardround-host"
TENANT_IMAGE = "localhost/wardround-tenant:debian-12"
LABEL = "wardround.recipe"

_SUITES: dict[Release, str] = {"debian-12": "bookworm", "debian-13": "trixie"}
_LOCK = Path("/run/lock/wardround-image.lock")
_PACKAGES = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "iputils-ping",
    "netcat-openbsd",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
)
# Runs on the machine with the new root as $1. A host key or an identity in an image would be shared by every host.
# Sources and package lists stay, as they do on a server that was just installed: a check must be able to say which
# packages it would install. The lists must look old, not fresh. The masked units need a console, a disk or a root that
# can be remounted, which no container has; the last two would cost each two of the machine's few inotify instances.
_CUSTOMISE = """
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/hosts "$1"/var/cache/apt/*.bin
touch --date=@0 "$1"/var/lib/apt/lists
: > "$1"/etc/resolv.conf
: > "$1"/etc/machine-id
chroot "$1" systemctl --quiet mask console-getty.service getty@.service getty.target systemd-remount-fs.service \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-ask-password-console.path systemd-ask-password-wall.path
""".strip()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what is in an image."""

    suite: str
    packages: tuple[str, ...]
    customise: str
    sources: tuple[str, ...]
    tool: str

    def digest(self) -> str:
        """Return the SHA-256 of the recipe, which the image carries as a label."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def recipe(release: Release, mirror: Mirror, tool: str) -> Recipe:
    """Return how a release's image is made from a mirror; `tool` is the version of the tool that will make it."""
    suite = _SUITES[release]
    return Recipe(suite, _PACKAGES, _CUSTOMISE, one_line_sources(mirror, suite), tool)


def image_name(release: Release) -> str:
    """Return the name under which podman knows a release's image."""
    return f"{REPOSITORY}:{release}"


def ensure_image(release: Release, *, refresh: bool = False) -> bool:
    """Build a release's image unless one of the same recipe exists; return whether it was built.

    Two calls at once take turns, so the second finds what the first has built.
    """
    wanted = recipe(release, machine_mirror(), run(("mmdebstrap", "--version")).strip())
    name = image_name(release)
    if not refresh and recorded(name) == wanted.digest():
        return False
    with one_at_a_time():
        if not refresh and recorded(name) == wanted.digest():
            return False
        _build(release, wanted)
    return True


def recorded(image: str) -> str:
    """Return the digest of the recipe by which an image was made; empty where there is no such image."""
    found = attempt(("podman", "image", "inspect", "--format", f'{{{{index .Labels "{LABEL}"}}}}', image))
    return found.stdout.strip() if found.code == 0 else ""


def _build(release: Release, wanted: Recipe) -> None:
    # /var/tmp: the archive is some 250 MB, and /tmp may be memory.
    with tempfile.TemporaryDirectory(prefix="wardround-image-", dir="/var/tmp") as folder:
        root = f"{folder}/root.tar"
        run(
            (
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                "--skip=cleanup/apt/lists",
                f"--include={','.join(wanted.packages)}",
                f"--customize-hook={wanted.customise}",
                wanted.suite,
                root,
                *wanted.sources,
            )
        )
        label = f"LABEL {LABEL}={wanted.digest()}"
        run(("podman", "import", "--quiet", "--change", label, root, image_name(release)))


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the building of images on this machine."""
    with _LOCK.open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m wardround.twin.image", description=__doc__)
    parser.add_argument("releases", nargs="+", choices=RELEASES, metavar="RELEASE")
    parser.add_argument("--refresh", action="store_true", help="build again although the recipe did not change")
    options = parser.parse_args()
    try:
        for release in options.releases:
            built = ensure_image(release, refresh=options.refresh)
            sys.stdout.write(f"{image_name(release)} {'built' if built else 'unchanged'}\n")
    except WardroundError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
