"""The machine's own mirror, as apt tells it."""

from __future__ import annotations

import pytest

from wardround.errors import TwinError
from wardround.twin.mirror import Mirror, choose, sources

pytestmark = pytest.mark.unit

LISTED = """\
http://mirror.example/debian/ bookworm main Debian
http://mirror.example/debian/ bookworm contrib Debian
http://mirror.example/debian/ bookworm-updates main Debian
http://mirror.example/debian-security/ bookworm-security main Debian
https://vendor.example/apt/ bookworm main Vendor
https://never-fetched.example/ nodistro main $(ORIGIN)
"""


def test_archive_and_security_come_from_the_distribution() -> None:
    found = choose(LISTED, "bookworm", "")
    assert found == Mirror("http://mirror.example/debian", "http://mirror.example/debian-security", "")


def test_a_source_that_was_never_fetched_counts() -> None:
    listed = LISTED.replace(" Debian\n", " $(ORIGIN)\n")
    assert choose(listed, "bookworm", "http://proxy.example:3142").proxy == "http://proxy.example:3142"


def test_a_machine_without_a_debian_mirror_is_told_what_to_do() -> None:
    with pytest.raises(TwinError, match="configure a Debian mirror"):
        choose(LISTED, "trixie", "")


def test_sources_are_signed() -> None:
    text = sources(Mirror("http://a.example/debian", "http://a.example/security", ""), "trixie")
    assert text.count("Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n") == 2
    assert "Suites: trixie trixie-updates\n" in text
    assert "Suites: trixie-security\n" in text
