"""Text as words: usual lines with every byte changed to every kind of byte, by both forms of the kernels."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels._lines import DONE
from tests.kernels.forms import (
    FOLDER,
    WIDE_FORMS,
    every_form,
    extensions,
    formatted,
    interpreted,
    load,
    parsed,
)

#: what is next to a digit, a letter or a line's end, alone and with the highest bit
BYTES = sorted({ord(letter) | high for letter in "\0\n\r !#'/059:@AFGR_`afgtx" for high in (0, 0x80)})
REACH = 256  #: bytes after the start of a line from which on all kernels read it as words
NAMES, ENDS = b"can0can1", array("I", [4, 8])
NUMBERS = array("H", [0xFFFF, 0, 1] + [0xFFFF] * 253)
JSON = (
    b'{"timestamp":1700000000.123456,"channel":"can0","arbitration_id":291,"is_extended_id":false,"dlc":8,'
    b'"data":"0011223344aAbB77"}\n'
)
PRINTED = (
    b"Timestamp: 1700000000.123456    ID:      123    S Rx                DL:  3    01 02 Ab"
    b"                    Channel: can0\n"
)
FD_PART = b"F BS       DL: 12    " + b"5b " * 12 + b"   "
LINES: dict[str, tuple[tuple[Any, ...], list[bytes]]] = {
    "candump": (
        (NAMES, ENDS),
        [
            b"(1700000000.123456) can0 123#0102030405060708\n",
            b"(1700000000.999999) can1 1ABCDEF0#AbcDeF\n",
            b"(1700000000.000000) can0 7FF##700112233445566778899AABB\n",
        ],
    ),
    "asc": (
        (NUMBERS, 1_700_000_000_000_000_000, 10**9),
        [
            b"   0.123456 1  123             Rx   d 8 00 01 02 03 04 05 06 07\n",
            b"   0.999999 2  1ABCDEF0x       Tx   d 3 AB cd EF\n",
            b"   0.000000 2  0               Rx   d 0\n",
            b"   0.000001 1  12345x          Rx   d 9 00 01 02 03 04 05 06 07\n",
            b"   0.000177 CANFD   2 Rx        177"
            + b" " * 35
            + b"1 0 9 12 1F AE A7 A2 9B B7 5D 2D d1 5C FE 8C"
            b"        0    0     3000        0        0        0        0        0\n",
            b"   0.000177 CANFD   1 Tx   1981ED85x" + b" " * 34 + b"0 1 2  2 1F AE        0    0     5000"
            b"        0        0        0        0        0\n",
        ],
    ),
    "busmaster": (
        (NUMBERS, False, 0, 80414, 1_700_000_000_000_000_000, 0),
        [
            b"22:20:14:9920 Rx 1 0x21A s 8 FE 36 12 FE 69 05 07 AD \n",
            b"22:20:14:992 Tx 2 1ABCDEF0 x 3 aa Bb CC\n",
            b"22:20:14:0 rx 1 0X1 S 0\r\n",
            b"22:20:14:9999 Rx 2 0x7FF sr 8\n",
            b"22:20:14:9999 Rx 2 0x1FFFFFFF x-fd 12 00 11 22 33 44 55 66 77 88 99 AA BB \n",
        ],
    ),
    "csv_lines": (
        (NAMES[:4], ENDS[:1], 0),
        [
            b"1700000000.123456,0x123,0,0,0,8,AAECAwQFBgc=\n",
            b"1700000000.9,0x1fffffff,1,0,0,1,/w==\n",
            b"1700000000.0,0x0,0,0,0,0,\n",
            b"1700000000.123,0x4,0,0,1,5,+/zz90A=\n",
            b"1700000000.123456789,0x7ff,0,1,0,4,\n",
            b"1700000000.000001,0x7ff,0,0,0,12,AAECAwQFBgcICQoL\n",
        ],
    ),
    "gvret": (
        (NUMBERS, True),
        [
            b"1700000000000088,1CC47628,true,Rx,1,8,00,01,02,03,04,05,06,07,\n",
            b"1700000000999999,000007FF,false,Tx,2,3,Ab,cd,EF,00,00,00,00,00,\r\n",
            b"1700000000000000,7,false,Rx,1,0,00,00\n",
            b"1700000000000001,1fffffff,true,Rx,2,12,00,01,02,03,04,05,06,07,08,09,0A,0B,\n",
        ],
    ),
    "gvret without directions": (
        (NUMBERS, False),
        [
            b"123456,0000021A,false,1,8,FE,36,12,FE,69,05,07,AD,\n",
            b"999999,1CC47628,true,2,2,00,aa,00,00,00,00,00,00,\n",
        ],
    ),
    "screen_lines": (
        (NAMES, ENDS, b"2023-11-14 22:13:20", array("q", [0] * 6 + [1_700_000_000_000_000_000, 1])),
        [
            b" (1700000000.123456)  can0  123   [8]  01 02 03 04 05 06 07 08\n",
            b" (1700000000.999999)  can1  1ABCDEF0   [3]  Ab cD eF\n",
            b" (1700000000.000000)  can0       7FF   [0] \n",
            b" (1700000000.123456)  can1  TX B E       055  [12]  00 11 22 33 44 55 66 77 88 99 AA BB\n",
            b" (1700000000.123456)  can0  RX - -  00000001  [02]  00 11\n",
            b" (1700000000.123456)  can0  1ABCDEF0   [3]  41 42 43                  'ABC'\n",
            b" (2023-11-14 22:13:20.123456)  can0  123   [2]  01 02\n",
            b" (2023-11-14 22:13:20.123456)  can0  RX - -  123   [1]  remote request\n",
            b"  can1  12345678   [2]  01 02\n",
        ],
    ),
    "jsonl": (
        (b'"can0"7', array("I", [6, 7])),
        [
            JSON,
            JSON.replace(b'"can0"', b"7").replace(b"291", b"536870911").replace(b"false", b"true"),
            JSON.replace(b"291", b"0").replace(b"8", b"0").replace(b"0011223344aAbB77", b""),
            JSON.replace(b"291", b"99999999").replace(b"false", b"true"),
            JSON.replace(b"8", b"12").replace(b"77", b"7766554433").replace(b"}", b',"is_fd":true}'),
        ],
    ),
    "printed": (
        (b" can0 can1", array("I", [5, 10])),
        [
            PRINTED,
            PRINTED.replace(b"     123    S Rx", b"1ABCDEF0    X Tx").replace(b"can0", b"can1"),
            PRINTED.replace(b"Rx  ", b"Rx E").replace(b"     123", b"   1ffff"),
            PRINTED.replace(b"Rx    ", b"Rx   R").replace(b"01 02 Ab", b"        "),
            PRINTED.replace(b"01 02 Ab", b"61 7a 39").replace(b"    Channel", b"    'az9'    Channel"),
            PRINTED.replace(b" " * 11 + b"DL:  3    01 02 Ab" + b" " * 20, FD_PART),
        ],
    ),
}
TRC_LINES = {
    b"NOTBIdRLD": [
        b"      1      1234.088 DT 2  1CC47628 Rx -  1    41 \r\n",
        b"      2      1234.999 DT 1      0001 Rx -  0    \r\n",
        b"      3      1234.088123 DT 2      0001 Tx -  2    41 42 \r\n",
        b"9999999  99999999.999123 DT 1      07FF Tx - 13    00 11 22 33 aA Bb 66 77\n",
        b"      3    123456.000 DT 1      0000 Rx -  0    \r\n",
        b"     12         7.100 BI 2      0500 Tx -  9    01 02 03 04 05 06 07 08 09 0A 0B 0C \r\n",
        b"12345678        7.100 FB 2      0500 Tx -  8    01 02 03 04 05 06 07 08\r\n",
    ],
    b"NOTIdlD": [
        b"      1         0.088 DT 1CC47628 Rx 1  41 \r\n",
        b"      2         0.088123 FE     0500 Rx 12 01 02 03 04 05 06 07 08 09 0A 0B 0C \r\n",
    ],
    b"NOBtIRlD": [
        b"     1)         0.088 2  Rx    1CC47628 -  1    41 \r\n",
        b"     2)         0.088 2  Rx        0100 -  0    \r\n",
    ],
    b"NOBtIlD": [b"     1)         0.088  2  Rx     1CC47628  1  41 \r\n"],
    b"NOtIlD": [
        b"     1)         0.0  Rx     1CC47628  2  41 42 \r\n",
        b"12345678)       0.9  Tx         0001  0  \n",
    ],
    b"NOIlD": [b"     1)         0  1CC47628  8  00 01 02 03 04 05 06 07 \r\n"],
}
for columns, lines in TRC_LINES.items():
    layout = interpreted("trc").LAYOUTS[columns]
    tables = (columns, layout, NUMBERS, 1_700_000_000_000_000_000, 9 * 10**12)
    LINES[f"trc {columns.decode()}"] = (tables, lines * 2)


@pytest.fixture(params=["compiled", "avx2"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Parser:
    """Parses texts that all begin with the same lines, which are parsed only once."""

    def __init__(self, kernel: Any, start: bytes, tables: tuple[Any, ...]) -> None:
        self._parse = kernel.parse
        self._tables = tables
        self._batch = MessageBatch.with_room(64, 4096)
        self._at, self._rows, _ = self._parse(start, 0, len(start), *tables, 0, *self._batch.columns())

    def __call__(self, text: bytes) -> tuple[tuple[int, int, int], tuple[bytes, ...]]:
        """Return the result of ``parsed``."""
        columns = self._batch.columns()
        answer = self._parse(text, self._at, len(text), *self._tables, self._rows, *columns)
        rows = answer[1]
        sizes = [rows] * 5 + [rows + 1, self._batch.offset[rows]]
        return answer, tuple(bytes(column[:size]) for column, size in zip(columns, sizes, strict=True))


@pytest.mark.long
@pytest.mark.parametrize("name", LINES)
def test_all_forms_read_every_byte_at_every_place_alike(name: str) -> None:
    tables, lines = LINES[name]
    kernel = name.partition(" ")[0]
    start = lines[0] * 3  # of the same second as the line
    rest = lines[1] + b"?" * REACH + b"\n"  # the last line stops every kernel
    plain, forms = Parser(interpreted(kernel), start, tables), extensions(kernel)
    for line in dict.fromkeys(lines):
        for at in range(len(line)):
            for byte in BYTES:
                text = start + line[:at] + bytes([byte]) + line[at + 1 :] + rest
                wanted = plain(text)
                for form in forms:
                    assert parsed(form, text, *tables) == wanted, (form, line, at, byte)


@pytest.mark.parametrize("name", LINES)
def test_all_forms_read_a_line_that_ends_anywhere_alike(name: str) -> None:
    tables, lines = LINES[name]
    kernel = name.partition(" ")[0]
    plain, forms = interpreted(kernel), extensions(kernel)
    for line in lines:
        for cut in range(len(line)):
            for more in (b"", lines[0], lines[0] * 3):
                text = lines[0] + line[:cut] + b"\n" + more
                wanted = parsed(plain, text, *tables)
                for form in forms:
                    assert parsed(form, text, *tables) == wanted, (form, line, cut)


@pytest.mark.parametrize("name", LINES)
def test_usual_lines_are_read_the_same_as_alone(name: str, form: str) -> None:
    """A line alone is read byte by byte, among others as words."""
    tables, lines = LINES[name]
    kernel = load(name.partition(" ")[0], form)
    for line in lines:
        alone = parsed(kernel, line, *tables)
        among = parsed(kernel, lines[0] * 3 + line + lines[0] * 3, *tables)
        assert (alone[0][1:], among[0][1:]) == ((1, DONE), (7, DONE))
        for one, column in zip(alone[1][:5], among[1][:5], strict=True):
            assert column[3 * len(one) : 4 * len(one)] == one


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("[a-z]*.py") if path.stem != "cpu"))
def test_constants_are_the_same_in_all_forms(name: str) -> None:
    """One made of bytes that end too early holds, compiled, what happens to lie behind them."""
    first, *others = ({k: v for k, v in vars(form).items() if k.isupper()} for form in every_form(name))
    assert all(other == first for other in others)


@pytest.mark.parametrize("digits", [6, 9])
def test_times_are_written_digit_by_digit(digits: int) -> None:
    batch = MessageBatch(channels=("can0",))
    times = [0, 1, 499, 500, 999_999_499, 999_999_500, 1_000_000_000, 9_999_999_999, 10_123_456_789, 1 << 62]
    times += [(1 << 63) - 1, 5, (1 << 63) - 600, (1 << 63) - 500]
    for time in times:
        batch = appended(batch, time)
    for form in WIDE_FORMS:
        text = formatted(load("candump", form), batch, b"can0", array("I", [4]), digits, False)[1]
        rounded = [(time + 500) // 1000 if digits == 6 else time for time in times]
        unit = 10**digits
        assert text.decode().splitlines() == [
            f"({time // unit}.{time % unit:0{digits}d}) can0 000#" for time in rounded
        ]


def appended(batch: MessageBatch, time_ns: int) -> MessageBatch:
    batch.timestamp_ns.append(time_ns)
    batch.can_id.append(0)
    batch.flags.append(0)
    batch.channel.append(0)
    batch.dlc_code.append(0)
    batch.offset.append(0)
    return batch
