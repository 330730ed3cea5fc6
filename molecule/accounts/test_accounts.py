"""Accounts, rights and lockout are tried as a person would try them."""

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("name", ["automation", "mcurie", "rkoch"])
def test_account_exists_and_may_log_in_over_the_network(host: Host, name: str) -> None:
    assert host.user(name).shell == "/bin/bash"
    assert "ssh-login" in host.user(name).groups


def test_break_glass_account_is_for_the_console_only(host: Host) -> None:
    assert host.user("breakglass").groups == ["breakglass"]
    keys = host.file("/home/breakglass/.ssh/authorized_keys")
    assert not keys.exists or not keys.content_string


def test_only_sealed_passwords_are_usable(host: Host) -> None:
    shadow = [line.split(":")[:2] for line in host.file("/etc/shadow").content_string.splitlines()]
    assert {name for name, password in shadow if password[0] not in "!*"} == {"mcurie", "breakglass"}


def test_automation_becomes_root_without_password(host: Host) -> None:
    assert host.check_output("runuser -u automation -- sudo -n id -u") == "0"


def test_engineer_needs_a_password_but_for_the_listed_command(host: Host) -> None:
    assert host.run("runuser -u mcurie -- sudo -n id").rc == 1
    assert host.run("runuser -u mcurie -- sudo -n /usr/bin/journalctl -n 1").rc == 0
    asked = host.run("echo 'polonium and radium' | runuser -u mcurie -- sudo -S id -u")
    assert asked.stdout.strip() == "0"


def test_nobody_else_has_everything_without_password(host: Host) -> None:
    for name in ("mcurie", "rkoch", "breakglass"):
        assert "NOPASSWD: ALL" not in host.check_output(f"sudo -l -U {name}")


def test_sudo_writes_its_log(host: Host) -> None:
    host.check_output("runuser -u automation -- sudo -n true")
    assert "COMMAND=/usr/bin/true" in host.file("/var/log/sudo.log").content_string


@pytest.mark.parametrize("name", ["automation", "mcurie"])
def test_principals_are_in_place(host: Host, name: str) -> None:
    principals = host.file(f"/etc/ssh/authorized_principals/{name}")
    assert principals.content_string == f"{name}\n"
    assert (principals.user, principals.mode) == ("root", 0o644)


def test_fifth_wrong_password_bars_the_account(host: Host) -> None:
    try:
        for _ in range(5):
            assert host.run("echo wrong | runuser -u mcurie -- sudo -k -S true").rc == 1
        assert host.run("echo 'polonium and radium' | runuser -u mcurie -- sudo -k -S true").rc == 1
    finally:
        host.check_output("faillock --user mcurie --reset")
    assert host.run("echo 'polonium and radium' | runuser -u mcurie -- sudo -k -S true").rc == 0


def test_short_password_is_refused(host: Host) -> None:
    try:
        refused = host.run("echo rkoch:Kx7_vq2pLm9 | chpasswd")
        assert refused.rc != 0
        assert "shorter than 14" in refused.stderr
        assert host.run("echo rkoch:Kx7_vq2pLm9-wR4t | chpasswd").rc == 0
    finally:
        host.check_output("usermod --password '!' rkoch")


def test_only_root_has_number_zero_and_every_account_a_password_field(host: Host) -> None:
    accounts = [line.split(":") for line in host.file("/etc/passwd").content_string.splitlines()]
    assert [account[0] for account in accounts if account[2] == "0"] == ["root"]
    hashes = [line.split(":")[1] for line in host.file("/etc/shadow").content_string.splitlines()]
    assert "" not in hashes


def test_login_defs_is_understood(host: Host) -> None:
    probe = host.run("useradd --defaults && su -s /bin/sh -c true games")
    assert "INACTIVE=45" in probe.stdout
    assert not probe.stderr
