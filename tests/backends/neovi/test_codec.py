"""Messages of Intrepid's API: tables, round trips, and the package python-ics as a judge."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.neovi import codec
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.neovi.conftest import stand_in
from tests.strategies import messages
from tests.vendor import kit


def spy(**fields: Any) -> Any:
    """Return a message as the module has it."""
    empty = {
        **dict.fromkeys(("StatusBitField", "StatusBitField2", "StatusBitField3", "ArbIDOrHeader"), 0),
        **dict.fromkeys(("NetworkID2", "NumberBytesData", "ExtraDataPtrEnabled", "DescriptionID"), 0),
        "NetworkID": 1,
        "Protocol": 1,
        "Data": (),
        "ExtraDataPtr": None,
    }
    return SimpleNamespace(**{**empty, **fields})


def decoded(*found: Any, networks: tuple[int, ...] = (1,)) -> tuple[MessageBatch, Losses]:
    losses = Losses()
    places = [networks.index(message.NetworkID | message.NetworkID2 << 8) for message in found]
    return codec.decode(found, range(len(found)), places, networks, losses), losses


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ArbIDOrHeader": 0x123, "Data": (1, 2), "NumberBytesData": 2}, {"data": b"\1\2"}),
        ({"ArbIDOrHeader": 0x123, "StatusBitField": 4}, {"is_extended_id": True}),
        (
            {"ArbIDOrHeader": 0x123, "StatusBitField": 8, "NumberBytesData": 5, "Data": (1, 2, 3, 4, 5)},
            {"is_remote_frame": True, "dlc": 5},
        ),
        ({"ArbIDOrHeader": 0x123, "StatusBitField": 2}, {"is_rx": False}),
        (
            {
                "ArbIDOrHeader": 0x123,
                "Protocol": 30,
                "Data": (1, 2),
                "NumberBytesData": 2,
                "StatusBitField3": 8,
            },
            {"is_fd": True, "data": b"\1\2"},
        ),
        (
            {
                "ArbIDOrHeader": 0x123,
                "Protocol": 30,
                "ExtraDataPtrEnabled": 1,
                "ExtraDataPtr": tuple(range(64)),
                "NumberBytesData": 64,
                "StatusBitField3": 0x11,
            },
            {"is_fd": True, "bitrate_switch": True, "error_state_indicator": True, "data": bytes(range(64))},
        ),
        ({"ArbIDOrHeader": 0x123, "StatusBitField3": 0x11}, {}),  # classic: not the bits of CAN FD
    ],
)
def test_messages_are_decoded(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    batch, losses = decoded(spy(**fields))
    message = Message(**{"arbitration_id": 0x123, "is_extended_id": False, "channel": 1, **expected})
    message.timestamp_ns = 0
    assert batch[0].equals(message, timestamp_delta=0)
    assert not losses


@pytest.mark.parametrize("status", [0, 2])
def test_an_identifier_is_cut_to_its_bits(status: int) -> None:
    batch, _ = decoded(
        spy(ArbIDOrHeader=0xFFFFFFFF, StatusBitField=status), spy(ArbIDOrHeader=0xFFFFFFFF, StatusBitField=4)
    )
    assert [message.arbitration_id for message in batch] == [0x7FF, 0x1FFFFFFF]


def test_networks_above_255_have_two_bytes() -> None:
    batch, _ = decoded(spy(NetworkID=0x16, NetworkID2=2), spy(NetworkID=1), networks=(1, 534))
    assert [message.channel for message in batch] == [534, 1]


@pytest.mark.parametrize(
    ("fields", "error_class", "detail"),
    [
        ({"StatusBitField3": 0x10000}, 0x088, (0, 0, 0x04, 0)),  # stuff error
        ({"StatusBitField3": 0x20000}, 0x088, (0, 0, 0x02, 0)),  # form error
        ({"StatusBitField3": 0x40000}, 0x0A0, (0, 0, 0, 0)),  # no acknowledgement
        ({"StatusBitField3": 0x80000}, 0x088, (0, 0, 0x10, 0)),  # recessive bit
        ({"StatusBitField3": 0x100000}, 0x088, (0, 0, 0x08, 0)),  # dominant bit
        ({"StatusBitField3": 0x200000}, 0x088, (0, 0, 0, 0x08)),  # CRC error
        ({"StatusBitField3": 0x2000, "Protocol": 30}, 0x088, (0, 0, 0, 0x08)),  # in the data phase
        ({"StatusBitField": 0x10}, 0x088, (0, 0, 0, 0x08)),
        ({"StatusBitField": 0x20}, 0x084, (0, 0x10, 0, 0)),  # passive
        ({"StatusBitField3": 0x1}, 0x084, (0, 0x10, 0, 0)),
        ({"StatusBitField3": 0x4}, 0x084, (0, 0x04, 0, 0)),  # warning
        ({"StatusBitField": 0x200}, 0x0C0, (0, 0, 0, 0)),  # off the bus
        ({"StatusBitField3": 0x2}, 0x0C0, (0, 0, 0, 0)),
        ({"StatusBitField3": 0x2, "Protocol": 30}, 0x080, (0, 0, 0, 0)),  # CAN FD: extended
        ({"StatusBitField": 0x80}, 0x082, (0, 0, 0, 0)),  # arbitration lost
    ],
)
def test_an_error_frame_has_its_cause(
    fields: dict[str, int], error_class: int, detail: tuple[int, ...]
) -> None:
    batch, _ = decoded(spy(StatusBitField2=0x20000, **fields))
    assert batch[0].is_error_frame
    assert batch[0].is_rx
    assert (batch[0].arbitration_id, bytes(batch[0].data[:4])) == (error_class, bytes(detail))


def test_lost_messages_are_counted_and_marked() -> None:
    batch, losses = decoded(spy(ArbIDOrHeader=1), spy(ArbIDOrHeader=2, StatusBitField=0x10000))
    assert [message.is_error_frame for message in batch] == [False, True, False]
    assert batch[1].data[1] == 0x01
    assert losses == {codec.OVERFLOWS: 1}


@pytest.mark.parametrize(
    ("message", "text"),
    [(Message(is_error_frame=True), "error frames"), (Message(is_fd=True), "CAN FD frames")],
)
def test_frames_that_the_bus_cannot_send_are_refused(message: Message, text: str) -> None:
    with pytest.raises(InvalidMessageError, match=text):
        codec.check(MessageBatch([message]), "neovi:1", is_fd=False)


@given(st.lists(messages(kinds=("classic", "remote", "fd"), channels=st.just(534)), max_size=10))
def test_every_frame_survives_a_round_trip(frames: list[Message]) -> None:
    batch = MessageBatch(frames)
    found = [codec.fill(stand_in().SpyMessage(), batch, row, 534, 7) for row in range(len(batch))]
    result, losses = decoded(*found, networks=(534,))
    for sent, got in zip(frames, result, strict=True):
        got.timestamp_ns, got.is_rx = sent.timestamp_ns, sent.is_rx
        assert got.equals(sent, timestamp_delta=0)
    assert not losses
    assert all(message.DescriptionID == 7 for message in found)


# --- the package as a judge ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("SPY_STATUS_GLOBAL_ERR", codec.GLOBAL_ERR), ("SPY_STATUS_TX_MSG", codec.TX_MSG)),
        *(("SPY_STATUS_XTD_FRAME", codec.XTD_FRAME), ("SPY_STATUS_REMOTE_FRAME", codec.REMOTE_FRAME)),
        *(("SPY_STATUS_CRC_ERROR", codec.CRC_ERROR), ("SPY_STATUS_CAN_ERROR_PASSIVE", codec.ERROR_PASSIVE)),
        *(("SPY_STATUS_LOST_ARBITRATION", codec.LOST_ARBITRATION), ("SPY_STATUS_CAN_BUS_OFF", codec.BUS_OFF)),
        ("SPY_STATUS_COMM_IN_OVERFLOW", codec.COMM_IN_OVERFLOW),
        ("SPY_STATUS2_ERROR_FRAME", codec.ERROR_FRAME),
        *(("SPY_STATUS3_CANFD_ESI", codec.CANFD_ESI), ("SPY_STATUS3_CANFD_BRS", codec.CANFD_BRS)),
        *(("SPY_STATUS3_CAN_ERR_PASSIVE", codec.CAN_PASSIVE), ("SPY_STATUS3_CAN_BUS_OFF", codec.CAN_BUS_OFF)),
        ("SPY_STATUS3_CAN_ERR_WARNING", codec.CAN_WARNING),
        *(
            (f"SPY_STATUS3_CAN_{phase}ERR_STUFF_ERROR", bit)
            for phase, bit in (("DATA", 1 << 8), ("GEN", 1 << 16))
        ),
        *(
            (f"SPY_STATUS3_CAN_{phase}ERR_CRC_ERROR", bit)
            for phase, bit in (("DATA", 1 << 13), ("GEN", 1 << 21))
        ),
        ("SPY_PROTOCOL_CANFD", codec.PROTOCOL_CANFD),
    ],
)
def test_the_constants_are_those_of_the_package(name: str, value: int) -> None:
    theirs = pytest.importorskip("ics.ics", reason="the package python-ics is not installed")
    assert getattr(theirs, name) == value


def test_the_constants_of_the_stand_in_are_those_of_the_package() -> None:
    theirs = pytest.importorskip("ics.ics", reason="the package python-ics is not installed")
    ours = stand_in()
    names = [name for name in vars(ours) if name.startswith(("NETID_", "SPY_"))]
    assert {name: getattr(ours, name) for name in names} == {name: getattr(theirs, name) for name in names}
    for number in (1, 123_456, 779_117_064, 2_176_563_376):
        assert ours.base36enc(number) == theirs.base36enc(number)


def test_the_devices_of_the_package_have_the_layout_of_the_library() -> None:
    structures = pytest.importorskip("ics.structures.neo_device_ex", reason="python-ics is not installed")
    import ctypes

    stub = kit.Stub(kit.compiled("neovi"))
    for ours, theirs in (("NeoDevice", structures.NeoDevice), ("NeoDeviceEx", structures.neo_device_ex)):
        assert stub.layout(ours) == ctypes.sizeof(theirs)
        for name, *_ in theirs._fields_:
            assert stub.layout(ours, name) == getattr(theirs, name).offset


def test_the_messages_of_the_stand_in_have_the_layout_of_the_library() -> None:
    native = stand_in()._Message
    import ctypes

    stub = kit.Stub(kit.compiled("neovi"))
    assert stub.layout("icsSpyMessage") == ctypes.sizeof(native)
    for name, _ in native._fields_:
        assert stub.layout("icsSpyMessage", name) == getattr(native, name).offset


@given(messages(kinds=("classic", "remote", "fd"), channels=st.just(1)))
def test_messages_of_the_package_follow_the_same_rules(message: Message) -> None:
    theirs = pytest.importorskip("ics.ics", reason="the package python-ics is not installed")
    batch = MessageBatch([message])
    filled = [codec.fill(kind(), batch, 0, 534, 5) for kind in (stand_in().SpyMessage, theirs.SpyMessage)]
    for name in ("Data", "ExtraDataPtr", "NumberBytesData", "ExtraDataPtrEnabled", "ArbIDOrHeader"):
        assert getattr(filled[0], name) == getattr(filled[1], name)
    [one], [other] = (decoded(found, networks=(534,))[0] for found in filled)
    assert one.equals(other, timestamp_delta=0)
