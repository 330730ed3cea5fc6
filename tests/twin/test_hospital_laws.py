"""The laws of a whole hospital: applied is in sync, broken is named and nothing else, mended is clean."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from tests.twin.small_hospital import (
    HOSTS,
    NAME,
    ROOT,
    SmallHospital,
    events_of,
    interrupt,
    processes_naming,
    run_folders,
    wait_for,
)

pytestmark = [pytest.mark.twin, pytest.mark.timeout(1800)]


def open_spots(hospital: SmallHospital) -> set[tuple[str, str, str]]:
    """Look deeply and give host, role and task of everything that is not as it should be."""
    seen = hospital.on_twin("drift", "--deep")
    assert seen.code in {0, 2}, seen.out + seen.err
    assert seen.data["coverage"]["hosts_seen"] == len(HOSTS)
    return {
        (found["host"], found["role"], found["task"])
        for found in seen.data["findings"]
        if found["verdict"] != "unknown"
    }


def test_a_plan_of_bare_hosts_sees_them_all_and_fails_nowhere(hardened: SmallHospital) -> None:
    runs = hardened.call("--json", "ledger", "runs", NAME).data["runs"]
    first = next(run for run in reversed(runs) if run["kind"] == "plan")
    assert first["coverage"]["hosts_seen"] == len(HOSTS)


def test_apply_then_deep_drift_finds_nothing(hardened: SmallHospital) -> None:
    assert open_spots(hardened) == set()


def test_a_second_apply_changes_nothing(applied: dict[str, Any]) -> None:
    assert len(applied["changed"]) > 100
    assert applied["again"]["changed"] == []
    assert applied["again"]["coverage"]["hosts_seen"] == len(HOSTS)


def test_what_is_broken_is_named_and_nothing_else_then_mended(hardened: SmallHospital) -> None:
    planted = hardened.call("--json", "twin", "break", NAME, "--seed", "7")
    assert planted.code == 0, planted.out + planted.err
    faults = planted.data["faults"]
    assert len({fault["kind"] for fault in faults}) >= 15
    assert {HOSTS[fault["host"]][2] for fault in faults} == {"debian-12", "debian-13"}
    assert open_spots(hardened) == {(fault["host"], fault["role"], fault["check"]) for fault in faults}
    known = hardened.call("--json", "findings", NAME).data["findings"]
    assert {found["cause"] for found in known if found["verdict"] == "drifted"} == {"host_moved"}
    planned = hardened.on_twin("plan", "--findings")
    assert planned.code == 2, planned.out + planned.err
    applied = hardened.on_twin("apply", "--plan", planned.data["plan"])
    assert applied.code == 0, applied.out + applied.err
    assert open_spots(hardened) == set()


def test_a_plan_is_refused_when_a_host_moved(hardened: SmallHospital) -> None:
    planned = hardened.on_twin("plan", "--limit", "log01", "--tags", "login_banners")
    assert planned.code in {0, 2}, planned.err
    assert hardened.host("log01", "sh", "-c", "echo moved > /etc/issue.extra").code == 0
    try:
        applied = hardened.on_twin("apply", "--plan", planned.data["plan"])
        assert applied.code == 4
        assert "log01" in applied.out
        assert "/etc/issue.extra" in applied.out
    finally:
        assert hardened.host("log01", "rm", "/etc/issue.extra").code == 0


def test_a_host_that_stops_mid_run_is_unknown_and_the_others_finish(hardened: SmallHospital) -> None:
    before = set(run_folders())
    running = hardened.started("--json", "drift", NAME, "--twin", "--deep")

    def told() -> bool:
        return any(
            event.get("host") == "infra02" and event["outcome"] == "ok" and event.get("role")
            for folder in set(run_folders()) - before
            for event in events_of(folder)
        )

    try:
        wait_for(told, 300, "infra02 to be looked at")
        subprocess.run(["podman", "kill", f"wr-{NAME}--infra02"], check=True, capture_output=True)
        out, err = running.communicate(timeout=1500)
        assert running.returncode == 3, out + err
        seen = json.loads(out)
        assert seen["coverage"]["hosts_seen"] == len(HOSTS) - 1
        unknown = {found["host"] for found in seen["findings"] if found["verdict"] == "unknown"}
        assert unknown == {"infra02"}
    finally:
        running.kill()
        assert hardened.call("twin", "up", NAME).code == 0


def test_ctrl_c_starts_no_further_host_and_leaves_nothing_running(hardened: SmallHospital) -> None:
    before = set(run_folders())
    running = hardened.started("drift", NAME, "--twin", "--deep", "--forks", "1")

    def at_work() -> bool:
        return any(event.get("role") for folder in set(run_folders()) - before for event in events_of(folder))

    wait_for(at_work, 300, "the first role")
    interrupt(running)
    began = time.monotonic()
    _out, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert time.monotonic() - began < 60
    assert set(run_folders()) <= before
    assert processes_naming(str(hardened.project)) == []
    runs = hardened.call("--json", "ledger", "runs", NAME).data["runs"]
    assert runs[0]["state"] == "interrupted"


def test_plain_ansible_reads_the_manifest(bare: SmallHospital) -> None:
    manifest = bare.project / "inventories" / NAME / "hospital.yml"
    listed = subprocess.run(
        [str(ROOT / ".venv/bin/ansible-inventory"), "-i", str(manifest), "--graph"],
        capture_output=True,
        text=True,
        check=True,
        cwd=bare.project,
    )
    assert all(host in listed.stdout for host in HOSTS)
