"""Packets are sent between networks behind the gateway, and what passed is read from both ends and from nft itself."""

import json
import time
from collections.abc import Iterator

import pytest
from testinfra.host import Host

WARD, CORE, OUTSIDE = "198.51.100.66", "198.51.100.130", "198.51.100.194"
NAMES = {WARD: "ward", CORE: "core", OUTSIDE: "outside"}
TABLE = "inet wardround_gateway"


@pytest.fixture(scope="module", autouse=True)
def _loader_of_the_host_is_up(host: Host) -> None:
    """A managed host loads its own rules by nftables.service; Debian's file for it would take the gateway's away."""
    if not host.service("nftables").is_running:
        host.check_output("echo >/etc/nftables.conf && systemctl start nftables")


def listen(host: Host, name: str, port: int, *options: str) -> None:
    """Let the host in a network listen for connections."""
    unit = f"listen-{name}-{port}-{time.monotonic_ns()}"
    host.check_output(
        f"systemd-run --quiet --unit={unit} in_network {name} timeout 20 nc -lk {' '.join(options)} {port}"
    )
    deadline = time.monotonic() + 10
    while f":{port} " not in host.check_output(f"in_network {name} ss -Hltnu") + " ":
        assert time.monotonic() < deadline, f"nothing listens on {port}"
        time.sleep(0.1)


def connects(host: Host, source: str, target: str, port: int, *options: str) -> bool:
    command = f"echo x | in_network {NAMES[source]} nc -w 2 -N {' '.join(options)} {target} {port}"
    return bool(host.run(command).rc == 0)


def counted(host: Host, name: str) -> int:
    """Packets that a counter of the gateway has counted."""
    listing = json.loads(host.check_output(f"nft -j list counter {TABLE} {name}"))["nftables"]
    return next(int(item["counter"]["packets"]) for item in listing if "counter" in item)


def forwards(host: Host) -> bool:
    return bool(host.check_output("cat /proc/sys/net/ipv4/ip_forward") == "1")


def test_the_gateway_drops_by_default(host: Host) -> None:
    listing = json.loads(host.check_output(f"nft -j list table {TABLE}"))["nftables"]
    hooks = {item["chain"]["hook"]: item["chain"]["policy"] for item in listing if "hook" in item.get("chain", {})}
    assert hooks == {"prerouting": "accept", "forward": "drop"}


def test_each_permit_carries_its_flow_and_the_last_rule_denies(host: Host) -> None:
    listing = json.loads(host.check_output(f"nft -j list chain {TABLE} forward"))["nftables"]
    rules = [item["rule"] for item in listing if "rule" in item]
    permits = [rule["comment"] for rule in rules if {"accept": None} in rule["expr"]]
    assert permits == ["F-TST-01", "F-TST-02:4430", "F-TST-03", "F-TST-04"]
    assert (rules[-1]["comment"], rules[-1]["expr"]) == ("D-01", [{"counter": "D-01"}, {"drop": None}])


def test_what_is_denied_is_logged_with_the_zone_it_comes_from(host: Host) -> None:
    listing = host.check_output(f"nft list table {TABLE}")
    for source in ("from ward", "from core", "from outside", "within a zone", "forged sender", "IPv6"):
        assert f'limit rate 6/minute burst 10 packets log prefix "wardround denied {source}: "' in listing


@pytest.mark.parametrize("port", [11200, 11202])
def test_a_declared_flow_passes_and_is_counted(host: Host, port: int) -> None:
    listen(host, "core", port)
    before = counted(host, "F-TST-01")
    assert connects(host, WARD, CORE, port)
    assert counted(host, "F-TST-01") > before


def test_another_port_is_denied(host: Host) -> None:
    listen(host, "core", 11203)
    before = counted(host, "D-01")
    assert not connects(host, WARD, CORE, 11203)
    assert counted(host, "D-01") > before


def test_another_sender_is_denied(host: Host) -> None:
    listen(host, "core", 11201)
    before = counted(host, "D-01")
    assert not connects(host, OUTSIDE, CORE, 11201)
    assert counted(host, "D-01") > before


def test_the_other_direction_is_denied(host: Host) -> None:
    listen(host, "ward", 11200)
    before = counted(host, "D-01")
    assert not connects(host, CORE, WARD, 11200)
    assert counted(host, "D-01") > before


def test_a_way_out_is_no_way_into_another_zone(host: Host) -> None:
    listen(host, "outside", 4430)
    listen(host, "ward", 4430)
    before = counted(host, "F-TST-02/4430")
    assert connects(host, CORE, OUTSIDE, 4430)
    assert counted(host, "F-TST-02/4430") > before
    assert not connects(host, CORE, WARD, 4430)


def test_a_flow_with_ends_inside_and_outside_reaches_both(host: Host) -> None:
    for name, target in (("outside", OUTSIDE), ("ward", WARD)):
        listen(host, name, 8443)
        assert connects(host, CORE, target, 8443)


def test_a_datagram_of_a_declared_flow_passes(host: Host) -> None:
    before = counted(host, "F-TST-02/4430")
    host.run(f"echo x | in_network core nc -u -w 1 {OUTSIDE} 4430")
    assert counted(host, "F-TST-02/4430") > before


def test_nothing_goes_back_into_the_zone_it_came_from(host: Host) -> None:
    host.check_output("in_network ward ip route replace 198.51.100.70 via 198.51.100.65")
    before = counted(host, "D-02")
    assert not connects(host, WARD, "198.51.100.70", 11112)
    assert counted(host, "D-02") > before


def test_a_forged_sender_is_denied_where_it_comes_in(host: Host) -> None:
    host.check_output("in_network core ip address replace 198.51.100.80/32 dev lo")
    before = counted(host, "forged")
    assert not connects(host, CORE, OUTSIDE, 4430, "-s", "198.51.100.80")
    assert counted(host, "forged") > before


@pytest.fixture
def loader(host: Host) -> Iterator[Host]:
    """The host, whose loader runs again afterwards."""
    yield host
    host.check_output("systemctl restart nftables wardround-gateway")


def test_rules_outlive_a_restart_of_the_hosts_own(loader: Host) -> None:
    before = loader.check_output(f"nft -s list table {TABLE}")
    loader.check_output("systemctl restart nftables")
    assert loader.check_output(f"nft -s list table {TABLE}") == before
    assert forwards(loader)


def test_without_rules_nothing_is_forwarded(loader: Host) -> None:
    loader.check_output("systemctl stop nftables")
    assert loader.run(f"nft list table {TABLE}").rc != 0
    assert not forwards(loader)


def test_rules_that_cannot_be_loaded_stop_forwarding(loader: Host) -> None:
    rules = "/etc/wardround/gateway.nft"
    loader.check_output(f"cp {rules} {rules}.kept && echo mistake >>{rules}")
    try:
        assert loader.run("systemctl restart wardround-gateway").rc != 0
        assert not forwards(loader)
    finally:
        loader.check_output(f"mv {rules}.kept {rules}")


def test_the_loader_starts_with_the_host(host: Host) -> None:
    assert host.service("wardround-gateway").is_enabled
    assert host.service("wardround-gateway").is_running


def test_a_connection_from_before_the_rules_goes_on(host: Host) -> None:
    lines = host.check_output("wc -l </run/stream")
    # After the times without forwarding above, TCP waits ever longer before it tries again.
    deadline = time.monotonic() + 30
    while host.check_output("wc -l </run/stream") == lines:
        assert time.monotonic() < deadline, "nothing more was heard"
        time.sleep(1)
