"""Frames, structures, status words and constants of the USB-CAN library."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.systec import codec, constants, exceptions, structures
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bus.losses import Losses
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests import strategies
from tests.vendor.kit import Stub


def times(counts: Sequence[int]) -> array[int]:
    return array("q", [1_000_000 * count for count in counts])


def decoded(data: str | bytes) -> tuple[list[Message], Losses]:
    losses = Losses()
    data = bytes.fromhex(data) if isinstance(data, str) else data
    return [*codec.decode(data, 1, losses, times)], losses


STRUCTURES = (
    structures.CanMsg,
    structures.Status,
    structures.InitCanParam,
    structures.HardwareInfoEx,
    structures.ChannelInfo,
    structures.MsgCountInfo,
    structures.MsgCountInfo2,
    structures.HardwareInitInfo,
)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_layouts(stub: Stub, structure: type[ctypes.Structure]) -> None:
    assert ctypes.sizeof(structure) == stub.layout(structure.__name__)
    inherited = [] if structure.__base__ is ctypes.Structure else ["m_dwSize"]
    for name in [*inherited, *(name for name, *_ in structure._fields_)]:
        assert getattr(structure, name).offset == stub.layout(structure.__name__, name)


def test_sizes_are_filled_in() -> None:
    assert structures.InitCanParam(m_bMode=2).m_dwSize == 24
    assert structures.HardwareInfoEx().m_dwSize == 38
    assert structures.ChannelInfo().m_dwSize == 26
    assert ctypes.sizeof(structures.CanMsg) == codec.SIZE


# Every row is read and written.
FRAMES = [
    ("78563412 80 04 0102030400000000 00000000", 0x12345678, True, b"\1\2\3\4"),
    ("23010000 00 00 0000000000000000 00000000", 0x123, False, b""),
    ("ff070000 00 08 0102030405060708 00000000", 0x7FF, False, bytes(range(1, 9))),
]


@pytest.mark.parametrize(("text", "identifier", "extended", "data"), FRAMES)
def test_known_frames(text: str, identifier: int, extended: bool, data: bytes) -> None:
    message = Message(arbitration_id=identifier, is_extended_id=extended, data=data)
    [read], losses = decoded(text)
    assert read.equals(message, timestamp_delta=None, check_channel=False)
    assert read.channel == 1
    assert not losses
    assert codec.encode(MessageBatch([message]), 0, 1) == bytes.fromhex(text)


def test_a_remote_frame_keeps_its_length() -> None:
    message = Message(arbitration_id=1, is_extended_id=False, is_remote_frame=True, dlc=5)
    raw = codec.encode(MessageBatch([message]), 0, 1)
    assert raw == bytes.fromhex("01000000 40 05 0000000000000000 00000000")
    [read], _ = decoded(raw)
    assert (read.is_remote_frame, read.dlc, read.data) == (True, 5, b"")


def test_an_echo_is_a_sent_frame() -> None:
    sent, received = decoded(
        "01000000 20 00 0000000000000000 05000000 01000000 00 00 0000000000000000 07000000"
    )[0]
    assert (sent.is_rx, received.is_rx) == (False, True)
    assert (sent.timestamp_ns, received.timestamp_ns) == (5_000_000, 7_000_000)


@given(strategies.messages(kinds=("classic", "remote")))
def test_round_trip(message: Message) -> None:
    [read], losses = decoded(codec.encode(MessageBatch([message]), 0, 1))
    assert read.equals(message, timestamp_delta=None, check_channel=False, check_direction=False)
    assert not losses


@given(st.binary(max_size=10 * codec.SIZE))
def test_noise_gives_classic_frames(noise: bytes) -> None:
    for message in decoded(noise[: len(noise) // codec.SIZE * codec.SIZE])[0]:
        MessageBatch([message])  # which checks it


def test_lengths() -> None:
    [raw], losses = decoded("01000000 00 0c 0102030405060708 00000000")
    assert (raw.data, raw.dlc, raw.dlc_code) == (bytes(range(1, 9)), 8, 12)
    assert not losses
    [impossible], losses = decoded("01000000 00 10 0102030405060708 00000000")
    assert impossible.dlc == 8
    assert losses == {"frames with an impossible length": 1}


@pytest.mark.parametrize(
    ("status", "before", "counters", "text"),
    [
        (0x002, 0, (0, 0), "controller-problem{rx-overflow}"),
        (0x040, 0, (0, 0), "controller-problem{rx-overflow}"),
        (0x004, 0, (0, 0), "controller-problem{rx-error-warning,tx-error-warning}"),
        (0x004, 0, (97, 1), "controller-problem{tx-error-warning},error-counter-tx-rx{{97}{1}}"),
        (0x00C, 0x004, (0, 128), "controller-problem{rx-error-passive},error-counter-tx-rx{{0}{128}}"),
        (0x010, 0x008, (300, 0), "bus-off,error-counter-tx-rx{{255}{0}}"),
        (0x000, 0x010, (0, 0), "controller-problem{back-to-error-active}"),
        (0x004, 0x008, (100, 0), "controller-problem{tx-error-warning},error-counter-tx-rx{{100}{0}}"),
        (0x400, 0, (0, 0), "tx-timeout"),
        (0x402, 0x400, (0, 0), "controller-problem{rx-overflow}"),
    ],
)  # fmt: skip
def test_changes_of_the_status(status: int, before: int, counters: tuple[int, int], text: str) -> None:
    frame = codec.error_frame(status, before, *counters)
    assert frame is not None
    assert error_frames.explain(*frame) == text


@pytest.mark.parametrize(
    ("status", "before"), [(0, 0), (4, 4), (0x10, 0x10), (0x400, 0x400), (0, 0x42), (0, 0x400)]
)
def test_what_is_no_error(status: int, before: int) -> None:
    assert codec.error_frame(status, before, 5, 5) is None


@pytest.mark.parametrize("rate", constants.BIT_RATES)
def test_the_registers_have_the_bit_rates(rate: int) -> None:
    word = constants.BIT_RATES[rate]
    assert BitTiming.from_registers(8_000_000, word >> 8, word & 0xFF).bitrate == rate


@pytest.mark.parametrize(
    ("code", "product", "two"),
    [
        (0x1100, "GW-001", False),
        (0x1103, "Multiport CAN-to-USB G3", True),
        (0x1104, "USB-CANmodul1 G3", False),
        (0x00051105, "USB-CANmodul2 G3", True),
        (0x9105, "USB-CANmodul2 G3", True),
        (0x1121, "USB-CANmodul2 G4", True),
        (0x1122, "USB-CANmodul1 G4", False),
        (0x1144, "reserved", False),
        (0x1177, "product 0x1177", True),
    ],
)
def test_products(code: int, product: str, two: bool) -> None:
    assert constants.product_of(code) == product
    assert constants.has_two_channels(code) is two


def test_results_are_explained() -> None:
    for code in constants.ReturnCode:
        if "RESERVED" not in code.name and code not in (0, 0x40, 0x80):
            assert exceptions.explanation(code) != "unknown code", code
    assert exceptions.explanation(0x99) == "unknown code"
    kinds = [type(exceptions.ucan_exception("UcanX", code)) for code in (0x05, 0x47, 0x82)]
    assert kinds == [exceptions.UcanError, exceptions.UcanCmdError, exceptions.UcanWarning]
    error = exceptions.ucan_exception("UcanX", 5)
    assert (str(error), error.error_code) == ("UcanX: module not found [Error Code 5]", 5)


#: python-can's values that differ from the current header
_DIFFERENT = {f"BAUDEX_{rate}Bit" for rate in ("100k", "50k", "20k", "10k")}


def test_names_and_values_are_those_of_python_can() -> None:
    theirs = pytest.importorskip("can.interfaces.systec.constants")
    classes = {
        name: value for name, value in vars(theirs).items() if isinstance(value, type) and name.isidentifier()
    }
    for name, kind in classes.items():
        if name in ("BYTE", "DWORD", "WORD"):
            continue
        ours = getattr(constants, name)
        values = {key: value for key, value in vars(kind).items() if isinstance(value, int) and key[0] != "_"}
        assert values
        for key, value in values.items():
            if key in _DIFFERENT or key.startswith("BAUDEX_G4"):
                continue
            assert ours[key] == value, (name, key)
    numbers = {key: value for key, value in vars(theirs).items() if isinstance(value, int) and key.isupper()}
    for key, value in numbers.items():
        assert getattr(constants, key) & 0xFFFFFFFF == value & 0xFFFFFFFF, key
