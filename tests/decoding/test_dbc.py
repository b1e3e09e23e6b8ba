"""DBC files: what is read leniently, what is left out, and how it is reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.decoding import dbc
from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.model import Database
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

M = "BO_ 256 M: 8 X\n"
A = ' SG_ A : 0|8@1+ (1,0) [0|0] "" X\n'


def read(text: str, encoding: str | None = None) -> Database:
    return dbc.read(text.encode(), "x.dbc", encoding)


def decoded(database: Database, payload: str) -> dict[str, object]:
    message = Message(arbitration_id=256, is_extended_id=False, data=bytes.fromhex(payload))
    (table,) = Decoder(database).tables(MessageBatch([message]))
    return dict(table.values(0))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (' SG_ A : 0|8@1+ (.5,0) [0|0] "" X\n', {"A": 0.5}),  # factor without a leading digit
        (' SG_ A : 0|8@1+(1,0) [0|0] "" X\n', {"A": 1}),  # no blank before the factor
        (' SG_ A : 0|8@1+ (1,0) [0|0] ""\n SG_ B : 8|8@1+ (1,0) [0|0] "" X\n', {"A": 1, "B": 2}),
        (' SG_ A : 0|8@1+ (1,0) [0|0] ""', {"A": 1}),  # no receiver, last line of the file
        (' SG_ Größe.x : 0|8@1+ (1,0) [0|0] "" X\n', {"Größe.x": 1}),
        (A + 'VAL_ 256 A 0x1 "One" ;\n', {"A": "One"}),
        (A + 'VAL_TABLE_ Tab 1 "One" ;\nVAL_ 256 A Tab ;\n', {"A": "One"}),
        (A + 'VAL_ 256 A 1 "One" 1 "Uno" ;\n', {"A": "Uno"}),
        (A + 'VAL_ 256 A 1 "a \\"b\\"" ;\n', {"A": 'a "b"'}),
        (A + 'CM_ SG_ 256 A "a comment\nBO_ 257 N: 8 X\n";\n', {"A": 1}),
        (A.replace("\n", "\r\n"), {"A": 1}),
        (A.replace("\n", "\r"), {"A": 1}),
        (A.replace(" ", "\t"), {"A": 1}),
        (A + ' SG_ B : 8|8@1+ (0.5,0) [0|0] "" X\nSIG_VALTYPE_ 256 A 0;\n', {"A": 1, "B": 1.0}),
        (
            ' SG_ A : 0|16@1- (1,0) [0|0] "" X\nSIG_VALTYPE_ 256 A 1;\n',
            {"A": 2**-15 * (1 + 2 / 1024)},
        ),  # 16-bit float
    ],
)
def test_unusual_spellings_are_read(text: str, values: dict[str, object]) -> None:
    database = read(M + text)
    assert database.faults == ()
    found = decoded(database, "0102000000000000")
    assert found == {name: pytest.approx(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('VAL_ 256 B 0 "x" ;\n', ['4: message "M" has no signal "B"']),
        ('VAL_ 257 B 0 "x" ;\n', ["4: an entry is about message 257, which does not exist"]),
        ("SIG_VALTYPE_ 256 B : 1;\n", ['4: message "M" has no signal "B"']),
        (
            ' SG_ B : 8|8@1+ (1,5,0) [0|0] "" X\n',
            ['4: malformed signal: "SG_ B : 8|8@1+ (1,5,0) [0|0] "" X"'],
        ),
        (' SG_ B m0x1 : 8|8@1+ (1,0) [0|0] "" X\n', ['4: malformed signal: "SG_ B m0x1']),
        (' SG_ B m1 : 8|8@1+ (1,0) [0|0] "" X\n', ['4: signal "B" is multiplexed, but its message has no']),
        (' SG_ B : 8|0@1+ (1,0) [0|0] "" X\n', ['4: signal "B" has no bits']),
        (' SG_ B : 99999|8@1+ (1,0) [0|0] "" X\n', ['4: signal "B" ends in byte 12500, which no frame has']),
        (' SG_ B : 8|8@1+ (0,5) [0|0] "" X\n', ['4: signal "B" has the factor 0, taken as 1']),
        (' SG_ B : 8|8@1+ (1e999,0) [0|0] "" X\n', ['4: "1e999" is too large']),
        (
            ' SG_ A : 8|8@1+ (1,0) [0|0] "" X\n',
            ['4: signal "A" is there twice in message "M", first in line 3'],
        ),
        (
            ' SG_ B : 8|24@1+ (1,0) [0|0] "" X\nSIG_VALTYPE_ 256 B : 1;\n',
            ['4: signal "B" is a float of 24 bits'],
        ),
        ("BO_ 0x101 N: 8 X\n" + A, ['4: malformed message: "BO_ 0x101 N: 8 X"']),
        (
            f'BO_ 419361024 N: 8 X\n{A}VAL_ 419361024 A 1 "x" ;\nCM_ BO_ 419361024 "text";\n',
            [
                '4: message "N" is left out: 419361024 is not a base identifier; '
                "an extended one is written 2566844672"
            ],
        ),
        ("BO_ 4000000000 N: 8 X\n", ['4: message "N" is left out: 4000000000 is not an extended identifier']),
        ('CM_ "a string that does not end\n', ["4: malformed comment"]),
        (
            "BO_ 256 Other: 8 X\n" + A,
            ['4: message "Other" has the identifier of "M", line 2, which is left out'],
        ),
        (
            "BA_DEF_ nonsense\nBA_ nonsense\nSG_MUL_VAL_ 256 A\n",
            ["4: malformed", "5: malformed", "6: malformed"],
        ),
        ("BO_ 300 N\x1bc: 8 X\n", ['4: malformed message: "BO_ 300 N\\x1bc: 8 X"']),
        ("SG_MUL_VAL_ 256 A A 3-x;\n", ['4: malformed multiplexing: "3-x;"']),
    ],
)
def test_a_bad_entry_does_not_cost_the_rest(text: str, faults: list[str]) -> None:
    database = read('VERSION ""\n' + M + A + text + "BO_ 512 Last: 8 X\n" + A)
    found = [str(fault).removeprefix("x.dbc:") for fault in database.faults]
    assert len(found) == len(faults), found
    for one, expected in zip(found, faults, strict=True):
        assert one.startswith(expected)
    assert database.messages[-1].name == "Last"
    assert decoded(database, "0102")["A"] == 1


def test_only_a_file_without_any_message_is_refused() -> None:
    with pytest.raises(FormatError, match=r'^x\.dbc:1: malformed message: "BO_ 0x100 M: 8 X"$'):
        read("BO_ 0x100 M: 8 X\n")


@pytest.mark.parametrize(
    "start", ["BO_ 1 N: 8", A.strip(), "VAL_ 256 A", 'BA_DEF_ "x" INT', "BO_TX_BU_ 256 :"]
)
def test_long_runs_of_blanks_take_no_more_time_than_other_text(start: str) -> None:
    database = read(f"{M}{A}{start}{' ' * 100_000}\x01\n")  # a backtracking pattern would take hours
    assert decoded(database, "0102") == {"A": 1}


MUX = """BO_ 256 M: 8 X
 SG_ Mode M : 0|8@1+ (1,0) [0|0] "" X
 SG_ A m1 : 8|8@1+ (2,0) [0|0] "" X
 SG_ A m2 : 23|8@0+ (2,0) [0|0] "" X
 SG_ A m3 : 8|8@1+ (3,0) [0|0] "" X
VAL_ 256 A 7 "Seven" ;
"""


def test_one_name_under_several_multiplexer_values_is_one_signal_if_it_is_scaled_alike() -> None:
    database = read(MUX)
    assert [
        decoded(database, text) for text in ("01020304", "02020304", "02020704", "03020304", "04020304")
    ] == [
        {"Mode": 1, "A": 4},
        {"Mode": 2, "A": 6},
        {"Mode": 2, "A": "Seven"},
        {"Mode": 3, "A_m3": 6},
        {"Mode": 4},
    ]
    assert [str(fault) for fault in database.faults] == [
        'x.dbc:5: signal "A" differs from that of line 3, so it is called "A_m3"'
    ]
    batch = MessageBatch(
        Message(arbitration_id=256, is_extended_id=False, data=bytes((mode, 1, 2))) for mode in (2, 1, 4)
    )
    (table,) = Decoder(database).tables(batch)
    assert [column.signal.name for column in table.columns] == ["Mode", "A", "A_m3"]
    assert [table.columns[1].value_at(index) for index in range(3)] == [4, 2, None]


@pytest.mark.parametrize(
    ("data", "encoding", "unit"),
    [
        ("°C".encode(), None, "°C"),
        ("°C".encode("cp1252"), None, "°C"),
        (b"\x80\x81", None, "€\ufffd"),
        ("Ω".encode(), "iso-8859-1", "Î©"),
        ("温度".encode("gbk"), "gbk", "温度"),
    ],
)
def test_texts_are_utf_8_or_windows_1252_unless_an_encoding_is_named(
    data: bytes, encoding: str | None, unit: str
) -> None:
    text = (M + A.replace('""', '"@"')).encode().replace(b'"@"', b'"' + data + b'"')
    assert dbc.read(text, "x.dbc", encoding).messages[0].signals[0].unit == unit
    if encoding is None and data != b"\x80\x81":
        assert dbc.read(b"\xef\xbb\xbf" + text, "x.dbc").messages[0].name == "M"


def test_a_factor_of_hundreds_of_digits_is_a_float() -> None:
    database = read(M + A.replace("(1,0)", f"(1{'0' * 300},0)"))
    assert database.messages[0].signals[0].factor == 1e300
    assert decoded(database, "0102") == {"A": 1e300}


@pytest.mark.parametrize("name", ["none-such", "rot13", "idna", "undefined"])
def test_an_encoding_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f'^no encoding "{name}"$'):
        read(M + A, name)


ATTRIBUTES = """BO_ 2147483904 M: 64 X
 SG_ A : 0|8@1+ (2,4) [0|0] "" X
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_ BO_ "GenMsgCycleTime" FLOAT 0 1000;
BA_DEF_ SG_ "GenSigStartValue" INT 0 100;
BA_DEF_DEF_ "GenMsgCycleTime" 50;
BA_DEF_DEF_ "GenSigStartValue" 3;
"""


def test_attributes_give_kind_cycle_time_and_start_value() -> None:
    (plain,) = read(ATTRIBUTES).messages
    assert (plain.is_fd, plain.is_j1939, plain.cycle_time) == (True, False, 0.05)
    assert plain.signals[0].start_value == 3
    more = 'BA_ "VFrameFormat" BO_ 2147483904 3;\nBA_ "GenMsgCycleTime" BO_ 2147483904 0;\n'
    (group,) = read(ATTRIBUTES + more + 'BA_ "GenSigStartValue" SG_ 2147483904 A 4;\n').messages
    assert (group.is_fd, group.is_j1939, group.cycle_time) == (False, True, None)
    assert group.signals[0].start_value == 4
    for number in (14, 15):
        text = ATTRIBUTES.replace('ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG"', "INT 0 15")
        assert read(f'{text}BA_ "VFrameFormat" BO_ 2147483904 {number};\n').messages[0].is_fd


@given(st.lists(st.sampled_from(MUX.splitlines() + ATTRIBUTES.splitlines()), max_size=12), st.data())
def test_no_damage_raises_anything_but_a_format_error(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + data.draw(st.text('"m0189-|@.\\e: ;,\n', max_size=4)) + text[place + 1 :]
    try:
        database = read(text)
    except FormatError:
        return
    payloads = (b"", b"\1" * 8, b"\xff" * 64)
    batch = MessageBatch(
        Message(arbitration_id=256, is_extended_id=kind, data=data, is_fd=True)
        for kind in (False, True)
        for data in payloads
    )
    for table in Decoder(database).tables(batch):
        for index in range(len(table)):
            table.values(index)
