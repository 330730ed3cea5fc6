"""RADIUS packets of the program that asks for a probe, against the standard's examples and what a peer may send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardround.transport.remote import radius

pytestmark = pytest.mark.unit

# RFC 2865, section 7.1.
SECRET = b"xyzzy5461"
ASKED = bytes.fromhex("0f403f9473978057bd83d5cb98f4227a")
ANSWER = bytes.fromhex("0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103")


def test_a_password_is_hidden_as_in_the_standard_s_example() -> None:
    assert radius.hidden(b"arctangent", SECRET, ASKED).hex() == "0dbe708d93d413ce3196e43f782a0aee"


def test_the_standard_s_example_of_an_answer_is_genuine_and_still_not_signed_enough() -> None:
    with pytest.raises(ValueError, match="no Message-Authenticator"):
        radius.verified(ANSWER, SECRET, 0, ASKED)


@pytest.mark.parametrize(
    ("answer", "secret", "identifier"),
    [
        pytest.param(ANSWER[:-1] + b"\x04", SECRET, 0, id="changed"),
        pytest.param(ANSWER, b"another", 0, id="another secret"),
        pytest.param(ANSWER, SECRET, 1, id="to another question"),
        pytest.param(ANSWER[:19], SECRET, 0, id="cut off"),
    ],
)
def test_an_answer_to_something_else_is_refused(answer: bytes, secret: bytes, identifier: int) -> None:
    with pytest.raises(ValueError, match=r"malformed|not signed with this host"):
        radius.verified(answer, secret, identifier, ASKED)


@given(st.binary(max_size=200))
def test_whatever_a_peer_sends_is_read_or_refused(content: bytes) -> None:
    try:
        attributes = radius.unpacked(content)
    except ValueError:
        return
    assert radius.packed(attributes) == content
    assert isinstance(radius.vlan_of(attributes), str)


def tunnel(tag: int, kind: int = radius.VLAN, medium: int = radius.IEEE_802) -> radius.Attributes:
    return [(radius.TUNNEL_TYPE, bytes([tag, 0, 0, kind])), (radius.TUNNEL_MEDIUM, bytes([tag, 0, 0, medium]))]


@pytest.mark.parametrize(
    ("attributes", "vlan"),
    [
        pytest.param([*tunnel(0), (radius.TUNNEL_GROUP, b"121")], "121", id="without a tag"),
        pytest.param([*tunnel(1), (radius.TUNNEL_GROUP, b"\x01121")], "121", id="with a tag"),
        pytest.param(
            [*tunnel(1, kind=3), (radius.TUNNEL_GROUP, b"\x01999"), *tunnel(2), (radius.TUNNEL_GROUP, b"\x02121")],
            "121",
            id="beside a tunnel of another kind",
        ),
        pytest.param([*tunnel(1), (radius.TUNNEL_GROUP, b"\x02121")], "", id="of another tunnel"),
        pytest.param([*tunnel(0, medium=1), (radius.TUNNEL_GROUP, b"121")], "", id="on another medium"),
        pytest.param([(radius.TUNNEL_GROUP, b"121")], "", id="a number alone"),
        pytest.param(tunnel(0), "", id="no number"),
    ],
)
def test_a_vlan_is_one_with_all_that_belongs_to_it(attributes: radius.Attributes, vlan: str) -> None:
    assert radius.vlan_of(attributes) == vlan
