"""Buses on emulated slcan adapters: opening, frames, acknowledgements, timestamps, faults."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli import Bus, Notifier
from cantools_cli.backends.slcan import bus as module
from cantools_cli.backends.slcan import link as link_module
from cantools_cli.backends.slcan.acceptance import registers
from cantools_cli.backends.slcan.bus import SlcanBus
from cantools_cli.backends.slcan.dialects import recognised
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.errors import CanInitializationError, CanOperationError, CanTimeoutError, UsageError
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.emulators.line import Line, Mute, plugged
from tests.emulators.slcan import Slcan

PATIENCE = 30
CAN_FILTERS = st.lists(
    st.fixed_dictionaries(
        {"can_id": st.integers(0, 0x3FFFFFFF), "can_mask": st.integers(0, 0x1FFFFFFF)},
        optional={"extended": st.booleans()},
    ),
    min_size=1,
    max_size=3,
)
PROFILES = ["lawicel", "canable", "canable2", "weact", "nakakiyo", "elmue"]
KINDS = ["pty", "tcp"]


@contextmanager
def adapter(
    profile: str = "lawicel", kind: str = "pty", **settings: Any
) -> Iterator[tuple[SlcanBus, Slcan, Line]]:
    """Yield a bus on an emulated adapter, the adapter, and its line."""
    device = Slcan(profile)
    settings.setdefault("bitrate", None if "btr" in settings or "timing" in settings else 500_000)
    with plugged(device, kind) as line, SlcanBus(line.channel, **settings) as bus:
        yield bus, device, line


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def received(bus: SlcanBus) -> Message:
    message = bus.recv(PATIENCE)
    assert message is not None
    return message


def received_all(bus: SlcanBus, count: int) -> list[Message]:
    return [received(bus) for _ in range(count)]


# --- opening ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_kind_of_adapter(profile: str, kind: str) -> None:
    with adapter(profile, kind) as (bus, device, line):
        line.wait_for(b"C\rV\rS6\rM0\rO\r" if profile == "weact" else b"C\rV\rS6\rO\r")
        assert b"" not in device.commands  # it would repeat the last command
        bus.send(std(0x123, b"\x01\x02"))
        bus.send(Message(arbitration_id=0x123, is_remote_frame=True, dlc=4))
        line.wait_for(b"R000001234\r")
        assert device.frames == [b"t12320102", b"R000001234"]
        line.inject(device.line(b"t4561AA") + device.line(b"R000001234"))
        assert (received(bus).data, received(bus).dlc) == (b"\xaa", 4)
        assert bus.losses == {}
    line.wait_for(b"C\r")


def test_an_adapter_that_restarts_is_waited_for() -> None:
    with adapter("arduino") as (bus, device, _):
        assert device.is_open
        assert bus.losses == {}  # what it printed meanwhile is none


def test_an_open_channel_is_closed_first_and_its_frames_are_dropped() -> None:
    device = Slcan()
    device.is_open = True
    with plugged(device) as line:
        line.inject(b"t1110\rt11")
        line.wait_until_sent()
        with SlcanBus(line.channel, bitrate=500_000) as bus:
            line.inject(device.line(b"t2220"))
            assert received(bus).arbitration_id == 0x222
            assert bus.losses == {}


def test_the_channel_may_name_the_baud_rate() -> None:
    import fcntl
    from array import array

    with plugged(Slcan()) as line, SlcanBus(f"{line.channel}@3000000", ttyBaudrate=9600) as bus:
        settings = array("I", [0] * 11)
        fcntl.ioctl(bus._port._end.fileno(), 0x802C542A, settings)  # TCGETS2
        assert settings[10] == 3_000_000


@pytest.mark.parametrize(
    ("profile", "settings", "commands"),
    [
        ("lawicel", {"bitrate": None}, [b"O"]),
        ("lawicel", {"bitrate": 800_000}, [b"S7", b"O"]),
        ("lawicel", {"bitrate": 750_000, "s7": 750_000}, [b"S7", b"O"]),
        ("canable", {"bitrate": 750_000}, [b"S7", b"O"]),
        ("canable", {"bitrate": 83_300}, [b"S9", b"O"]),
        ("weact", {"bitrate": 33_300}, [b"SC", b"M0", b"O"]),
        ("lawicel", {"btr": "011c"}, [b"s011C", b"O"]),
        (
            "lawicel",
            {"timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1)},
            [b"s001C", b"O"],
        ),
        (
            "lawicel",
            {"timing": BitTiming(f_clock=16_000_000, brp=2, tseg1=13, tseg2=2, sjw=1)},
            [b"s001C", b"O"],
        ),
        ("lawicel", {"listen_only": True}, [b"S6", b"L"]),
        ("elmue", {"listen_only": True}, [b"S6", b"OS"]),
        ("weact", {"listen_only": True}, [b"S6", b"M1", b"O"]),
        ("lawicel", {"device_timestamps": "ms"}, [b"S6", b"Z1", b"O"]),
        ("lawicel", {"device_timestamps": "off"}, [b"S6", b"Z0", b"O"]),
        ("nakakiyo", {"device_timestamps": "us"}, [b"S6", b"Z2", b"O"]),
        ("canable2", {"fd": True}, [b"S6", b"O"]),
        ("canable2", {"data_bitrate": 5_000_000}, [b"S6", b"Y5", b"O"]),
        ("weact", {"data_bitrate": 4_000_000}, [b"S6", b"Y4", b"M0", b"O"]),
        ("nakakiyo", {"data_bitrate": 8_000_000}, [b"S6", b"Y8", b"O"]),
    ],
)
def test_settings(profile: str, settings: dict[str, Any], commands: list[bytes]) -> None:
    with adapter(profile, **settings) as (_, device, line):
        line.wait_for(commands[-1] + b"\r")
        assert device.commands[2 : 2 + len(commands)] == commands
        assert device.is_open


FD_TIMING = BitTimingFd(
    f_clock=160_000_000,
    nom_brp=4, nom_tseg1=69, nom_tseg2=10, nom_sjw=10,
    data_brp=2, data_tseg1=29, data_tseg2=10, data_sjw=10,
)  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "commands"),
    [
        ("nakakiyo", [b"s04450A0A", b"y021D0A0A"]),
        ("elmue", [b"s4,69,10,10", b"y2,29,10,10"]),
        ("canable2", [b"S6", b"Y2"]),
    ],
)
def test_timing_of_can_fd(profile: str, commands: list[bytes]) -> None:
    with adapter(profile, timing=FD_TIMING) as (bus, device, line):
        line.wait_for(b"O\r")
        assert bus.protocol is CanProtocol.CAN_FD
        assert bus.bit_rates == (500_000, 2_000_000)
        assert [line for line in device.commands if line[:1] in b"SsYy"] == commands


def test_timing_of_weact_s_clock() -> None:
    timing = BitTimingFd(
        f_clock=80_000_000,
        nom_brp=2, nom_tseg1=69, nom_tseg2=10, nom_sjw=10,
        data_brp=2, data_tseg1=15, data_tseg2=4, data_sjw=4,
    )  # fmt: skip
    with adapter("weact", timing=timing) as (_, device, _line):
        assert device.timing == [b"S032205", b"Y030702"]
    with (
        pytest.raises(UsageError, match="the adapter's clock has 60 MHz"),
        adapter("weact", timing=FD_TIMING),
    ):
        pass


def test_timing_of_nakakiyo_s_firmware_on_weact_s_clock() -> None:
    timing = BitTiming(f_clock=60_000_000, brp=6, tseg1=16, tseg2=3, sjw=2)
    with adapter("nakakiyo", timing=timing, dialect="nakakiyo") as (_, device, _line):
        assert device.timing == [b"s06100302"]


@pytest.mark.parametrize(
    ("profile", "settings", "error", "text"),
    [
        (
            "lawicel",
            {"bitrate": 300_000},
            UsageError,
            ": bitrate: lawicel adapters have no preset for 300000 bit/s",
        ),
        ("lawicel", {"bitrate": 750_000}, UsageError, "S7 of lawicel adapters is 800000 bit/s"),
        ("canable", {"bitrate": 800_000}, UsageError, "S7 of canable adapters is 750000 bit/s"),
        ("canable2", {"bitrate": 750_000}, UsageError, "about 1.43 Mbit/s"),
        ("lawicel", {"bitrate": 83_300}, CanInitializationError, "the adapter refuses S9"),
        ("lawicel", {"btr": "0g"}, UsageError, '"0g" is not hexadecimal'),
        ("lawicel", {"btr": "011C11"}, CanInitializationError, "the adapter refuses s011C11"),
        ("lawicel", {"btr": "011C", "bitrate": 500_000}, UsageError, "exclude each other"),
        (
            "lawicel",
            {"btr": "011C", "timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1)},
            UsageError,
            "exclude each other",
        ),
        (
            "lawicel",
            {"bitrate": 500_000, "timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1)},
            UsageError,
            "exclude each other",
        ),
        ("lawicel", {"data_bitrate": 2_000_000}, CanInitializationError, "the adapter refuses Y2"),
        ("canable", {"btr": "001C"}, UsageError, "canable adapters have no custom bit timing"),
        ("canable", {"fd": True}, UsageError, "canable adapters do not support CAN FD"),
        ("canable2", {"data_bitrate": 1_000_000}, UsageError, "no preset for 1000000 bit/s"),
        (
            "canable",
            {"listen_only": True},
            CanInitializationError,
            "acknowledges frames even if told to be silent",
        ),
        ("lawicel", {"dialect": "lawicell"}, UsageError, '"lawicell" is unknown'),
        ("lawicel", {"device_timestamps": "s"}, UsageError, '"s" is unknown'),
        ("lawicel", {"no_such": 1}, UsageError, "no setting"),
    ],
)
def test_refused_settings(profile: str, settings: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)), adapter(profile, **settings):
        pass


def test_listening_with_firmware_that_cannot_be_silent(caplog: pytest.LogCaptureFixture) -> None:
    with adapter("canable", listen_only=True, force=True) as (bus, _device, line):
        line.wait_for(b"M1\rO\r")
        with pytest.raises(CanOperationError, match="listen-only"):
            bus.send(std(1))
    assert "not silent" in caplog.text


def test_no_timestamps_is_a_warning() -> None:
    notes: list[str] = []
    with adapter("weact", device_timestamps="ms", on_note=notes.append) as (_, device, _line):
        assert device.is_open
    assert [note.partition(": ")[2] for note in notes] == [
        "the adapter does not support device_timestamps=ms"
    ]


@pytest.mark.parametrize("channel", ["", None])
def test_a_port_is_required(channel: Any) -> None:
    with pytest.raises(ValueError, match="no serial port given"):
        SlcanBus(channel)


def test_an_adapter_that_does_not_answer() -> None:
    begin = time.monotonic()
    with plugged(Mute()) as line, pytest.raises(CanInitializationError, match=r"does not answer$") as raised:
        SlcanBus(line.channel, sleep_after_open=0)
    assert raised.value.hint is not None
    assert time.monotonic() - begin < PATIENCE


def test_an_adapter_that_does_not_answer_in_a_dialect_with_answers() -> None:
    with plugged(Mute()) as line, pytest.raises(CanInitializationError, match=r"does not answer$"):
        SlcanBus(line.channel, bitrate=500_000, dialect="lawicel")


def test_filters_that_the_adapter_refuses_close_the_port() -> None:
    device = Slcan()
    answer = device._answer
    device._answer = lambda line: b"\a" if line == b"W1" else answer(line)  # type: ignore[method-assign]
    filters = [{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}]
    with plugged(device) as line:
        with pytest.raises(CanInitializationError, match="the adapter refuses W1"):
            SlcanBus(line.channel, hw_filters=True, can_filters=filters)
        with SlcanBus(line.channel):
            pass


class Saying:
    """Another device, which answers everything with one text."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def feed(self, data: bytes) -> bytes:
        return self._text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"$GPGGA,123519,4807.038,N\r\n", 'not an slcan adapter: it answers "$GPGGA,123519,4807.038,N"'),
        (b"\xf8\xfe\x80\x00\x9f", "the answer is not text: f8 fe 80 00 9f"),
        (b" \r\n", "the adapter does not answer"),
        (b"\x0c", "not an slcan adapter"),
    ],
)
def test_another_device_or_baud_rate(text: bytes, reason: str) -> None:
    with plugged(Saying(text)) as line, pytest.raises(CanInitializationError, match=re.escape(reason)):
        SlcanBus(line.channel, sleep_after_open=0)


def test_a_silent_adapter_is_opened_by_its_dialect(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    options: dict[str, Any] = {"bitrate": 500_000, "dialect": "silent", "sleep_after_open": 0.2}
    with plugged(Mute()) as line, SlcanBus(line.channel, **options) as bus:
        assert pauses == [0.2]  # it may restart
        bus.send(std(0x123))
        line.wait_for(b"C\rS6\rO\rt1230\r")


def test_listen_only_without_an_answer_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    notes: list[str] = []
    options: dict[str, Any] = {"dialect": "silent", "listen_only": True, "on_note": notes.append}
    with plugged(Mute()) as line, SlcanBus(line.channel, bitrate=500_000, **options):
        line.wait_for(b"C\rS6\rL\r")
        assert notes == [
            f"slcan:{line.channel}: whether the adapter listens only is unknown: it does not answer"
        ]


def test_an_adapter_of_a_known_dialect_that_restarts_is_waited_for() -> None:
    with adapter("arduino", dialect="lawicel") as (bus, device, _):
        assert device.is_open
        assert bus.losses == {}


def test_an_adapter_that_was_silent_is_not_afterwards() -> None:
    device = Slcan("weact")
    with plugged(device) as line:
        with SlcanBus(line.channel, bitrate=500_000, listen_only=True):
            assert device.listens
        with SlcanBus(line.channel, bitrate=500_000) as bus:
            bus.send(std(0x123))
    assert device.frames == [b"t1230"]


def test_a_bus_that_cannot_be_opened_closes_the_channel(caplog: pytest.LogCaptureFixture) -> None:
    device = Slcan()
    with plugged(device) as line:
        with pytest.raises(UsageError, match="bad filter"):
            SlcanBus(line.channel, can_filters=[{"can_id": "x"}])  # type: ignore[list-item, typeddict-item]
        line.wait_for(b"O\rF\rC\r")
    assert not caplog.records


def test_an_adapter_without_versions() -> None:
    device = Slcan()
    answer = device._answer
    device._answer = lambda line: b"\a" if line == b"V" else answer(line)  # type: ignore[method-assign]
    with plugged(device) as line, SlcanBus(line.channel, bitrate=500_000) as bus:
        assert "lawicel" in str(bus)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (b"V1013", "lawicel"),
        (b"v1014", "lawicel"),
        (b"16ab6a3 https://github.com/Nakakiyo092/canable2-fw.git", "nakakiyo"),
        (b"16ab6a3 github.com/normaldotcom/canable2-fw.git", "canable2"),
        (b"b158aa7 github.com/normaldotcom/canable-fw.git", "canable"),
        (b"WeAct Studio V1.0.0.2_20240101", "weact"),
        (b"+Board: Multiboard\t+MCU: STM32G431", "elmue"),
        (b"V", "silent"),
        (b"OK", None),
        (b"", None),
        (b"\xff\xff", None),
    ],
)
def test_dialects_are_recognised_by_the_version(answer: bytes, name: str | None) -> None:
    dialect = recognised(answer)
    assert (dialect.name if dialect else None) == name


def test_a_line_that_returns_what_is_sent() -> None:
    with SlcanBus("loop://", bitrate=500_000) as bus:
        bus.send(std(0x123, b"\x01"))
        assert received(bus).data == b"\x01"
        assert bus.losses == {}


# --- frames -------------------------------------------------------------------------------------------


def test_can_fd_in_both_directions() -> None:
    with adapter("canable2", data_bitrate=2_000_000) as (bus, device, line):
        bus.send(std(0x123, bytes(12), is_fd=True, bitrate_switch=True))
        line.wait_for(b"b1239" + b"00" * 12 + b"\r")
        line.inject(device.line(b"d1239" + b"11" * 12))
        message = received(bus)
        assert (message.is_fd, message.bitrate_switch, message.data) == (True, False, b"\x11" * 12)


def test_a_bus_without_can_fd_refuses_such_frames() -> None:
    with adapter() as (bus, _, _line), pytest.raises(CanOperationError, match="without CAN FD"):
        bus.send(std(1, is_fd=True))


def test_frames_are_acknowledged_in_order_while_more_are_sent() -> None:
    with adapter() as (bus, device, _):
        bus.send_batch(MessageBatch([std(number, bytes((number & 0xFF,))) for number in range(1000)]))
        assert [int(line[1:4], 16) for line in device.frames] == [*range(1000)]


def test_a_refused_frame_is_an_error() -> None:
    with adapter() as (bus, device, _line):
        device.mute = b"F"
        device.listens = True
        bus._link.has_status = False
        with pytest.raises(
            CanOperationError, match=r"the adapter refused 1 frame, the first is t1230$"
        ) as raised:
            bus.send(std(0x123))
        assert raised.value.sent == 0
        device.listens = False
        bus.send(std(0x124))
        assert device.frames == [b"t1240"]


def test_a_full_queue_is_waited_for_in_order() -> None:
    with adapter() as (bus, device, _):
        device.queue = 20
        refill = device._answer

        def drain(line: bytes) -> bytes:
            if line == b"F":
                device.queue = 20
            return refill(line)

        device._answer = drain  # type: ignore[method-assign]
        bus.send_batch(MessageBatch([std(number) for number in range(100)]))
        assert [int(line[1:], 16) >> 4 for line in device.frames] == [*range(100)]


def test_a_queue_that_stays_full_is_a_timeout() -> None:
    with adapter() as (bus, device, _):
        device.queue = 3
        with pytest.raises(CanTimeoutError, match="transmit queue is full") as raised:
            bus.send_batch(MessageBatch([std(number) for number in range(10)]), 0.1)
        assert raised.value.sent == 3


def test_own_messages_are_those_that_the_adapter_accepted() -> None:
    with adapter(receive_own_messages=True, status_interval=0) as (bus, device, _):
        device.queue = 2
        with pytest.raises(CanOperationError, match="refused 3 frames") as caught:
            bus.send_batch(MessageBatch([std(number) for number in range(5)]), 0.3)
        assert caught.value.sent == 2
        found = received_all(bus, 2)
        assert [(one.arbitration_id, one.is_rx) for one in found] == [(0, False), (1, False)]
        assert bus.recv(0.05) is None


def test_acknowledgements_that_end_are_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "SILENCE", 0.05)
    notes: list[str] = []
    with adapter(on_note=notes.append) as (bus, device, line):
        device.mute = b"t"
        bus.send_batch(MessageBatch([std(number) for number in range(20)]))
        line.wait_for(b"t0130\r")
        assert len(device.frames) == 20
    assert notes == [f"slcan:{line.channel}: the adapter no longer acknowledges frames; it may not send them"]


def test_an_unexpected_refusal_is_counted() -> None:
    with adapter() as (bus, device, line):
        line.inject(b"\a\a" + device.line(b"t1230"))
        received(bus)
        assert bus.losses == {"refusals by the adapter without a pending command": 2}


def test_malformed_lines_are_counted() -> None:
    with adapter() as (bus, device, line):
        line.inject(b"t12\r\xff\xfe\r" + device.line(b"t1230"))
        assert received(bus).arbitration_id == 0x123
        assert bus.losses == {"malformed lines skipped": 2}


def test_two_threads_send_while_a_notifier_receives() -> None:
    counts: dict[int, int] = {0x7F0: 0, 0x7F1: 0}
    done = threading.Event()

    def count(message: Message) -> None:
        counts[message.arbitration_id] += 1
        if sum(counts.values()) == 400:
            done.set()

    with adapter() as (bus, device, _):
        device.peer = lambda line: [line]
        notifier = Notifier(bus, [count])
        threads = [
            threading.Thread(target=lambda i=i: [bus.send(std(0x7F0 + i)) for _ in range(200)])
            for i in (0, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert done.wait(PATIENCE)
        notifier.stop()
    assert counts == {0x7F0: 200, 0x7F1: 200}


# --- faults of the line -------------------------------------------------------------------------------


def test_a_line_cut_into_single_bytes() -> None:
    with adapter(kind="tcp") as (bus, device, line):
        line.piece = 1
        line.inject(device.line(b"T12ABCDEF81122334455667788") * 5)
        assert {bytes(frame.data) for frame in received_all(bus, 5)} == {bytes.fromhex("1122334455667788")}
        bus.send(std(0x123))
        assert device.frames == [b"t1230"]


def test_noise_and_a_storm_of_refusals() -> None:
    noise = bytes(octet for octet in range(256) if octet not in b"\r\n\a") * 16
    with adapter() as (bus, device, line):
        line.inject(noise + b"\r" + b"\a" * 10_000 + device.line(b"t1230"))
        assert received(bus).arbitration_id == 0x123
        assert bus.losses == {
            "malformed lines skipped": 1,
            "refusals by the adapter without a pending command": 10_000,
        }
        bus.send(std(0x124))


def test_a_line_without_its_end_costs_only_the_next_one() -> None:
    with adapter() as (bus, device, line):
        line.inject(b"t11101" + device.line(b"t1220") + device.line(b"t1330"))
        assert received(bus).arbitration_id == 0x133
        assert bus.losses == {"malformed lines skipped": 1}


def test_a_line_that_the_unplugging_cuts_is_counted() -> None:
    with adapter(kind="tcp") as (bus, device, line):
        line.inject(device.line(b"t1230") + b"t12")
        line.unplug()
        assert received(bus).arbitration_id == 0x123
        with pytest.raises(CanOperationError):
            bus.recv(PATIENCE)
        assert bus.losses == {"malformed lines skipped": 1}


def test_a_saturated_line_loses_nothing() -> None:
    with adapter() as (bus, device, line):
        line.inject(device.line(b"t1230") * 100_000)
        count = 0
        while count < 100_000:
            batch = bus.recv_batch(PATIENCE)
            assert batch is not None
            count += len(batch)
        assert bus.losses == {}


def test_asyncio_receives_while_frames_are_sent() -> None:
    import asyncio

    from cantools_cli import AsyncBufferedReader

    async def exchange(bus: SlcanBus) -> list[int]:
        reader = AsyncBufferedReader()
        notifier = Notifier(bus, [reader], loop=asyncio.get_running_loop())
        found = []
        for number in range(50):
            bus.send(std(number))  # the answer is read while waiting for the acknowledgement
            found.append((await asyncio.wait_for(reader.get_message(), PATIENCE)).arbitration_id)
        notifier.stop()
        return found

    with adapter() as (bus, device, _):
        device.peer = lambda line: [line]
        assert asyncio.run(exchange(bus)) == [*range(50)]


# --- timestamps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "unit", "tick_ns", "modulus"),
    [("lawicel", "ms", 1_000_000, 60_000), ("nakakiyo", "us", 1000, 3_600_000_000)],
)
def test_device_times_continue_across_the_end_of_the_counter(
    profile: str, unit: str, tick_ns: int, modulus: int
) -> None:
    with adapter(profile, device_timestamps=unit) as (bus, device, line):
        us_per_tick = tick_ns // 1000
        now = [(modulus - 20) * us_per_tick]
        device.clock = lambda: now[0]
        text = b""
        for _ in range(40):
            text += device.line(b"t1230")
            now[0] += us_per_tick
        before = time.time_ns()
        line.inject(text)
        times = [received(bus).timestamp_ns for _ in range(40)]
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {tick_ns}
        assert before - 60 * tick_ns < times[-1] <= time.time_ns()


def test_a_counter_beyond_a_minute() -> None:
    with adapter(device_timestamps="ms") as (bus, _, line):
        line.inject(b"t1230FFFE\rt1230FFFF\rt12300000\r")
        first, second, third = (received(bus).timestamp_ns for _ in range(3))
        assert (second - first, third - second) == (1_000_000, 1_000_000)


# --- errors and state ---------------------------------------------------------------------------------


def test_status_flags_become_error_frames() -> None:
    with adapter(status_interval=0.02) as (bus, device, line):
        device.flags = 0x21
        message = received(bus)
        assert (message.is_error_frame, message.arbitration_id, message.data[1]) == (True, 4, 0x31)
        assert bus.state is BusState.PASSIVE
        device.flags = 0
        assert received(bus).data[1] == 0x40
        assert bus.state is BusState.ACTIVE
        bus.send(std(0x123))
        line.wait_for(b"t1230\r")


def test_an_adapter_without_status_flags_is_asked_once() -> None:
    with adapter("arduino", status_interval=0.01) as (bus, device, line):
        line.inject(device.line(b"t1230"))
        received(bus)
        assert bus.recv(0.05) is None
        assert device.commands.count(b"F") == 1


def test_lines_of_the_kernel_s_peers() -> None:
    with adapter() as (bus, _, line):
        line.inject(b"e1o\rsb256256\r")
        assert received(bus).arbitration_id == 0x8C
        assert received(bus).arbitration_id == 0x40
        assert bus.state is BusState.ERROR


@pytest.mark.parametrize("kind", KINDS)
def test_unplugging(kind: str) -> None:
    with adapter(kind=kind) as (bus, device, line):
        line.inject(device.line(b"t1230") * 3)
        assert received(bus).arbitration_id == 0x123
        assert len(received_all(bus, 2)) == 2
        line.unplug()
        with pytest.raises(CanOperationError, match=r"unplugged|closed the connection"):
            bus.recv(PATIENCE)
        assert bus.is_shutdown


def test_frames_received_before_a_failed_send_are_delivered() -> None:
    with adapter(kind="tcp") as (bus, device, line):
        line.inject(device.line(b"t1230") * 3)
        line.unplug()
        batch = MessageBatch([std(number) for number in range(100)])
        with pytest.raises(CanOperationError, match=r"the connection is lost|closed the connection"):
            bus.send_batch(batch)
        assert len(received_all(bus, 3)) == 3
        with pytest.raises(CanOperationError):
            bus.recv(PATIENCE)


# --- filters ------------------------------------------------------------------------------------------


def test_the_acceptance_filter_of_the_adapter() -> None:
    filters = [
        {"can_id": 0x123, "can_mask": 0x7FF, "extended": False},
        {"can_id": 0x133, "can_mask": 0x7FF, "extended": False},
    ]
    with adapter(hw_filters=True, can_filters=filters) as (bus, device, line):
        assert device.commands[-4:] == [b"W1", b"M24600000", b"m021FFFFF", b"O"]
        line.inject(device.line(b"t1240"))
        line.inject(device.line(b"t1230") + device.line(b"t1330"))
        assert [frame.arbitration_id for frame in received_all(bus, 2)] == [0x123, 0x133]
        bus.set_filters(None)
        assert device.commands[-4:] == [b"W0", b"M00000000", b"mFFFFFFFF", b"O"]
        bus.set_filters([{"can_id": 0x18FEF100, "can_mask": 0x1FFFFF00, "extended": True}])
        assert (device.code, device.mask) == (0xC7F78800, 0x000007FF)
        bus.shutdown()
        line.wait_for(b"m000007FF\rO\rC\rW0\rM00000000\rmFFFFFFFF\r")
        assert (device.code, device.mask, device.single) == (0, 0xFFFFFFFF, False)


def test_the_acceptance_filter_is_removed_from_a_closed_channel() -> None:
    filters = [{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}]
    with adapter(hw_filters=True, can_filters=filters) as (bus, device, line):
        bus.close()
        bus.shutdown()
        line.wait_for(b"C\rW0\rM00000000\rmFFFFFFFF\r")
        assert (device.code, device.mask, device.single) == (0, 0xFFFFFFFF, False)


def test_an_adapter_without_acceptance_filter() -> None:
    with (
        pytest.raises(UsageError, match="canable adapters have no acceptance filter"),
        adapter("canable", hw_filters=True),
    ):
        pass


def test_filters_without_the_adapter_s() -> None:
    with adapter(can_filters=[{"can_id": 0x123, "can_mask": 0x7FF}]) as (bus, device, line):
        assert b"W1" not in device.commands
        line.inject(device.line(b"t1240") + device.line(b"t1230"))
        assert received(bus).arbitration_id == 0x123


@given(filters=CAN_FILTERS, identifier=st.integers(0, 0x1FFFFFFF), is_extended=st.booleans())
def test_the_acceptance_filter_passes_at_least_what_the_filters_pass(
    filters: list[Any], identifier: int, is_extended: bool
) -> None:
    device = Slcan()
    device.single = True
    device.code, device.mask = registers(filters)
    identifier &= 0x1FFFFFFF if is_extended else 0x7FF
    message = Message(arbitration_id=identifier, is_extended_id=is_extended)
    text = b"T%08X0" % identifier if is_extended else b"t%03X0" % identifier
    if FrameFilter.from_can_filters(filters).matches(message):
        assert device.accepts(text)


def test_frames_received_before_the_adapter_was_lost_precede_a_poll_that_fails() -> None:
    with adapter(kind="tcp", status_interval=0.001) as (bus, device, line):
        line.inject(device.line(b"t1230") * 3)
        line.wait_until_sent()
        line.unplug()
        assert [frame.arbitration_id for frame in received_all(bus, 3)] == [0x123] * 3
        with pytest.raises(CanOperationError, match=r"^slcan:.*(is lost|closed the connection)"):
            bus.recv(PATIENCE)
        assert bus.is_shutdown


# --- documented methods -------------------------------------------------------------------------------


def test_version_and_serial_number() -> None:
    with adapter() as (bus, _, _line):
        assert bus.get_version(PATIENCE) == (10, 13)
        assert bus.get_serial_number(None) == "A123"


def test_version_and_serial_number_of_an_adapter_without() -> None:
    with adapter("canable") as (bus, _, _line):
        assert bus.get_version(PATIENCE) == (None, None)
        assert bus.get_serial_number(0) is None


def test_the_bit_rate_may_be_set_later() -> None:
    with adapter("nakakiyo") as (bus, device, _line):
        bus.set_bitrate(125_000)
        assert device.commands[-3:] == [b"C", b"S4", b"O"]
        bus.set_bitrate(250_000, 2_000_000)
        assert bus.bit_rates == (250_000, 2_000_000)
        assert device.commands[-4:] == [b"C", b"S5", b"Y2", b"O"]
        bus.set_bitrate_reg("04450A0A")
        assert device.commands[-3:] == [b"C", b"s04450A0A", b"O"]
        with pytest.raises(ValueError, match="no preset"):
            bus.set_bitrate(1)
        bus.close()
        assert not device.is_open
        bus.open()
        assert device.is_open


def test_the_class_has_python_can_s_names() -> None:
    from inspect import signature

    from cantools_cli.python_can.paths import SPELLINGS

    assert SPELLINGS["slcanBus"] == "SlcanBus"
    parameters = list(signature(SlcanBus).parameters.values())
    assert [(each.name, each.default) for each in parameters[1:6]] == [
        *(
            ("ttyBaudrate", 115200),
            ("bitrate", None),
            ("btr", None),
            ("sleep_after_open", 2),
            ("rtscts", False),
        )
    ]
    for name, words in {
        "get_serial_number": "timeout",
        "get_version": "timeout",
        "send": "msg timeout",
        "set_bitrate": "bitrate data_bitrate",
        "set_bitrate_reg": "btr",
        "shutdown": "",
    }.items():
        assert [*signature(getattr(SlcanBus, name)).parameters][1:] == words.split()
    with plugged(Slcan()) as line, Bus(line.channel, interface="slcan", bitrate=250_000, rtscts=False) as bus:
        assert isinstance(bus, SlcanBus)


def test_adapters_are_found_by_their_usb_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from serial.tools import list_ports

    from tests.backends.transport.test_serial import device

    ports = [
        device("/dev/ttyACM0", vid=0x16D0, pid=0x117E, serial_number="00430028", product="CANable2"),
        device("/dev/ttyACM1", vid=0x0483, pid=0x5740, product="STM32 Virtual ComPort"),
        device("/dev/ttyACM2", vid=0x0483, pid=0x5740, product="USB2CANFDV1"),
        device("/dev/ttyUSB0", vid=0x0403, pid=0xFFA8),
        device("/dev/ttyUSB1", vid=0x0403, pid=0x6001, product="FT232R USB UART"),
        device("/dev/ttyS0"),
    ]
    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    assert SlcanBus._detect_available_configs() == [
        {"interface": "slcan", "channel": path} for path in ("/dev/ttyACM0", "/dev/ttyACM2", "/dev/ttyUSB0")
    ]
    assert module.finder.details()["/dev/ttyACM0"] == {"product": "CANable2", "serial": "00430028"}
