"""Which leases a DHCP server starts with."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.unit

PROGRAM = Path(__file__).resolve().parents[2] / "roles" / "address_service" / "files" / "settle_leases.py"
HEADER = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
OWNERS = {"10.0.21.11": "02:00:5e:00:21:11"}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("settle_leases", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = load()


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
