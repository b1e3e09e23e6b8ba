"""One frame as text: the grammar's every edge, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.frame_text import format_frame, parse_frame
from tests.strategies import facts, messages


def classic(arbitration_id: int, data: str = "", *, extended: bool = False, code: int = 0) -> Message:
    message = Message(arbitration_id=arbitration_id, is_extended_id=extended, data=bytes.fromhex(data))
    message.dlc_code = code
    return message


def remote(arbitration_id: int, dlc: int = 0, *, extended: bool = False, code: int = 0) -> Message:
    message = Message(arbitration_id=arbitration_id, is_extended_id=extended, is_remote_frame=True, dlc=dlc)
    message.dlc_code = code
    return message


def fd(arbitration_id: int, data: str = "", flags: int = 0, *, extended: bool = False) -> Message:
    return Message(
        arbitration_id=arbitration_id,
        is_extended_id=extended,
        data=bytes.fromhex(data),
        is_fd=True,
        bitrate_switch=bool(flags & 1),
        error_state_indicator=bool(flags & 2),
    )


def error(error_class: int, data: str = "0000000000000000") -> Message:
    return Message(
        arbitration_id=error_class, is_extended_id=False, is_error_frame=True, data=bytes.fromhex(data)
    )


# as it is written: read and written alike
SPELT = [
    ("123#", classic(0x123)),
    ("123#DEADBEEF", classic(0x123, "DEADBEEF")),
    ("00000123#", classic(0x123, extended=True)),
    ("1FFFFFFF#00", classic(0x1FFFFFFF, "00", extended=True)),
    ("7FF#R", remote(0x7FF)),
    ("7FF#R4", remote(0x7FF, 4)),
    ("123#R8", remote(0x123, 8)),
    ("12345678#R5", remote(0x12345678, 5, extended=True)),
    ("123#R8_E", remote(0x123, 8, code=14)),
    ("7FF#R8_D", remote(0x7FF, 8, code=13)),
    ("123#1122334455667788_B", classic(0x123, "1122334455667788", code=11)),
    ("7FF#1122334455667788_F", classic(0x7FF, "1122334455667788", code=15)),
    ("055##0" + "AA" * 12, fd(0x55, "AA" * 12)),
    ("123##0", fd(0x123)),
    ("123##1", fd(0x123, flags=1)),
    ("123##2AA", fd(0x123, "AA", 2)),
    ("1ABCDEF0##3AA", fd(0x1ABCDEF0, "AA", 3, extended=True)),
    ("20000080#0000000000000000", error(0x080)),
    ("20000004#0004000000000000", error(0x004, "0004000000000000")),
    ("2000008C#00040A1900000000", error(0x08C, "00040A1900000000")),
    (
        "45123#81:01:12345678#11223344",
        XlMessage(0, 0x123, b"\x11\x22\x33\x44", vcid=0x45, sdt=1, sec=True, acceptance_field=0x12345678),
    ),
    ("007FF#82:FF:FFFFFFFF#00", XlMessage(0, 0x7FF, 1, sdt=0xFF, rrs=True, acceptance_field=0xFFFFFFFF)),
    ("FF000#80:00:00000000#" + "5A" * 2048, XlMessage(0, 0, b"\x5a" * 2048, vcid=0xFF)),
]
# as others write it: read only
READ = [
    ("123#deadbeef", "123#DEADBEEF"),
    ("123#DE.AD.BE.EF", "123#DEADBEEF"),
    ("123#.DEAD.BEEF.", "123#DEADBEEF"),
    ("123#11.22.33", "123#112233"),
    ("001#8d00100100820100", "001#8D00100100820100"),
    ("123#r", "123#R"),
    ("123#R0", "123#R"),
    ("123##5AABB", "123##1AABB"),
    ("123##1.AA.BB", "123##1AABB"),
    ("055##4AA", "055##0AA"),
    ("1abcdef0##7AA", "1ABCDEF0##3AA"),
    ("123##fAA", "123##3AA"),
    ("4512f#01:0a:1234567f#11.22.aa", "4512F#81:0A:1234567F#1122AA"),
]
REFUSED = [
    ("123#DE..AD", "two dots at position 8"),
    ("123#D.E", "half a byte at position 5"),
    ("123#DE AD", 'bad data byte " A" at position 7'),
    ("123#D", "odd number of hex digits, half a byte at position 5"),
    ("123#1", "odd number of hex digits"),
    ("123#112233445566778899", "too many data bytes: a classic frame holds 8"),
    ("123#1122334455667788_8", 'the raw DLC after _ is "8", not 9 to F'),
    ("123#1122334455667788_G", 'the raw DLC after _ is "G"'),
    ("123#1122334455667788_", 'the raw DLC after _ is ""'),
    ("123#1122334455667788_BB", 'the raw DLC after _ is "BB"'),
    ("123#11223344556677_B", "a raw DLC goes with 8 data bytes only"),
    ("123#R9", "a remote frame requests at most 8 bytes"),
    ("123#RZ", '"Z" at position 6, after the frame'),
    ("123#R3_B", "a raw DLC goes with R8 only"),
    ("123#R44", '"4" at position 7, after the frame'),
    ("123##", "no flags digit after ## at position 6"),
    ("123##R", "no flags digit after ## at position 6"),
    ("123##0AA_B", '"_B" at position 9, after the data'),
    ("123##0" + "00" * 65, "too many data bytes: a CAN FD frame holds 64"),
    ("FFF#", "identifier FFF is above 7FF"),
    ("9FF#", "identifier 9FF is above 7FF"),
    ("800#11", "identifier 800 is above 7FF"),
    ("1234#", "4 identifier digits, not 3 (11-bit) or 8 (29-bit)"),
    ("12#", "2 identifier digits"),
    ("1234567#", "7 identifier digits"),
    ("123456789#", "9 identifier digits"),
    ("12345#1122", "5 identifier digits"),
    ("#11", "the identifier before # is not hexadecimal"),
    ("0x1#11", "not hexadecimal"),
    ("+12#11", "not hexadecimal"),
    ("1_2#11", "not hexadecimal"),
    ("45123#81:01:12345678#1", "odd number of hex digits, half a byte at position 22"),
    ("45123#81:01:12345678#", "no data, but a CAN XL frame holds 1 to 2048 bytes"),
    ("45123#81:01:12345678#" + "00" * 2049, "too many data bytes: a CAN XL frame holds 2048"),
    ("45123#81:01:12345678#11_9", '"_9" at position 24, after the data'),
    ("45800#81:01:12345678#11", "priority 800 is above 7FF"),
    ("4512G#81:01:12345678#11", "not hexadecimal"),
    ("45123#84:01:12345678#11", "unknown flags 84"),
    ("45123#8:01:12345678#11", '"8" for flags, not 2 hex digits'),
    ("45123#81:+1:12345678#11", '"+1" for the SDU type'),
    ("45123#81:01:1234_678#11", '"1234_678" for the acceptance field'),
    ("45123#81:01#11", "malformed CAN XL fields"),
    ("45123#81:01:12345678", "malformed CAN XL fields"),
    ("45123##1AA", "malformed CAN XL fields"),
    ("FFFFFFFF#", "identifier FFFFFFFF is above 1FFFFFFF"),
    ("FFFFFFFF#11", "above 1FFFFFFF"),
    ("40000123#", "above 1FFFFFFF"),
    ("80000123#", "above 1FFFFFFF"),
    ("20000004#R", "an error frame cannot be a remote frame"),
    ("20000004##0", "an error frame cannot be CAN FD"),
    ("123", "no #: a frame is written ID#DATA"),
    ("", "no #"),
    ("123#R²", '"²" at position 6'),
    ("123#\uff11\uff11", "bad data byte"),
]


@pytest.mark.parametrize(("text", "message"), SPELT)
def test_known_frames_both_ways(text: str, message: Message) -> None:
    parsed, warning = parse_frame(text)
    assert facts(parsed) == facts(message)
    assert warning is None
    assert format_frame(message) == text


@pytest.mark.parametrize(("text", "spelt"), READ)
def test_other_spellings_are_read(text: str, spelt: str) -> None:
    assert format_frame(parse_frame(text)[0]) == spelt


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_is_no_frame_is_refused(text: str, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_frame(text)
    assert said in caught.value.reason


@pytest.mark.parametrize(("size", "padded"), [(9, 12), (13, 16), (17, 20), (25, 32), (33, 48), (63, 64)])
def test_fd_data_between_lengths_is_padded_or_refused(size: int, padded: int) -> None:
    text = "123##0" + "AA" * size
    message, warning = parse_frame(text)
    assert bytes(message.data) == b"\xaa" * size + bytes(padded - size)
    assert message.dlc == padded
    assert f"{size} is not a CAN FD length, padded with zeros to {padded}" in (warning or "")
    with pytest.raises(FormatError, match=f"{size} is not a CAN FD length"):
        parse_frame(text, pad=False)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("12#", "pad with zeros: 012#"),
        ("1234#", "pad with zeros: 00001234#"),
        ("FFF#", "29-bit: 00000FFF#"),
        ("123#R9", "R8_9 to R8_F give the raw DLC"),
        ("123#" + "00" * 9, "CAN FD is written ID##0DATA"),
    ],
)
def test_hints_tell_what_would_be_right(text: str, hint: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_frame(text)
    assert caught.value.hint == hint


def test_a_raw_dlc_can_be_left_out() -> None:
    assert format_frame(classic(1, "00" * 8, code=9), plain=True) == "001#0000000000000000"


@given(messages())
def test_round_trip(message: Message) -> None:
    back = parse_frame(format_frame(message))[0]
    assert facts(back)[2:9] + facts(back)[10:] == facts(message)[2:9] + facts(message)[10:]


@given(st.text("0123456789abcdefABCDEFRr#._:", max_size=24) | st.text(max_size=12))
def test_noise_is_a_frame_or_a_format_error(text: str) -> None:
    try:
        message, _ = parse_frame(text)
    except FormatError:
        return
    assert facts(parse_frame(format_frame(message))[0]) == facts(message)
