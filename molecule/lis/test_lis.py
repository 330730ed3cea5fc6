"""What the vendor's stand-in saw of the role, and what the role left as it was."""

from testinfra.host import Host

STARTED = "/proc/$(systemctl show -P MainPID vendor-lis)"


def test_the_vendor_was_sent_the_declared_query_and_nothing_else(host: Host) -> None:
    seen = host.file("/srv/lis/seen").content_string.splitlines()
    # Three segments, once in each of the runs before: check, converge, idempotence.
    assert seen == ["connected", "QBP^Q11^QBP_Q11 3"] * 3


def test_the_vendors_files_are_as_they_were(host: Host) -> None:
    paths = "/opt/vendor_lis.py /etc/systemd/system/vendor-lis.service /srv/lis"
    assert host.check_output(f"find {paths} -type f -newer {STARTED}") == "/srv/lis/seen"


def test_the_role_leaves_nothing_on_the_host(host: Host) -> None:
    assert host.check_output(f"find /etc /opt /usr/local -type f -newer {STARTED}") == ""
