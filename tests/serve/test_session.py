"""What a session answers to a client's commands, and which frames it delivers."""

from __future__ import annotations

import pytest

from cantools_cli.errors import (
    CanOperationError,
    CanTimeoutError,
)
from cantools_cli.serve.session import RAW_DELAY, ClientSession, Mode
from tests.serve.conversation import Recorder, Talk, frame

UNKNOWN = b"< error unknown command >"

# (what is asked for first, what the client says, what is answered)
ANSWERS = [
    ([], "open can0", UNKNOWN),
    ([], "echo", b"< echo >"),
    ([], "bcmmode", UNKNOWN),
    ([], "rawmode", b"< ok >"),
    (["rawmode"], "rawmode", UNKNOWN),
    (["rawmode"], "bcmmode", b"< ok >"),
    (["rawmode"], "controlmode", b"< ok >"),
    (["rawmode"], "echo", b"< echo >"),
    (["rawmode"], "subscribe 0 0 123", UNKNOWN),
    (["controlmode"], "echo", b"< echo >"),
    (["controlmode"], "send 123 0", UNKNOWN),
    ([], "isotpmode", b"< error isotp is not served >"),
    ([], "nonsense", UNKNOWN),
    ([], "sendfd 123 1 11", UNKNOWN),
    ([], "canx fd", b"< ok >"),
    ([], "canx xl", UNKNOWN),
    ([], "send 123 2 11", b""),
    ([], "add 0 0 123 0", b""),
    ([], "delete 123", b""),
]


@pytest.mark.parametrize(("before", "command", "answer"), ANSWERS)
def test_an_open_session_answers(before, command, answer):
    assert Talk(*before).say(command) == answer


@pytest.mark.parametrize(
    ("command", "answer", "is_over"),
    [
        ("open can0", b"< ok >", False),
        ("open can1", b"< error could not open bus >", True),
        ("rawmode", UNKNOWN, False),
        ("can0 B 500000 0 0 0 0 0 0 0", b"< error the bit rate is set where canx serve is started >", False),
    ],
)
def test_a_session_without_a_bus_answers(command, answer, is_over):
    session = ClientSession({"can0": Recorder()}.get)
    assert session.receive_data(f"< {command} >".encode(), 0.0) == answer
    assert session.is_over is is_over


def test_a_bus_that_failed_is_said_to_be_so():
    def fail(name: str) -> None:
        raise CanOperationError("gone")

    session = ClientSession(fail)
    assert session.receive_data(b"< open can0 >", 0.0) == b"< error could not start interface can0 >"
    assert session.mode is Mode.NO_BUS


def test_the_sample_session_of_the_documentation():
    talk = Talk()
    assert talk.say("subscribe 0 0 123") == b""
    assert talk.hear(frame(0x123, "1122", timestamp=5.000001)) == b"< frame 123 5.000001 11 22  >"
    talk.say("unsubscribe 123")
    assert talk.hear(frame(0x123, "1122")) == b""
    talk.say("add 0 100000 456 2 AA BB")
    assert talk.bus.jobs == [["456#AABB", 0.1, "running"]]
    talk.say("delete 456")
    assert talk.bus.jobs[0][2] == "stopped"
    assert talk.say("rawmode") == b"< ok >"
    assert talk.hear(frame(0x123, "1122", timestamp=6.0)) == b"< frame 123 6.000000 1122 >"
    talk.say("send 1AAAAAAA 2 1 f1")
    assert talk.bus.sent == ["1AAAAAAA#01F1"]
    assert talk.say("controlmode") == b"< ok >"
    talk.say("statistics 1000")
    talk.now += 1
    assert talk.session.tick(talk.now)[0] == b"< stat 1024 60 512 30 >"
    assert talk.session.receive_data(b"< rawmode >< echo >", talk.now) == b"< ok >< echo >"


def test_broadcast_manager_mode_delivers_nothing_unasked():
    assert Talk().hear(frame(0x123)) == b""


def test_subscriptions_tell_kinds_of_identifiers_apart():
    talk = Talk("subscribe 0 0 00000123")
    assert talk.hear(frame(0x123)) == b""
    assert talk.hear(frame(0x123, is_extended_id=True)) == b"< frame 00000123 1.000000  >"


def test_a_subscription_to_error_frames_is_of_their_classes():
    talk = Talk("subscribe 0 0 20000004")
    assert talk.hear(frame(8, "00" * 8, is_error_frame=True)) == b""
    heard = talk.hear(frame(4, "0001" + "00" * 6, is_error_frame=True))
    assert heard == b"< error 20000004 1.000000 00 01 00 00 00 00 00 00  >"


def test_an_interval_holds_frames_back_and_reports_the_latest():
    talk = Talk("subscribe 1 500000 123")
    assert talk.hear(frame(0x123, "01"))
    assert talk.hear(frame(0x123, "02")) == talk.hear(frame(0x123, "03")) == b""
    assert talk.session.due() == talk.now + 1.5
    assert talk.session.tick(talk.now + 1.4)[0] == b""
    assert talk.session.tick(talk.now + 1.5)[0] == b"< frame 123 1.000000 03  >"
    assert talk.session.due() is None


def test_a_content_filter_reports_changes_of_its_bits_alone():
    talk = Talk("filter 0 0 123 2 0F 00")
    heard = [talk.hear(frame(0x123, data)) for data in ("0100", "F1FF", "02", "0200", "01")]
    assert [bool(text) for text in heard] == [True, False, True, False, True]


def test_a_multiplex_filter_looks_at_each_kind_of_frame_by_itself():
    masks = ["FF" + "00" * 7, "01FF" + "00" * 6, "0200FF" + "00" * 5]
    digits = " ".join(" ".join(mask[at : at + 2] for at in range(0, 16, 2)) for mask in masks)
    talk = Talk(f"muxfilter 0 0 123 3 {digits}")
    heard = [talk.hear(frame(0x123, data)) for data in ("0101", "020007", "0101", "0102", "020107", "0301")]
    assert [bool(text) for text in heard] == [True, True, False, True, False, False]
    assert talk.session.faults == 0


@pytest.mark.parametrize(
    "command",
    [
        "subscribe 0 0",
        "subscribe 0 x 123",
        "subscribe 0 0 12345",
        "unsubscribe 123",
        "filter 0 0 123 2 11",
        "muxfilter 0 0 123 2 11",
        "muxfilter 0 0 123 1 " + "11 " * 8,
        "muxfilter 0 0 123 258 " + "11 " * 8,
        "add 0 100 123 0",
        "add 0 100000 123",
        "update 123 0",
        "delete",
        "send",
    ],
)
def test_a_malformed_command_is_counted_and_nothing_else(command):
    talk = Talk()
    assert talk.say(command) == b""
    assert (talk.session.faults, talk.session.is_over, talk.bus.sent, talk.bus.jobs) == (1, False, [], [])


def test_a_job_is_changed_replaced_and_ends_with_the_mode():
    talk = Talk("add 0 100000 123 1 11", "update 123 1 22")
    assert talk.bus.jobs == [["123#22", 0.1, "running"]]
    talk.say("add 1 0 123 1 33")
    assert talk.bus.jobs[0][2] == "stopped"
    talk.say("rawmode")
    assert talk.bus.jobs[1] == ["123#33", 1.0, "stopped"]


def test_jobs_and_subscriptions_are_bounded():
    talk = Talk(*(f"add 1 0 {number:03X} 0" for number in range(300)))
    assert len(talk.bus.jobs) == 256
    talk = Talk(*(f"subscribe 0 0 {number:08X}" for number in range(4097)))
    assert talk.session.faults == 1


def test_what_is_sent_in_one_piece_goes_out_as_one_batch():
    talk = Talk("rawmode")
    talk.session.receive_data(b"< send 001 0 >< send 002 1 ff >< send bad 0 >< send 003 0  >", talk.now)
    assert talk.bus.sent == ["001#", "002#FF", "003#"]


@pytest.mark.parametrize("command", ["send 123 0", "add 1 0 123 0"])
def test_a_bus_that_takes_no_frame_ends_the_session(command):
    talk = Talk()
    talk.bus.failure = CanTimeoutError("no room")
    talk.say(command)
    assert talk.session.is_over
    assert talk.session.reason == "sending failed: no room"


@pytest.mark.parametrize("command", ["send 123 0", "add 1 0 123 0"])
def test_read_only_refuses_to_send_and_says_so_once(command):
    talk = Talk(read_only=True)
    assert talk.say(command) == b"< canx this bus is read-only >"
    assert talk.say(command) == b""
    assert (talk.session.refused, talk.bus.sent, talk.bus.jobs) == (2, [], [])


def test_raw_mode_leaves_out_what_the_protocol_has_not():
    talk = Talk("rawmode")
    others = [frame(1, is_fd=True), frame(2, is_remote_frame=True), frame(4, "00" * 8, is_error_frame=True)]
    assert talk.hear(*others) == b""
    assert talk.session.left_out == 3


def test_error_frames_are_told_where_that_was_asked_for():
    talk = Talk("rawmode", errors=True)
    assert talk.hear(frame(4, "00" * 8, is_error_frame=True)) == b"< error 004 1.000000 >"


def test_a_canx_client_gets_and_sends_all_kinds_of_frames():
    talk = Talk("canx fd", "rawmode")
    assert talk.hear(frame(1, "0011", is_fd=True)) == b"< fdframe 001 1.000000 0011 >"
    assert talk.hear(frame(2, is_remote_frame=True, dlc=4)) == b"< rtr 002 1.000000 4 >"
    talk.session.receive_data(b"< sendfd 123 2 00 11 1 >< sendrtr 00000123 4 >", talk.now)
    assert talk.bus.sent == ["123#0011", "00000123#R"]


def test_frames_wait_behind_the_answer_to_rawmode_until_the_client_speaks():
    talk = Talk("rawmode")
    assert talk.session.held_until == talk.now + RAW_DELAY
    talk.say("echo")
    assert talk.session.held_until == 0.0
