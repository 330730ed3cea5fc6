"""A check is run as the timer would, and has to find what was planted and to tell it where others can read it."""

import time

import pytest
from testinfra.host import Host

FOLDER = "/var/lib/wardround/aide"
BASELINE = f"{FOLDER}/aide.db.gz"


def check(host: Host) -> tuple[int, str]:
    """Run the unit; return AIDE's exit status and what the run put into the journal."""
    since = host.check_output("date +%s.%N")
    host.check_output("systemctl start wardround-aide.service && journalctl --sync")
    journal = host.check_output(f"journalctl --quiet --since=@{since} -t wardround-aide -o cat")
    return int(host.check_output(f"cat {FOLDER}/last-run")), journal


def test_a_clean_host_is_clean(host: Host) -> None:
    status, journal = check(host)
    assert status == 0
    assert "finished: success, exit status 0" in journal


def test_a_changed_a_new_and_a_removed_file_are_told(host: Host) -> None:
    host.check_output("cp -p /usr/bin/true /etc/issue /var/tmp")
    before = host.file(BASELINE).sha256sum
    host.check_output("printf x >> /usr/bin/true && rm /etc/issue && touch /etc/planted")
    try:
        status, journal = check(host)
    finally:
        host.check_output("mv /var/tmp/true /usr/bin && mv /var/tmp/issue /etc && rm /etc/planted")
    assert status == 1 + 2 + 4
    for path in ("/usr/bin/true", "/etc/planted", "/etc/issue"):
        assert path in journal
    assert "exit status 7" in journal
    assert host.file(BASELINE).sha256sum == before, "a check must not write the baseline"
    assert check(host)[0] == 0


def test_a_failed_check_leaves_no_mark_and_a_failed_unit(host: Host) -> None:
    host.check_output(f"rm -f {FOLDER}/last-run && mv {BASELINE} {BASELINE}.away")
    try:
        assert host.run("systemctl start wardround-aide.service").rc != 0
        assert not host.file(f"{FOLDER}/last-run").exists
    finally:
        host.check_output(f"mv {BASELINE}.away {BASELINE} && systemctl reset-failed wardround-aide.service")


def test_the_check_is_planned_daily_and_the_distributions_is_not(host: Host) -> None:
    assert host.service("wardround-aide.timer").is_running
    assert host.service("wardround-aide.timer").is_enabled
    assert host.service("dailyaidecheck.timer").is_masked
    following = host.check_output("systemctl show wardround-aide.timer -p NextElapseUSecRealtime --value")
    seconds = int(host.check_output(f"date -d '{following}' +%s")) - time.time()
    assert 0 < seconds <= 26 * 3600


def test_baseline_and_configuration_are_roots_alone(host: Host) -> None:
    for path in (BASELINE, "/etc/aide.conf"):
        assert (host.file(path).user, host.file(path).mode) == ("root", 0o600)
    assert host.file(FOLDER).mode == 0o700


@pytest.mark.parametrize("setting", ["Nice=19", "IOSchedulingClass=3", "NoNewPrivileges=yes", "ProtectSystem=strict"])
def test_a_check_stays_in_the_background(host: Host, setting: str) -> None:
    name = setting.partition("=")[0]
    assert host.check_output(f"systemctl show wardround-aide.service -p {name}") == setting


def test_a_check_costs_little(host: Host) -> None:
    """A bound with room to spare: 3 s of CPU were seen for 12,600 files."""
    used = host.check_output("bash -c 'TIMEFORMAT=\"%U %S\"; time aide -C -c /etc/aide.conf > /dev/null' 2>&1")
    assert sum(float(part) for part in used.split()) < 30
