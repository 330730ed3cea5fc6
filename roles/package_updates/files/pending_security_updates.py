# SPDX-License-Identifier: Apache-2.0
"""Print, as JSON, the security updates that this host lacks and which of them are past the deadline.

Usage: python3 - DEADLINE_DAYS. An update is as old as its newest changelog entry. What has no age, and lists that were
not renewed within the deadline, count as overdue: nothing shows that they are not.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from pathlib import Path

import apt
import apt_pkg

DAY = 86400
HEADER = 68


def days_since(moment: float) -> float:
    """Age in days of a moment given in seconds since the epoch."""
    return round((time.time() - moment) / DAY, 1)


def built(opener: urllib.request.OpenerDirector, uri: str) -> float | None:
    """When a package was built, in seconds since the epoch, or None if the mirror does not give it.

    A package is an ar archive: after 8 bytes of magic and 16 of a name, 12 hold the time of its changelog entry
    (deb(5), SOURCE_DATE_EPOCH). Mirrors need not tell when they received a file.
    """
    # The address is that of a declared source of apt.
    start = urllib.request.Request(uri, headers={"Range": f"bytes=0-{HEADER - 1}"})  # noqa: S310
    try:
        with opener.open(start, timeout=20) as answer:
            header = answer.read(HEADER)
    except (urllib.error.URLError, TimeoutError):
        return None
    stamp = header[24:36].strip()
    return float(stamp) if header.startswith(b"!<arch>") and stamp.isdigit() else None


def lists_age() -> float | None:
    """Age in days of the newest security index that apt holds, or None without one."""
    folder = Path(apt_pkg.config.find_dir("Dir::State::lists"))
    dates = [
        parsedate_to_datetime(line.partition(":")[2].strip()).timestamp()
        for index in folder.glob("*-security_*Release")
        for line in index.read_text(errors="replace").splitlines()
        if line.startswith("Date:")
    ]
    return days_since(max(dates)) if dates else None


def main() -> None:
    """Compare every installed package with the candidate that the security archive offers."""
    deadline = int(sys.argv[1])
    cache = apt.Cache()
    proxy = apt_pkg.config.find("Acquire::http::Proxy")
    proxies = {} if proxy in {"", "DIRECT"} else {"http": proxy, "https": proxy}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    pending = []
    for package in cache:
        new = package.candidate
        if not package.is_upgradable or all(origin.label != "Debian-Security" for origin in new.origins):
            continue
        moment = built(opener, new.uri) if new.uri else None
        pending.append(
            {
                "package": package.name,
                "installed": package.installed.version,
                "candidate": new.version,
                "age_days": None if moment is None else days_since(moment),
            }
        )
    age = lists_age()
    overdue = [p["package"] for p in pending if p["age_days"] is None or p["age_days"] > deadline]
    if age is None or age > deadline:
        overdue.append("package lists")
    print(json.dumps({"lists_age_days": age, "pending": pending, "overdue": overdue}, indent=1))


if __name__ == "__main__":
    main()
