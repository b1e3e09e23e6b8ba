"""``canx db``: what it shows, checks and compares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CAR = """VERSION "7"
BU_: ECU Dash
BO_ 256 Engine: 3 ECU
 SG_ Speed : 0|12@1+ (0.5,0) [0|2000] "rpm" Dash
 SG_ Mode M : 16|2@1+ (1,0) [0|3] "" Dash
 SG_ Torque m1 : 23|4@0- (1,-8) [0|0] "Nm" Dash
 SG_ Fuel m2 : 18|6@1+ (1,0) [0|0] "" Dash
BO_ 2566844926 Wheels: 8 ECU
 SG_ Left : 7|16@0+ (1,0) [0|0] "" Dash
CM_ BO_ 256 "The engine,
at 10 ms";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_ "GenMsgCycleTime" BO_ 256 10;
VAL_ 256 Mode 0 "Off" 1 "On" ;
"""


@pytest.fixture
def car(tmp_path: Path) -> Path:
    path = tmp_path / "car.dbc"
    path.write_text(CAR)
    return path


def test_messages_are_listed_in_the_order_of_the_file(canx, car):
    result = canx("db", "car.dbc")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "Engine\t100\t3\t\t4\t10 ms\tECU\nWheels\t18FEF1FE\t8\t\t1\t\tECU\n"
    assert canx("db", "car.dbc", "--j1939").stdout.splitlines()[1] == "Wheels\t18FEF1FE\t8\tJ1939\t1\t\tECU"


@pytest.mark.parametrize("name", ["Engine", "100", "0x100"])
def test_a_message_is_shown_with_its_signals_and_bits(canx, car, name):
    result = canx("db", "car.dbc", name)
    assert (result.returncode, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
Engine: 100, 3 bytes
The engine, at 10 ms
1\tSpeed\t0\t12\tuint little\t*0.5\trpm\t0..2000
2\tMode\t16\t2\tuint little\t\t\t0..3\t\t0 Off, 1 On
3\tTorque\t23\t4\tint big\t*1-8\tNm\t\tMode 1
4\tFuel\t18\t6\tuint little\t\t\t\tMode 2

Mode 1:
byte    7    6    5    4    3    2    1    0
   0    1    1    1    1    1    1    1    1
   1    .    .    .    .   1*    1    1    1
   2   3*    3    3    3    .    .   2*    2

Mode 2:
byte    7    6    5    4    3    2    1    0
   0    1    1    1    1    1    1    1    1
   1    .    .    .    .   1*    1    1    1
   2   4*    4    4    4    4    4   2*    2
"""
    )


def test_json_holds_everything(canx, car):
    engine, wheels = map(json.loads, canx("db", "car.dbc", "--json").stdout.splitlines())
    assert (engine["arbitration_id"], engine["cycle_time"], engine["comment"]) == (
        256,
        0.01,
        "The engine,\nat 10 ms",
    )
    assert engine["signals"][2] == {
        "signal": "Torque",
        "start": 23,
        "size": 4,
        "byte_order": "big_endian",
        "type": "int",
        "factor": 1,
        "offset": -8,
        "minimum": None,
        "maximum": None,
        "unit": "Nm",
        "choices": {},
        "is_selector": False,
        "selector": "Mode",
        "selected_by": [[1, 1]],
        "start_value": None,
        "receivers": ["Dash"],
        "spn": None,
        "comment": "",
        "line": 6,
    }
    assert [signal["start"] for signal in wheels["signals"]] == [7]
    lines = canx("db", "car.dbc", "--signals", "--json").stdout.splitlines()
    assert [(found["message"], found["signal"]) for found in map(json.loads, lines)] == [
        *(("Engine", name) for name in ("Speed", "Mode", "Torque", "Fuel")),
        ("Wheels", "Left"),
    ]


def test_a_database_without_mistakes_passes(canx, car):
    result = canx("db", "car.dbc", "--check")
    assert (result.returncode, result.stdout) == (0, "car.dbc: 2 messages, 5 signals, no mistakes found\n")


BAD = """BO_ 255 Engine: 2 ECU
 SG_ Speed : 0|12@1+ (0.5,0) [0|5000] "rpm" X
 SG_ Torque : 8|8@1+ (1,0) [9|3] "" X
 SG_ Late : 12|8@1+ (1,0) [0|0] "" X
 SG_ Broken : 12|8@1+ (1;0) [0|0] "" X
BO_ 256 First: 2 ECU
BO_ 256 Second: 2 ECU
 SG_ Flag : 0|1@1+ (1,0) [4|5] "" X
BO_ 257 Second: 65 ECU
VAL_ 256 Flag 0 "No" 2 "Two" ;
VAL_ 256 Speed 0 "None" ;
"""


def test_mistakes_are_listed_with_their_lines(canx, tmp_path):
    (tmp_path / "bad.dbc").write_text(BAD)
    result = canx("db", "bad.dbc", "--check")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.splitlines() == [
        f"bad.dbc:{text}"
        for text in (
            '3: message "Engine": signal "Torque" has the minimum 9 above the maximum 3',
            '3: message "Engine": signal "Torque" overlaps "Speed" in byte 1, bit 0',
            '4: message "Engine": signal "Late" ends in byte 2, but the message has 2 bytes',
            '4: message "Engine": signal "Late" overlaps "Torque" in byte 1, bit 4',
            '5: malformed signal: "SG_ Broken : 12|8@1+ (1;0) [0|0] "" X"',
            '7: message "Second" has the identifier of "First", line 6, which is left out',
            '8: message "Second": signal "Flag" has the minimum 4, but its bits hold at most 1',
            '8: message "Second": signal "Flag" has a name for 2, but its bits hold 0 to 1',
            '9: message "Second": 65 bytes, but its frames have at most 64',
            '9: message "Second" has the name of another, line 7',
            '11: message "Second" has no signal "Speed"',
        )
    ]
    rows = [json.loads(line) for line in canx("db", "bad.dbc", "--check", "--json").stdout.splitlines()]
    assert [row["line"] for row in rows] == [3, 3, 4, 4, 5, 7, 8, 8, 9, 9, 11]
    listed = canx("db", "bad.dbc")
    assert listed.returncode == 0
    assert listed.stderr.startswith("canx: bad.dbc:5: malformed signal")
    assert listed.stderr.endswith("; 2 more faults: canx db --check bad.dbc lists them\n")


def test_differences_are_listed_and_are_status_1(canx, car, tmp_path):
    changed = (
        CAR.replace("(0.5,0)", "(0.25,0)").replace("Fuel", "Petrol").replace("BO_ 2566844926", "BO_ 300")
    )
    (tmp_path / "new.dbc").write_text(changed.replace('1 "On"', '1 "Run"') + "BO_ 512 Doors: 1 ECU\n")
    result = canx("db", "car.dbc", "--diff", "new.dbc")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.splitlines() == [
        "+ Doors",
        "~ Engine.Speed: factor 0.5 -> 0.25",
        "~ Engine.Mode: values 0 Off, 1 On -> 0 Off, 1 Run",
        "- Engine.Fuel",
        "+ Engine.Petrol",
        "~ Wheels: id 18FEF1FE -> 12C",
        "~ Wheels: extended id yes -> no",
    ]
    first = json.loads(canx("db", "new.dbc", "--diff", "car.dbc", "--json").stdout.splitlines()[1])
    assert first == {"message": "Engine", "signal": "Speed", "change": "factor", "before": 0.25, "after": 0.5}
    assert canx("db", "car.dbc", "--diff", "car.dbc").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["car.dbc", "Engin"], 'car.dbc has no message "Engin"\nhint: similar: Engine'),
        (["car.dbc", "7FF"], 'car.dbc has no message "7FF"'),
        (["car.dbc", "Engine", "--check"], "--check and MESSAGE exclude each other"),
        (["missing.dbc"], "missing.dbc: No such file or directory"),
        (["empty.dbc"], "empty.dbc: no messages: not a database that canx recognises"),
        (["noise.bin"], "noise.bin: no messages: not a database that canx recognises"),
        (["wrong.dbc"], 'wrong.dbc:2: malformed message: "BO_ 0x100 M: 8 ECU"'),
        (
            ["car.dbc", "--encoding", "nonsense"],
            'no encoding "nonsense"\nhint: as in utf-8, cp1252, gbk, shift_jis',
        ),
        (["car.dbc", "--diff", "missing.dbc"], "missing.dbc: No such file or directory"),
    ],
)
def test_bad_input_is_one_clear_line(canx, car, tmp_path, arguments, message):
    (tmp_path / "empty.dbc").write_bytes(b"")
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "wrong.dbc").write_text('VERSION ""\nBO_ 0x100 M: 8 ECU\n')
    result = canx("db", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"canx: {message}\n"
