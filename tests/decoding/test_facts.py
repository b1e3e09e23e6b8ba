"""What canx decides where cantools, canmatrix and asammdf disagree on the same input.

The differences are documented in canx-decode(1), DIFFERENCES.
"""

from __future__ import annotations

import json
import math
import struct
import subprocess
import sys
from collections.abc import Sequence

import pytest

from cantools_cli.decoding.columns import Decoder
from cantools_cli.frame.batch import MessageBatch
from tests.decoding.judge import Values, decoded, frame, read, values

RANGES = """BO_ 256 M: 8 ECU
 SG_ S0 M : 0|8@1+ (1,0) [0|0] "" ECU
 SG_ A m0 : 8|8@1+ (1,0) [0|0] "" ECU
 SG_ S1 m1M : 8|8@1+ (1,0) [0|0] "" ECU
 SG_ B m2 : 16|8@1+ (1,0) [0|0] "" ECU
 SG_ D m3 : 8|8@1+ (1,0) [0|0] "" ECU
SG_MUL_VAL_ 256 A S0 0-0;
SG_MUL_VAL_ 256 S1 S0 1-2;
SG_MUL_VAL_ 256 B S1 2-4, 9-9;
SG_MUL_VAL_ 256 D S0 3-5, 10-12;
"""
J1939 = """BO_ 2566844926 EEC1: 8 ECU
 SG_ Speed : 24|16@1+ (0.125,0) [0|8031.875] "rpm" ECU
BO_ 2565865982 Request: 3 ECU
 SG_ Group : 0|24@1+ (1,0) [0|0] "" ECU
BO_ 2348810494 TSC1: 8 ECU
 SG_ Torque : 0|8@1+ (1,0) [0|0] "" ECU
BO_ 256 Plain: 1 ECU
 SG_ P : 0|8@1+ (1,0) [0|0] "" ECU
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_DEF_ "VFrameFormat" "J1939PG";
BA_ "VFrameFormat" BO_ 256 0;
"""


def message(*signals: str, length: int = 8, more: str = "") -> str:
    """Return a database of one message, 0x100, with these signals: name, place, scaling."""
    lines = [f' SG_ {signal} [0|0] "" ECU' for signal in signals]
    return "\n".join([f"BO_ 256 M: {length} ECU", *lines, more, ""])


def all_values(text: str, payloads: Sequence[str]) -> list[Values]:
    found = decoded(read(text), [frame(0x100, bytes.fromhex(data)) for data in payloads])
    return [entry[1] for entry in found if entry is not None]


def test_x0_reading_dbc_files_needs_no_other_library() -> None:
    code = (
        "import sys; from tests.decoding.judge import values; from tests.decoding.test_facts import RANGES\n"
        "values(RANGES, 256, b'12')\n"
        "print(sorted({'cantools', 'canmatrix', 'asammdf', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_x1_and_c7_all_ranges_of_a_multiplexer_select() -> None:
    found = all_values(RANGES, [f"{value:02x}07" for value in (3, 4, 5, 10, 11, 12)])
    assert [values["D"] for values in found] == [7] * 6
    assert all_values(RANGES, ["0607", "0907", "0d07"]) == [{"S0": 6}, {"S0": 9}, {"S0": 13}]


def test_x1_ranges_of_a_multiplexer_that_is_multiplexed() -> None:
    found = all_values(RANGES, ["010205", "020405", "010905", "010505", "030205"])
    assert [values.get("B") for values in found] == [5, 5, 5, None, None]
    assert found[0] == {"S0": 1, "S1": 2, "B": 5}


def test_c7_a_range_of_all_values_takes_no_longer_than_one() -> None:
    text = message("S0 M : 0|32@1+ (1,0)", "A m0 : 32|8@1+ (1,0)", more="SG_MUL_VAL_ 256 A S0 0-4294967295;")
    assert values(text, 0x100, "ffffffff07") == {"S0": 0xFFFFFFFF, "A": 7}


@pytest.mark.parametrize("factor", ["2", "0.1"])
def test_x2_a_multiplexer_is_compared_by_its_raw_value(factor: str) -> None:
    text = message(f"Mux M : 0|8@1+ ({factor},1)", "A m1 : 8|8@1+ (1,0)", "B m3 : 8|8@1+ (1,0)", more="")
    found = values(text, 0x100, "0107")
    assert found == {"Mux": 1 * float(factor) + 1, "A": 7}


def test_x3_only_values_with_a_name_have_their_name() -> None:
    text = message("S : 0|8@1+ (1,0)", more='VAL_ 256 S 0 "zero" 1 "one" ;')
    assert all_values(text, ["00", "01", "07"]) == [{"S": "zero"}, {"S": "one"}, {"S": 7}]


def test_x4_values_without_names_are_all_scaled() -> None:
    text = message("S : 0|8@1- (0.5,0)", more='VAL_ 256 S 2 "two" -1 "minus one" ;')
    assert [values(text, 0x100, data, with_names=False)["S"] for data in ("02", "04", "ff")] == [1, 2, -0.5]
    assert [values(text, 0x100, data)["S"] for data in ("02", "04", "ff")] == ["two", 2.0, "minus one"]


@pytest.mark.parametrize("value", [1.5, 1.999, -0.5, math.inf, -math.inf, math.nan])
def test_x5_a_float_has_a_name_only_if_it_is_whole(value: float) -> None:
    text = message("S : 0|32@1- (1,0)", more='SIG_VALTYPE_ 256 S : 1;\nVAL_ 256 S 1 "One" 0 "Zero" ;')
    found = values(text, 0x100, struct.pack("<f", value))["S"]
    assert isinstance(found, float)
    assert found == pytest.approx(value, rel=1e-6, nan_ok=True)
    assert values(text, 0x100, struct.pack("<f", 1.0)) == {"S": "One"}


def test_x6_and_c1_a_short_frame_has_the_signals_that_it_holds() -> None:
    text = message("A : 0|8@1+ (1,0)", "B : 8|16@1- (1,0)", "C : 31|8@0+ (1,0)")
    assert all_values(text, ["", "01", "0102", "010203", "01020304"]) == [
        {},
        {"A": 1},
        {"A": 1},
        {"A": 1, "B": 0x0302},
        {"A": 1, "B": 0x0302, "C": 4},
    ]


def test_x6_an_empty_frame_has_no_multiplexer_of_0() -> None:
    text = message("Mux M : 0|8@1+ (1,0)", "A m0 : 0|1@1+ (1,0)")
    decoder = Decoder(read(text))
    table = next(decoder.tables(MessageBatch([frame(0x100, b""), frame(0x100, b"\0")])))
    assert [table.values(0), table.values(1)] == [{}, {"Mux": 0, "A": 0}]
    assert decoder.short == 1


def test_x7_more_data_than_the_message_has_is_padding() -> None:
    text = message("A : 0|8@1+ (1,0)", length=9)
    assert values(text, 0x100, "07" + 11 * "ff") == {"A": 7}
    assert values(message("A : 8|8@1+ (1,0)", length=2), 0x100, "0007ffffffffffff") == {"A": 7}


@pytest.mark.parametrize("identifier", [0x18FEF0FE, 0x0CFEF017, 0x00FEF000])
def test_x8_and_c5_a_parameter_group_of_any_source_and_priority(identifier: int) -> None:
    text = J1939.replace("2566844926", str(0x98FEF0FE))
    found = decoded(read(text), [frame(identifier, bytes.fromhex("0000001027000000"), is_extended_id=True)])
    assert found == [("EEC1", {"Speed": 1250.0})]


def test_x8_the_default_of_the_attribute_and_the_protocol_are_enough() -> None:
    head = 'BO_ 2566844670 G: 1 ECU\n SG_ S : 0|8@1+ (1,0) [0|0] "" ECU\n'
    other = frame(2566844670 & 0x1FFFFF00, b"\7", is_extended_id=True)
    for attribute in (
        'BA_DEF_DEF_ "VFrameFormat" "J1939PG";\n',
        'BA_ "VFrameFormat" BO_ 2566844670 3;\n',
        'BA_ "ProtocolType" "J1939";\n',
    ):
        assert decoded(read(head + attribute), [other]) == [("G", {"S": 7})], attribute
    assert decoded(read(head), [other]) == [None]


def test_x9_and_c4_base_identifiers_beside_parameter_groups() -> None:
    found = decoded(read(J1939), [frame(0x100, b"\7"), frame(0x100, b"\7", is_extended_id=True)])
    assert found[0] == ("Plain", {"P": 7})
    assert found[1] is None or found[1][0] != "Plain"


def test_x10_each_frame_of_a_parameter_group_is_decoded_once() -> None:
    text = J1939.replace("2565865982", str(0x98EAFFFE))
    frames = [
        frame(identifier, bytes([number, 0, 0]), is_extended_id=True)
        for number, identifier in enumerate((0x18EAFF17, 0x18EA0017, 0x0CEA0017), 1)
    ]
    tables = [*Decoder(read(text)).tables(MessageBatch(frames))]
    assert [(table.message.name, [*table.columns[0].raw]) for table in tables] == [("Request", [1, 2, 3])]


def test_x11_values_that_j1939_reserves_are_values() -> None:
    text = J1939.replace("2566844926", str(0x98FEF0FE))
    found = decoded(read(text), [frame(0x18FEF017, b"\xff" * 8, is_extended_id=True)])
    assert found == [("EEC1", {"Speed": 8191.875})]


@pytest.mark.parametrize("identifier", [0x123, 0x7E8])
def test_x12_base_identifiers_are_no_parameter_group_0(identifier: int) -> None:
    text = J1939.replace("2348810494", str(0x8C0000FE))
    frames = [frame(identifier, bytes(8)), frame(0x0C000017, b"\7" * 8, is_extended_id=True)]
    assert decoded(read(text), frames) == [None, ("TSC1", {"Torque": 7})]


@pytest.mark.parametrize(
    ("size", "sign", "number"),
    [(60, "-", 144115188075855873), (60, "+", 2**53 + 1), (64, "-", -(2**53) - 1), (64, "+", 2**64 - 1)],
)
def test_x13_integers_are_exact(size: int, sign: str, number: int) -> None:
    text = message(f"S : 0|{size}@1{sign} (1,0)")
    data = (number % (1 << 64)).to_bytes(8, "little")
    assert values(text, 0x100, data) == {"S": number}


@pytest.mark.parametrize("place", ["2|8@1-", "10|8@1-", "12|8@0-"])
def test_x13_8_bits_with_a_sign_between_bytes(place: str) -> None:
    assert values(message(f"S : {place} (1,0)"), 0x100, "ff" * 4) == {"S": -1}


@pytest.mark.parametrize("size", [64, 68, 128])
def test_x14_a_signal_over_more_than_8_bytes(size: int) -> None:
    number = 0x9081726354453627_1807F6E5D4C3B2A1 % (1 << size)
    data = (number << 4).to_bytes(20, "little")
    assert values(message(f"S : 4|{size}@1+ (1,0)", length=20), 0x100, data) == {"S": number}
    data = (number << 160 - 4 - size).to_bytes(20, "big")
    assert values(message(f"S : 3|{size}@0+ (1,0)", length=20), 0x100, data) == {"S": number}


def test_x15_and_c3_scaled_values_are_integers_if_all_are_whole_else_64_bit_floats() -> None:
    big = message("S : 7|64@0- (0.001,0)")
    assert values(big, 0x100, "8000000000000001") == {"S": -(2**63 - 1) * 0.001}
    text = message("S : 0|32@1- (2,1)", more="SIG_VALTYPE_ 256 S : 1;")
    assert values(text, 0x100, struct.pack("<f", 0.1)) == {
        "S": struct.unpack("f", struct.pack("f", 0.1))[0] * 2 + 1
    }
    for scaling, wanted in (
        ("2,-40", -34),
        ("1.0,2.0", 5),
        ("0.5,0", 1.5),
        ("1,0.5", 3.5),
        ("0.1,0", 3 * 0.1),
    ):
        found = values(message(f"S : 0|8@1+ ({scaling})"), 0x100, "03")["S"]
        assert (type(found), found) == (type(wanted), wanted)


@pytest.mark.parametrize(("scaling", "wanted"), [("0,0", 18), ("0,5", 23)])
def test_x16_a_factor_of_0_is_1_and_reported(scaling: str, wanted: int) -> None:
    text = message(f"S : 0|8@1+ ({scaling})")
    assert values(text, 0x100, "12") == {"S": wanted}
    assert [str(fault) for fault in read(text).faults] == ['x.dbc:2: signal "S" has the factor 0, taken as 1']


def test_x17_the_last_of_two_messages_of_one_identifier_counts_and_the_first_is_reported() -> None:
    text = message("A : 0|8@1+ (1,0)") + message("B : 0|8@1+ (1,0)").replace(" M:", " N:")
    assert decoded(read(text), [frame(0x100, b"\7")]) == [("N", {"B": 7})]
    assert "left out" in str(read(text).faults[0])


def test_x17_the_same_signal_under_two_values_of_a_multiplexer() -> None:
    text = message("Mux M : 0|8@1+ (1,0)", "S m1 : 8|8@1+ (1,0)", "S m2 : 16|8@1+ (1,0)")
    assert all_values(text, ["010708", "020708", "030708"]) == [
        {"Mux": 1, "S": 7},
        {"Mux": 2, "S": 8},
        {"Mux": 3},
    ]


def test_x18_and_c8_signals_that_overlap_are_decoded() -> None:
    text = message("A : 0|8@1+ (1,0)", "B : 4|8@1+ (1,0)", "C : 7|16@0+ (1,0)")
    assert values(text, 0x100, "1234") == {"A": 0x12, "B": 0x41, "C": 0x1234}


def test_x18_and_c8_a_signal_outside_of_the_frame_has_no_value() -> None:
    text = message("S : 0|12@1+ (1,0)", "A : 0|8@1+ (1,0)", length=1)
    assert values(text, 0x100, "12") == {"A": 0x12}


def test_x19_a_float_anywhere_and_a_bad_signal_beside_good_ones() -> None:
    text = message("F : 4|32@1- (1,0)", "A : 0|4@1+ (1,0)", more="SIG_VALTYPE_ 256 F : 1;")
    bits = int.from_bytes(struct.pack("<f", 1.5), "little") << 4 | 9
    assert values(text, 0x100, bits.to_bytes(8, "little")) == {"F": 1.5, "A": 9}
    text = message("A : 0|8@1+ (1,0)", "E : 60|16@0+ (1,0)")
    assert values(text, 0x100, 8 * "07") == {"A": 7}


@pytest.mark.parametrize(
    ("row", "entry"),
    [
        ("x20", 'BO_ 419361024 Bad: 8 ECU\n SG_ X : 0|8@1+ (1,0) [0|0] "" ECU\n'),
        ("x21", 'VAL_ 256 S9 0 "zero" ;\n'),
        ("x21", 'VAL_ 999 S 0 "zero" ;\n'),
        ("x21", "SIG_VALTYPE_ 256 S9 : 1;\n"),
        ("x22", 'BO_ 0x101 Bad: 8 ECU\n SG_ X : 0|8@1+ (1,0) [0|0] "" ECU\n'),
    ],
)
def test_x20_to_x22_one_bad_entry_is_reported_and_the_rest_is_read(row: str, entry: str) -> None:
    text = message("S : 0|8@1+ (1,0)") + entry
    database = read(text)
    assert decoded(database, [frame(0x100, b"\7")]) == [("M", {"S": 7})], row
    assert database.faults
    assert all(str(fault).startswith("x.dbc:4: ") for fault in database.faults[:1])


@pytest.mark.parametrize(
    ("signal", "more", "wanted"),
    [
        ("S : 0|8@1+ (.5,0)", "", 3.5),
        ("S : 0|8@1+ (1,0)", 'VAL_ 256 S 0x7 "seven" ;', "seven"),
        ("S : 0|8@1+ (1,0)", 'VAL_TABLE_ tab 7 "seven" ;\nVAL_ 256 S tab ;', "seven"),
        ("S : 0|8@1+(1,0)", "", 7),
        ("S:0|8@1+ (1,0)", "", 7),
    ],
)
def test_x22_forms_that_only_some_libraries_read(signal: str, more: str, wanted: object) -> None:
    text = message(signal, more=more)
    assert values(text, 0x100, "07") == {"S": wanted}
    assert not read(text).faults


def test_comments_between_and_after_statements_are_skipped() -> None:
    text = (
        '// BO_ 1 "first\nBO_ 256 M: 8 ECU // the message\n// its signal:\n'
        ' SG_ S : 0|8@1+ (1,0) [0|0] "m//s" ECU // "twice"\n// SG_ T : 8|8@1+ (1,0) [0|0] "" ECU\n'
        'CM_ SG_ 256 S "a // b\n// c"; // end\nVAL_ 256 S 1 "on // off" ; // names\n'
    )
    database = read(text)
    assert not database.faults
    (signal,) = database.messages[0].signals
    assert (signal.unit, signal.comment, signal.receivers) == ("m//s", "a // b\n// c", ("ECU",))
    assert decoded(database, [frame(0x100, b"\1")]) == [("M", {"S": "on // off"})]


@pytest.mark.parametrize("name", ["Öl", "a.b"])
def test_x22_names_of_other_characters(name: str) -> None:
    assert values(message(f"{name} : 0|8@1+ (1,0)"), 0x100, "07") == {name: 7}


@pytest.mark.parametrize("end", ["", "\n", '\n SG_ T : 8|8@1+ (1,0) [0|0] ""\n'])
def test_x23_a_signal_without_receiver(end: str) -> None:
    text = 'BO_ 256 M: 8 ECU\n SG_ S : 0|8@1+ (1,0) [0|0] ""' + end
    assert values(text, 0x100, "0708")["S"] == 7


def test_x24_signals_of_a_multiplexer_that_is_not_there_are_always_decoded() -> None:
    text = message("A m0 : 0|8@1+ (1,0)", "B m1 : 0|8@1+ (1,0)")
    assert values(text, 0x100, "07") == {"A": 7, "B": 7}
    assert len(read(text).faults) == 2


def test_x24_the_second_of_two_multiplexers_selects_what_it_is_said_to() -> None:
    text = message(
        "M0 M : 0|8@1+ (1,0)", "M1 M : 8|8@1+ (1,0)", "A m5 : 16|8@1+ (1,0)", more="SG_MUL_VAL_ 256 A M1 5-5;"
    )
    assert all_values(text, ["000507", "050007"]) == [{"M0": 0, "M1": 5, "A": 7}, {"M0": 5, "M1": 0}]


def test_x24_a_multiplexer_with_a_sign_is_compared_with_it() -> None:
    text = message("Mux M : 0|8@1- (1,0)", "A m255 : 8|8@1+ (1,0)")
    assert values(text, 0x100, "ff07") == {"Mux": -1}


def test_x25_and_c6_a_value_that_selects_nothing_leaves_the_common_signals() -> None:
    text = message("Mux M : 0|8@1+ (1,0)", "A m0 : 8|8@1+ (1,0)", "C : 16|8@1+ (1,0)")
    assert values(text, 0x100, "050709") == {"Mux": 5, "C": 9}


def test_c9_a_message_without_signals_is_known() -> None:
    database = read("BO_ 256 M: 0 ECU\n")
    assert decoded(database, [frame(0x100, b""), frame(0x100, b"\1")]) == [("M", {}), ("M", {})]


def test_c10_remote_and_error_frames_have_no_signals_and_are_not_short() -> None:
    decoder = Decoder(read(message("S : 0|8@1+ (1,0)")))
    frames = [
        frame(0x100, b"", is_remote_frame=True),
        frame(0x100, bytes(8), is_error_frame=True),
        frame(0x101, b"\1"),
    ]
    assert [*decoder.tables(MessageBatch(frames))] == []
    assert (decoder.not_data, decoder.unknown, decoder.short) == (2, 1, 0)


def test_c2_names_are_strings() -> None:
    text = message("S : 0|8@1+ (1,0)", more='VAL_ 256 S 1 "On" ;')
    assert json.dumps(values(text, 0x100, "01")) == '{"S": "On"}'


@pytest.mark.parametrize(("size", "code"), [(16, "e"), (32, "f"), (64, "d")])
@pytest.mark.parametrize("value", [1.25, -0.0, math.inf, math.nan])
def test_c12_floats(size: int, code: str, value: float) -> None:
    text = message(f"S : 0|{size}@1- (1,0)", more=f"SIG_VALTYPE_ 256 S : {2 if size == 64 else 1};")
    found = values(text, 0x100, struct.pack("<" + code, value))["S"]
    assert str(found) == str(value)


def test_c12_a_float_of_24_bits_is_left_out_and_reported() -> None:
    text = message("S : 0|24@1- (1,0)", "A : 24|8@1+ (1,0)", more="SIG_VALTYPE_ 256 S 1;")
    assert values(text, 0x100, "00000007") == {"A": 7}
    assert "float of 24 bits" in str(read(text).faults[0])


def test_c15_limits_of_0_and_0_are_no_limits() -> None:
    text = message("A : 0|8@1+ (1,0)") + 'BO_ 257 N: 8 ECU\n SG_ B : 0|8@1+ (1,0) [0|0.5] "" ECU\n'
    first, second = (message.signals[0] for message in read(text).messages)
    assert ((first.minimum, first.maximum), (second.minimum, second.maximum)) == ((None, None), (0, 0.5))
    assert values(text, 0x101, "05") == {"B": 5}


@pytest.mark.parametrize("name", ["°C", "Ω", "€"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_x26_and_c16_utf_8_with_and_without_a_mark_and_all_line_ends(
    name: str, start: bytes, line_end: str
) -> None:
    from cantools_cli.decoding import dbc

    text = message("S : 0|8@1+ (1,0)", more=f'VAL_ 256 S 1 "{name}" ;').replace("\n", line_end)
    database = dbc.read(start + text.encode(), "x.dbc")
    assert decoded(database, [frame(0x100, b"\1")]) == [("M", {"S": name})]
    assert not database.faults


def test_x26_other_bytes_are_windows_1252() -> None:
    from cantools_cli.decoding import dbc

    text = message("S : 0|8@1+ (1,0)", more='VAL_ 256 S 1 "€°" ;')
    assert decoded(dbc.read(text.encode("cp1252"), "x.dbc"), [frame(0x100, b"\1")]) == [("M", {"S": "€°"})]


def test_x27_base_and_extended_identifiers_of_one_number() -> None:
    text = message("A : 7|8@0- (1,0)") + message("B : 0|1@1- (-2,0)").replace("256 M", f"{1 << 31 | 256} N")
    frames = [frame(0x100, b"\xff"), frame(0x100, b"\xff", is_extended_id=True)]
    assert decoded(read(text), frames) == [("M", {"A": -1}), ("N", {"B": 2})]


def test_x27_the_last_name_of_a_value_counts_and_255_is_not_minus_1() -> None:
    text = message("S : 0|8@1- (1,0)", more='VAL_ 256 S 1 "a" 1 "b" 255 "c" ;')
    assert all_values(text, ["01", "ff"]) == [{"S": "b"}, {"S": -1}]


def test_x27_texts_with_quotes_lines_and_keywords() -> None:
    more = 'CM_ SG_ 256 S "a \\"quoted\\" text\nBO_ 999 Not: 8 ECU\n";\nVAL_ 256 S 1 "the \\"one\\"" ;'
    database = read(message("S : 0|8@1+ (1,0)", more=more))
    assert [message.name for message in database.messages] == ["M"]
    assert database.messages[0].signals[0].comment == 'a "quoted" text\nBO_ 999 Not: 8 ECU\n'
    assert decoded(database, [frame(0x100, b"\1")]) == [("M", {"S": 'the "one"'})]


def test_c17_and_c20_periods_and_start_values_by_defaults() -> None:
    text = message("S : 0|8@1+ (2,4)", "T : 8|8@1+ (1,0)") + (
        'BO_ 257 N: 8 ECU\nBA_DEF_ BO_ "GenMsgCycleTime" INT 0 1000;\n'
        'BA_DEF_ SG_ "GenSigStartValue" INT 0 100;\nBA_DEF_DEF_ "GenMsgCycleTime" 100;\n'
        'BA_DEF_DEF_ "GenSigStartValue" 9;\nBA_ "GenMsgCycleTime" BO_ 257 0;\n'
        'BA_ "GenSigStartValue" SG_ 256 S 4;\n'
    )
    first, second = read(text).messages
    assert (first.cycle_time, second.cycle_time) == (0.1, None)
    assert [signal.start_value for signal in first.signals] == [4, 9]


@pytest.mark.parametrize(("attribute", "is_fd"), [("14", True), ("15", True), ("0", False)])
def test_c19_fd_by_attribute(attribute: str, is_fd: bool) -> None:
    text = message("S : 0|8@1+ (1,0)") + f'BA_ "VFrameFormat" BO_ 256 {attribute};\n'
    assert read(text).messages[0].is_fd == is_fd


def test_c19_fd_by_length() -> None:
    assert read(message("S : 0|8@1+ (1,0)", length=64)).messages[0].is_fd
