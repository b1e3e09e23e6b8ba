"""Writing ASC."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.asc.header import format_date, parse_date
from cantools_cli.io.asc.writer import ASCWriter
from tests.io.asc.asc_text import KINDS, SECONDS, START, frame, notes, read, write
from tests.strategies import TIMES, facts, messages


def test_a_written_file():
    text, writer = write(
        [
            frame(123_456_000, arbitration_id=0x64, data=b"\x00\x01", is_rx=False),
            frame(
                2_000_000_000,
                arbitration_id=0xC8,
                is_extended_id=True,
                is_remote_frame=True,
                dlc=4,
                channel="can1",
            ),
            frame(
                2_000_000_001, arbitration_id=0x088, is_error_frame=True, data=bytes((0, 0, 4, 2, 0, 0, 0, 0))
            ),
            frame(1_001_000_000, arbitration_id=0x55, is_fd=True, bitrate_switch=True, data=b"\xaa" * 12),
        ]
    )
    assert text.decode() == (
        "date Tue Nov 14 22:13:20.123 2023\n"
        "base hex  timestamps absolute\n"
        "internal events logged\n"
        "// version 9.0.0\n"
        "Begin Triggerblock Tue Nov 14 22:13:20.123 2023\n"
        "   0.000000 Start of measurement\n"
        "   0.000456 1  64              Tx   d 2 00 01\n"
        "   1.877000 2  C8x             Rx   r 4\n"
        "   1.877000001 1  ErrorFrame\tECC: 10100010\n"
        "   0.878000 CANFD   1 Rx         55                                   1 0 9 12 AA AA AA AA AA "
        "AA AA AA AA AA AA AA"
        "        0    0     3000        0        0        0        0        0\n"
        "End TriggerBlock\n"
    )
    assert writer.losses == {}
    assert writer.notes == []


def test_lines_may_end_as_vectors_do():
    sent = [frame(data=b"\x01"), frame(arbitration_id=0x080, is_error_frame=True, data=bytes(8)), frame(-1)]
    text, _ = write(sent)
    assert write(sent, crlf=True)[0] == text.replace(b"\n", b"\r\n")


def test_a_date_as_english_installations_write_it():
    assert format_date(START + 123_999_999, "UTC", am_pm=True) == "Tue Nov 14 10:13:20.123 pm 2023"
    assert format_date(START - 22 * 3600 * SECONDS, "UTC", am_pm=True) == "Tue Nov 14 12:13:20.000 am 2023"
    assert format_date(START - 10 * 3600 * SECONDS, "UTC", am_pm=True) == "Tue Nov 14 12:13:20.000 pm 2023"
    text, _ = write([frame()], am_pm=True)
    assert b"Begin Triggerblock Tue Nov 14 10:13:20.000 pm 2023\n" in text
    assert read(text)[0].timestamp_ns == START


@given(TIMES, st.sampled_from(["UTC", "Asia/Kolkata"]), st.booleans())
def test_every_date_that_is_written_is_read(time, tz, am_pm):
    assert parse_date(format_date(time, tz, am_pm=am_pm), tz) == time // 1_000_000 * 1_000_000


@given(
    st.lists(
        messages(
            kinds=("classic", "raw", "remote", "fd"), channels=st.sampled_from(["can0", "can1", "can200"])
        )
    )
)
def test_round_trip(sent):
    text, writer = write(sent)
    assert [facts(message) for message in read(text)] == [facts(message) for message in sent]
    assert writer.losses == {}


@given(st.lists(messages(times=st.integers(0, 10**10)), min_size=1))
def test_relative_times_are_those_behind_the_start(sent):
    text, _ = write(sent)
    start = min(message.timestamp_ns for message in sent) // 1_000_000 * 1_000_000
    found = read(text, relative_timestamp=True)
    assert [message.timestamp_ns + start for message in found] == [message.timestamp_ns for message in sent]


def test_times_far_apart_are_kept():
    sent = [frame(), frame(-START), frame(7 * START // 2)]
    sent[0].timestamp_ns = -4 * START
    text, _ = write(sent)
    assert [message.timestamp_ns for message in read(text)] == [message.timestamp_ns for message in sent]


def test_what_an_error_frame_loses_is_counted():
    bit = bytes((0, 0, 1, 0x0A, 0, 0, 0, 0))
    sent = [
        frame(arbitration_id=0x088, is_error_frame=True, data=bit),
        frame(arbitration_id=0x080, is_error_frame=True, data=bytes(8)),
        frame(arbitration_id=0, is_error_frame=True),
        frame(arbitration_id=0x004, is_error_frame=True, data=bytes((0, 4, 0, 0, 0, 0, 0, 96))),
        frame(arbitration_id=0x288, is_error_frame=True, data=bit[:6] + b"\x01\x02", is_rx=False),
    ]
    text, writer = write(sent)
    assert writer.losses == {"error frame details": 2, "error frame directions": 1}
    assert [(m.arbitration_id, bytes(m.data)) for m in read(text)] == [
        (0x088, bit), (0x080, bytes(8)), (0x080, bytes(8)), (0x080, bytes(8)), (0x088, bit),
    ]  # fmt: skip


def test_channels_are_numbers_from_1():
    names = [None, "can0", "vcan2", 3, "eth-can"]
    text, writer = write([frame(channel=name) for name in names], channel=2)
    assert [message.channel for message in read(text)] == ["can1", "can0", "can2", "can3", "can4"]
    assert writer.notes == ["eth-can is written as channel 5"]
    with pytest.raises(UsageError, match="channel 0"):
        write([], channel=0)


def test_events_are_written_among_the_frames():
    out = io.BytesIO()
    with ASCWriter(out, tz="UTC") as writer:
        writer.log_event("begins", START / SECONDS)
        writer(frame(1_500_000_000))
        writer.log_event("two\nlines")
        writer.log_event("")
    lines = out.getvalue().decode().splitlines()
    assert lines[6::2] == ["   0.000000 begins", "   1.500000 two lines"]
    assert len(lines) == 10


def test_a_log_without_frames_is_a_log():
    text, _ = write([])
    assert text.startswith(b"date Thu Jan 1 00:00:00.000 1970\n")
    assert read(text) == []
    assert notes(text) == []


def test_what_was_flushed_is_readable():
    out = io.BytesIO()
    writer = ASCWriter(out, tz="UTC")
    writer(frame())
    writer.flush()
    assert len(read(out.getvalue())) == 1


def test_an_hour_that_occurs_twice_is_told():
    twice = 1_698_541_200_000_000_000  # 2:00 in Berlin, for the second time
    message = frame()
    message.timestamp_ns = twice
    _, writer = write([message], tz="Europe/Berlin")
    assert "occurs twice" in writer.notes[0]


def test_a_batch_and_its_messages_are_written_alike():
    batch = MessageBatch(KINDS)
    out = io.BytesIO()
    with ASCWriter(out, tz="UTC") as writer:
        writer.write(batch)
    assert out.getvalue() == write(KINDS)[0]
