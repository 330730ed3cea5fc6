"""Rules as a kernel reads them: loaded in a network namespace of their own, listed, and gone with it."""

from __future__ import annotations

import os
import subprocess

from wardround.errors import MissingToolError

_SCRIPT = "nft -f - && nft -j list ruleset"


def as_listed(rules: str) -> str:
    """Give `nft -j list ruleset` for rules in nft's own language; nothing on this machine changes.

    Raises:
        MissingToolError: this machine has no nft, or this user may make no network namespace.

    """
    alone = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    try:
        done = subprocess.run(
            (*alone, "sh", "-c", _SCRIPT),
            input=rules,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError) as failed:
        said = getattr(failed, "stderr", None) or str(failed)
        raise MissingToolError(
            f"rules could not be read in a network namespace: {str(said).strip()[-500:]}",
            remedy="install nftables and util-linux, and allow user namespaces or run as root",
        ) from failed
    return done.stdout
