"""The collector is tried with real connections from the scenario's other host."""

import time
import uuid

import pytest
import testinfra
from testinfra.host import Host

STORE = "/var/log/remote"
PKI = "/etc/wardround/pki"
CERTIFICATE = f"-cert {PKI}/host.crt -key {PKI}/host.key"


def other(host: Host) -> Host:
    name = host.backend.name
    ends = ("debian-12", "debian-13")
    mine = name[-len(ends[0]) :]
    return testinfra.get_host(f"podman://{name.replace(mine, ends[1 - ends.index(mine)])}")


def address(host: Host) -> str:
    return str(host.check_output("hostname -I").split()[0])


def send(sender: Host, collector: Host, text: str, options: str) -> bool:
    """Send one message as RFC 5425 has it; return whether TLS was agreed and the connection was kept."""
    message = f"<13>1 2026-01-01T00:00:00Z liar scenario - - - {text}"
    result = sender.run(
        f"(printf %s '{len(message)} {message}'; sleep 2) | timeout 20 openssl s_client -quiet -no_ign_eof "
        f"-verify_return_error -CAfile {PKI}/ca.crt -connect {address(collector)}:6514 {options}"
    )
    return bool(result.rc == 0 and "alert" not in result.stderr and "errno" not in result.stderr)


def stored(collector: Host, folder: str, text: str, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if collector.run(f"grep -qs {text} {STORE}/{folder}/messages.log").rc == 0:
            return True
        time.sleep(0.5)
    return False


def test_a_permitted_sender_is_kept_under_its_address_not_its_word(host: Host) -> None:
    text, sender = uuid.uuid4().hex, other(host)
    assert send(sender, host, text, CERTIFICATE)
    assert stored(host, sender.backend.name, text)
    assert not host.file(f"{STORE}/liar").exists


def test_tls_1_2_is_enough(host: Host) -> None:
    text, sender = uuid.uuid4().hex, other(host)
    assert send(sender, host, text, f"-tls1_2 {CERTIFICATE}")
    assert stored(host, sender.backend.name, text)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("", id="no certificate"),
        pytest.param("-cert /root/stranger.crt -key /root/stranger.key", id="a name that is not permitted"),
        pytest.param(f"-tls1_1 -cipher DEFAULT:@SECLEVEL=0 {CERTIFICATE}", id="TLS 1.1"),
    ],
)
def test_refused(host: Host, options: str) -> None:
    text = uuid.uuid4().hex
    send(other(host), host, text, options)
    time.sleep(1)
    assert host.run(f"grep -rqs {text} {STORE}").rc == 1


def test_tls_1_1_fails_in_the_handshake(host: Host) -> None:
    assert not send(other(host), host, "old", f"-tls1_1 -cipher DEFAULT:@SECLEVEL=0 {CERTIFICATE}")


def test_plaintext_is_refused(host: Host) -> None:
    text = uuid.uuid4().hex
    other(host).run(f"printf '<13>1 - - - - - - {text}\\n' | nc -w 2 -N {address(host)} 6514")
    time.sleep(1)
    assert host.run(f"grep -rqs {text} {STORE}").rc == 1


def test_nothing_else_listens_for_messages(host: Host) -> None:
    sockets = host.check_output("ss -Hltunp")
    assert {line.split()[4].rsplit(":", 1)[1] for line in sockets.splitlines() if "rsyslogd" in line} == {"6514"}


def test_an_undeclared_address_has_no_folder_of_its_own(host: Host) -> None:
    text = uuid.uuid4().hex
    message = f"<13>1 2026-01-01T00:00:00Z liar scenario - - - {text}"
    host.check_output(
        f"(printf %s '{len(message)} {message}'; sleep 2) | timeout 20 openssl s_client -quiet -no_ign_eof "
        f"-CAfile {PKI}/ca.crt -connect 127.0.0.1:6514 {CERTIFICATE}"
    )
    assert stored(host, "undeclared", text)


def test_the_hosts_own_messages_are_kept_too(host: Host) -> None:
    text = uuid.uuid4().hex
    host.check_output(f"logger {text}")
    assert stored(host, host.backend.name, text)


def test_only_root_and_log_readers_see_the_store(host: Host) -> None:
    for path, mode in ((STORE, 0o750), (f"{STORE}/{host.backend.name}/messages.log", 0o640)):
        assert (host.file(path).user, host.file(path).group, host.file(path).mode) == ("root", "adm", mode)


def test_rotation_keeps_what_is_written_and_the_store_within_its_limit(host: Host) -> None:
    folder = f"{STORE}/{host.backend.name}"
    text = uuid.uuid4().hex
    host.check_output(f"logger before-{text}")
    assert stored(host, host.backend.name, f"before-{text}")
    # Two archives of a megabyte each, the older of which must give way.
    host.check_output(f"head -c 1048576 /dev/urandom > {folder}/messages.log-20200101-1577836800.gz")
    host.check_output(f"touch -d '2 days ago' {folder}/messages.log-20200101-1577836800.gz")
    host.check_output("logrotate --force /etc/logrotate.d/wardround-collector")
    archives = host.check_output(f"find {folder} -name '*.gz'").split()
    assert len(archives) == 1
    assert "20200101" not in archives[0]
    assert f"before-{text}" in host.check_output(f"zcat {archives[0]}")
    host.check_output(f"logger after-{text}")
    assert stored(host, host.backend.name, f"after-{text}")
    assert "before its time" in host.check_output(f"cat {folder}/messages.log")


def test_retention_is_what_was_asked_for(host: Host) -> None:
    assert "maxage 90\n" in host.file("/etc/logrotate.d/wardround-collector").content_string


def test_rotation_is_planned(host: Host) -> None:
    assert host.service("logrotate.timer").is_running
    assert host.service("logrotate.timer").is_enabled
