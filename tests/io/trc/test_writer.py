from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli import MessageBatch, TRCFileVersion, TRCWriter
from cantools_cli.errors import UsageError
from cantools_cli.frame.message import Message
from cantools_cli.io.trc.header import VERSIONS, days_to_wall, wall_to_days
from tests.named import TRCReader
from tests.strategies import KINDS, TIMES, facts, messages, xl_messages

START = 1_700_000_000_123_000_000  # 14.11.2023 22:13:20.123 UTC
STEPS = {"1.0": 1_000_000, "1.1": 100_000, "1.2": 1000, "1.3": 1000, "2.0": 1, "2.1": 1}
WITH_BUS = ("1.2", "1.3", "2.1")


def frame(offset_ns: int = 0, **settings: Any) -> Message:
    message = Message(**{"channel": "can0", "is_extended_id": False, **settings})
    message.timestamp_ns = START + offset_ns
    return message


def write(sent: list[Message], **options: Any) -> tuple[bytes, TRCWriter]:
    out = io.BytesIO()
    with TRCWriter(out, **{"tz": "UTC", **options}) as writer:
        for message in sent:
            writer.write(MessageBatch([message]))
    return out.getvalue(), writer


def read(text: bytes, **options: Any) -> list[Message]:
    return list(TRCReader(io.BytesIO(text), **{"tz": "UTC", **options}))


SENT = [
    frame(456_000, arbitration_id=0x300, data=bytes(range(7))),
    frame(1_456_000, arbitration_id=0x18FEF100, is_extended_id=True, data=bytes(8), is_rx=False,
          channel="can11"),
    frame(2_000_001, arbitration_id=0x704, is_remote_frame=True, dlc=1),
    frame(3_456_000, arbitration_id=0x088, is_error_frame=True, data=bytes((0, 0, 4, 2, 0, 0, 5, 6))),
    frame(2_456_000, arbitration_id=0x123),
    frame(70_005_456_000, arbitration_id=0x500, is_fd=True, bitrate_switch=True, data=bytes(12)),
]  # fmt: skip
LINES = {
    "1.0": """\
     1)         0      0300  7  00 01 02 03 04 05 06
     2)         1  18FEF100  8  00 00 00 00 00 00 00 00
     3)         2      0704  1  RTR
     4)         3      0004  4  ERROR 01 02 06 05
     5)         2      0123  0
""",
    "1.1": """\
     1)         0.5  Rx         0300  7  00 01 02 03 04 05 06
     2)         1.5  Tx     18FEF100  8  00 00 00 00 00 00 00 00
     3)         2.0  Rx         0704  1  RTR
     4)         3.5  Error      0004  4  01 02 06 05
     5)         2.5  Rx         0123  0
""",
    "1.2": """\
     1)         0.456  1  Rx         0300  7  00 01 02 03 04 05 06
     2)         1.456  12 Tx     18FEF100  8  00 00 00 00 00 00 00 00
     3)         2.000  1  Rx         0704  1  RTR
     4)         3.456  1  Error      0004  4  01 02 06 05
     5)         2.456  1  Rx         0123  0
""",
    "1.3": """\
     1)         0.456 1  Rx        0300 -  7    00 01 02 03 04 05 06
     2)         1.456 12 Tx    18FEF100 -  8    00 00 00 00 00 00 00 00
     3)         2.000 1  Rx        0704 -  1    RTR
     4)         3.456 1  Error     0004 -  4    01 02 06 05
     5)         2.456 1  Rx        0123 -  0
""",
    "2.0": """\
      1         0.456 DT     0300 Rx 7  00 01 02 03 04 05 06
      2         1.456 DT 18FEF100 Tx 8  00 00 00 00 00 00 00 00
      3         2.000001 RR     0704 Rx 1
      4         3.456 ER          Rx    04 01 02 06 05
      5         2.456 DT     0123 Rx 0
      6     70005.456 FB     0500 Rx 12 00 00 00 00 00 00 00 00 00 00 00 00
""",
    "2.1": """\
      1         0.456 DT 1      0300 Rx -  7    00 01 02 03 04 05 06
      2         1.456 DT 12 18FEF100 Tx -  8    00 00 00 00 00 00 00 00
      3         2.000001 RR 1      0704 Rx -  1
      4         3.456 ER 1         - Rx -  5    04 01 02 06 05
      5         2.456 DT 1      0123 Rx -  0
      6     70005.456 FB 1      0500 Rx -  9    00 00 00 00 00 00 00 00 00 00 00 00
""",
}
LOSSES = {
    "1.0": {"CAN FD frames (left out)": 1, "channels": 1, "directions": 1, "digits of times": 5},
    "1.1": {"CAN FD frames (left out)": 1, "channels": 1, "digits of times": 5},
    "1.2": {"CAN FD frames (left out)": 1, "digits of times": 1},
    "1.3": {"CAN FD frames (left out)": 1, "digits of times": 1},
    "2.0": {"channels": 1},
    "2.1": {},
}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_lines_and_losses_of_each_version(version):
    text, writer = write(SENT, version=version)
    lines = [line.rstrip() for line in text.decode("ascii").split("\r\n") if not line.startswith(";")]
    assert lines == LINES[version].split("\n")
    assert writer.losses == LOSSES[version]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_batch_and_its_messages_are_written_alike(version):
    out = io.BytesIO()
    with TRCWriter(out, version=version, tz="UTC") as writer:
        writer.write(MessageBatch(SENT))
    assert out.getvalue() == write(SENT, version=version)[0]


def test_the_head():
    assert write(SENT)[0].decode().split("\r\n")[:6] == [
        ";$FILEVERSION=2.1",
        ";$STARTTIME=45244.925927349537",
        ";$COLUMNS=N,O,T,B,I,d,R,L,D",
        ";",
        ";   Start time: 14.11.2023 22:13:20.123.0",
        ";   Generated by canx",
    ]
    old = write(SENT, version="1.0")[0].decode().split("\r\n")
    assert old[0].startswith(";####")
    assert old[1] == ";   Start time: 14.11.2023 22:13:20.123.0"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_ruler_points_at_the_columns(version):
    lines = write(SENT, version=version)[0].decode().split("\r\n")
    marks = next(line for line in lines if line.startswith(";---+"))
    first = next(line for line in lines if not line.startswith(";"))
    pointed = [first[at:].split(" ")[0] for at, mark in enumerate(marks) if mark == "+"]
    assert [word for word in ("0300", "7", "00") if word in pointed] == ["0300", "7", "00"]


def reduced(message: Message, version: str, start: int) -> tuple[object, ...]:
    """Return what ``version`` keeps of a frame."""
    step = STEPS[version]
    offset = message.timestamp_ns - start
    sign = -1 if offset < 0 else 1
    told = list(facts(message))
    told[0] = start + sign * ((abs(offset) + step // 2) // step * step)
    if version not in WITH_BUS:
        told[1] = "can0"
    if version == "1.0":
        told[9] = True
    if version != "2.1" and not message.is_fd:
        told[11] = min(message.dlc_code, 8)
    return tuple(told)


NUMBERED = st.sampled_from(["can0", "can1", "can12", "can300"])
DATA_KINDS = tuple(kind for kind in KINDS if kind != "error")


@pytest.mark.parametrize("version", VERSIONS)
@given(st.lists(messages(kinds=DATA_KINDS, channels=NUMBERED), max_size=6))
def test_round_trip_but_for_the_stated_losses(version, sent):
    text, writer = write(sent, version=version)
    start = min((one.timestamp_ns for one in sent), default=0) // 10**6 * 10**6
    kept = [one for one in sent if version >= "2" or not one.is_fd]
    assert [facts(one) for one in read(text)] == [reduced(one, version, start) for one in kept]
    expected = Counter(
        {
            "CAN FD frames (left out)": len(sent) - len(kept),
            "raw DLC codes": sum(one.dlc_code > 8 and not one.is_fd for one in kept) * (version != "2.1"),
            "channels": sum(one.channel != "can0" for one in kept) * (version not in WITH_BUS),
            "directions": sum(not one.is_rx for one in kept) * (version == "1.0"),
            "digits of times": sum((one.timestamp_ns - start) % STEPS[version] != 0 for one in kept),
        }
    )
    assert writer.losses == +expected


BIT = bytes((0, 0, 1, 0x0A, 0, 0, 0, 0))
NO_ACK = bytes((0, 0, 0x80, 0x19, 0, 0, 0, 0))
ERRORS = [
    # class, data, what is read back (None: left out), details lost
    (0x088, BIT, (0x088, BIT), False),
    (0x088, bytes((0, 0, 0x82, 7, 0, 0, 1, 2)), (0x088, bytes((0, 0, 0x82, 7, 0, 0, 1, 2))), False),
    (0x088, bytes((0, 0, 4, 0, 0, 0, 0, 0)), (0x088, bytes((0, 0, 4, 0, 0, 0, 0, 0))), False),
    (0x088, bytes((0, 0, 0, 8, 0, 0, 0, 0)), (0x088, bytes((0, 0, 0, 8, 0, 0, 0, 0))), False),
    (0x080, bytes(8), (0x080, bytes(8)), False),
    (0x0A8, NO_ACK, (0x0A8, NO_ACK), False),
    (0, b"", (0x080, bytes(8)), False),
    (0x020, bytes(8), (0x0A8, NO_ACK), True),
    (0x088, bytes((0, 0, 0x09, 0x0A, 0, 0, 0, 0)), (0x088, BIT), True),
    (0x08C, bytes((0, 4, 1, 0x0A, 0, 0, 0, 0)), (0x088, BIT), True),
    (0x004, bytes((0, 4, 0, 0, 0, 0, 0, 96)), None, False),
    (0x040, bytes(8), None, False),
    (0x088, bytes((0, 0, 0x20, 0, 0, 0, 0, 0)), None, False),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("error_class", "data", "expected", "loses"), ERRORS)
def test_what_an_error_frame_keeps(version, error_class, data, expected, loses):
    sent = frame(arbitration_id=error_class, is_error_frame=True, data=data, is_rx=False)
    text, writer = write([sent], version=version)
    found = [(message.arbitration_id, bytes(message.data)) for message in read(text)]
    assert found == ([] if expected is None else [expected])
    assert writer.losses.pop("error frames (left out)", 0) == (expected is None)
    assert writer.losses.pop("error frame details", 0) == loses
    assert writer.losses.pop("directions", 0) == (version == "1.0")
    assert writer.losses.pop("error frame directions", 0) == (
        expected is not None and "1.0" < version < "2.0"
    )
    assert not writer.losses
    assert [message.is_rx for message in read(text)] == [version < "2.0"] * len(found)


@given(st.lists(messages(kinds=("error",), channels=NUMBERED, times=TIMES)))
def test_every_error_frame_that_is_kept_whole_is_read_as_it_was(sent):
    for one in sent:
        text, writer = write([one])
        if not writer.losses and one.arbitration_id:
            (found,) = read(text)
            assert facts(found) == facts(one)


@given(xl_messages())
def test_can_xl_is_left_out(sent):
    text, writer = write([sent])
    assert read(text) == []
    assert writer.losses == {"CAN XL frames (left out)": 1}


@given(TIMES, st.sampled_from(["UTC", "Asia/Kolkata"]), st.sampled_from([*VERSIONS]))
def test_every_start_that_is_written_is_read(time, tz, version):
    sent = frame()
    sent.timestamp_ns = time // 10**6 * 10**6
    assert read(write([sent], tz=tz, version=version)[0], tz=tz)[0].timestamp_ns == sent.timestamp_ns


@given(st.datetimes(min_value=days_to_wall("-100000")))
def test_days_keep_the_microsecond(wall):
    assert days_to_wall(wall_to_days(wall)) == wall


def test_an_hour_that_occurs_twice_is_told():
    sent = frame()
    sent.timestamp_ns = 1_698_541_200_000_000_000  # 2:00 in Berlin, for the second time
    assert "occurs twice" in write([sent], tz="Europe/Berlin")[1].notes[0]


def test_channels_are_numbers_from_1():
    names = [None, "can0", "vcan2", 3, "eth-can"]
    text, writer = write([frame(channel=name) for name in names], channel=2)
    assert [message.channel for message in read(text)] == ["can1", "can0", "can2", "can3", "can4"]
    assert writer.notes == ["eth-can is written as channel 5"]
    with pytest.raises(UsageError, match="channel 0"):
        write([], channel=0)


@pytest.mark.parametrize("version", ["1.1", TRCFileVersion.V1_1])
def test_the_version_is_an_option_or_an_attribute(version):
    text, _ = write([frame()], version=version)
    assert text.startswith(b";$FILEVERSION=1.1\r\n")
    out = io.BytesIO()
    with TRCWriter(out, tz="UTC") as writer:
        assert writer.file_version == TRCFileVersion.V2_1
        writer.file_version = TRCFileVersion.V1_1
        writer(frame())
    assert out.getvalue() == text


@pytest.mark.parametrize("version", ["2.2", "x", TRCFileVersion.UNKNOWN, 7])
def test_an_unknown_version_is_refused(version):
    with pytest.raises(UsageError, match="unknown version"):
        write([], version=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_log_without_frames_is_a_log(version):
    text, _ = write([], version=version)
    source = TRCReader(io.BytesIO(text), tz="UTC")
    assert list(source) == []
    assert source.notes == []


# Continuing a file


def append(path: Path, sent: list[Message], **options: Any) -> None:
    with TRCWriter(path, append=True, tz="UTC", **options) as writer:
        for message in sent:
            writer.write(MessageBatch([message]))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_appended_keeps_start_version_and_numbers(version, tmp_path):
    path = tmp_path / "a.trc"
    path.write_bytes(write(SENT, version=version)[0])
    append(path, [frame(9_000_000, arbitration_id=0x555)])
    text = path.read_bytes()
    assert text.count(b"Start time") == 1
    assert read(text)[-1].timestamp_ns == START + 9_000_000
    lines = [line for line in text.decode().splitlines() if not line.startswith(";")]
    assert [int(line.split()[0].rstrip(")")) for line in lines] == [*range(1, len(lines) + 1)]


def test_a_last_line_that_was_cut_costs_only_itself(tmp_path):
    path = tmp_path / "a.trc"
    path.write_bytes(write(SENT)[0][:-9])
    append(path, [frame(9_000_000, arbitration_id=0x555)])
    found = read(path.read_bytes(), on_error="skip")
    assert [message.arbitration_id for message in found[-2:]] == [0x123, 0x555]


def test_appending_begins_a_file_that_is_not_there_or_empty(tmp_path):
    for name in ("new.trc", "empty.trc"):
        (tmp_path / "empty.trc").touch()
        append(tmp_path / name, SENT)
        assert (tmp_path / name).read_bytes() == write(SENT)[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"(1.0) can0 123#\n", "no header with a start time"),
        (b";$FILEVERSION=2.1\r\n;$COLUMNS=N,O,T,B,I,d,R,L,D\r\n", "no header with a start time"),  # no start
        (write([], version="1.1")[0], "in another version than 1.1"),
        (write([])[0].replace(b",R,", b","), "no header with a start time"),
    ],
)
def test_what_cannot_be_continued_is_refused_and_kept(text, words, tmp_path):
    path = tmp_path / "a.trc"
    path.write_bytes(text)
    with pytest.raises(UsageError, match=words):
        append(path, SENT, version="2.1")
    assert path.read_bytes() == text


def test_what_was_flushed_survives_a_kill(tmp_path):
    path = tmp_path / "a.trc"
    program = (
        "import sys; from cantools_cli import Message, TRCWriter\n"
        "writer = TRCWriter(sys.argv[1], tz='UTC')\n"
        "for n in range(700): writer(Message(timestamp=1.7e9 + n, arbitration_id=n))\n"
        "writer.flush(); print('flushed', flush=True); writer(Message()); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"flushed\n"
        os.kill(child.pid, signal.SIGKILL)
    assert len(read(path.read_bytes())) == 700


# python-can


@pytest.mark.parametrize("version", VERSIONS)
def test_python_can_reads_what_is_written(version, tmp_path):
    if version == "1.2":
        pytest.skip("python-can's reader lacks version 1.2")
    sent = [
        frame(456_000, arbitration_id=0x300, data=bytes(range(7))),
        frame(1_456_000, arbitration_id=0x18FEF100, is_extended_id=True, data=bytes(8), channel="can3"),
        frame(2_000_000, arbitration_id=0x704, is_remote_frame=True, dlc=4),
        frame(2_000_000, arbitration_id=0x704, data=b"", is_rx=False),
    ]
    if version >= "2":
        sent.append(frame(3_000_000, arbitration_id=0x55, is_fd=True, bitrate_switch=True, data=bytes(8)))
    path = tmp_path / "a.trc"
    path.write_bytes(write(sent, version=version)[0])
    with can.TRCReader(path) as peer:
        found = list(peer)
    if version != "1.0":  # for which python-can has UNKNOWN, as such a file names none
        assert peer.file_version.value == VERSIONS[version]
    for ours, theirs in zip(sent, found, strict=True):
        if version != "1.0":  # which tells its start in words alone, read as local time
            assert theirs.timestamp == pytest.approx(ours.timestamp, abs=STEPS[version] / 1e9 + 1e-6)
        assert (theirs.arbitration_id, theirs.is_extended_id) == (ours.arbitration_id, ours.is_extended_id)
        assert (theirs.dlc, theirs.is_remote_frame) == (ours.dlc, ours.is_remote_frame)
        assert ours.is_remote_frame or theirs.data == ours.data
        assert (theirs.is_fd, theirs.bitrate_switch) == (ours.is_fd, ours.bitrate_switch)
        assert version == "1.0" or theirs.is_rx == ours.is_rx
        if version in WITH_BUS:  # python-can counts them from 1
            assert f"can{int(theirs.channel) - 1}" == ours.channel


@pytest.mark.parametrize("version", ["V1_0", "V2_1"])
def test_what_python_can_writes_is_read(version, tmp_path):
    path = tmp_path / "a.trc"
    sent = [
        (0.123456, 0x123, False, 0, b"\1\2"),
        (0.223456, 0x123, True, 1, bytes(8)),
        (9.5, 0x7FF, False, 0, b""),
    ]
    with can.TRCWriter(path) as peer:
        peer.file_version = can.TRCFileVersion[version]
        for time, identifier, extended, channel, data in sent:
            peer(
                can.Message(
                    timestamp=1_700_000_000 + time,
                    arbitration_id=identifier,
                    is_extended_id=extended,
                    channel=channel,
                    data=data,
                )
            )
    with TRCReader(path) as source:
        found = [
            (m.timestamp_ns, m.arbitration_id, m.is_extended_id, m.channel, bytes(m.data)) for m in source
        ]
    for (time, identifier, extended, channel, data), ours in zip(sent, found, strict=True):
        if version != "V1_0":
            assert ours[0] == 1_700_000_000_000_000_000 + round(time * 1e6) * 1000
        name = f"can{channel}" if version == "V2_1" else "can0"
        assert ours[1:] == (identifier, extended, name, data)
