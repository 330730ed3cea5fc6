"""Which flags podman is given, by what the machine can do."""

from __future__ import annotations

import pytest

from wardround.twin.podman import Machine, detect, flags

pytestmark = pytest.mark.unit

ORDINARY = Machine(
    unified_cgroups=True, systemd_booted=True, may_raise_limits=True, nofile_hard=1048576, nproc_hard=127000
)
RESTRICTED = Machine(
    unified_cgroups=False, systemd_booted=False, may_raise_limits=False, nofile_hard=20000, nproc_hard=96365
)


def test_an_ordinary_machine_needs_capabilities_only() -> None:
    assert flags(ORDINARY).podman == ()
    assert flags(ORDINARY).run_options() == ("--systemd=always", "--cap-add=NET_ADMIN,NET_RAW,AUDIT_WRITE")


def test_a_restricted_machine_gets_another_runtime_and_limits_it_may_set() -> None:
    needed = flags(RESTRICTED)
    assert needed.podman == ("--runtime", "runc", "--cgroup-manager", "cgroupfs")
    assert needed.run_options()[2:] == ("--ulimit=nofile=20000:20000", "--ulimit=nproc=32768:32768")


def test_limits_never_exceed_the_machines() -> None:
    tight = Machine(unified_cgroups=True, systemd_booted=True, may_raise_limits=False, nofile_hard=1024, nproc_hard=512)
    assert flags(tight).ulimits == ("nofile=1024:1024", "nproc=512:512")
    assert flags(tight).podman == ()


def test_this_machine_can_be_read() -> None:
    assert detect().nofile_hard > 0
