"""The datagrams of the virtual bus: golden bytes, round trips, cuts and noise, in both forms."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.kernels.forms import FORMS, load
from tests.strategies import facts, messages

OWN = 7
NOW = 1_700_000_000_123_456_789
HEADER = struct.Struct("<BBHIIIQq")

GOLDEN = [
    (
        Message(arbitration_id=0x123, is_extended_id=False, data=b"\xde\xad"),
        "23 01 00 00  00 02 02 00  de ad",
    ),
    (Message(arbitration_id=0x123, is_extended_id=True), "23 01 00 80  00 00 00 00"),
    (
        Message(arbitration_id=0x1, is_extended_id=False, is_remote_frame=True, dlc=4),
        "01 00 00 40  00 04 00 00",
    ),
    (
        Message(arbitration_id=0x4, is_extended_id=False, is_error_frame=True, data=b"\0\1"),
        "04 00 00 20  00 02 02 00  00 01",
    ),
    (Message(arbitration_id=0x4, is_error_frame=True), "04 00 00 20  20 00 00 00"),
    (
        Message(arbitration_id=2, is_extended_id=False, is_fd=True, bitrate_switch=True, data=bytes(12)),
        "02 00 00 00  03 09 0c 00  00 00 00 00 00 00 00 00 00 00 00 00",
    ),
]


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("wire", request.param)


def packed(
    kernel: Any, batch: MessageBatch, timed: bool = True, sender: int = 1, room: int = 65536
) -> list[bytes]:
    """Return the datagrams of all frames."""
    out, row, datagrams = bytearray(room), 0, []
    while row < len(batch):
        row, size = kernel.format(row, *batch.columns(), NOW, timed, sender, out)
        datagrams.append(bytes(out[:size]))
    return datagrams


def unpacked(kernel: Any, text: bytes, rows: int = 100) -> tuple[MessageBatch, int, int]:
    """Return the frames, where it stopped, and why."""
    batch = MessageBatch.with_room(rows, len(text) + 64, ("bus",))
    at, row, reason = kernel.parse(text, 0, len(text), OWN, 0, *batch.columns())
    return batch.cut(row), at, reason


@pytest.mark.parametrize(("message", "record"), GOLDEN)
def test_known_records(kernel: Any, message: Message, record: str) -> None:
    body = bytes.fromhex(record)
    expected = HEADER.pack(1, 0, 0, 32 + len(body), 1, 0, 9, NOW) + body
    assert packed(kernel, MessageBatch([message]), timed=False, sender=9) == [expected]
    batch, at, reason = unpacked(kernel, expected)
    assert (at, reason) == (len(expected), kernel.DONE)
    assert batch[0].equals(message, timestamp_delta=None, check_channel=False)
    assert batch[0].timestamp_ns == NOW


@given(
    frames=st.lists(
        messages(channels=st.just("bus"), directions=st.just(True), extended_errors=st.booleans()),
        max_size=20,
    )
)
@pytest.mark.parametrize("form", FORMS)
def test_every_frame_survives_with_its_time(form: str, frames: list[Message]) -> None:
    kernel = load("wire", form)
    batch, _, reason = unpacked(kernel, b"".join(packed(kernel, MessageBatch(frames), room=256)))
    assert reason == kernel.DONE
    assert [facts(message) for message in batch] == [facts(message) for message in frames]


@pytest.mark.parametrize("nanoseconds", [-1, -(2**63), 2**63 - 1, 2**32, -(2**32) - 5, 0])
def test_every_int64_time_survives(kernel: Any, nanoseconds: int) -> None:
    batch = MessageBatch([Message()])
    batch.timestamp_ns[0] = nanoseconds
    own_time, _, _ = unpacked(kernel, packed(kernel, batch)[0])
    out = bytearray(200)
    _, size = kernel.format(0, *batch.columns(), nanoseconds, False, 1, out)
    stamped, _, _ = unpacked(kernel, bytes(out[:size]))
    assert list(own_time.timestamp_ns) == list(stamped.timestamp_ns) == [nanoseconds]


@pytest.mark.parametrize(("sender", "is_rx"), [(OWN, False), (OWN + 1, True), (OWN + 2**40, True), (0, True)])
def test_only_frames_of_the_own_sender_are_sent_ones(kernel: Any, sender: int, is_rx: bool) -> None:
    datagram = packed(kernel, MessageBatch([Message(is_rx=not is_rx)]), sender=sender)[0]
    assert unpacked(kernel, datagram)[0][0].is_rx is is_rx


def test_datagrams_are_filled_but_never_beyond_the_room(kernel: Any) -> None:
    batch = MessageBatch(Message(data=bytes(8)) for _ in range(100))
    datagrams = packed(kernel, batch, room=300)
    assert all(len(datagram) <= 300 for datagram in datagrams)
    assert [HEADER.unpack_from(datagram)[4] for datagram in datagrams[:2]] == [8, 8]
    assert sum(HEADER.unpack_from(datagram)[4] for datagram in datagrams) == 100


def test_a_datagram_that_the_batch_has_no_room_for_is_left_whole(kernel: Any) -> None:
    datagrams = packed(kernel, MessageBatch([Message(data=b"1"), Message(data=b"2")]), room=120) * 2
    text = b"".join(datagrams)
    batch, at, reason = unpacked(kernel, text, rows=3)
    assert (len(batch), at, reason) == (3, len(text) - len(datagrams[-1]), kernel.FULL)


def test_missed_frames_stop_before_the_datagram(kernel: Any) -> None:
    first, second = (
        packed(kernel, MessageBatch([Message()])),
        bytearray(*packed(kernel, MessageBatch([Message()]))),
    )
    struct.pack_into("<I", second, 12, 3)
    batch, at, reason = unpacked(kernel, first[0] + bytes(second))
    assert (len(batch), at, reason) == (1, len(first[0]), kernel.MISSED)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        pytest.param(0, 2, id="another version"),
        pytest.param(1, 3, id="unknown kind"),
        pytest.param(4, 31, id="smaller than its header"),
        pytest.param(6, 1, id="longer than what is there"),
        pytest.param(7, 1, id="absurd size"),
        pytest.param(8, 0, id="fewer frames than records"),
        pytest.param(8, 2, id="more frames than records"),
        pytest.param(11, 1, id="absurd number of frames"),
        pytest.param(36, 8, id="unknown frame flag"),
        pytest.param(37, 16, id="no DLC code"),
        pytest.param(38, 65, id="more data than any frame has"),
        pytest.param(38, 9, id="more data than a classic frame has"),
        pytest.param(39, 1, id="absurd length"),
    ],
)
def test_contradictions_are_refused(kernel: Any, position: int, value: int) -> None:
    good = packed(kernel, MessageBatch([Message(data=bytes(8))]), timed=False)[0]
    wrong = bytearray(good)
    wrong[position] = value
    batch, at, reason = unpacked(kernel, good + bytes(wrong))
    assert (len(batch), at, reason) == (1, len(good), kernel.BAD)
    assert unpacked(kernel, good)[2] == kernel.DONE


@pytest.mark.parametrize("timed", [False, True])
def test_every_cut_is_noticed(kernel: Any, timed: bool) -> None:
    frames = [Message(data=b"abc"), Message(is_fd=True, data=bytes(12))]
    datagram = packed(kernel, MessageBatch(frames), timed=timed)[0]
    for size in range(1, len(datagram)):
        cut = bytearray(datagram[:size])
        if size >= 8:
            struct.pack_into("<I", cut, 4, size)
        assert unpacked(kernel, bytes(cut))[1:] == (0, kernel.BAD)


def test_columns_that_do_not_fit_are_refused_before_the_loop(kernel: Any) -> None:
    batch = MessageBatch([Message(data=b"12345678")])
    with pytest.raises(ValueError, match="room"):
        kernel.format(0, *batch.columns(), 0, False, 1, bytearray(50))
    batch.offset[1] = 1000
    with pytest.raises(ValueError, match="offsets"):
        kernel.format(0, *batch.columns(), 0, False, 1, bytearray(500))
    with pytest.raises(ValueError, match="reach"):
        kernel.parse(b"", 0, 1, OWN, 0, *MessageBatch.with_room(1, 64).columns())
    del batch.flags[:]
    with pytest.raises(ValueError, match="length"):
        kernel.parse(b"", 0, 0, OWN, 0, *batch.columns())


NOISE = st.binary(max_size=200) | st.builds(
    lambda head, body: HEADER.pack(1, head[0], 0, 32 + len(body) + head[1], head[2], 0, OWN, -5) + body,
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 6)),
    st.lists(
        st.binary(max_size=20)
        | st.builds(
            lambda mark, size: bytes([1, 2, 3, 4, mark, 8, size, 0]) + bytes(size),
            st.integers(0, 8),
            st.integers(0, 70),
        ),
        max_size=6,
    ).map(b"".join),
)


@given(text=st.lists(NOISE, max_size=3).map(b"".join))
def test_both_forms_make_the_same_of_noise(text: bytes) -> None:
    results = []
    for form in FORMS:
        batch, at, reason = unpacked(load("wire", form), text, rows=8)
        results.append(([column.tobytes() for column in map(memoryview, batch.columns())], at, reason))
    assert results[0] == results[1]


@given(frames=st.lists(messages(), min_size=1, max_size=10), timed=st.booleans(), room=st.integers(112, 400))
def test_both_forms_write_the_same_bytes(frames: list[Message], timed: bool, room: int) -> None:
    written = [packed(load("wire", form), MessageBatch(frames), timed, 2**63 + 5, room) for form in FORMS]
    assert written[0] == written[1]
