"""The Debian mirror that this machine itself uses, read from its apt configuration; it is written down nowhere else."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from wardround.errors import TwinError
from wardround.twin.command import run

_FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where packages and security updates come from, as URLs; `proxy` is empty when none is configured."""

    archive: str
    security: str
    proxy: str


def machine_mirror() -> Mirror:
    """Ask apt which mirror this machine is configured for."""
    listed = run(("apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"))
    dumped = run(("apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"))
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    return choose(listed, _codename(release), dumped.strip())


def choose(listed: str, codename: str, proxy: str) -> Mirror:
    """Pick archive and security archive from apt's list of sources (`uri suite component origin` a line)."""
    sources = [line.split() for line in listed.splitlines()]
    # A source whose index was never fetched has no origin yet; its template is printed unexpanded.
    debian = {
        suite: uri
        for uri, suite, component, origin, *_ in reversed(sources)
        if component == "main" and (origin == "Debian" or origin.startswith("$("))
    }
    try:
        return Mirror(debian[codename].rstrip("/"), debian[f"{codename}-security"].rstrip("/"), proxy)
    except KeyError as missing:
        raise TwinError(
            f"this machine's apt configuration has no Debian source for {missing}",
            path="/etc/apt",
            remedy="configure a Debian mirror for this machine and run `apt-get update`",
        ) from missing


def sources(mirror: Mirror, suite: str) -> str:
    """Render the apt sources (deb822, sources.list(5)) of a host of release `suite` that uses the mirror directly."""
    stanza = "Types: deb\nURIs: {}\nSuites: {}\nComponents: main\nSigned-By: {}\n"
    archive = stanza.format(mirror.archive, f"{suite} {suite}-updates", _KEYRING)
    return archive + "\n" + stanza.format(mirror.security, f"{suite}-security", _KEYRING)


def one_line_sources(mirror: Mirror, suite: str) -> tuple[str, ...]:
    """Render the same sources in the one-line style, as a bootstrapper takes them."""
    line = f"deb [signed-by={_KEYRING}] {{}} {{}} main"
    return (
        line.format(mirror.archive, suite),
        line.format(mirror.archive, f"{suite}-updates"),
        line.format(mirror.security, f"{suite}-security"),
    )


def _codename(os_release: str) -> str:
    for line in os_release.splitlines():
        name, _, value = line.partition("=")
        if name == "VERSION_CODENAME":
            return value.strip('"')
    raise TwinError("this machine does not say which release it runs", path="/etc/os-release:VERSION_CODENAME")


if __name__ == "__main__":
    found = machine_mirror()
    rendered = {suite: sources(found, suite) for suite in ("bookworm", "trixie")}
    sys.stdout.write(json.dumps({**asdict(found), "sources": rendered}) + "\n")
