"""socketcand's text, without a socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.socketcand import codec
from cantools_cli.backends.socketcand.beacon import MAX_LENGTH, format_beacon, parse_beacon
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import MICROSECONDS, facts, messages

STANDARD, EXTENDED, ERROR, FD = "standard", "extended", "error", "fd"


def frame(kind: str, identifier: int, time_ns: int, data: str = "") -> Message:
    message = Message(
        arbitration_id=identifier,
        is_extended_id=kind == EXTENDED,
        is_error_frame=kind == ERROR,
        is_fd=kind == FD,
        data=bytes.fromhex(data),
    )
    message.timestamp_ns = time_ns
    return message


# what a server sends, without brackets; what it means
RECEIVED = [
    ("frame 123 23.424242 1A220344", frame(STANDARD, 0x123, 23_424_242_000, "1A220344")),
    ("frame 12345678 1700000000.000001 AA", frame(EXTENDED, 0x12345678, 1_700_000_000_000_001_000, "AA")),
    ("frame 7FF 23.424242 ", frame(STANDARD, 0x7FF, 23_424_242_000)),
    ("frame 7FF 23.424242", frame(STANDARD, 0x7FF, 23_424_242_000)),
    ("frame 00000123 23.000000 DEADBEEF01020304", frame(EXTENDED, 0x123, 23_000_000_000, "DEADBEEF01020304")),
    ("frame 7 1.5 ab", frame(STANDARD, 7, 1_500_000_000, "AB")),
    ("error 004 23.424242", frame(ERROR, 4, 23_424_242_000, "00" * 8)),
    ("frame 123 1.000000 11 22 33 ", frame(STANDARD, 0x123, 1_000_000_000, "112233")),
    ("frame 123 5.000001 11 22 ", frame(STANDARD, 0x123, 5_000_001_000, "1122")),
    ("error 20000004 1.000000 00 04 00 00 00 00 00 00 ", frame(ERROR, 4, 1_000_000_000, "0004" + "00" * 6)),
    ("fdframe 123 1.000000 " + "11" * 12, frame(FD, 0x123, 1_000_000_000, "11" * 12)),
]
MALFORMED = [
    "frame 123 1.0 ABC",
    "frame 123 1.0 1122334455667788AA",
    "frame 800 1.0 AA",
    "frame 1234567 1.0 AA",
    "frame 20000000 1.0 AA",
    "frame 123456789 1.0 AA",
    "frame 123 1 AA",
    "frame 123 -1.0 AA",
    "frame 123 9999999999.0 AA",
    "frame 12G 1.0 AA",
    "frame 123 1.0 1 22",
    "frame 123 1_0.0 AA",
    "frame  123 1.0 AA",
    "frame",
    "frame 123",
    "fdframe 123 1.0 " + "11" * 9,
    "fdframe 123 1.0 11 4",
    "rtr 123 1.0 9",
]
OTHER = ["hi", "ok", "echo", "error unknown command", "error could not open bus", "stat 1024 60 512 30", ""]

# what is sent; how
SENT = [
    (frame(STANDARD, 0x123, 0, "0102AB"), b"< send 123 3 01 02 AB >"),
    (frame(EXTENDED, 0x12ABCDEF, 0, "DEAD"), b"< send 12ABCDEF 2 DE AD >"),
    (frame(STANDARD, 7, 0), b"< send 007 0 >"),
    (frame(EXTENDED, 7, 0, "00"), b"< send 00000007 1 00 >"),
    (frame(STANDARD, 0x100, 0, "00" * 8), b"< send 100 8 00 00 00 00 00 00 00 00 >"),
]
# what python-can sends, and a frame; None for what is no command
COMMANDS = [
    (b"123 3 1 2 ab", frame(STANDARD, 0x123, 0, "0102AB")),
    (b"12ABCDEF 2 de ad", frame(EXTENDED, 0x12ABCDEF, 0, "DEAD")),
    (b"007 0 ", frame(STANDARD, 7, 0)),
    (b"7 0 ", frame(STANDARD, 7, 0)),
    (b"00000007 1 0", frame(EXTENDED, 7, 0, "00")),
    (b"7FF 4 ", None),  # a remote frame of python-can's
    (b"123 C 0 1 2 3 4 5 6 7 8 9 a b", None),  # a CAN FD frame of python-can's
    (b"123 12 0 1 2 3 4 5 6 7 8 9 a b", None),
    (b"123 2 11", None),
    (b"123 1 11 22", None),
    (b"123 1 100", None),
    (b"123 1 0x", None),
    (b"123 +1 11", None),
    (b"20000004 0", None),
    (b"800 0", None),
    (b"123", None),
    (b"", None),
]


@pytest.mark.parametrize(("text", "message"), RECEIVED)
def test_what_a_server_sends(text, message):
    assert facts(codec.parse_frame(text.encode())) == facts(message)


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_frame_is_refused(text):
    with pytest.raises(FormatError):
        codec.parse_frame(text.encode())


@pytest.mark.parametrize("text", OTHER)
def test_other_messages_are_no_frames(text):
    assert codec.parse_frame(text.encode()) is None


@pytest.mark.parametrize(("message", "text"), SENT)
def test_what_a_client_sends(message, text):
    assert codec.format_send(message) == text
    assert facts(codec.parse_send(text[7:-2].split())) == facts(message)


@pytest.mark.parametrize(("text", "message"), COMMANDS)
def test_what_a_server_takes(text, message):
    if message is None:
        with pytest.raises(FormatError):
            codec.parse_send(text.split())
    else:
        assert facts(codec.parse_send(text.split())) == facts(message)


def test_flag_bits_of_an_identifier_reach_the_bus():
    message = codec.parse_send([b"40000123", b"0"])
    assert (message.arbitration_id, message.is_extended_id, message.is_remote_frame) == (0x123, True, True)


@pytest.mark.parametrize("kind", ["remote", "fd", "error"])
def test_what_socketcand_cannot_express_is_not_sent(kind):
    message = Message(is_remote_frame=kind == "remote", is_fd=kind == "fd", is_error_frame=kind == "error")
    with pytest.raises(ValueError, match="socketcand cannot send"):
        codec.format_send(message)


def test_raw_mode_leaves_two_blanks_where_there_is_no_data():
    batch = MessageBatch([frame(STANDARD, 0x7FF, 23_424_242_000), frame(ERROR, 4, 0, "00" * 8)])
    assert codec.format_raw(batch) == (b"< frame 7FF 23.424242  >", 1)
    assert codec.format_raw(batch, errors=True) == (b"< frame 7FF 23.424242  >< error 004 0.000000 >", 2)


def test_broadcast_manager_mode_parts_the_bytes():
    batch = MessageBatch(
        [frame(STANDARD, 0x123, 1_000_000_000, "112233"), frame(ERROR, 4, 1_000_000_000, "0004" + "00" * 6)]
    )
    assert codec.format_spaced(batch, 0) == b"< frame 123 1.000000 11 22 33  >"
    assert codec.format_spaced(batch, 1) == b"< error 20000004 1.000000 00 04 00 00 00 00 00 00  >"


def test_times_are_rounded_to_the_microsecond():
    assert codec.time_text(1_999_999_500) == "2.000000"
    assert codec.time_text(-5) == "0.000000"


@given(st.lists(messages(times=MICROSECONDS, kinds=("classic", "remote", "fd"), directions=st.just(True))))
def test_round_trip_of_raw_mode(sent):
    text, count = codec.format_raw(MessageBatch(sent), extended=True)
    read = [codec.parse_frame(one) for one in codec.SocketcandDecoder().feed(text)]
    for message in sent:
        message.channel = None
    assert [facts(message) for message in read] == [facts(message) for message in sent]
    assert count == len(sent)


@given(messages(times=MICROSECONDS, kinds=("classic", "remote", "fd", "error"), directions=st.just(True)))
def test_round_trip_of_broadcast_manager_mode(sent):
    text = codec.format_spaced(MessageBatch([sent]), 0, extended=True)
    (read,) = [codec.parse_frame(one) for one in codec.SocketcandDecoder().feed(text)]
    sent.channel = None
    assert facts(read) == facts(sent)


@given(messages(times=st.just(0), kinds=("classic", "remote", "fd"), directions=st.just(True)))
def test_round_trip_of_sending(sent):
    (text,) = codec.SocketcandDecoder().feed(codec.format_send(sent, extended=True))
    name, *tokens = text.split()
    parse = {b"send": codec.parse_send, b"sendfd": codec.parse_send_fd, b"sendrtr": codec.parse_send_remote}
    sent.channel = None
    assert facts(parse[name](tokens)) == facts(sent)


STREAM = b"< hi >\n< ok >< frame 123 1.000000 1122 >< error 004 2.000000 >noise< frame 7FF 3.0  >"
PARTS = [b"hi", b"ok", b"frame 123 1.000000 1122", b"error 004 2.000000", b"frame 7FF 3.0 "]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_any_cut_gives_the_same_messages(cut):
    decoder = codec.SocketcandDecoder()
    assert decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:]) == PARTS
    assert decoder.losses.total() in (1, 2)  # noise, cut in two


def test_byte_by_byte_gives_the_same_messages():
    decoder = codec.SocketcandDecoder()
    assert [text for byte in STREAM for text in decoder.feed(bytes([byte]))] == PARTS


@pytest.mark.parametrize(
    "garbage", [b"<frame 1 2 3>", b"<>", b"< >", b"x" * 300, b"< " + b"x" * 9000, b"<< <"]
)
def test_garbage_is_counted_and_costs_only_itself(garbage):
    decoder = codec.SocketcandDecoder()
    found = decoder.feed(garbage) + decoder.feed(b"< frame 1 1.0 AA >")
    assert found[-1:] == [b"frame 1 1.0 AA"]
    assert decoder.losses.total() >= 1
    assert decoder.losses.first_fault


def test_a_message_without_an_end_takes_no_memory():
    decoder = codec.SocketcandDecoder()
    for _ in range(100):
        decoder.feed(b"<" + b"x" * 9000)
    assert len(decoder._rest) <= codec.MAX_LENGTH
    assert decoder.losses.total() == 100


@given(st.binary(max_size=200))
def test_noise_never_costs_the_next_message(noise):
    decoder = codec.SocketcandDecoder()
    assert decoder.feed(noise + b"< ok >")[-1] == b"ok"
    for text in decoder.feed(b"< frame " + noise + b" >< hi >"):
        try:
            codec.parse_frame(text)
        except FormatError:
            continue


def test_a_beacon_reads_as_it_is_documented():
    text = (
        b'<CANBeacon name="HOST" type="SocketCAN" description="socketcand">\n'
        b'<URL>can://192.0.2.1:29536</URL><Bus name="can0"/><Bus name="can1"/></CANBeacon>'
    )
    assert format_beacon("HOST", "can://192.0.2.1:29536", ["can0", "can1"], "socketcand") == text
    found = parse_beacon(text)
    assert (found.name, found.places, found.buses) == ("HOST", (("192.0.2.1", 29536),), ("can0", "can1"))


@pytest.mark.parametrize("name", ['a"b', "<&>", "\x00\udcff"])
def test_a_beacon_survives_any_name(name):
    assert parse_beacon(format_beacon(name, "can://h:1", [name])).places == (("h", 1),)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\xff\x00",
        b"<CANBeacon>",
        b"<other/>",
        b"<CANBeacon><URL>http://x:1</URL></CANBeacon>",
        b"<CANBeacon><URL>can://x:99999</URL></CANBeacon>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><CANBeacon/>',
        b"<CANBeacon>" + b" " * MAX_LENGTH + b"</CANBeacon>",
        b'<?xml version="1.0" encoding="nonsense"?><CANBeacon/>',
    ],
)
def test_what_is_no_beacon_is_refused(datagram):
    with pytest.raises(FormatError):
        parse_beacon(datagram)


def test_flags_travel_only_in_canx_s_own_dialect():
    message = frame(FD, 0x123, 1_000_000_000, "0011")
    message.bitrate_switch = True
    batch = MessageBatch([message])
    assert batch.flags[0] & bits.BRS
    assert codec.format_raw(batch, extended=True)[0] == b"< fdframe 123 1.000000 0011 1 >"
    assert codec.format_raw(batch) == (b"", 0)
