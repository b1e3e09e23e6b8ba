"""CAN XL: the frame, its record, and its way through buses and formats."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.socketcand.codec import format_raw, format_spaced
from cantools_cli.bus.base import BusABC, CanProtocol
from cantools_cli.errors import CanOperationError, FormatError, UsageError
from cantools_cli.filtering.where import Where
from cantools_cli.frame import bits, xl
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.base import FileIOMessageWriter
from cantools_cli.io.candump.log import CanutilsLogReader, CanutilsLogWriter
from cantools_cli.io.candump.screen_writer import CandumpScreenWriter, ScreenWriter
from cantools_cli.io.csv import CSVWriter
from cantools_cli.io.frame_text import format_frame, parse_frame
from cantools_cli.io.printer import Printer
from cantools_cli.streams.bridge import Rewriter, parse_rewrite
from cantools_cli.streams.outlet import Outlet
from cantools_cli.streams.xl_generator import XlGenerator
from tests.io.blf.blf_bytes import container, head, lobj
from tests.io.blf.blf_bytes import read as read_blf
from tests.named import ASCReader
from tests.strategies import facts, messages, xl_messages

TEXT = "45123#81:01:12345678#11223344"
MIXED = ["123#01", TEXT, "00000124##0AA", "05007#80:00:00000000#" + "5A" * 2048, "125#R4"]


def frame(**more: Any) -> XlMessage:
    fields = {"vcid": 0x45, "sdt": 1, "sec": True, "acceptance_field": 0x12345678} | more
    return XlMessage(0.0, fields.pop("priority", 0x123), fields.pop("data", b"\x11\x22\x33\x44"), **fields)


def batch_of(*texts: str) -> MessageBatch:
    return MessageBatch(parse_frame(text)[0] for text in texts)


def texts(batch: MessageBatch) -> list[str]:
    return [format_frame(message) for message in batch]


# --- the frame ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"data": b""}, "0 data bytes, but a CAN XL frame holds 1 to 2048"),
        ({"data": bytes(2049)}, "2049 data bytes"),
        ({"priority": 0x800}, "priority 0x800 is out of range"),
        ({"vcid": 256}, "VCID 0x100"),
        ({"sdt": -1}, "SDU type -0x1"),
        ({"acceptance_field": 1 << 32}, "acceptance field 0x100000000"),
    ],
)
def test_what_is_out_of_range_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        frame(check=True, **more)
    with pytest.raises(ValueError, match=said):
        MessageBatch([frame(**more)])


@pytest.mark.parametrize("kind", ["is_fd", "is_extended_id", "is_remote_frame", "is_error_frame"])
def test_it_is_of_no_other_kind(kind: str) -> None:
    message = frame()
    setattr(message, kind, True)
    with pytest.raises(ValueError, match="is not extended, remote"):
        MessageBatch([message])


def test_a_timestamp_is_checked_as_that_of_any_message() -> None:
    with pytest.raises(ValueError, match="may not be negative"):
        XlMessage(-1.0, 0x123, b"\0", check=True)


def test_it_prints_all_that_it_says() -> None:
    expected = (
        "Timestamp:        0.000000    ID:      123    S Rx                DL:  4    11 22 33 44"
        "    XL    VCID: 45    SDT: 01    AF: 12345678    SEC"
    )
    assert str(frame()).split() == expected.split()
    assert "rrs=True" in repr(frame(rrs=True))


@pytest.mark.parametrize(
    "other",
    [
        frame(vcid=0x46),
        frame(sdt=2),
        frame(sec=False),
        frame(rrs=True),
        frame(acceptance_field=0),
        frame(priority=0x124),
        frame(data=b"\x11"),
        Message(arbitration_id=0x123, is_extended_id=False, data=b"\x11\x22\x33\x44"),
    ],
)
def test_every_field_counts_for_being_equal(other: Message) -> None:
    assert not frame().equals(other)
    assert not other.equals(frame())
    assert frame().equals(frame())


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_keep_all_fields(twin: Callable[[XlMessage], XlMessage]) -> None:
    found = twin(frame(rrs=True, channel="can0"))
    assert isinstance(found, XlMessage)
    assert facts(found) == facts(frame(rrs=True, channel="can0"))


def test_the_code_on_the_wire_is_one_less_than_the_length() -> None:
    assert frame(data=bytes(2048)).dlc_code == 2047
    assert frame().priority == frame().arbitration_id == 0x123


# --- the record ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "record"),
    [
        ("little", "23014500 81010400 78563412 11223344"),
        ("big", "00450123 81010004 12345678 11223344"),
    ],
)
def test_known_records_both_ways(order: str, record: str) -> None:
    assert xl.pack(frame(), order) == bytes.fromhex(record)
    assert facts(xl.unpack(bytes.fromhex(record), order)) == facts(frame())


@given(xl_messages(channels=st.none(), times=st.just(0), directions=st.just(True)))
def test_every_frame_survives_its_record(message: XlMessage) -> None:
    assert facts(xl.unpack(xl.pack(message))) == facts(message)


@pytest.mark.parametrize("cut", range(16))
def test_a_record_that_is_cut_is_refused(cut: int) -> None:
    with pytest.raises(FormatError):
        xl.unpack(xl.pack(frame())[:cut])


# --- batches ------------------------------------------------------------------------------------------


@given(st.lists(messages(kinds=("classic", "fd", "xl")), max_size=8))
def test_a_batch_has_the_columns_while_a_row_needs_them(found: list[Message]) -> None:
    batch = MessageBatch(found)
    others = batch.without_xl()
    assert (batch.xl is None) == (not any(message.is_xl for message in found))
    assert others.xl is None
    assert [facts(message) for message in others] == [facts(one) for one in found if not one.is_xl]
    for row in range(len(found)):
        part = batch.part(row, row + 1)
        assert (part.xl is not None) == found[row].is_xl
        assert (MessageBatch(found).cut(row).xl is not None) == any(one.is_xl for one in found[:row])


def test_without_any_a_batch_is_itself() -> None:
    batch = batch_of("123#01", "124##0AA")
    assert batch.xl is None
    assert batch.without_xl() is batch


def test_long_data_brings_its_own_room() -> None:
    batch = MessageBatch.with_room(3, 64)
    for row, text in enumerate(["123#01", MIXED[3], "124#02"]):
        batch.put(row, parse_frame(text)[0])
    assert texts(batch) == ["123#01", MIXED[3], "124#02"]


def test_where_tells_them_apart() -> None:
    batch = batch_of(*MIXED)
    assert texts(Where("xl").select(batch)) == [MIXED[1], MIXED[3]]
    assert texts(Where("not xl").select(batch)) == [MIXED[0], MIXED[2], MIXED[4]]
    assert texts(Where("length gt 64 and data[2047] eq 90").select(batch)) == [MIXED[3]]


# --- buses --------------------------------------------------------------------------------------------


class ClassicBus(BusABC):
    """Keeps what it takes."""

    _can_protocol = CanProtocol.CAN_FD

    def __init__(self) -> None:
        super().__init__(None)
        self.taken: list[str] = []

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self.taken += texts(batch)


class XlBus(ClassicBus):
    carries_xl = True


def test_a_bus_that_does_not_carry_them_refuses_them() -> None:
    bus = ClassicBus()
    with pytest.raises(CanOperationError, match="CAN XL"):
        bus.send(frame())
    with pytest.raises(CanOperationError, match="CAN XL"):
        bus.send_periodic(frame(), 1.0)
    assert bus.taken == []


@pytest.mark.parametrize(
    ("kind", "taken", "losses"),
    [
        (ClassicBus, [MIXED[0], MIXED[2], MIXED[4]], {"CAN XL frames": 2}),
        (XlBus, MIXED, {}),
    ],
)
def test_an_outlet_leaves_out_what_its_bus_does_not_carry(
    kind: type[ClassicBus], taken: list[str], losses: dict[str, int]
) -> None:
    bus = kind()
    outlet = Outlet(bus, "v0")
    outlet.send(batch_of(*MIXED))
    assert bus.taken == taken
    assert (outlet.sent, outlet.losses) == (len(taken), losses)


def test_rewriting_identifiers_leaves_priorities_alone() -> None:
    rewriter = Rewriter([parse_rewrite("123=00000456", ["a", "b"])[0].rule])
    assert texts(rewriter.apply(batch_of("123#01", TEXT))) == ["00000456#01", TEXT]


def test_a_server_leaves_them_out() -> None:
    batch = batch_of(TEXT, "123#01")
    assert format_raw(batch, extended=True)[1] == 1
    assert format_spaced(batch, 0, extended=True) is None


# --- formats ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "open_writer",
    [
        CSVWriter,
        Printer,
        lambda file: CSVWriter(file, columns="full"),
        lambda file: CanutilsLogWriter(file, compat="wireshark"),
        lambda file: CanutilsLogWriter(file, compat="python-can"),
    ],
)
def test_a_format_that_cannot_carry_them_counts_them(
    open_writer: Callable[[io.BytesIO], FileIOMessageWriter],
) -> None:
    mixed, rest = io.BytesIO(), io.BytesIO()
    with open_writer(mixed) as writer:
        writer.write(batch_of(*MIXED))
    assert writer.losses["CAN XL frames (left out)"] == 2
    with open_writer(rest) as other:
        other.write(batch_of(*MIXED).without_xl())
    assert mixed.getvalue() == rest.getvalue()


# body of type 139: SEC, of 4 bytes; the object may be longer than its data
BLF_XL = (
    "0200 01" + "00" * 9 + "23010000 01 00 0300 0400 0000 0000 45 00 78563412" + "00" * 16
    + "00004001 00000000" + "00" * 48 + "11223344"
)  # fmt: skip


def test_blf_is_read() -> None:
    (found,) = read_blf(head() + container(lobj(139, BLF_XL)))
    assert format_frame(found) == TEXT
    assert (found.channel, found.is_rx) == ("can1", False)


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [(52, 0, " 0 bytes"), (53, 9, " 2308 bytes"), (47, 0x80, "identifier 0x123")],
)
def test_blf_of_a_wrong_length_or_kind_is_refused(at: int, value: int, said: str) -> None:
    data = bytearray(lobj(139, bytes.fromhex(BLF_XL) + bytes(2500)))
    data[at] = value
    with pytest.raises(FormatError, match=said):
        read_blf(head() + container(bytes(data)))


ASC_HEAD = b"date Tue Nov 14 10:13:20.000 pm 2023\nbase hex  timestamps absolute\n"
ASC_TAIL = "123123 01403000 00000000 000000050005000e 0000000000a00010 0000000a00080010"
ASC_XL = "123 %s 01 1 6 7 1 1f96 45 12345678 11 22 33 44 55 66 77 "
ASC_LINES = [
    (f"Rx   XLFF   984438   4656       {ASC_XL % ''}{ASC_TAIL}", "45123#81:01:12345678#11223344556677"),
    (f"Tx   XLFF   984438   4656       {ASC_XL % 'Name'}", "45123#81:01:12345678#11223344556677"),
    (f"Rx   XLFF   1   2  7FF  0 0 0 1 0 0 0 0 AA 1 00C00000 {ASC_TAIL}", "007FF#82:00:00000000#AA"),
    ("Rx   XLFF   1   2  7FF  0 0 15 16 0 0 0 0" + " AA" * 16, "007FF#80:00:00000000#" + "AA" * 16),
    ("Rx   XLFF   1   2  7FF  0 0 f 16 0 0 0 0" + " AA" * 16, "007FF#80:00:00000000#" + "AA" * 16),
    (f"Rx   CBFF   1   2  123  2 2 AA BB 1234 00000000 {ASC_TAIL}", "123#AABB"),
    (f"Rx   CEFF   1   2  1ABCDEF0x Name 0 0 1234 00000000 {ASC_TAIL}", "1ABCDEF0#"),
    ("Rx   CBFF   1   2  123  4 0 1234 00000010", "123#R4"),
    ("Rx   CBFF   1   2  123  d 8" + " 11" * 8, "123#1111111111111111_D"),
    ("Rx   FBFF   1   2  055  9 12" + " AA" * 12 + " 3 1234 00003000", "055##1" + "AA" * 12),
    ("Rx   FEFF   1   2  123  1 1 AA 3 1234 00005000", "00000123##2AA"),
]


@pytest.mark.parametrize(("line", "text"), ASC_LINES)
def test_asc_of_a_can_xl_channel_is_read(line: str, text: str) -> None:
    file = io.BytesIO(ASC_HEAD + f"   0.011000 CANXL   2 {line}\n".encode())
    (found,) = ASCReader(file, relative_timestamp=False, tz="UTC")
    assert format_frame(found) == text
    assert (found.timestamp_ns % 10**9, found.channel) == (11_000_000, "can1")
    assert found.is_rx == line.startswith("Rx")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Rx XLFF 984438 4656", "no identifier"),
        ("Rx XLFF 984438 4656 123", "not the fields of XLFF"),
        ("Rx XLFF 1 2 123 01 1 6 7 1 1f96 45 12345678 11 22 33", "not the fields of XLFF"),
        ("Rx XLFF 1 2 123 01 1 7 7 1 1f96 45 12345678" + " 11" * 7, "not the fields of XLFF"),
        ("Rx XLFF 1 2 800 0 0 0 1 0 0 0 0 AA", "out of range"),
        ("Rx CBFF 1 2 123 2 1 AA", "1 data bytes, but the DLC is 2"),
        ("Rx FBFF 1 2 123 9 10" + " AA" * 10, "10 data bytes, but the DLC is 9"),
    ],
)
def test_asc_that_is_malformed_is_refused(line: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        list(ASCReader(io.BytesIO(ASC_HEAD + f"0.5 CANXL 1 {line}\n".encode())))


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"data": bytes(range(0x11, 0x18))}, " can0  123 [0007] (45|81:01:12345678) 11 12 13 14 15 16 17"),
        ({"data": bytes(64)}, " can0      123 [0064] (45|81:01:12345678)" + " 00" * 64),
        ({"data": bytes(65)}, " can0      123 [0065] (45|81:01:12345678)" + " 00" * 64 + " ..."),
    ],
)
def test_candumps_screen_form(more: dict[str, Any], line: str) -> None:
    file = io.BytesIO()
    with CandumpScreenWriter(file) as writer:
        writer.write(MessageBatch([frame(channel="can0", **more)]))
    assert file.getvalue().decode().split() == line.split()
    assert f"     123 [{len(more['data']):04d}] (45|" in file.getvalue().decode()


def test_candumps_direction_column_shows_sec_and_rrs() -> None:
    file = io.BytesIO()
    with CandumpScreenWriter(file, direction=True) as writer:
        writer.write(MessageBatch([frame(channel="can0"), frame(channel="can0", sec=False, rrs=True)]))
    first, second = file.getvalue().decode().splitlines()
    assert ("RX S -" in first, "RX - R" in second) == (True, True)


def test_the_screen_shows_the_fields_and_the_beginning_of_long_data() -> None:
    file = io.BytesIO()
    with ScreenWriter(file, tz="UTC") as writer:
        writer.write(MessageBatch([frame(channel="can0", data=b"A" * 2048)]))
    line = file.getvalue().decode()
    assert "[2048]  " + "41 " * 64 + "...  " in line
    assert line.endswith("  XL VCID 45 SDT 01 AF 12345678 SEC\n")


@given(xl_messages().filter(lambda message: message.dlc <= 64))
def test_what_fits_a_screen_line_is_read_back(message: XlMessage) -> None:
    message.timestamp_ns = message.timestamp_ns // 1000 % 10**12 * 1000 + 10**18
    file = io.BytesIO()
    with CandumpScreenWriter(file, timestamps="a", direction=True) as writer:
        writer.write(MessageBatch([message]))
    (found,) = CanutilsLogReader(io.BytesIO(file.getvalue()))
    assert facts(found) == facts(message)


# --- generated ----------------------------------------------------------------------------------------


def drawn(count: int, **rules: Any) -> list[Message]:
    return list(XlGenerator(count=count, **{"seed": 1, **rules}))


def test_the_same_seed_gives_the_same_frames() -> None:
    found = [facts(message) for message in drawn(5)]
    assert found == [facts(message) for message in drawn(5)]
    assert found != [facts(message) for message in drawn(5, seed=2)]


def test_all_that_is_drawn_is_a_frame() -> None:
    batches = list(XlGenerator(count=150, seed=1, flags="r", sdt="r", vcid="r", rate=3).batches())
    assert sum(map(len, batches)) == 150
    assert all(flags & bits.XL for batch in batches for flags in batch.flags)
    assert batches[-1].timestamp_ns[-1] == 149 * 10**9 // 3


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"identifier": "123", "length": "3", "data": "AB", "acceptance_field": "12345678"}, "AB0000"),
        ({"identifier": "123", "data": "ABCDEF", "acceptance_field": "12345678"}, "ABCDEF"),
        ({"identifier": "123", "length": "3", "data": "i", "acceptance_field": "12345678"}, "000000"),
    ],
)
def test_what_is_fixed_is_kept(rules: dict[str, str], expected: str) -> None:
    (found,) = drawn(1, vcid="45", sdt="1", flags="81", **rules)
    assert format_frame(found) == f"45123#81:01:12345678#{expected}"


def test_what_is_counted_up_is() -> None:
    found = drawn(3, identifier="i", length="i", data="i", flags="i", sdt="i", acceptance_field="i", vcid="i")
    assert format_frame(found[2]) == "02002#82:02:00000002#020000"


@pytest.mark.parametrize(
    "rules",
    [
        {"identifier": "800"},
        {"length": "0"},
        {"length": "2049"},
        {"data": "00" * 2049},
        {"flags": "4"},
        {"sdt": "100"},
        {"vcid": "x"},
        {"acceptance_field": "123456789"},
    ],
)
def test_modes_that_are_none_are_refused(rules: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        XlGenerator(**rules)
