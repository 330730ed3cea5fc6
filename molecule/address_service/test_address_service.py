"""Addresses are asked for from the other host, which relays for its zones: with udhcpc, and message by message."""

import json
import secrets
import time
from functools import cache
from typing import Any

import pytest
import testinfra
from testinfra.backend.base import CommandResult
from testinfra.host import Host

Answer = dict[str, Any]

DISCOVER, OFFER, REQUEST, ACK, NAK, RELEASE, INFORM = 1, 2, 3, 5, 6, 7, 8
CT, MR, CT_B = "02:00:5e:00:21:11", "02:00:5e:00:21:12", "02:00:5e:00:22:11"
TV, STRANGER = "02:00:5e:00:60:11", "02:00:5e:00:21:99"
SOON = {"seconds": 1}
"""For questions that nobody should answer."""
LEASES = "/var/lib/kea/kea-leases4.csv*"


def relay_of(host: Host) -> Host:
    """Return the scenario's other host, behind which the zones are that this one serves."""
    name = host.backend.name
    ends = ("debian-12", "debian-13")
    mine = name[-len(ends[0]) :]
    return testinfra.get_host(f"podman://{name.replace(mine, ends[1 - ends.index(mine)])}")


@cache
def address_of(name: str) -> str:
    return str(testinfra.get_host(f"podman://{name}").check_output("hostname -I").split()[0])


def address(host: Host) -> str:
    return address_of(host.backend.name)


def place(host: Host, end: str) -> str:
    """Return an address in the zones that the host serves."""
    return f"10.{relay_of(host).backend.name[-2:]}.{end}"


def send(host: Host, **question: str | int) -> Answer | None:
    """Send one message from the other host to this host's server; None without an answer."""
    asked = {"server": address(host), "seconds": 10, **question}
    answer: Answer | None = json.loads(
        relay_of(host).check_output(f"echo '{json.dumps(asked)}' | python3 /root/dhcp.py")
    )
    return answer


def relayed(host: Host, zone: str, mac: str, kind: int, **more: str | int) -> Answer | None:
    """Ask as the gateway of a zone does for a device."""
    gateway = place(host, f"{zone}.1")
    return send(host, source=gateway, port=67, giaddr=gateway, mac=mac, kind=kind, **more)


def direct(host: Host, end: str, mac: str, kind: int, **more: str | int) -> Answer | None:
    """Ask as a device does that has an address and speaks with the server itself."""
    own = place(host, end)
    return send(host, source=own, port=68, ciaddr=own, mac=mac, kind=kind, **more)


def lease(host: Host) -> Answer:
    """Have the scanner get its address; return the answer."""
    answer = relayed(host, "21", CT, REQUEST, requested=place(host, "21.11"), server_id=address(host))
    assert answer is not None
    assert (answer["kind"], answer["address"]) == (ACK, place(host, "21.11"))
    return answer


def assert_serves(host: Host) -> None:
    """After a silence: it was about the question, not about the server."""
    answer = relayed(host, "21", CT, DISCOVER)
    assert answer is not None
    assert (answer["kind"], answer["address"]) == (OFFER, place(host, "21.11"))


def plug_in(host: Host, mac: str, tries: int) -> CommandResult:
    """Have a real client ask for an address at the other host's device port, with its gateway relaying."""
    relay = f"timeout 20 python3 /root/relay.py gateway {place(host, '21.1')} {address(host)}"
    client = f"udhcpc -i device -n -q -f -t {tries} -T 1 -O ntpsrv -s /root/lease.sh 2>&1"
    return relay_of(host).run(f"ip link set device address {mac}; {relay} & {client}; kill $!")


def test_a_real_client_gets_its_own_address_through_its_gateway(host: Host) -> None:
    got = plug_in(host, MR, 5).stdout.splitlines()
    assert {
        f"ip={place(host, '21.12')}",
        "subnet=255.255.255.0",
        f"router={place(host, '21.1')}",
        "dns=192.0.2.53 192.0.2.54",
        "domain=st-test.internal",
        "ntpsrv=192.0.2.123",
        "lease=604800",
        f"serverid={address(host)}",
    } <= set(got), got


def test_a_real_client_of_an_undeclared_device_gets_nothing(host: Host) -> None:
    got = plug_in(host, STRANGER, 2).stdout
    assert "no lease" in got
    assert "ip=" not in got
    assert_serves(host)


def test_a_declared_device_is_offered_its_own_address(host: Host) -> None:
    assert_serves(host)


def test_a_declared_device_gets_what_it_needs_to_know(host: Host) -> None:
    assert lease(host)["options"] == {
        "1": ["255.255.255.0"],
        "3": [place(host, "21.1")],
        "6": ["192.0.2.53", "192.0.2.54"],
        "15": "st-test.internal",
        "42": ["192.0.2.123"],
        "51": 604800,
        "54": [address(host)],
        "58": 86400,
        "59": 345600,
    }


def test_what_a_device_calls_itself_changes_nothing(host: Host) -> None:
    answer = relayed(host, "21", CT, DISCOVER, client_id="another system on the same device")
    assert answer is not None
    assert answer["address"] == place(host, "21.11")


def test_a_device_renews_without_its_relay(host: Host) -> None:
    lease(host)
    answer = direct(host, "21.11", CT, REQUEST)
    assert answer is not None
    assert (answer["kind"], answer["address"]) == (ACK, place(host, "21.11"))


def test_a_device_that_gave_its_address_back_gets_it_again(host: Host) -> None:
    lease(host)
    assert direct(host, "21.11", CT, RELEASE, server_id=address(host), **SOON) is None
    assert [line.split(",")[3] for line in leases_of(host, CT)][-1] == "0"
    lease(host)


def leases_of(host: Host, mac: str) -> list[str]:
    """Return a device's lines, the newest last: beside the file in use lies what was joined at the start."""
    lines = host.check_output(f"cat $(ls -r {LEASES})").splitlines()
    return [line for line in lines if f",{mac}," in line]


def test_leases_are_kept_through_a_restart(host: Host) -> None:
    lease(host)
    before = leases_of(host, CT)[-1]
    host.check_output("systemctl restart kea-dhcp4-server")
    deadline = time.monotonic() + 15
    while relayed(host, "21", CT, DISCOVER, **SOON) is None:
        assert time.monotonic() < deadline, "the server did not come back"
    assert leases_of(host, CT) == [before], "kept, and without the lines that it replaced"
    answer = direct(host, "21.11", CT, REQUEST)
    assert answer is not None
    assert answer["kind"] == ACK


def test_a_server_that_gave_no_lease_does_not_refuse_what_another_may_have_given(host: Host) -> None:
    # A device that starts anew asks for the address that it had, and every server hears it.
    assert relayed(host, "22", CT_B, REQUEST, requested=place(host, "22.11"), **SOON) is None
    assert_serves(host)


def test_another_address_than_its_own_is_refused(host: Host) -> None:
    lease(host)
    answer = relayed(host, "21", CT, REQUEST, requested=place(host, "21.77"))
    assert answer is not None
    assert answer["kind"] == NAK


def test_an_undeclared_device_is_offered_nothing_and_named(host: Host) -> None:
    mac = f"02:00:5e:{secrets.token_hex(1)}:{secrets.token_hex(1)}:99"
    assert relayed(host, "21", mac, DISCOVER, **SOON) is None
    assert_serves(host)
    said = host.check_output(f"journalctl -q --unit kea-dhcp4-server --priority warning --grep 'hwtype=1 {mac}'")
    assert f"in the subnet {place(host, '21.0')}/24" in said


def test_a_zone_that_is_not_served_is_named(host: Host) -> None:
    mac = f"02:00:5e:{secrets.token_hex(1)}:{secrets.token_hex(1)}:99"
    assert relayed(host, "90", mac, DISCOVER, **SOON) is None
    said = host.check_output(f"journalctl -q --unit kea-dhcp4-server --priority err --grep 'hwtype=1 {mac}'")
    assert f"src {place(host, '90.1')}" in said


@pytest.mark.parametrize("end", ["21.11", "21.77"])
def test_an_undeclared_device_gets_nothing_that_it_asks_for(host: Host, end: str) -> None:
    wanted = place(host, end)
    assert relayed(host, "21", STRANGER, REQUEST, requested=wanted, server_id=address(host), **SOON) is None
    assert relayed(host, "21", STRANGER, REQUEST, requested=wanted, **SOON) is None
    assert_serves(host)


def test_an_undeclared_device_renews_nothing(host: Host) -> None:
    lease(host)
    assert direct(host, "21.77", STRANGER, REQUEST, **SOON) is None
    assert direct(host, "21.11", STRANGER, REQUEST, **SOON) is None
    assert_serves(host)


def test_an_undeclared_device_learns_nothing(host: Host) -> None:
    assert direct(host, "21.77", STRANGER, INFORM, **SOON) is None
    assert_serves(host)


def test_a_declared_device_gets_nothing_in_another_zone(host: Host) -> None:
    assert relayed(host, "22", CT, DISCOVER, **SOON) is None
    assert relayed(host, "22", CT, REQUEST, requested=place(host, "21.11"), **SOON) is None
    assert_serves(host)


def test_a_device_of_a_zone_that_is_not_served_gets_nothing(host: Host) -> None:
    assert relayed(host, "90", CT, DISCOVER, **SOON) is None
    assert relayed(host, "21", "02:00:5e:00:41:11", DISCOVER, **SOON) is None
    assert_serves(host)


def test_only_a_zone_with_a_pool_serves_whoever_asks(host: Host) -> None:
    offer = relayed(host, "60", STRANGER, DISCOVER)
    assert offer is not None
    assert offer["address"].startswith(place(host, "61.1"))
    assert offer["options"]["51"] == 43200
    known = relayed(host, "60", TV, DISCOVER)
    assert known is not None
    assert known["address"] == place(host, "60.11")


def test_a_guest_renews_without_its_relay(host: Host) -> None:
    wanted = place(host, "61.100")
    answer = relayed(host, "60", STRANGER, REQUEST, requested=wanted, server_id=address(host))
    assert answer is not None
    assert (answer["kind"], answer["address"]) == (ACK, wanted)
    renewed = direct(host, "61.100", STRANGER, REQUEST)
    assert renewed is not None
    assert renewed["kind"] == ACK


def test_it_listens_on_the_declared_address_only(host: Host) -> None:
    listening = {(line.split()[0], line.split()[4]) for line in host.check_output("ss -Hltun").splitlines()}
    assert listening - {("tcp", "0.0.0.0:22"), ("tcp", "[::]:22")} == {("udp", f"{address(host)}:67")}


def test_nobody_can_tell_the_server_what_to_do(host: Host) -> None:
    assert "kea" not in host.check_output("ss -Hlx")
    assert host.check_output("find /run/kea -type s") == ""


def test_the_service_is_confined(host: Host) -> None:
    shown = host.check_output(
        "systemctl show kea-dhcp4-server -p User,NoNewPrivileges,ProtectSystem,PrivateTmp,CapabilityBoundingSet"
    )
    assert sorted(shown.splitlines()) == [
        "CapabilityBoundingSet=cap_net_bind_service",
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
        "ProtectSystem=strict",
        "User=_kea",
    ]


def test_leases_are_the_servers_own(host: Host) -> None:
    assert host.file("/var/lib/kea").mode == 0o750
    assert set(host.check_output(f"stat --format %U {LEASES}").splitlines()) == {"_kea"}


def test_a_second_server_does_not_write_leases(host: Host) -> None:
    second = host.run(
        "KEA_LOCKFILE_DIR=none runuser -u _kea -- timeout 10 kea-dhcp4 -c /etc/kea/kea-dhcp4.conf -p 10067"
    )
    assert second.rc != 0
    assert "already running" in second.stdout + second.stderr
    assert_serves(host)


def test_the_service_starts_with_the_host(host: Host) -> None:
    assert host.service("kea-dhcp4-server").is_enabled


def test_a_lease_is_in_the_journal(host: Host) -> None:
    lease(host)
    assert host.run(f"journalctl -q --unit kea-dhcp4-server --grep 'hwtype=1 {CT}.*{place(host, '21.11')}'").stdout
