"""The kernel of JSON lines, compiled and interpreted."""

from __future__ import annotations

import io
import json
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.channels import NameTable
from cantools_cli.io.jsonl import JsonReader, format_line
from cantools_cli.kernels import _lines as lines
from tests.kernels.forms import (
    WIDE_FORMS,
    every_form,
    extensions,
    formatted,
    frames_or_refusal,
    interpreted,
    load,
    parsed,
    without_kernel,
)
from tests.strategies import CHANNELS, messages

NAMES, ENDS = b'"can0"7null', array("I", [6, 7, 11])
LINE = (
    b'{"timestamp":1436509052.249713,"channel":"can0","arbitration_id":291,"is_extended_id":false,'
    b'"dlc":4,"data":"deadbeef"}\n'
)
LINES = [
    LINE,
    LINE.replace(b":", b": ").replace(b",", b", ").replace(b'"can0"', b"null"),
    LINE.replace(b',"channel"', b',"timestamp_ns":"1436509052249713123","channel"').replace(b'"can0"', b"7"),
    LINE.replace(b'4,"data":"deadbeef"', b'4,"data":"","is_remote_frame":true,"is_rx":false'),
    LINE.replace(b'4,"data":"deadbeef"', b'8,"data":"0011223344556677","dlc_code":13'),
    LINE.replace(b"false", b"true").replace(b"}", b',"is_fd":true,"bitrate_switch":true}\r'),
    LINE.replace(b"}", b',"is_error_frame":true}'),
]
EDITS = st.lists(
    st.tuples(st.sampled_from(LINES), st.integers(0, 260), st.integers(0, 255), st.integers(0, 2)), max_size=4
)


def spoilt(edits: list[tuple[bytes, int, int, int]]) -> bytes:
    return (
        b"".join(
            line[: at % len(line)] + bytes([letter]) * (width > 0) + line[at % len(line) + width :]
            for line, at, letter, width in edits
        ).rstrip(b"\n")
        + b"\n"
    )


@pytest.fixture(params=WIDE_FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("jsonl", request.param)


def test_lines_become_rows(kernel: Any) -> None:
    text = b"".join(LINES)
    answer, columns = parsed(kernel, text, NAMES, ENDS)
    assert answer == (len(text), len(LINES), lines.DONE)
    assert [time - 1436509052249713000 for time in array("q", columns[0])] == [0, 0, 123, 0, 0, 0, 0]
    assert [can_id >> 28 for can_id in array("I", columns[1])] == [0, 0, 0, 4, 0, 8, 2]
    assert columns[2] == bytes([0, 0, 0, 8, 0, 3, 0])
    assert list(array("H", columns[3])) == [0, 2, 1, 0, 0, 0, 0]
    assert columns[4] == bytes([4, 4, 4, 4, 13, 4, 4])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"1436509052.249713", b"01.5"),
        (b"1436509052.249713", b"-1.5"),
        (b"1436509052.249713", b"1.5e3"),
        (b"1436509052.249713", b"1."),
        (b"1436509052.249713", b"9000000001.0"),
        (b"1436509052.249713", b"1.1234567891"),
        (b":291", b":0291"),
        (b":291", b":2048"),
        (b":291", b":536870912"),
        (b"false", b"falsy"),
        (b":4", b":5"),
        (b":4", b":04"),
        (b"deadbeef", b"deadbee"),
        (b"deadbeef", b"deadbeeg"),
        (b'4,"data":"deadbeef"', b'9,"data":"001122334455667788"'),
        (b'4,"data":"deadbeef"', b'9,"data":"001122334455667788","is_fd":true'),
        (b"}", b',"bitrate_switch":true}'),
        (b"}", b',"is_fd":true,"is_remote_frame":true}'),
        (b"}", b',"is_remote_frame":true}'),
        (b"}", b',"dlc_code":9}'),
        (b'4,"data":"deadbeef"', b'8,"data":"0011223344556677","dlc_code":8'),
        (b'4,"data":"deadbeef"', b'8,"data":"0011223344556677","dlc_code":1/'),
        (b'4,"data":"deadbeef"', b'8,"data":"0011223344556677","dlc_code":16'),
        (b'4,"data":"deadbeef"', b'8,"data":"0011223344556677","dlc_code":1'),
        (b'4,"data":"deadbeef"', b'8,"data":"0011223344556677","dlc_code"::'),
        (b"}", b",}"),
        (b"}", b',"is_fd":}'),
        (b"}", b',"is_rx":}'),
        (b"}", b',"is_fd":1}'),
        (b"}", b',"note":1}'),
        (b"}", b"} "),
        (b"}", b""),
    ],
)
def test_other_lines_are_left_alone(kernel: Any, old: bytes, new: bytes) -> None:
    text = LINE + LINE.replace(old, new)
    assert parsed(kernel, text, NAMES, ENDS)[0] == (len(LINE), 1, lines.STRANGE)


@pytest.mark.parametrize("cut", range(1, len(LINE) - 1))
def test_a_cut_line_is_left_alone(kernel: Any, cut: int) -> None:
    assert parsed(kernel, LINE + LINE[:cut] + b"\n", NAMES, ENDS)[0][:2] == (len(LINE), 1)


@pytest.mark.parametrize("name", [b'"can1"', b"3", b'"a\\"b"', b"true"])
def test_a_new_name_stops_at_its_line(kernel: Any, name: bytes) -> None:
    text = LINE + LINE.replace(b'"can0"', name)
    assert parsed(kernel, text, NAMES, ENDS)[0] == (len(LINE), 1, lines.NAME)


def test_a_full_batch_stops_at_a_line(kernel: Any) -> None:
    assert parsed(kernel, LINE * 5, NAMES, ENDS, rows=2)[0] == (2 * len(LINE), 2, lines.FULL)
    assert parsed(kernel, LINE * 5, NAMES, ENDS, payload=68)[0] == (2 * len(LINE), 2, lines.FULL)


@given(st.lists(messages(channels=CHANNELS), max_size=5))
def test_both_forms_write_what_plain_python_writes(frames: list[Any]) -> None:
    batch = MessageBatch(frames)
    table = NameTable(batch.channels, json.dumps)
    wanted = b"".join(format_line(message) for message in batch)
    for kernel in every_form("jsonl"):
        answer = formatted(kernel, batch, table.names, table.ends)
        assert answer == ((len(batch), len(wanted)), wanted)


@given(messages(channels=CHANNELS))
def test_every_line_is_json_that_the_kernel_reads(message: Any) -> None:
    line = format_line(message)
    table = NameTable((message.channel,), json.dumps)
    assert json.loads(line)["arbitration_id"] == message.arbitration_id
    for kernel in every_form("jsonl"):
        assert parsed(kernel, line, table.names, table.ends)[0] == (len(line), 1, 0)


@pytest.mark.parametrize("room", range(0, 500, 7))
def test_rows_are_written_whole_or_not_at_all(kernel: Any, room: int) -> None:
    batch = MessageBatch.with_room(1, 0, ("can0",))
    (rows, used), text = formatted(kernel, batch, NAMES, ENDS, room=room)
    assert rows == (room >= kernel.LINE_ROOM + 6) == text.endswith(b"}\n")
    assert used == len(text)


def test_the_longest_line_fits_its_room(kernel: Any) -> None:
    batch = MessageBatch.with_room(1, 0, (7,))
    batch.timestamp_ns[0] = (1 << 63) - 1
    batch.can_id[0] = 0xFFFFFFFF
    batch.flags[0] = 14
    batch.dlc_code[0] = 15
    text = formatted(kernel, batch, b"7", array("I", [1]))[1]
    assert text.startswith(b'{"timestamp":9223372036.854776,"timestamp_ns":"9223372036854775807",')
    assert len(text) < kernel.LINE_ROOM


@given(EDITS)
def test_both_forms_read_noise_alike(edits: list[tuple[bytes, int, int, int]]) -> None:
    text = spoilt(edits)
    wanted = parsed(interpreted("jsonl"), text, NAMES, ENDS)
    for kernel in extensions("jsonl"):
        assert parsed(kernel, text, NAMES, ENDS) == wanted


@given(EDITS)
def test_plain_python_reads_the_same_without_the_kernel(edits: list[tuple[bytes, int, int, int]]) -> None:
    text = spoilt(edits)
    frames = JsonReader(io.BytesIO(text), on_error="skip")
    plain = without_kernel(JsonReader)(io.BytesIO(text), on_error="skip")
    assert frames_or_refusal(frames) == frames_or_refusal(plain)
