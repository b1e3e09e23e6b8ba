"""The columns that Arrow lays out otherwise, and frames of what Arrow has, in both forms."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.kernels.forms import FORMS, load
from tests.strategies import facts, messages


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("arrow", request.param)


def split(kernel: Any, batch: MessageBatch) -> tuple[array[int], array[int], list[int]]:
    """Return identifiers, lengths, and the eight bitmaps as numbers."""
    rows = len(batch)
    stride = -(-rows // 64) * 8
    identifiers, dlc, bits = array("I", bytes(4 * rows)), array("H", bytes(2 * rows)), bytearray(stride * 8)
    kernel.split(batch.can_id, batch.flags, batch.dlc_code, batch.offset, identifiers, dlc, stride, bits)
    return (
        identifiers,
        dlc,
        [int.from_bytes(bits[at * stride : (at + 1) * stride], "little") for at in range(8)],
    )


def joined(kernel: Any, rows: list[tuple[int, int, int, int, bytes]]) -> tuple[int, list[Message]]:
    """Return where ``join`` stops on rows of (kind, identifier, dlc, code, data), and its frames."""
    kinds, identifiers, dlc, codes, data = zip(*rows, strict=True) if rows else ((),) * 5
    begins = array("I", [0])
    for piece in data:
        begins.append(begins[-1] + len(piece))
    batch = MessageBatch.with_room(len(rows), begins[-1], ("can0",))
    at, count = kernel.join(
        0,
        bytes(kinds),
        array("q", range(len(rows))),
        array("I", identifiers),
        array("H", bytes(2 * len(rows))),
        array("H", [kernel.ABSENT if one == 255 else one for one in dlc]),
        bytes(codes),
        begins,
        b"".join(data),
        0,
        *batch.columns(),
    )
    return at, list(batch.cut(count))


def test_known_rows_are_split(kernel: Any) -> None:
    batch = MessageBatch(
        [
            Message(arbitration_id=0x123, is_extended_id=False, data=b"\1"),
            Message(arbitration_id=0x12345, is_remote_frame=True, dlc=5, is_rx=False),
            Message(arbitration_id=4, is_error_frame=True, data=bytes(8)),
            Message(is_extended_id=False, is_fd=True, bitrate_switch=True, data=bytes(64)),
            Message(is_extended_id=False, is_fd=True, error_state_indicator=True),
        ]
    )
    identifiers, dlc, bitmaps = split(kernel, batch)
    assert [*identifiers] == [0x123, 0x12345, 4, 0, 0]
    assert [*dlc] == [1, 5, 8, 64, 0]
    assert bitmaps == [0b00010, 0b00010, 0b00100, 0b11000, 0b01000, 0b10000, 0b11101, 0]


@pytest.mark.parametrize("form", FORMS)
@given(frames=st.lists(messages(), max_size=70))
def test_what_was_split_is_joined_again(form: str, frames: list[Message]) -> None:
    kernel, batch = load("arrow", form), MessageBatch(frames)
    identifiers, dlc, bitmaps = split(kernel, batch)
    kinds = bytearray(len(batch))
    for index, bits in enumerate(bitmaps):
        bitmap = bits.to_bytes(-(-len(batch) // 64) * 8, "little")
        kernel.mark_set(bitmap, 0, int(index == 6), 1 << index, kinds)
    back = MessageBatch.with_room(len(batch), len(batch.payload), batch.channels)
    given_columns = (batch.channel, dlc, batch.dlc_code, batch.offset, batch.payload)
    assert kernel.join(0, kinds, batch.timestamp_ns, identifiers, *given_columns, 0, *back.columns()) == (
        len(batch),
        len(batch),
    )
    assert [facts(message) for message in back] == [facts(message) for message in frames]


@pytest.mark.parametrize(
    "row",
    [
        (0, 0x800, 255, 255, b""),
        (1, 0x20000000, 255, 255, b""),
        (0, 1, 255, 255, bytes(9)),
        (8, 1, 255, 255, bytes(9)),
        (8, 1, 255, 255, bytes(65)),
        (0, 1, 2, 255, b"1"),
        (0, 1, 1, 2, b"1"),
        (0, 1, 8, 16, bytes(8)),
        (2, 1, 9, 255, b""),
        (2, 1, 8, 5, b""),
        (2, 1, 255, 255, b"1"),
        (10, 1, 255, 255, b""),
        (6, 1, 255, 255, b""),
        (16, 1, 255, 255, b""),
        (32, 1, 255, 255, b""),
        (128, 1, 255, 255, b""),
    ],
)
def test_what_is_no_frame_stops_it(kernel: Any, row: tuple[int, int, int, int, bytes]) -> None:
    good = (0, 1, 255, 255, b"1")
    at, frames = joined(kernel, [good, row, good])
    assert (at, len(frames)) == (1, 1)


def test_lengths_that_are_not_given_follow_from_the_data(kernel: Any) -> None:
    at, (classic, fd, remote) = joined(
        kernel, [(0, 1, 255, 255, b"12"), (8, 1, 255, 255, bytes(12)), (2, 1, 255, 12, b"")]
    )
    assert (classic.dlc, fd.dlc_code, remote.dlc, remote.dlc_code) == (2, 9, 8, 12)
    assert at == 3


def test_absent_channels_have_no_bit(kernel: Any) -> None:
    bitmap = bytearray(8)
    assert kernel.valid(array("H", [0, 1, 2, 1] * 3), 1, bitmap) == 6
    assert int.from_bytes(bitmap, "little") == 0b010101010101


def test_bits_begin_anywhere(kernel: Any) -> None:
    kinds = bytearray(9)
    kernel.mark_set(b"\xf8\x01", 3, 0, 4, kinds)
    kernel.mark_set(b"\xf8\x01", 3, 1, 1, kinds)
    assert [*kinds] == [4, 4, 4, 4, 4, 4, 1, 1, 1]
    kernel.mark_above(array("I", range(9)), 6, 8, kinds)
    assert [*kinds] == [4, 4, 4, 4, 4, 4, 1, 9, 9]


def test_columns_that_do_not_fit_are_refused(kernel: Any) -> None:
    with pytest.raises(ValueError, match="too short"):
        kernel.mark_set(b"\xff", 1, 0, 1, bytearray(8))
    with pytest.raises(ValueError, match="room"):
        kernel.valid(array("H", bytes(18)), 0, bytearray(1))
    batch = MessageBatch([Message()])
    with pytest.raises(ValueError, match="bitmaps"):
        kernel.split(
            batch.can_id,
            batch.flags,
            batch.dlc_code,
            batch.offset,
            array("I", [0]),
            array("H", [0]),
            8,
            bytearray(63),
        )


@pytest.mark.parametrize("form", FORMS)
def test_only_the_compiled_form_has_callbacks(form: str) -> None:
    release = load("arrow_release", form)
    if form == "interpreted":
        assert release.install(0, print) == 0
    with pytest.raises(ValueError, match="no such callback"):
        release.install(4, print)
