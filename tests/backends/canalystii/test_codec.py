"""The packets of a CANalyst-II: known bytes, limits, garbage."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.canalystii import codec
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError, FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.emulators.canalystii import Frame
from tests.strategies import facts

TICK = codec.TICK_NS


def times(ticks: Sequence[int]) -> array[int]:
    return array("q", [tick * TICK for tick in ticks])


def decoded(data: bytes, channel: int = 0) -> tuple[list[Message], Losses]:
    losses = Losses()
    return [*codec.decode(data, channel, losses, times)], losses


def buffer(*frames: Frame) -> bytes:
    return (bytes((len(frames),)) + b"".join(frame.packed() for frame in frames)).ljust(64, b"\0")


def message(identifier: int, data: bytes = b"", **more: object) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)  # type: ignore[arg-type]


SENT = [
    (message(0x123, b"\1\2\3"), "01 23010000 00000000 01 00 00 00 03 0102030000000000"),
    (
        Message(arbitration_id=0x12ABCDEF, data=bytes.fromhex("1122334455667788")),
        "01 EFCDAB12 00000000 01 00 00 01 08 1122334455667788",
    ),
    (message(0x7FF), "01 FF070000 00000000 01 00 00 00 00 0000000000000000"),
    (message(0x123, is_remote_frame=True, dlc=4), "01 23010000 00000000 01 00 01 00 04 0000000000000000"),
    (
        Message(arbitration_id=0x1234, is_remote_frame=True, dlc=0),
        "01 34120000 00000000 01 00 01 01 00 0000000000000000",
    ),
    (message(1, b"\xff"), "01 01000000 00000000 01 00 00 00 01 FF00000000000000"),
]


@pytest.mark.parametrize(("frame", "text"), SENT)
def test_a_sent_frame(frame: Message, text: str) -> None:
    [packet] = codec.encode(MessageBatch([frame]), [0])
    assert packet == bytes.fromhex(text).ljust(64, b"\0")


def test_an_echo_is_requested_by_a_bit() -> None:
    [packet] = codec.encode(MessageBatch([message(1)]), [0], echo=True)
    assert packet[10] == 2


def test_three_frames_share_a_buffer() -> None:
    batch = MessageBatch([message(number) for number in range(7)])
    packets = [*codec.encode(batch, range(7))]
    assert [packet[0] for packet in packets] == [3, 3, 1]
    assert {len(packet) for packet in packets} == {64}
    assert [frame.arbitration_id for frame in decoded(b"".join(packets))[0]] == [*range(7)]


def test_only_the_wanted_rows_are_sent() -> None:
    batch = MessageBatch([message(number, bytes((number,))) for number in range(5)])
    frames, _ = decoded(b"".join(codec.encode(batch, [1, 4])))
    assert [frame.arbitration_id for frame in frames] == [1, 4]
    assert [bytes(frame.data) for frame in frames] == [b"\1", b"\4"]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (Message(arbitration_id=1, is_fd=True), "CAN FD frames"),
        (Message(arbitration_id=4, is_error_frame=True, data=bytes(8)), "error frames"),
    ],
)
def test_what_the_adapter_cannot_send(frame: Message, kind: str) -> None:
    with pytest.raises(CanOperationError, match=f"cannot send {kind}") as caught:
        codec.check(MessageBatch([message(1), frame]))
    assert caught.value.sent == 0


def test_the_commands() -> None:
    text = "01000000 01000000 FFFFFFFF 00000000 01000000 00000000 00000000 1C000000 00000000 01000000"
    assert codec.init(0x00, 0x1C) == bytes.fromhex(text) + bytes(24)
    assert codec.command(codec.START) == b"\2" + bytes(63)
    assert codec.command(codec.MESSAGE_STATUS) == b"\x0a" + bytes(63)


def test_received_frames() -> None:
    data = bytes.fromhex(
        "03 23010000 10270000 01 00 00 00 03 0102030405060708"
        "EFCDAB12 204E0000 01 00 00 01 08 0001020304050607"
        "FF070000 30750000 01 00 01 00 04 0000000000000000"
        "01 00000000 FFFFFFFF 01 00 00 00 00 0000000000000000"
    ).ljust(128, b"\0")
    frames, losses = decoded(data, 1)
    assert [str(frame.timestamp) for frame in frames] == ["1.0", "2.0", "3.0", "429496.7295"]
    assert facts(frames[0]) == facts(message(0x123, b"\1\2\3", channel=1, timestamp=1.0))
    assert (frames[1].arbitration_id, frames[1].is_extended_id) == (0x12ABCDEF, True)
    assert (frames[2].is_remote_frame, frames[2].dlc, bytes(frames[2].data)) == (True, 4, b"")
    assert (frames[3].arbitration_id, frames[3].dlc) == (0, 0)
    assert not losses


def test_an_echo_is_a_sent_frame() -> None:
    [frame], _ = decoded(buffer(Frame(1, sending=2)))
    assert not frame.is_rx


@pytest.mark.parametrize(
    ("data", "kept", "kind", "reason"),
    [
        (b"\4" + bytes(63), [], "malformed buffers skipped", "a buffer of 4 frames, at most 3"),
        (buffer(Frame(1))[:63], [], "malformed buffers skipped", "a buffer of 63 bytes, not 64"),
        (buffer(Frame(1)) + b"\1", [1], "malformed buffers skipped", "a buffer of 1 bytes, not 64"),
        (buffer(Frame(1), Frame(2, size=9), Frame(3)), [1, 3], "malformed frames skipped", "9 data bytes"),
        (
            buffer(Frame(0x800), Frame(2)),
            [2],
            "malformed frames skipped",
            "identifier 0x800 is out of range",
        ),
        (
            buffer(Frame(0x20000000, extended=True), Frame(2)),
            [2],
            "malformed frames skipped",
            "identifier 0x20000000 is out of range",
        ),
    ],
)
def test_malformed_bytes_are_counted(data: bytes, kept: list[int], kind: str, reason: str) -> None:
    frames, losses = decoded(data)
    assert [frame.arbitration_id for frame in frames] == kept
    assert dict(losses) == {kind: 1}
    assert str(losses.first_fault) == reason


def test_an_empty_buffer_is_no_fault() -> None:
    assert decoded(bytes(64) + buffer(Frame(5)))[1] == {}


FRAMES = st.builds(
    Frame,
    st.integers(0, 0x7FF),
    st.binary(max_size=8),
    ticks=st.integers(0, 0xFFFFFFFF),
)


@given(st.lists(st.one_of(st.binary(min_size=64, max_size=64), st.binary(max_size=70))), FRAMES)
def test_garbage_never_hides_the_next_good_frame(transfers: list[bytes], good: Frame) -> None:
    losses = Losses()
    for data in transfers:
        for frame in codec.decode(data, 0, losses, times):
            assert frame.dlc <= 8
    last = [
        *codec.decode(
            b"".join(data for data in transfers if len(data) == 64) + buffer(good), 0, losses, times
        )
    ]
    assert (last[-1].arbitration_id, bytes(last[-1].data)) == (good.identifier, good.data)


@given(st.lists(FRAMES, max_size=30), st.data())
def test_any_division_into_transfers(frames: list[Frame], data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=len(frames), max_size=len(frames)))
    buffers, rest = [], [*frames]
    for size in [*sizes, *[3] * len(frames)]:
        buffers.append(buffer(*rest[:size]))
        rest = rest[size:]
    cut = data.draw(st.integers(0, len(buffers)))
    found = decoded(b"".join(buffers[:cut]))[0] + decoded(b"".join(buffers[cut:]))[0]
    assert [(frame.arbitration_id, bytes(frame.data)) for frame in found] == [
        (frame.identifier, frame.data) for frame in frames
    ]
    assert [frame.timestamp_ns for frame in found] == [frame.ticks * TICK for frame in frames]


@given(st.binary(max_size=80))
def test_any_reply(reply: bytes) -> None:
    for parse in (codec.parse_message_status, codec.parse_can_status):
        with suppress(FormatError):
            assert parse(reply)


def test_the_status() -> None:
    assert codec.parse_message_status(bytes.fromhex("0A000000 04000000 0300 0000") + bytes(52)) == (4, 3)
    with pytest.raises(FormatError, match="a reply to command 0xb instead of 0xa"):
        codec.parse_message_status(b"\x0b" + bytes(63))
    with pytest.raises(FormatError, match="a reply of 3 bytes, not 64"):
        codec.parse_message_status(bytes(3))


@pytest.mark.parametrize(("frames", "size"), [(1, 128), (3, 128), (4, 192), (1000, 335 * 64)])
def test_the_size_of_a_transfer(frames: int, size: int) -> None:
    assert codec.transfer_size(frames) == size
