"""The hardening is read from the running host, and TLS is tried with a real handshake."""

import pytest
from testinfra.host import Host


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("net.ipv4.conf.all.accept_redirects", "0"),
        ("net.ipv4.conf.eth0.accept_redirects", "0"),
        ("net.ipv4.conf.all.send_redirects", "0"),
        ("net.ipv4.conf.all.accept_source_route", "0"),
        ("net.ipv4.conf.eth0.rp_filter", "1"),
        ("net.ipv4.conf.all.rp_filter", "1"),
        ("net.ipv4.conf.all.log_martians", "1"),
        ("net.ipv4.tcp_syncookies", "1"),
        ("net.ipv4.ip_forward", "0"),
        ("net.ipv6.conf.all.accept_ra", "0"),
    ],
)
def test_network_stack_is_hardened(host: Host, key: str, value: str) -> None:
    assert host.file(f"/proc/sys/{key.replace('.', '/')}").content_string.strip() == value


def test_kernel_settings_of_the_machine_are_left_alone(host: Host) -> None:
    assert not host.file("/etc/sysctl.d/99-wardround-kernel.conf").exists


@pytest.mark.parametrize("module", ["usb-storage", "dccp", "cramfs"])
def test_module_is_blocked(host: Host, module: str) -> None:
    assert host.file("/etc/modprobe.d/wardround.conf").contains(f"^install {module} /bin/false$")


def test_login_shell_has_umask_and_readonly_timeout(host: Host) -> None:
    shell = host.run("bash -lc 'umask; echo $TMOUT; TMOUT=0'")
    assert shell.stdout.split() == ["0027", "900"]
    assert "readonly variable" in shell.stderr


def test_core_limit_of_a_session_is_zero(host: Host) -> None:
    assert host.check_output("su -s /bin/sh -c 'ulimit -H -c' games") == "0"


@pytest.mark.parametrize("path", ["/etc/issue", "/etc/issue.net"])
def test_banner_names_no_system(host: Host, path: str) -> None:
    text = host.file(path).content_string
    assert "Authorised use only" in text
    assert "Debian" not in text


@pytest.mark.parametrize("name", ["d", "hourly", "daily", "weekly", "monthly"])
def test_cron_folder_is_closed_before_a_package_makes_it_open(host: Host, name: str) -> None:
    folder = host.file(f"/etc/cron.{name}")
    assert (folder.is_directory, folder.user, folder.mode) == (True, "root", 0o700)


def test_only_named_accounts_have_a_crontab(host: Host) -> None:
    assert host.file("/etc/cron.allow").content_string.split() == ["root", "games"]


def answer(host: Host, version: str, *server_options: str) -> int:
    """Exit status of a TLS client that speaks one version, against a server on loopback."""
    script = f"""
    set -e
    cd "$(mktemp -d)"
    openssl req -x509 -newkey rsa:3072 -nodes -keyout key -out certificate -subj /CN=localhost -days 1 2>/dev/null
    openssl s_server -accept 127.0.0.1:14433 -key key -cert certificate -www \\
      {" ".join(server_options)} >/dev/null 2>&1 &
    server=$!
    until ss -Hltn | grep -q 14433; do sleep 0.1; done
    answer=0
    openssl s_client -connect 127.0.0.1:14433 -{version} </dev/null >/dev/null 2>&1 || answer=$?
    kill $server
    exit $answer
    """
    return int(host.run("bash -c %s", script).rc)


def test_tls_1_2_is_spoken_and_1_1_is_not(host: Host) -> None:
    assert answer(host, "tls1_2") == 0
    # SECLEVEL=0 on the server's command line leaves only the floor to refuse the old version.
    assert answer(host, "tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0") != 0


@pytest.mark.parametrize("package", ["telnet", "rsh-client", "xinetd"])
def test_package_is_absent(host: Host, package: str) -> None:
    assert not host.package(package).is_installed
