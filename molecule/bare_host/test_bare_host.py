"""A scenario's hosts are what the roles are promised: bare, booted, with their own network settings."""

from testinfra.host import Host


def test_every_unit_is_up(host: Host) -> None:
    assert host.run("systemctl is-system-running").stdout.strip() == "running"


def test_machine_settings_are_out_of_reach_and_network_settings_are_not(host: Host) -> None:
    assert host.run("test -w /proc/sys/net/ipv4/tcp_syncookies && sysctl -w net.ipv4.conf.all.log_martians=1").rc == 0
    assert host.run("sysctl -w kernel.printk_ratelimit=5").rc != 0


def test_names_are_files_that_can_be_replaced(host: Host) -> None:
    assert host.run("cp /etc/hosts /etc/hosts.new && mv /etc/hosts.new /etc/hosts").rc == 0
    assert host.run("cp /etc/resolv.conf /etc/resolv.new && mv /etc/resolv.new /etc/resolv.conf").rc == 0


def test_host_keys_are_its_own(host: Host) -> None:
    assert host.file("/etc/ssh/ssh_host_ed25519_key").mode == 0o600


def test_converge_did_its_work(host: Host) -> None:
    assert host.package("chrony").is_installed
    assert host.file("/etc/motd").content_string == "A bare host.\n"
