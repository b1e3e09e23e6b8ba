from __future__ import annotations

import io
import re
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli import TRCFileVersion
from cantools_cli.errors import FormatError, NotALogError
from cantools_cli.frame.message import Message
from cantools_cli.io.batch_room import BatchRoom
from cantools_cli.io.trc.header import COLUMNS, VERSIONS
from tests.kernels.forms import needs_compiled, without_kernel
from tests.named import TRCReader
from tests.strategies import facts

START = 1_700_000_000_123_000_000  # 14.11.2023 22:13:20.123 UTC
SECONDS = 10**9
DAYS = b";$STARTTIME=45244.925927349537\r\n"


def head(version: str, columns: str | None = None) -> bytes:
    """Return the head of a file that began at START."""
    if version == "1.0":
        return b";######\r\n;   Start time: 14.11.2023 22:13:20.123.0\r\n;######\r\n"
    lines = b";$FILEVERSION=" + version.encode() + b"\r\n" + DAYS
    if version >= "2":
        lines += b";$COLUMNS=" + (columns or ",".join(COLUMNS[VERSIONS[version]])).encode() + b"\r\n"
    return lines + b";\r\n;   Message   Time    Type ID     Rx/Tx\r\n;---+-- ------+------ +- --+-----\r\n"


def reader(text: bytes, **options: Any) -> TRCReader:
    return TRCReader(io.BytesIO(text), **{"tz": "UTC", **options})


def read(text: bytes, **options: Any) -> list[Message]:
    return list(reader(text, **options))


def notes(text: bytes, **options: Any) -> list[str]:
    source = reader(text, **options)
    list(source)
    return [note.removeprefix("-: ") for note in source.notes]


def shown(message: Message) -> str:
    """Return a frame as short text, its time from START."""
    identifier = (
        f"X {message.arbitration_id:08X}" if message.is_extended_id else f"S {message.arbitration_id:03X}"
    )
    if message.is_error_frame:
        identifier = f"ERR {message.arbitration_id:03X}"
    words = [f"{(message.timestamp_ns - START) / SECONDS:.6f}", str(message.channel), identifier]
    words += ["RTR"] * message.is_remote_frame + ["FD"] * message.is_fd
    words += ["BRS"] * message.bitrate_switch + ["ESI"] * message.error_state_indicator
    raw = f"/{message.dlc_code:X}" if not message.is_fd and message.dlc_code > 8 else ""
    words += [f"[{message.dlc}]{raw}"] + ["Tx"] * (not message.is_rx)
    return " ".join([*words, message.data.hex()]).rstrip()


ERROR = "ERR 088 [8] 0000040200000000"
SAMPLES = [
    ("1.0", "     1)      1841      0001  8  00 00 00 00 00 00 00 00 ",
     "1.841000 can0 S 001 [8] 0000000000000000"),
    ("1.0", "     2)      1842      0008  4  ERROR 00 19 08 08 ",
     "1.842000 can0 ERR 0A8 [8] 0000801900000808"),
    ("1.0", "     4)      1844      0100  3  RTR ", "1.844000 can0 S 100 RTR [3]"),
    ("1.0", "     5)      1845  00000100  0  ", "1.845000 can0 X 00000100 [0]"),
    ("1.1", "     1)      1059.9  Rx         0300  7  00 00 00 00 04 00 00 ",
     "1.059900 can0 S 300 [7] 00000000040000"),
    ("1.1", "     6)      1349.2  Error      0008  4  00 19 08 08 ",
     "1.349200 can0 ERR 0A8 [8] 0000801900000808"),
    ("1.1", "    12)     48937.6  Rx         0704  1  RTR", "48.937600 can0 S 704 RTR [1]"),
    ("1.2", "     1)      1059.900  1  Rx         0300  7  00 00 00 00 04 00 00 ",
     "1.059900 can0 S 300 [7] 00000000040000"),
    ("1.2", "     7)      1349.200  2  Error      0004  4  01 02 00 00 ", f"1.349200 can1 {ERROR}"),
    ("1.3", "     1)      1059.900 1  Rx        0300 -  7    00 00 00 00 04 00 00 ",
     "1.059900 can0 S 300 [7] 00000000040000"),
    ("1.3", "     1)     17535.400 1  Tx    00000100 -  8    00 00 00 00 00 00 00 00",
     "17.535400 can0 X 00000100 [8] Tx 0000000000000000"),
    ("1.3", "     9)     17535.400 4  Rx        0704 -  1    RTR", "17.535400 can3 S 704 RTR [1]"),
    ("2.0", "      1      1059.900 DT     0300 Rx 7  00 00 00 00 04 00 00 ",
     "1.059900 can0 S 300 [7] 00000000040000"),
    ("2.0", "      5      1334.416 FD     0500 Tx 12 01 02 03 04 05 06 07 08 09 0A 0B 0C ",
     "1.334416 can0 S 500 FD [12] Tx 0102030405060708090a0b0c"),
    ("2.0", "      6      1334.522 ER          Rx    04 01 02 00 00 ", f"1.334522 can0 {ERROR}"),
    ("2.0", "      6      1334.522 ER          Rx    04 00 02 00 00 ",
     "1.334522 can0 ERR 088 [8] 0000840200000000"),
    ("2.0", "      7      1335.156 DT 18EFC034 Tx 8  01 02 03 04 05 06 07 08 ",
     "1.335156 can0 X 18EFC034 [8] Tx 0102030405060708"),
    ("2.0", "     12     48937.600 RR     0704 Rx 1  ", "48.937600 can0 S 704 RTR [1]"),
    ("2.1", "      1      1059.900 DT 1      0300 Rx -  7    00 00 00 00 04 00 00 ",
     "1.059900 can0 S 300 [7] 00000000040000"),
    ("2.1", "      2         1.000 DT 12 18FEF100 Tx -  8    00 01 02 03 04 05 06 07 ",
     "0.001000 can11 X 18FEF100 [8] Tx 0001020304050607"),
    ("2.1", "      5      1334.416 FD 1      0500 Tx -  9    01 02 03 04 05 06 07 08 09 0A 0B 0C ",
     "1.334416 can0 S 500 FD [12] Tx 0102030405060708090a0b0c"),
    ("2.1", "      6      1334.522 ER 1         - Rx -  5    04 01 02 00 00 ", f"1.334522 can0 {ERROR}"),
    ("2.1", "     12     48937.600 RR 1      0704 Rx -  1    ", "48.937600 can0 S 704 RTR [1]"),
    ("2.1", "1 1.0 FB 1 0500 Rx - 1 FF", "0.001000 can0 S 500 FD BRS [1] ff"),
    ("2.1", "1 1.0 FE 1 0500 Rx - 1 ff", "0.001000 can0 S 500 FD ESI [1] ff"),
    ("2.1", "1 1.0 BI 1 0500 Rx - 1 fF", "0.001000 can0 S 500 FD BRS ESI [1] ff"),
    ("2.1", "1 1.0 DT 2 0500 Rx - 13 00 00 00 00 00 00 00 00", "0.001000 can1 S 500 [8]/D 0000000000000000"),
    ("2.1", "1 1.0 RR 2 0500 Rx - 15", "0.001000 can1 S 500 RTR [8]/F"),
    ("2.1", "1 1.0 DT - 0500 Rx - 0", "0.001000 can0 S 500 [0]"),
    ("2.1", "1 1.0 DT 300 0500 Rx - 0", "0.001000 can299 S 500 [0]"),
    ("2.1", "1 1,5 DT 1 0500 Rx - 0", "0.001500 can0 S 500 [0]"),
    ("2.1", "1\t1.5\tDT\t1\t0500\tRx\t-\t1\t11", "0.001500 can0 S 500 [1] 11"),
    ("2.1", "1 -1.5 DT 1 0500 Rx - 0", "-0.001500 can0 S 500 [0]"),
    ("2.1", "1 1.5 dt 1 0500 rx - 0", "0.001500 can0 S 500 [0]"),
    # as python-can writes identifiers of 29 bits
    ("2.1", "1 100.000 DT  2  0000123 Rx -  2    31 32", "0.100000 can1 X 00000123 [2] 3132"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "line", "expected"), SAMPLES)
def test_known_lines(version, line, expected):
    source = reader(head(version) + line.encode())
    assert [shown(message) for message in source] == [expected]
    assert source.file_version == VERSIONS[version]
    assert source.notes == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r"])
def test_all_known_lines_together_with_any_line_end(version, ending):
    rows = [(line, expected) for of, line, expected in SAMPLES if of == version]
    text = (head(version) + b"".join(line.encode() + b"\r\n" for line, _ in rows)).replace(b"\r\n", ending)
    assert [shown(message) for message in read(text)] == [expected for _, expected in rows]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ("N,O,T,B,I,d,L,D", b"1 1.0 FD 2 0500 Tx 9 " + b"AA " * 12),  # without the reserved column
        ("O,T,I,d,l,D", b"1.0 FD 0500 Tx 12 " + b"AA " * 12),
        ("N,O,I,l,T,d,B,D", b"1 1.0 0500 12 FD Tx 2 " + b"AA " * 12),
        ("N,O,X,T,I,d,l,D", b"1 1.0 what FD 0500 Tx 12 " + b"AA " * 12),
        ("O,T,I,d,D", b"1.0 FD 0500 Tx " + b"AA " * 12),
    ],
)
@pytest.mark.parametrize("version", ["2.0", "2.1", "3.7"])
def test_columns_are_where_the_file_says(version, columns, line):
    channel = "can1" if "B" in columns else "can0"
    expected = f"0.001000 {channel} S 500 FD [12] Tx " + "aa" * 12
    assert [shown(message) for message in read(head(version, columns) + line)] == [expected]


def test_a_version_that_is_not_known_is_refused_without_columns():
    text = b";$FILEVERSION=3.0\r\n" + DAYS + b"1 1.0 DT 1 0500 Rx - 0\r\n"
    with pytest.raises(FormatError, match=r'-:3: file version "3\.0"'):
        read(text)


EVENTS = [
    ("1.0", "     3)      1843  FFFFFFFF  4  00 00 00 04 -- -- -- --  BUSLIGHT ",
     "1.843000 can0 ERR 004 [8] 000c000000000000"),
    ("1.1", "     2)     17540.3  Warng  FFFFFFFF  4  00 00 00 08  BUSHEAVY ",
     "17.540300 can0 ERR 004 [8] 0030000000000000"),
    ("2.0", "      2     17540.300 ST          Rx    00 00 00 08 ",
     "17.540300 can0 ERR 004 [8] 0030000000000000"),
    ("2.1", "      2     17540.300 ST 2         - Rx -  4    00 00 00 10 ",
     "17.540300 can1 ERR 040 [8] 0000000000000000"),
    ("2.1", "      2     17540.300 ST 2         - Rx -  4    00 00 00 00 ",
     "17.540300 can1 ERR 004 [8] 0040000000000000"),
    ("2.0", "      2     17540.300 EC          Rx    02 03", "17.540300 can0 ERR 200 [8] 0000000000000302"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "line", "expected"), EVENTS)
def test_changes_of_the_status_are_error_frames_if_that_is_wanted(version, line, expected):
    text = head(version) + line.encode() + b"\r\n"
    assert [shown(message) for message in read(text, status=True)] == [expected]
    assert read(text) == []
    kind = "error counters" if " EC " in line else "bus status changes"
    assert notes(text) == [f"{kind}: 1 left out"]


def test_what_is_no_frame_is_counted():
    text = head("2.1") + (
        b"      8      1336.000 EV 1  User-defined event\r\n      9  1336.000 EV 1  another, 12 34\r\n"
        b"     10      1337.000 XY 1      0300 Rx -  0\r\n;End Triggerblock\r\n\r\n"
    )
    assert read(text) == []
    assert notes(text) == ["user events: 2 left out", "lines of unknown types: 1 left out"]


MALFORMED = [
    ("2.1", "1 1.0 DT 1 0300 Rx - 2 01 G2", 'bad data byte "G2"'),
    ("2.1", "1 1.0 DT 1 0300 Rx - 8 01 02", "the length is 8, but there are 2 data bytes"),
    ("2.1", "1 1.0 DT 1 0300 Rx - 1 01 02", "the length is 1, but there are 2 data bytes"),
    ("2.1", "1 1.0 DT 1 0300 Rx - 16", 'bad length "16"'),
    ("2.1", "1 1.0 DT 1 0300 Rx", 'bad length ""'),
    ("2.1", "1 1.0 RR 1 0300 Rx - 1 01", "a remote frame, but there are 1"),
    ("2.1", "1 1.0 DT 1 0800 Rx - 0", 'identifier "0800" is out of range'),
    ("2.1", "1 1.0 DT 1 20000000 Rx - 0", "is out of range"),
    ("2.1", "1 1.0 DT 1 Engine Rx - 0", 'bad identifier "Engine"'),
    ("2.1", "1 1.0 DT 0 0300 Rx - 0", 'bad bus "0"'),
    ("2.1", "1 1.0 DT x 0300 Rx - 0", 'bad bus "x"'),
    ("2.1", "1 1.0 DT 1 0300 In - 0", 'bad direction "In"'),
    ("2.1", "1 1.0 77 1 0300 Rx - 0", 'bad type "77"'),
    ("2.1", "1 x DT 1 0300 Rx - 0", "not a TRC line"),
    ("2.1", "x 1.0 DT 1 0300 Rx - 0", "not a TRC line"),
    ("2.1", "1 9999999999999.0 DT 1 0300 Rx - 0", "timestamp out of range"),
    ("2.1", "1 1.0 ER 1 - Rx - 2 04 01", "an error frame has at least 3 data bytes"),
    ("2.1", "1 1.0 ER 1 - Rx - 5 04 01 02 00", 'the length is "5", but there are 4 data bytes'),
    ("2.0", "1 1.0 ER          Rx    04 01 02 00", 'the length is "5", but there are 4 data bytes'),
    ("2.0", "1 1.0 FD 0300 Rx 9 01 02 03 04 05 06 07 08 09", "9 is not a CAN FD length"),
    ("2.0", "1 1.0 DT 0300 Rx 12 01 02 03 04 05 06 07 08 09 0A 0B 0C", 'bad length "12"'),
    ("1.1", "1) 1.0  Rx 0300  2  01 -- 02", "a data byte follows missing ones"),
    ("1.1", "1) 1.0  Rx 0300  2  01 --", "the length is 2, but there are 1 data bytes"),
    ("1.0", "garbage", "not a TRC line"),
    ("1.0", "\x00\xff garbage", "not a TRC line"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "line", "reason"), MALFORMED)
def test_a_malformed_line_is_named_behind_the_frames_before_it(version, line, reason):
    good = next(sample.encode() for of, sample, _ in SAMPLES if of == version) + b"\r\n"
    text = head(version) + good + line.encode("latin-1") + b"\r\n" + good
    source = iter(reader(text))
    next(source)
    with pytest.raises(FormatError) as caught:
        next(source)
    assert reason in str(caught.value)
    assert caught.value.position == head(version).count(b"\n") + 2
    skipping = reader(text, on_error="skip")
    assert len(list(skipping)) == 2
    assert skipping.skipped == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"@ TEXT @ 3 2 1\r46,016\t1\t0004\t45A\t8\t5A 04\r", "CARBUS"),
        (b"#9000000348WAVEDESC\0\0\n", "LeCroy"),
        (b"10:11:12:0001\t1\t123\t8\t00\n", "tabs"),
    ],
)
def test_files_of_other_programs_are_named(text, name):
    assert not TRCReader.recognises(text)
    with pytest.raises(FormatError, match=name):
        read(text)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_cut_anywhere_gives_the_frames_before(version):
    # A remote frame that asks for 15 is one that asks for 1 where the 5 is cut off.
    rows = [line.encode() + b"\r\n" for of, line, _ in SAMPLES if of == version and line[-2:] != "15"]
    text = head(version) + b"".join(rows)
    expected = [facts(message) for message in read(text)]
    for cut in range(len(head(version)), len(text)):
        source = reader(text[:cut])
        found = [facts(message) for message in source]
        whole = text[:cut].count(b"\n") - head(version).count(b"\n")
        assert found in (expected[:whole], expected[: whole + 1])
        if len(found) == whole and whole and text[:cut].rpartition(b"\n")[2].strip():
            assert re.search("ends inside a line|of unknown types", source.notes[-1])


@given(st.integers(0, 400))
def test_any_pieces_give_the_same_frames(size):
    class Pieces(io.BytesIO):
        def read1(self, wanted: int | None = -1, /) -> bytes:
            return super().read1(size + 1)

    rows = [(line, expected) for of, line, expected in SAMPLES if of == "2.1"]
    text = head("2.1") + b"".join(line.encode() + b"\r\n" for line, _ in rows)
    assert [shown(message) for message in TRCReader(Pieces(text), tz="UTC")] == [row[1] for row in rows]


DAMAGED = st.tuples(
    st.integers(0, 100),
    st.integers(0, 3),
    st.sampled_from([b"", *(b"%c" % c for c in b" 09-x;)\t\0"), b"RTR", b"DT ", b"AA ", b" 1 "]),
    st.sampled_from([line.encode() for _, line, _ in SAMPLES]),
).map(lambda parts: parts[3][: parts[0]] + parts[2] + parts[3][parts[0] + parts[1] :])  # fmt: skip


@given(st.sampled_from([*VERSIONS]), st.lists(DAMAGED, min_size=1, max_size=4))
def test_the_kernel_reads_no_line_otherwise_than_plain_python(version, lines):
    first = next(line.encode() for of, line, _ in SAMPLES if of == version)
    text = head(version) + b"\n".join([first, *lines]) + b"\n"
    fast = reader(text, on_error="skip")
    slow = without_kernel(TRCReader)(io.BytesIO(text), tz="UTC", on_error="skip")
    assert [facts(message) for message in fast] == [facts(message) for message in slow]
    assert (fast.skipped, fast.notes) == (slow.skipped, slow.notes)


@given(st.binary(max_size=300), st.sampled_from([b" ", *map(head, VERSIONS)]))
def test_garbage_raises_nothing_but_what_is_documented(noise, before):
    with suppress(NotALogError):
        list(reader(before + noise, on_error="skip"))


def test_batches_stay_bounded():
    line = b"1 1.0 ER 1 - Rx - 5 04 01 02 00 00\r\n1 1.0 DT 1 0300 Rx - 0\r\n"
    sizes = [len(batch) for batch in reader(head("2.1") + line * 20_000).batches()]
    assert sum(sizes) == 40_000
    assert max(sizes) <= BatchRoom.ROWS


@needs_compiled
def test_memory_does_not_grow_with_the_file():
    class Long(io.RawIOBase):
        pieces = 40

        def read(self, size: int | None = -1, /) -> bytes:
            self.pieces -= 1
            text = b"1 1.0 DT 1 0300 Rx - 1 11\r\n" * 20_000
            return head("2.1") + text if self.pieces == 39 else text if self.pieces > 0 else b""

    tracemalloc.start()
    try:
        rows = sum(len(batch) for batch in TRCReader(Long(), tz="UTC").batches())
        assert rows == 39 * 20_000
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        b";$STARTTIME=" + b"9" * 100_000 + b"\n1) 1 0300 0\n",
        b";$FILEVERSION=2.0\n;$COLUMNS=" + b"O,T,I,d,l,D," * 10_000 + b"\n1 DT 0300 Rx 0\n",
        b"9" * 100_000 + b") 1 0300 0\n",
        b";\n1) " + b"9" * 100_000 + b" 0300 0\n",
    ],
)
def test_numbers_and_heads_beyond_measure_cost_nothing(text):
    source, found = reader(text, on_error="skip"), []
    with suppress(NotALogError):
        found.extend(source)
    assert len(found) + source.skipped == 1


def test_padding_of_a_crashed_logger_is_left_out():
    source = reader(head("2.1") + b"1 1.0 DT 1 0300 Rx - 0\r\n" + bytes(100))
    assert len(list(source)) == 1
    assert "NUL bytes" in source.notes[0]


# The head


@pytest.mark.parametrize(
    ("days", "moment"),
    [
        # 10 decimals are steps of 8.6 microseconds
        ("44548.6028595139", 1_639_837_687_062_001_000),
        ("43008.920986006946", 1_506_809_173_191_000_000),
        ("45244.925927354816", 1_700_000_000_123_456_000),
        ("45244,925927354816", 1_700_000_000_123_456_000),
        ("25569", 0),
        ("0.5", -2_209_118_400_000_000_000),
    ],
)
def test_the_start_in_days(days, moment):
    text = f";$FILEVERSION=1.1\n;$STARTTIME={days}\n1) 0.0 Rx 0300 0\n".encode()
    assert [message.timestamp_ns for message in read(text)] == [moment]


TEXTS = [
    ("14.11.2023 22:13:20.123.0", START, 0),
    ("14.11.2023 22:13:20.123.4", START + 400_000, 0),
    ("14.11.2023 22:13:20.123.456", START + 456_000, 0),
    ("14-11-2023 22:13:20.123.0", START, 0),
    ("11/14/2023 22:13:20.123.0", START, 0),
    ("14/11/2023 22:13:20,123", START, 0),
    ("2023-11-14 22:13:20.123000+00:00", START, 0),
    ("11/14/2023 10:13:20.123 PM", START, 0),
    ("4/5/2023 22:13:20.123.0", 1_683_238_400_123_000_000, 1),
    ("31.31.2023 22:13:20", 0, 2),
    ("heute", 0, 2),
]


@pytest.mark.parametrize(("start", "moment", "told"), TEXTS)
def test_the_start_in_words(start, moment, told):
    text = f";   Start time: {start}\n  1) 0  0300 0\n".encode()
    assert [message.timestamp_ns for message in read(text)] == [moment]
    assert len(notes(text)) == told


def test_days_that_are_no_number_fall_back_to_the_words():
    text = head("2.1").replace(b"45244.925927349537", b"2023-11-14 22:13") + b"1 0 DT 1 0300 Rx - 0\r\n"
    words = b";  Start time: 14.11.2023 22:13:20.123.0\r\n"
    assert [message.timestamp_ns for message in read(words + text)] == [START]
    assert [message.timestamp_ns for message in read(text)] == [0]
    assert notes(text)[1] == "no start time: times count from 1970"


def test_the_start_counts_in_the_zone_asked_for():
    text = head("2.1") + b"1 0 DT 1 0300 Rx - 0\r\n"
    assert read(text, tz="Europe/Berlin")[0].timestamp_ns == START - 3600 * SECONDS


def test_the_start_of_python_can_is_utc_and_of_others_local(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "XYZ-3")
    time.tzset()
    try:
        line = b"1 0 DT 1 0300 Rx - 0\r\n"
        assert read(head("2.1") + line, tz=None)[0].timestamp_ns == START - 3 * 3600 * SECONDS
        peer = b";   Generated by python-can TRCWriter\r\n"
        assert read(head("2.1") + peer + line, tz=None)[0].timestamp_ns == START
    finally:
        monkeypatch.undo()
        time.tzset()


def test_logs_behind_one_another_have_their_own_heads():
    second = head("1.1").replace(b"45244", b"45245") + b"1) 1.0 Rx 0301 0\r\n"
    third = head("1.0") + b"1) 2 0302 0\r\n" + head("1.0") + b"1) 3 0303 0\r\n"
    found = read(head("2.1") + b"1 1.0 DT 1 0300 Rx - 0\r\n" + second + third)
    assert [message.arbitration_id for message in found] == [0x300, 0x301, 0x302, 0x303]
    assert found[2].timestamp_ns == START + 2_000_000
    assert found[1].timestamp_ns - found[0].timestamp_ns == 86_400 * SECONDS


def test_times_that_go_back_are_kept():
    text = head("2.1") + b"1 5.0 DT 1 0300 Rx - 0\r\n4 2.0 DT 1 0300 Rx - 0\r\n"
    assert [message.timestamp_ns - START for message in read(text)] == [5_000_000, 2_000_000]


def test_more_decimals_than_nanoseconds_are_rounded():
    text = head("2.1") + b"1 0.0000015 DT 1 0300 Rx - 0\r\n1 0.000001 DT 1 0300 Rx - 0\r\n"
    assert [message.timestamp_ns - START for message in read(text)] == [2, 1]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_bytes_tell_the_format(version):
    assert TRCReader.recognises(head(version))
    assert TRCReader.recognises(b"\xef\xbb\xbf" + head(version))


def test_other_first_bytes_are_not_taken():
    assert not TRCReader.recognises(b"; comment\n[section]\n")
    assert not TRCReader.recognises(b"")
    assert not TRCReader.recognises(b"(1.0) can0 123#\n")


def test_an_empty_file_has_no_version():
    source = reader(b"")
    assert list(source) == []
    assert source.file_version == TRCFileVersion.UNKNOWN == 0
    assert (int(TRCFileVersion.V1_0), int(TRCFileVersion.V2_1)) == (100, 201)
