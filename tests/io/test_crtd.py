"""OVMS's CRTD."""

from __future__ import annotations

import io

import pytest
from hypothesis import given

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.crtd import CrtdReader
from tests.io.line_samples import CRTD
from tests.strategies import MICROSECONDS, facts, messages


def read(text: bytes, **options: object) -> list[Message]:
    return list(CrtdReader(io.BytesIO(text), **options))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"1542473901.020305 1R11 213 00 c0", (1542473901020305000, "can0", 0x213, False, True, "00c0")),
        (b"1542473901.021 R11 408", (1542473901021000000, "can0", 0x408, False, True, "")),
        (b"123.5 2T29 18DB33F1 1 a", (123500000000, "can1", 0x18DB33F1, True, False, "010a")),
        (b"7 12R29 7FF FF ", (7000000000, "can11", 0x7FF, True, True, "ff")),
        (b"1.000000 1T11 00000168 E0 ", (1000000000, "can0", 0x168, False, False, "e0")),
    ],
)
def test_known_records(line: bytes, kind: tuple[object, ...]) -> None:
    (message,) = read(line + b"\n")
    found = (message.timestamp_ns, message.channel, message.arbitration_id, message.is_extended_id)
    assert (*found, message.is_rx, message.data.hex()) == kind


def test_other_records_are_no_frames_and_errors_are_counted() -> None:
    reader = CrtdReader(io.BytesIO(CRTD + b"1.0 2XYZ 1\n2.0 CMT metric\n"))
    assert len(list(reader)) == 5
    assert reader.notes == ["-: error records: 1 left out", "-: records of unknown types: 1 left out"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"1.0 1R11 213 0G", 'bad data byte "0G"'),
        (b"1.0 1R11 213 1122", 'bad data byte "1122"'),
        (b"1.0 1R11", "no identifier after R11"),
        (b"1.0 1R11 G", "no identifier after R11"),
        (b"1.0 1R11 800", "identifier 800 is out of range for 11 bits"),
        (b"1.0 1R29 20000000", "identifier 20000000 is out of range for 29 bits"),
        (b"1.0 0R11 1", "bus 0, but buses count from 1"),
        (b"1.0 1R11 1 0 1 2 3 4 5 6 7 8", "9 data bytes, but a classic frame holds 8"),
        (b"9223372037.0 1R11 1", "the timestamp is out of range"),
        (b"now 1R11 1", "not a CRTD record"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: bytes, said: str) -> None:
    text = b"1.0 R11 1\n" + line + b"\n1.0 R11 1\n"
    with pytest.raises(FormatError) as caught:
        read(text)
    assert str(caught.value) == f"-:2: {caught.value.reason}"
    assert said in str(caught.value)
    assert f'"{line.decode()}"' in str(caught.value)
    assert len(read(text, on_error="skip")) == 2


def crtd(message: Message) -> bytes:
    """Return the record that OVMS writes for ``message``."""
    width, kind = (8, "29") if message.is_extended_id else (3, "11")
    bus = int(str(message.channel)[3:]) + 1
    stamp = "{}.{:06d}".format(*divmod(message.timestamp_ns // 1000, 1_000_000))
    head = f"{stamp} {bus}{'R' if message.is_rx else 'T'}{kind} {message.arbitration_id:0{width}X}"
    return "".join((head, *(f" {octet:02X}" for octet in message.data), "\n")).encode()


@given(messages(kinds=("classic",), times=MICROSECONDS))
def test_what_ovms_writes_is_read_as_it_was(message: Message) -> None:
    message.channel = f"can{message.arbitration_id % 9}"
    (again,) = read(crtd(message))
    assert facts(again) == facts(message)
