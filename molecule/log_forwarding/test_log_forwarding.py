"""Messages are logged on one host and looked for on the other; the way between them is cut and repaired."""

import time
import uuid
from collections.abc import Iterator

import pytest
import testinfra
from testinfra.host import Host

STORE = "/var/log/remote"
COLLECTOR_FILE = "/etc/rsyslog.d/30-wardround-collector.conf"
RECONNECT_SECONDS = 75
"""The forwarder tries again every 10 to 60 s."""


@pytest.fixture
def collector(host: Host) -> Host:
    """The scenario's other host, which keeps this one's messages."""
    name = host.backend.name
    ends = ("debian-12", "debian-13")
    mine = name[-len(ends[0]) :]
    return testinfra.get_host(f"podman://{name.replace(mine, ends[1 - ends.index(mine)])}")


@pytest.fixture
def deaf_collector(collector: Host) -> Iterator[Host]:
    """The collector, not listening for as long as the test needs it so."""
    collector.check_output(f"mv {COLLECTOR_FILE} /root/collector.conf && systemctl restart rsyslog.service")
    yield collector
    hear(collector)


def hear(collector: Host) -> None:
    collector.check_output(
        f"test ! -e /root/collector.conf || {{ mv /root/collector.conf {COLLECTOR_FILE};"
        " systemctl restart rsyslog.service; }"
    )


def arrived(host: Host, collector: Host, text: str) -> int:
    return int(collector.run(f"cat {STORE}/{host.backend.name}/messages.log* | grep -c {text}").stdout or 0)


def wait_for(host: Host, collector: Host, text: str, count: int, seconds: float = RECONNECT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while (seen := arrived(host, collector, text)) < count:
        assert time.monotonic() < deadline, f"{seen} of {count} messages arrived"
        time.sleep(1)


def test_a_message_arrives(host: Host, collector: Host) -> None:
    text = uuid.uuid4().hex
    host.check_output(f"logger --tag scenario {text}")
    wait_for(host, collector, text, 1)


def test_a_message_is_kept_here_as_well(host: Host) -> None:
    text = uuid.uuid4().hex
    host.check_output(f"logger -p auth.info secret-{text} && logger {text}")
    deadline = time.monotonic() + 30
    while host.run(f"grep -q {text} /var/log/syslog").rc != 0:
        assert time.monotonic() < deadline, "the message is not in /var/log/syslog"
        time.sleep(0.5)
    assert f"secret-{text}" in host.file("/var/log/auth.log").content_string
    assert f"secret-{text}" not in host.file("/var/log/syslog").content_string
    assert host.file("/var/log/auth.log").mode == 0o640


def test_the_connection_is_tls(host: Host, collector: Host) -> None:
    """What leaves the host is not readable on the way: the same port answers a plain client with nothing it can use."""
    connection = collector.check_output("ss -Htn state established sport = :6514")
    assert host.check_output("hostname -I").split()[0] in connection
    configuration = host.file("/etc/rsyslog.d/50-wardround-forward.conf").content_string
    for setting in ('StreamDriverMode="1"', 'AuthMode="x509/name"', 'resumeRetryCount="-1"', "queue.filename="):
        assert setting in configuration


def test_an_outage_is_waited_out_on_disk(host: Host, deaf_collector: Host) -> None:
    """More messages than memory holds, and a restart of the forwarder in the middle: none is lost.

    Syslog over TCP has no acknowledgement: what is written to a connection in the moment in which it breaks is lost.
    So the forwarder has to have noticed the break before messages are counted.
    """
    text, count = uuid.uuid4().hex, 3000
    deadline = time.monotonic() + 60
    while host.check_output("logger notice && sleep 1 && ss -Htn state established 'dport = :6514'"):
        assert time.monotonic() < deadline, "the forwarder did not notice that the collector is gone"
    time.sleep(5)
    host.check_output(f"yes {text} | head -n {count} | logger --tag scenario --socket-errors=on")
    deadline = time.monotonic() + 30
    while host.run("ls /var/spool/rsyslog/wardround_forward.0*").rc != 0:
        assert time.monotonic() < deadline, "nothing was queued on disk"
        time.sleep(0.5)
    host.check_output("systemctl restart rsyslog.service")
    assert arrived(host, deaf_collector, text) == 0
    hear(deaf_collector)
    wait_for(host, deaf_collector, text, count, seconds=2 * RECONNECT_SECONDS)


def test_a_collector_of_another_name_gets_nothing(host: Host, collector: Host) -> None:
    """The authority issued the certificate, but to somebody else."""
    pki, text = "/etc/wardround/pki", uuid.uuid4().hex
    collector.check_output(
        f"mkdir /root/kept && cp -p {pki}/host.* /root/kept && cp /root/stranger.crt {pki}/host.crt"
        f" && cp /root/stranger.key {pki}/host.key && systemctl restart rsyslog.service"
    )
    try:
        host.check_output(f"systemctl restart rsyslog.service && logger {text} && sleep 15")
        assert arrived(host, collector, text) == 0
    finally:
        collector.check_output(
            f"cp -p /root/kept/host.* {pki} && rm -r /root/kept && systemctl restart rsyslog.service"
        )
    wait_for(host, collector, text, 1)


def test_the_private_key_has_one_reader(host: Host) -> None:
    key = host.file("/etc/wardround/pki/host.key")
    assert (key.user, key.mode) == ("root", 0o600)


def test_the_service_is_well(host: Host) -> None:
    assert host.service("rsyslog").is_running
    assert host.service("rsyslog").is_enabled
    assert host.check_output("rsyslogd -N1 2>&1").count("error") == 0
