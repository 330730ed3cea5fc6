"""Which leases a DHCP server starts with."""

import pytest

from tests.unit.role_program import role_program

pytestmark = pytest.mark.unit

HEADER = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
OWNERS = {"10.0.21.11": "02:00:5e:00:21:11"}


program = role_program("address_service", "settle_leases.py")


def line(address: str, mac: str, state: int = 0) -> str:
    return f"{address},{mac},,604800,1795939144,167777024,0,0,,{state},\n"


@pytest.mark.parametrize(
    "lease",
    [
        pytest.param(line("10.0.21.11", "02:00:5e:00:21:11"), id="its owner's"),
        pytest.param(line("10.0.61.100", "02:00:5e:00:21:99"), id="a guest's"),
        pytest.param(line("10.0.21.11", "", state=1), id="declined, for its few minutes"),
    ],
)
def test_a_lease_stays(lease: str) -> None:
    assert program.settled([HEADER, lease], OWNERS) == [HEADER, lease]


def test_a_lease_of_an_address_that_is_another_device_s_by_now_ends() -> None:
    own, other = line("10.0.61.100", "02:00:5e:00:21:99"), line("10.0.21.11", "02:00:5e:00:21:01")
    assert program.settled([HEADER, other, own], OWNERS) == [HEADER, own]
