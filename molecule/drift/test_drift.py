"""The hosts that are damaged afterwards are hardened ones."""

from testinfra.host import Host


def test_a_packet_filter_denies_what_no_flow_allows(host: Host) -> None:
    assert "policy drop" in host.check_output("nft list chain inet wardround input")


def test_root_does_not_log_in(host: Host) -> None:
    assert "permitrootlogin no" in host.check_output("/usr/sbin/sshd -T").splitlines()


def test_the_certificate_is_the_hospitals(host: Host) -> None:
    verified = host.run("openssl verify -CAfile /etc/wardround/pki/ca.crt /etc/wardround/pki/host.crt")
    assert verified.rc == 0, verified.stderr


def test_nothing_failed_on_the_way(host: Host) -> None:
    failed = host.run("systemctl --failed --no-legend --plain").stdout.splitlines()
    # systemd calls a timer failed that was masked while it waited.
    assert [line for line in failed if " masked " not in line] == []
