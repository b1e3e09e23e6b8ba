"""The client against a gateway written from the specification, and against hostile ones."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cantools_cli
from cantools_cli.errors import CanError, CanTimeoutError, UsageError
from cantools_cli.frame.message import Message
from cantools_cli.xcom import StuCanPublicClient, StuCanPublicError, Timeout
from cantools_cli.xcom.node import Node, Request, ShortReplyError
from tests.xcom.emulator import EmulatedBus, EmulatedGateway, Frame, identifier
from tests.xcom.golden import EXCHANGES, NOTIFICATIONS, Exchange

SHORT = 0.02  # seconds, where no reply is to come
#: the reply to a read of info 3000 from 101
RIGHT = (0x0000CA00, bytes.fromhex("0BB8424F4000"))


@pytest.fixture
def gateway() -> EmulatedGateway:
    return EmulatedGateway()


@pytest.fixture
def client(gateway: EmulatedGateway) -> Iterator[StuCanPublicClient]:
    with EmulatedBus(gateway) as bus, StuCanPublicClient(0, bus=bus) as client:
        yield client


def ask(client: StuCanPublicClient, one: Exchange) -> float:
    if one.service == 0:
        return client.read_user_info(one.destination, one.number)
    assert one.part is not None
    if one.service == 1:
        return client.read_parameter(one.destination, one.number, one.part)
    assert one.written is not None
    assert client.write_parameter(one.destination, one.number, one.part, one.written) == one.number
    return one.written


@pytest.mark.parametrize("name", EXCHANGES)
def test_exchanges_of_the_specification(name: str) -> None:
    one = EXCHANGES[name]
    reply = int(one.reply[0], 16), bytes.fromhex(one.reply[1])
    with EmulatedBus(lambda _: [reply]) as bus, StuCanPublicClient(one.source, bus=bus) as client:
        if one.error is None:
            assert ask(client, one) == one.value
        else:
            with pytest.raises(StuCanPublicError) as caught:
                ask(client, one)
            assert (caught.value.id, caught.value.error_code) == (one.number, one.error)
        assert bus.sent == [(int(one.request[0], 16), bytes.fromhex(one.request[1]))]


def test_the_client_and_an_independent_gateway(client: StuCanPublicClient, gateway: EmulatedGateway) -> None:
    assert client.read_user_info(101, 3000) == 51.8125
    assert client.read_user_info(601, 7002) == 87.0
    assert [client.read_parameter(101, 1286, part) for part in (0, 1, 2, 4)] == [230.0, 110.0, 280.0, 230.0]
    assert client.write_parameter(101, 1286, 4, 231.5) == 1286
    assert client.read_parameter(101, 1286, 0) == client.read_parameter(101, 1286, 4) == 230.0
    assert client.write_parameter(101, 1286, 0, 229) == 1286
    assert client.read_parameter(101, 1286, 0) == 229.0
    assert client.write_parameter(100, 1286, 4, 230) == 1286
    assert gateway.writes == [(1286, 4, 231.5), (1286, 0, 229.0), (1286, 4, 230.0)]


@pytest.mark.parametrize(
    ("call", "code", "number"),
    [
        (lambda client: client.read_user_info(101, 3999), 0x22, 3999),
        (lambda client: client.read_parameter(101, 1999, 0), 0x22, 1999),
        (lambda client: client.read_parameter(101, 1286, 3), 0x12, 1286),
        (lambda client: client.write_parameter(101, 1286, 4, 300), 0x28, 1286),
        (lambda client: client.write_parameter(101, 1286, 4, 10), 0x27, 1286),
        (lambda client: client.write_parameter(101, 1286, 1, 230), 0x25, 1286),
        (lambda client: client.read_user_info(100, 3000), 0x2D, 3000),
        (lambda client: client.read_user_info(105, 3000), 0x02, 3000),
    ],
)
def test_errors_are_raised_as_documented(
    client: StuCanPublicClient, call: Any, code: int, number: int
) -> None:
    with pytest.raises(StuCanPublicError) as caught:
        call(client)
    error = caught.value
    assert (error.id, error.error_code, error.args) == (number, code, (number, code))
    assert str(error) == f"StuCanPublicError(id={number}, error_code={code}, identifier={error.identifier})"
    assert error.exit_status == 3


def test_an_unknown_code_is_unknown_and_reserved_bits_are_ignored() -> None:
    reply = 0x0000CA3F, bytes.fromhex("0BB800000099")
    with EmulatedBus(lambda _: [reply]) as bus, StuCanPublicClient(0, bus=bus) as client:
        with pytest.raises(StuCanPublicError, match=r"id=3000, error_code=153, identifier=UNKNOWN"):
            client.read_user_info(101, 3000)
        bus.device = lambda _: [(RIGHT[0] | 0x3E, RIGHT[1])]
        assert client.read_user_info(101, 3000) == 51.8125


def test_no_reply_is_a_timeout() -> None:
    with (
        EmulatedBus(lambda _: []) as bus,
        StuCanPublicClient(0, bus=bus) as client,
        pytest.raises(Timeout, match=r"xt9: info 3000: no reply within 0\.02 s") as caught,
    ):
        client.read_user_info(109, 3000, timeout=SHORT)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, CanTimeoutError)
    assert not isinstance(caught.value, StuCanPublicError)


def value(service: int, source: int = 101, number: int = 3000, wrong: float = 99.0, **more: Any) -> Frame:
    """Return a reply that is not RIGHT: its value must never be returned."""
    part = bytes([more["part"]]) if service else b""
    data = struct.pack(">H", number) + part + struct.pack(">f", wrong)
    return identifier(more.get("to", 0), source, service, more.get("flags", 0)), data


HOSTILE = {
    "from another device": value(0, source=301),
    "from ourselves": value(0, source=0),
    "of another object": value(0, number=3021),
    "of another service": value(1, part=0),
    "of a write": value(2, part=4),
    "to another client": value(0, to=5),
    "to the group of messages": value(0, to=500),
    "short": (0x0000CA00, bytes.fromhex("0BB8424F")),
    "two bytes": (0x0000CA00, bytes.fromhex("0BB8")),
    "empty": (0x0000CA00, b""),
    "an error of 4 bytes": (0x0000CA01, bytes.fromhex("0BB80000")),
    "an error of another object": (0x0000CA01, bytes.fromhex("0BCD00000022")),
    "an error of another device": (0x00025A01, bytes.fromhex("0BB800000022")),
    "our own request": (0x03280000, bytes.fromhex("0BB8")),
    "a standard frame": Message(arbitration_id=0, is_extended_id=False, data=bytes.fromhex("0BB842C60000")),
    "a remote frame": Message(arbitration_id=0xCA00, is_remote_frame=True, dlc=6),
    "an error frame": Message(arbitration_id=0xCA00, is_error_frame=True, data=bytes(8)),
    "of CAN FD": Message(arbitration_id=0xCA00, is_fd=True, data=bytes.fromhex("0BB842C60000")),
    "a message": (0x0FA0CAC0, bytes.fromhex("001000000000")),
    "a message to us": (identifier(0, 101, 3), bytes.fromhex("001000000000")),
    "a message that is cut": (0x0FA0CAC0, bytes.fromhex("0010")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_other_frames_before_the_reply_are_ignored(name: str) -> None:
    with EmulatedBus(lambda _: [HOSTILE[name], RIGHT]) as bus, StuCanPublicClient(0, bus=bus) as client:
        assert client.read_user_info(101, 3000) == 51.8125


@pytest.mark.parametrize("name", HOSTILE)
def test_other_frames_without_a_reply_are_an_error(name: str) -> None:
    with (
        EmulatedBus(lambda _: [HOSTILE[name]]) as bus,
        StuCanPublicClient(0, bus=bus) as client,
        pytest.raises((Timeout, ShortReplyError, StuCanPublicError)) as caught,
    ):
        client.read_user_info(101, 3000, timeout=SHORT)
    if name in ("short", "two bytes", "empty", "an error of 4 bytes"):
        assert isinstance(caught.value, ShortReplyError)
    elif name == "an error of another object":
        assert isinstance(caught.value, StuCanPublicError)
    else:
        assert isinstance(caught.value, Timeout)


@given(st.lists(st.sampled_from(sorted(HOSTILE)), max_size=6), st.booleans(), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_no_mixture_of_other_frames_gives_a_wrong_value(names: list[str], answers: bool, place: int) -> None:
    frames = [HOSTILE[name] for name in names]
    if answers:
        frames.insert(min(place, len(frames)), RIGHT)
    with EmulatedBus(lambda _: frames) as bus, StuCanPublicClient(0, bus=bus) as client:
        if answers:
            assert client.read_user_info(101, 3000, timeout=SHORT) == 51.8125
        else:
            with pytest.raises(CanError):
                client.read_user_info(101, 3000, timeout=SHORT)


@given(st.integers(0, 0x1FFFFFFF), st.binary(max_size=8))
@settings(max_examples=100, deadline=None)
def test_arbitrary_frames_do_not_break_the_client(number: int, data: bytes) -> None:
    with EmulatedBus(lambda _: [(number, data), RIGHT]) as bus, StuCanPublicClient(0, bus=bus) as client:
        assert client.read_user_info(101, 3000) == 51.8125


def test_frames_before_the_request_are_not_replies(client: StuCanPublicClient) -> None:
    client.node.bus.deliver(value(0))  # type: ignore[attr-defined]  # of the emulated bus
    assert client.read_user_info(101, 3000) == 51.8125


def test_a_late_reply_does_not_answer_the_next_request() -> None:
    late = value(0, number=3000)
    answers = iter([[], [late, value(0, number=3021, wrong=230.0)]])
    with EmulatedBus(lambda _: next(answers)) as bus, StuCanPublicClient(0, bus=bus) as client:
        with pytest.raises(Timeout):
            client.read_user_info(101, 3000, timeout=SHORT)
        assert client.read_user_info(101, 3021) == 230.0


def test_a_late_error_does_not_answer_the_next_request() -> None:
    late = 0x0000CA01, bytes.fromhex("0BB800000022")
    answers = iter([[], [late]])
    with EmulatedBus(lambda _: next(answers)) as bus, StuCanPublicClient(0, bus=bus) as client:
        with pytest.raises(Timeout):
            client.read_user_info(101, 3000, timeout=SHORT)
        with pytest.raises(Timeout):
            client.read_user_info(101, 3021, timeout=SHORT)


def test_a_duplicate_minimum_is_not_the_maximum() -> None:
    low = value(1, number=1286, wrong=110.0, part=1)
    high = value(1, number=1286, wrong=280.0, part=2)
    answers = iter([[low], [low, high]])
    with EmulatedBus(lambda _: next(answers)) as bus, StuCanPublicClient(0, bus=bus) as client:
        assert client.read_parameter(101, 1286, 1) == 110.0
        assert client.read_parameter(101, 1286, 2) == 280.0


@pytest.mark.parametrize("part", [0, 4])
def test_ram_may_be_answered_as_flash(part: int) -> None:
    reply = value(1, number=1286, wrong=230.0, part=4 - part)
    with EmulatedBus(lambda _: [reply]) as bus, StuCanPublicClient(0, bus=bus) as client:
        assert client.read_parameter(101, 1286, part) == 230.0


def test_a_duplicate_reply_to_a_write_does_not_answer_the_next_one() -> None:
    first = value(2, number=1286, wrong=230.0, part=4)
    answers = iter([[first], [first]])
    with EmulatedBus(lambda _: next(answers)) as bus, StuCanPublicClient(0, bus=bus) as client:
        client.write_parameter(101, 1286, 4, 230.0)
        with pytest.raises(Timeout):
            client.write_parameter(101, 1286, 4, 231.5, timeout=SHORT)


def test_a_device_may_round_written_values() -> None:
    reply = value(2, number=1286, wrong=231.0, part=4)
    with EmulatedBus(lambda _: [reply]) as bus, StuCanPublicClient(0, bus=bus) as client:
        assert client.write_parameter(101, 1286, 4, 231.04) == 1286


def test_a_parameter_is_not_requested_again_while_a_late_reply_may_arrive() -> None:
    old, new = value(1, number=1286, wrong=1.0, part=0), value(1, number=1286, wrong=2.0, part=0)
    answers: Iterator[list[Frame]] = iter([[], [new]])
    with EmulatedBus(lambda _: next(answers)) as bus:
        node = Node(bus, 0, late_seconds=0.1)
        with pytest.raises(Timeout):
            node.request(Request(101, 1, 1286, 0), timeout=SHORT)
        bus.deliver(old)
        assert node.request(Request(101, 1, 1286, 0)).reply.value == 2.0


def test_a_write_is_sent_once_whatever_happens() -> None:
    with EmulatedBus(lambda _: []) as bus, StuCanPublicClient(0, bus=bus) as client:
        client.retries = 5
        with pytest.raises(Timeout):
            client.write_parameter(101, 1286, 4, 230, timeout=SHORT)
        assert len(bus.sent) == 1


def test_reads_are_retried_on_request() -> None:
    answers: Iterator[list[Frame]] = iter([[], [], [RIGHT]])
    with EmulatedBus(lambda _: next(answers)) as bus, StuCanPublicClient(0, bus=bus) as client:
        client.retries = 2
        assert client.read_user_info(101, 3000, timeout=SHORT) == 51.8125
        assert len(bus.sent) == 3


def test_messages_are_kept_on_the_way_and_each_client_has_its_own_list() -> None:
    notices = [(int(number, 16), bytes.fromhex(data)) for number, data, *_ in NOTIFICATIONS]
    with EmulatedBus(lambda _: [*notices, RIGHT]) as bus, StuCanPublicClient(0, bus=bus) as client:
        assert client.read_user_info(101, 3000) == 51.8125
        with StuCanPublicClient(1, bus=bus) as other:
            assert other.messages() == []
            bus.deliver((identifier(1, 301, 3), bytes.fromhex("005300000000")))
            bus.deliver((identifier(501, 301, 3), bytes.fromhex("005400000000")))
            assert other.messages() == [(301, (83, 0))]
        assert [(source, *message) for source, message in client.messages()] == [
            (source, message, value) for _, _, _, source, message, value in NOTIFICATIONS
        ]
        assert str(client.messages()[0]) == "(101, MessageNotification{'message_id': 16, 'value': 0})"
        client.messages().clear()
        assert len(client.messages()) == 3


def test_all_replies_of_a_group_are_returned() -> None:
    ok = bytes.fromhex("05060443660000")
    replies = [(identifier(0, source, 2), ok) for source in (101, 102)]
    replies.append((identifier(0, 103, 2, 1), bytes.fromhex("050600000028")))
    replies.append((identifier(0, 301, 2), ok))
    with EmulatedBus(lambda _: replies) as bus:
        answers = Node(bus, 0).request_all(Request(100, 2, 1286, 4, 230.0), timeout=SHORT)
    assert [(one.source, one.reply.error_code) for one in answers] == [(101, None), (102, None), (103, 0x28)]


def test_threads_have_one_transaction_at_a_time() -> None:
    """Each thread asks for its own object: with two requests under way, replies would get mixed up."""
    under_way = []

    def device(frame: Frame) -> list[Frame]:
        under_way.append(frame)
        (number,) = struct.unpack(">H", frame[1])
        assert len(under_way) == 1
        under_way.remove(frame)
        return [value(0, number=number, wrong=float(number))]

    with EmulatedBus(device) as bus, StuCanPublicClient(0, bus=bus) as client:
        wrong: list[Any] = []

        def work(first: int) -> None:
            for number in range(first, first + 50):
                found = client.read_user_info(101, number, timeout=20)
                if found != number:
                    wrong.append((number, found))

        threads = [threading.Thread(target=work, args=(first,)) for first in (3000, 3100, 3200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(bus.sent) == 150


def test_without_a_with_statement_the_error_says_so() -> None:
    with pytest.raises(UsageError, match="not open"):
        StuCanPublicClient(0).read_user_info(101, 3000)


def test_an_invalid_address_is_refused() -> None:
    with pytest.raises(UsageError, match="1024"):
        StuCanPublicClient(1024)


def test_the_bus_comes_from_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    # not config.rc: the package would keep a replacement that is there at its first look
    monkeypatch.setattr(cantools_cli, "rc", {"interface": "virtual", "channel": "configured"})
    with StuCanPublicClient(0) as client:
        assert client.node.bus.channel_info == "virtual:configured" or "configured" in str(client.node.bus)
    with StuCanPublicClient(0, 250000, "virtual", True, channel="said") as client:
        assert "said" in str(client.node.bus)


def test_reads_are_retried_while_the_gateway_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cantools_cli.xcom.client._BUSY_PAUSE", 0.0)
    busy = 0x0000CA01, bytes.fromhex("0BB800000013")
    answers = iter([[busy], [RIGHT]])
    with EmulatedBus(lambda _: next(answers)) as bus, StuCanPublicClient(0, bus=bus) as client:
        client.retries = 1
        assert client.read_user_info(101, 3000) == 51.8125
