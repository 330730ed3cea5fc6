"""The engine is tried with peers on its host: it is killed in the middle of traffic, refused and kept waiting."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

KILLS = 4
STAMP = int(time.time())
"""Part of every control id, for the engine knows those of former runs."""
RESTARTS = "systemctl show --property NRestarts --value interface-engine.service"
SEND_ONE = """
from tests.integration.hospital_software import Sender
import sys
with Sender(int(sys.argv[1])) as sender:
    print(sender.result(*sys.argv[2:]))
"""
SEND_BYTES = """
from tests.integration.hospital_software import Sender
import sys
with Sender(2575) as sender:
    try:
        print(sender.send(bytes.fromhex(sys.argv[1]) + b"A" * int(sys.argv[2])))
    except ConnectionError:
        print(b"")
"""


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.3)


def received(host: Host, destination: str) -> list[str]:
    return str(host.check_output(f"cat /srv/{destination}/received 2>/dev/null || true")).split()


def python(host: Host, program: str, *arguments: object) -> str:
    places = " ".join(["%s"] * (len(arguments) + 1))
    return str(host.check_output(f"PYTHONPATH=/srv python3 -c {places}", program, *(str(word) for word in arguments)))


def send(host: Host, port: int, *words: str) -> str:
    """Send a message, given as control id, application and type, and return the code of its acknowledgement."""
    return python(host, SEND_ONE, port, *words)


def ask(host: Host, *words: str) -> Any:  # noqa: ANN401 - JSON
    said = host.check_output(f"interface-engine {' '.join(words)}")
    return json.loads(said) if said else None


def main_process(host: Host) -> str:
    return str(host.check_output("systemctl show --property MainPID --value interface-engine.service"))


def journal(host: Host) -> str:
    return str(host.check_output("journalctl --identifier interface_engine --output cat --no-pager"))


def test_killed_in_the_middle_of_traffic_it_loses_nothing_and_keeps_the_order(host: Host) -> None:
    before = len(received(host, "his")), len(received(host, "lis"))
    restarts = int(host.check_output(RESTARTS))
    host.check_output(
        "rm -f /srv/stop /srv/acknowledged; systemd-run --quiet --unit=traffic --setenv=PYTHONPATH=/srv"
        f" --property=StandardOutput=file:/srv/acknowledged python3 /srv/peers.py send 2575 {STAMP} /srv/stop"
    )
    for _ in range(KILLS):
        time.sleep(0.5)
        former = main_process(host)
        host.check_output("systemctl kill --signal=SIGKILL interface-engine.service")
        wait_until(lambda known=former: main_process(host) not in {known, "0"})  # type: ignore[misc]  # bound per turn
    host.check_output("systemctl is-active traffic.service")
    host.check_output("touch /srv/stop")
    wait_until(lambda: bool(host.run("systemctl is-active traffic.service").rc != 0), 60)
    acknowledged = host.check_output("cat /srv/acknowledged").split()
    assert acknowledged == [f"M{STAMP + number}" for number in range(len(acknowledged))]
    assert len(acknowledged) > KILLS
    for destination, known in zip(("his", "lis"), before, strict=True):
        wait_until(lambda at=destination: acknowledged[-1] in received(host, at), 120)  # type: ignore[misc]  # bound
        # A message may come twice, but none is missing and none overtakes another.
        assert list(dict.fromkeys(received(host, destination)[known:])) == acknowledged
    assert int(host.check_output(RESTARTS)) == restarts + KILLS


def test_a_result_arrives_within_a_minute_and_is_acknowledged_on_the_way(host: Host) -> None:
    assert send(host, 2575, f"oru{STAMP}") == "AA"
    wait_until(lambda: f"oru{STAMP}" in received(host, "lis"), 60)


@pytest.mark.parametrize(
    ("port", "words"),
    [
        pytest.param(2575, ("x1", "STRANGER"), id="application"),
        pytest.param(2575, ("x2", "LAB", "ORU^R30"), id="message type"),
        pytest.param(2585, ("x3", "LAB", "ORU^R01"), id="receiver"),
    ],
)
def test_what_no_route_takes_is_refused(host: Host, port: int, words: tuple[str, ...]) -> None:
    assert send(host, port, *words) == "AR"
    assert f"{words[0]} from" in journal(host)


def test_a_message_that_comes_again_is_delivered_once(host: Host) -> None:
    assert [send(host, 2575, f"again{STAMP}") for _ in range(3)] == ["AA"] * 3
    assert send(host, 2575, f"last{STAMP}") == "AA"
    wait_until(lambda: f"last{STAMP}" in received(host, "his"))
    assert received(host, "his").count(f"again{STAMP}") == 1


HEADER = b"\x0bMSH|^~\\&|LAB|LIS|E|H|2026||ORU^R01|hostile|P|2.5\r"


@pytest.mark.parametrize(
    ("sent", "more"),
    [
        pytest.param(HEADER[1:], 0, id="no frame"),
        pytest.param(HEADER + b"OBX|\x00\r\x1c\r", 0, id="zero byte"),
        pytest.param(HEADER, 10, id="half a frame"),
        pytest.param(HEADER, 70000, id="too long"),
    ],
)
def test_hostile_bytes_are_not_answered(host: Host, sent: bytes, more: int) -> None:
    assert python(host, SEND_BYTES, sent.hex(), more) == "b''"
    assert send(host, 2575, f"after{more}-{STAMP}") == "AA"
    assert "hostile" not in received(host, "his")


def test_a_refused_message_is_in_the_error_queue_and_others_pass(host: Host) -> None:
    host.check_output("echo AE > /srv/grumpy/answer")
    assert send(host, 2575, f"bad{STAMP}", "GRUMPY", "ADT^A01") == "AA"
    wait_until(lambda: bool(ask(host, "status")["refused"] == 1))
    host.check_output("rm /srv/grumpy/answer")
    assert send(host, 2575, f"good{STAMP}", "GRUMPY", "ADT^A01") == "AA"
    wait_until(lambda: received(host, "grumpy")[-1:] == [f"good{STAMP}"])
    waiting = ask(host, "refused")
    assert [(each["control_id"], each["answer"], each["destination"]) for each in waiting] == [
        (f"bad{STAMP}", "AE", "grumpy")
    ]
    ask(host, "retry", str(waiting[0]["id"]))
    wait_until(lambda: received(host, "grumpy")[-1:] == [f"bad{STAMP}"])
    wait_until(lambda: bool(ask(host, "status")["refused"] == 0))


def test_a_destination_that_is_gone_is_an_alert_until_it_is_back(host: Host) -> None:
    host.check_output("systemctl kill --signal=SIGSTOP silent.service")
    assert send(host, 2585, f"patient{STAMP}", "SILENT", "ADT^A01") == "AA"
    wait_until(lambda: bool(ask(host, "status")["overdue"] == ["silent"]))
    alerts = "journalctl --identifier interface_engine --priority alert --output cat --no-pager"
    wait_until(lambda: "queue silent: 1 messages wait" in host.check_output(alerts))
    host.check_output("systemctl kill --signal=SIGCONT silent.service")
    wait_until(lambda: bool(ask(host, "status")["overdue"] == []))
    assert f"patient{STAMP}" in received(host, "silent")


def test_no_content_is_logged(host: Host) -> None:
    assert "SYNTHETIC" not in journal(host)


def test_it_listens_on_loopback_only(host: Host) -> None:
    sockets = host.check_output("ss -Hltn").splitlines()
    assert {line.split()[3] for line in sockets if line.split()[3].endswith(("2575", "2585"))} == {
        "127.0.0.1:2575",
        "127.0.0.1:2585",
    }


def test_only_the_engine_reads_its_queue(host: Host) -> None:
    folder = host.file("/var/lib/interface_engine")
    assert (folder.user, folder.group, folder.mode) == ("interface-engine", "interface-engine", 0o700)
    for name in ("queue.sqlite", "queue.sqlite-wal", "queue.sqlite-shm"):
        file = host.file(f"/var/lib/interface_engine/{name}")
        assert (file.user, file.mode & 0o077) == ("interface-engine", 0)


def test_service_is_confined_and_survives_a_reboot(host: Host) -> None:
    service = host.service("interface-engine")
    assert service.is_running
    assert service.is_enabled
    names = "User,NoNewPrivileges,ProtectSystem,PrivateTmp,CapabilityBoundingSet"
    assert set(host.check_output(f"systemctl show interface-engine -p {names}").splitlines()) == {
        "User=interface-engine",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=",
    }
