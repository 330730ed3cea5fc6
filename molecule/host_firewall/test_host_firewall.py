"""The firewall is tried with packets, and read with nft itself."""

import json
import socket
import time
from collections.abc import Iterator

import pytest
import testinfra
from testinfra.host import Host


def address(host: Host) -> str:
    return str(host.check_output("hostname -I").split()[0])


@pytest.fixture
def neighbour(host: Host) -> Host:
    """The scenario's other host."""
    name = host.backend.name
    other = name.replace("debian-12", "debian-13") if name.endswith("12") else name.replace("debian-13", "debian-12")
    return testinfra.get_host(f"podman://{other}")


def listen(host: Host, port: int, *options: str) -> str:
    """Let a host listen for one connection, and name the unit that does."""
    unit = f"listen-{port}-{time.monotonic_ns()}"
    host.check_output(f"systemd-run --quiet --unit={unit} nc -l {' '.join(options)} {port}")
    deadline = time.monotonic() + 10
    while f":{port} " not in host.check_output("ss -Hltnu") + " ":
        assert time.monotonic() < deadline, f"nothing listens on {port}"
        time.sleep(0.1)
    return unit


def connects(host: Host, target: Host, port: int, *options: str) -> bool:
    return bool(host.run(f"echo x | nc -w 2 -N {' '.join(options)} {address(target)} {port}").rc == 0)


def counted(host: Host, chain: str, comment: str, table: str = "wardround") -> int:
    """Packets that the rules with this comment have counted."""
    listing = json.loads(host.check_output(f"nft -j list chain inet {table} {chain}"))["nftables"]
    rules = [item["rule"] for item in listing if item.get("rule", {}).get("comment") == comment]
    assert rules, f"no rule carries {comment}"
    return sum(part["counter"]["packets"] for rule in rules for part in rule["expr"] if "counter" in part)


def test_every_chain_drops_by_default(host: Host) -> None:
    listing = json.loads(host.check_output("nft -j list ruleset"))["nftables"]
    hooks = {item["chain"]["hook"]: item["chain"]["policy"] for item in listing if "chain" in item}
    assert hooks == {"input": "drop", "forward": "drop", "output": "drop"}


def test_each_flow_is_one_rule_a_family(host: Host) -> None:
    listing = json.loads(host.check_output("nft -j list chain inet wardround input"))["nftables"]
    comments = [item["rule"]["comment"] for item in listing if item.get("rule", {}).get("comment")]
    assert sorted(comments) == ["F-TST-01", "F-TST-02", "F-TST-02", "F-TST-03", "denied input"]


def test_the_rule_set_survives_a_restart_of_its_loader(host: Host) -> None:
    before = host.check_output("nft -s list table inet wardround")
    assert host.service("nftables").is_enabled
    # The unit takes the tables of others away too; their owners bring them back.
    host.run("nft list table inet scenario >/run/scenario.nft")
    host.check_output("systemctl restart nftables && nft -f /run/scenario.nft")
    assert host.check_output("nft -s list table inet wardround") == before


@pytest.mark.parametrize("port", [8000, 8105])
def test_a_declared_flow_connects_and_is_counted_at_both_ends(host: Host, neighbour: Host, port: int) -> None:
    listen(neighbour, port)
    received, sent = counted(neighbour, "input", "F-TST-01"), counted(host, "output", "F-TST-01")
    assert connects(host, neighbour, port)
    assert counted(neighbour, "input", "F-TST-01") == received + 1
    assert counted(host, "output", "F-TST-01") == sent + 1


def test_a_datagram_of_a_declared_flow_arrives(host: Host, neighbour: Host) -> None:
    unit = listen(neighbour, 53, "-u")
    received = counted(neighbour, "input", "F-TST-02")
    host.run(f"echo x | nc -u -w 1 {address(neighbour)} 53")
    assert counted(neighbour, "input", "F-TST-02") == received + 1
    neighbour.check_output(f"systemctl stop {unit}")


def test_a_port_that_the_receiver_did_not_declare_times_out_there(host: Host, neighbour: Host) -> None:
    unit = listen(neighbour, 8001)
    denied = counted(neighbour, "input", "denied input")
    assert not connects(host, neighbour, 8001)
    assert counted(neighbour, "input", "denied input") > denied
    neighbour.check_output(f"systemctl stop {unit}")


def test_a_port_that_the_sender_did_not_declare_never_leaves(host: Host, neighbour: Host) -> None:
    unit = listen(neighbour, 8002)
    denied = counted(host, "output", "denied output")
    assert not connects(host, neighbour, 8002)
    assert counted(host, "output", "denied output") > denied
    neighbour.check_output(f"systemctl stop {unit}")


def test_a_declared_port_times_out_for_a_peer_that_is_not_declared(host: Host) -> None:
    unit = listen(host, 8000)
    with pytest.raises(TimeoutError):
        socket.create_connection((address(host), 8000), timeout=2)
    host.check_output(f"systemctl stop {unit}")


def test_a_service_reaches_itself(host: Host) -> None:
    unit = listen(host, 8003)
    assert host.run("echo x | nc -w 2 -N 127.0.0.1 8003").rc == 0
    host.run(f"systemctl stop {unit}")


ZONES = {"a": ("198.51.100.65", "198.51.100.66"), "b": ("198.51.100.129", "198.51.100.130")}
"""Two zones that exist only inside the host, with the router's address and a host's address in each."""


def in_zone(host: Host, zone: str, command: str) -> bool:
    process = host.check_output(f"systemctl show --property=MainPID --value zone-{zone}")
    return bool(host.run(f"nsenter -t {process} -U -n --preserve-credentials {command}").rc == 0)


@pytest.fixture
def zones(host: Host) -> Iterator[None]:
    """Let the host be the router between two zones."""
    host.check_output("sysctl -qw net.ipv4.ip_forward=1")
    for zone, (gateway, inside) in ZONES.items():
        host.check_output(
            f"systemd-run --quiet --collect --unit=zone-{zone} unshare --map-root-user --net sleep infinity"
        )
        process = host.check_output(f"systemctl show --property=MainPID --value zone-{zone}")
        host.check_output(
            f"until ip link add zone-{zone} type veth peer name eth0 netns {process}; do sleep 0.2; done;"
            f" ip address add {gateway}/26 dev zone-{zone} && ip link set zone-{zone} up",
        )
        assert in_zone(host, zone, f"ip address add {inside}/26 dev eth0")
        assert in_zone(host, zone, "ip link set dev eth0 up")
        assert in_zone(host, zone, f"ip route add default via {gateway}")
    yield
    host.check_output("systemctl stop zone-a zone-b")


def is_router(host: Host) -> bool:
    return bool(host.run("nft list table inet scenario").rc == 0)


def test_the_router_leaves_forwarded_packets_to_the_table_that_is_named_for_it(host: Host) -> None:
    chains = [
        item["chain"] for item in json.loads(host.check_output("nft -j list chains"))["nftables"] if "chain" in item
    ]
    forwarding = [chain["table"] for chain in chains if chain.get("hook") == "forward"]
    assert forwarding == ["scenario" if is_router(host) else "wardround"]


@pytest.mark.usefixtures("zones")
def test_what_the_named_table_accepts_is_passed_on_and_elsewhere_nothing_is(host: Host) -> None:
    for port in (11112, 11113):
        assert in_zone(host, "b", f"sh -c 'timeout 20 nc -l {port} >/dev/null 2>&1 & sleep 0.5'")
    passed = in_zone(host, "a", "sh -c 'echo x | nc -w 2 -N 198.51.100.130 11112'")
    assert passed == is_router(host)
    assert not in_zone(host, "a", "sh -c 'echo x | nc -w 2 -N 198.51.100.130 11113'")
    assert not in_zone(host, "b", "sh -c 'echo x | nc -w 2 -N 198.51.100.66 11112'")
    if is_router(host):
        assert counted(host, "forward", "scenario", "scenario") > 0
    else:
        assert counted(host, "forward", "denied forward") > 0


def test_a_connection_from_before_the_packet_filter_goes_on() -> None:
    client = testinfra.get_host("podman://wr_host_firewall_debian-13")
    lines = int(client.check_output("wc -l </run/stream"))
    time.sleep(3)
    assert int(client.check_output("wc -l </run/stream")) > lines
