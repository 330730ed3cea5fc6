"""Frames of MLLP are read the same however the bytes arrive, and what is no frame is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roles.interface_engine.files.interface_engine.framing import Frames, FramingError, frame

pytestmark = pytest.mark.unit

LIMIT = 64
contents = st.binary(max_size=LIMIT).map(lambda content: content.translate(None, delete=b"\x00\x0b\x1c"))
between = st.sampled_from([b"", b"\r", b"\n", b"\r\n"])
# Few bytes, so that frames, half frames and errors are all common.
hostile = st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"\x00", b"A", b"MSH|", b"\x1c\r"])).map(b"".join)


def read(parts: list[bytes], limit: int = LIMIT) -> tuple[list[bytes], bool]:
    """Return the messages, and whether the bytes were refused in the end."""
    frames, found = Frames(limit), []
    try:
        for part in parts:
            found += [*drain(frames, part)]
    except Refused as refused:
        return found + refused.before, True
    return found, False


class Refused(Exception):  # noqa: N818 - carries what came before
    def __init__(self, before: list[bytes]) -> None:
        super().__init__()
        self.before = before


def drain(frames: Frames, part: bytes) -> list[bytes]:
    found = []
    try:
        for content in frames.feed(part):
            found.append(content)  # noqa: PERF402 - what came before an error counts
    except FramingError as error:
        raise Refused(found) from error
    return found


@given(st.lists(st.tuples(contents, between)))
def test_what_is_framed_is_read(messages: list[tuple[bytes, bytes]]) -> None:
    sent = b"".join(frame(content) + gap for content, gap in messages)
    assert read([sent]) == ([content for content, _ in messages], False)


@given(hostile, st.data())
def test_how_bytes_are_cut_changes_nothing(sent: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)))))
    parts = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert read(parts) == read([sent])


@given(st.binary(), st.integers(1, 20))
def test_no_message_is_longer_than_the_limit_or_holds_framing(sent: bytes, limit: int) -> None:
    found, _ = read([sent], limit)
    assert all(len(content) <= limit and not set(content) & {0x00, 0x0B, 0x1C} for content in found)


@given(hostile)
def test_what_was_read_was_sent(sent: bytes) -> None:
    found, _ = read([sent])
    place = 0
    for content in found:
        place = sent.index(frame(content), place) + len(frame(content))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"MSH|", id="outside of a frame"),
        pytest.param(frame(b"one") + b" " + frame(b"two"), id="between frames"),
        pytest.param(b"\x0bone\x0btwo\x1c\r", id="start within a message"),
        pytest.param(b"\x0bone\x00\x1c\r", id="zero byte"),
        pytest.param(b"\x0bone\x1c\n", id="end without its return"),
        pytest.param(b"\x0b\x1c\x1c\r", id="two ends"),
        pytest.param(b"\x0b" + b"A" * (LIMIT + 1), id="too long, not ended"),
        pytest.param(frame(b"A" * (LIMIT + 1)), id="too long"),
    ],
)
def test_refused(sent: bytes) -> None:
    assert read([sent])[1]
    assert read([sent[place : place + 1] for place in range(len(sent))])[1]


def test_a_message_of_the_most_bytes_is_read() -> None:
    assert read([frame(b"A" * LIMIT)]) == ([b"A" * LIMIT], False)


@pytest.mark.parametrize(
    ("sent", "is_open"),
    [(b"", False), (b"\r\n", False), (b"\x0b", True), (b"\x0bA\x1c", True), (b"\x0bA\x1c\r", False)],
)
def test_a_frame_that_began_is_known(sent: bytes, is_open: bool) -> None:  # noqa: FBT001 - a column of the table
    frames = Frames(LIMIT)
    list(frames.feed(sent))
    assert frames.is_open is is_open


def test_long_messages_in_small_parts_take_linear_time() -> None:
    frames = Frames(2_000_000)
    sent = frame(b"A" * 1_000_000)
    found = [content for place in range(0, len(sent), 100) for content in frames.feed(sent[place : place + 100])]
    assert [len(content) for content in found] == [1_000_000]
