"""``canx decode`` in a pipe, ``--dbc`` of dump and sniff, and signals in ``--where``."""

from __future__ import annotations

import json
import os
import select
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import CANX

DBC = """VERSION ""
BU_: ECU
BO_ 256 Engine: 8 ECU
 SG_ Speed : 0|16@1+ (0.25,0) [0|16000] "rpm" ECU
 SG_ Temp : 16|8@1- (1,-40) [-40|215] "degC" ECU
 SG_ Gear : 24|4@1+ (1,0) [0|15] "" ECU
BO_ 512 Body: 8 ECU
 SG_ Mux M : 0|8@1+ (1,0) [0|255] "" ECU
 SG_ A m0 : 8|16@1+ (1,0) [0|0] "V" ECU
 SG_ B m1 : 8|16@1- (0.1,0) [0|0] "A" ECU
BO_ 768 Counter: 8 ECU
 SG_ Value : 0|64@1+ (1,0) [0|0] "" ECU
BO_ 1024 Floats: 8 ECU
 SG_ Single : 0|32@1- (1,0) [0|0] "" ECU
 SG_ Scaled : 32|32@1- (-2,1) [0|0] "" ECU
VAL_ 256 Gear 0 "Neutral" 1 "First, low" ;
SIG_VALTYPE_ 1024 Single : 1;
"""
LOG = """(1700000000.000001) can0 100#2C01320100000000
(1700000000.000002) can0 200#0001020000000000
(1700000000.250003) can1 100#5802FF0700000000
(1700000001.000004) can0 200#01FDFF0000000000
(1700000001.000005) can0 300#0100000000002080
(1700000001.000006) can0 7FF#00
(1700000001.000007) can0 100#R
(1700000001.000008) can0 100#2D01
(1700000001.000009) can0 400#CDCCCC3D03000000
(1700000001.000010) can0 400#0000C07FFDFFFFFF
"""
LINES = [
    "Engine(Speed: 75 rpm, Temp: 10 degC, Gear: First, low)",
    "Body(Mux: 0, A: 513 V)",
    "Engine(Speed: 150 rpm, Temp: -41 degC, Gear: 7)",
    "Body(Mux: 1, B: -0.3 A)",
    "Counter(Value: 9232379236109516801)",
    "unknown",
    "",
    "Engine(Speed: 75.25 rpm) (2 of 8 bytes)",
    "Floats(Single: 0.1, Scaled: -5)",
    "Floats(Single: nan, Scaled: 7)",
]
LEFT_OUT = (
    "canx: not decoded: 1 frame whose identifier is not in car.dbc, 1 frame too short for some signals, "
    "1 remote, error or CAN XL frame\n"
)


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    """Put a database and a log into the test's folder."""
    (tmp_path / "car.dbc").write_text(DBC)
    (tmp_path / "drive.log").write_text(LOG)


def test_each_line_gets_the_signals_of_its_frame(canx: Any) -> None:
    result = canx("decode", "--dbc", "car.dbc", stdin=LOG)
    expected = [
        f"{line} :: {text}" if text else line for line, text in zip(LOG.splitlines(), LINES, strict=True)
    ]
    assert (result.returncode, result.stdout.splitlines(), result.stderr) == (0, expected, LEFT_OUT)


def test_frames_that_are_not_decoded_are_a_loss_under_strict(canx: Any) -> None:
    assert canx("decode", "--dbc", "car.dbc", "--strict", stdin=LOG).returncode == 2
    assert (
        canx("decode", "--dbc", "car.dbc", "--strict", stdin="\n".join(LOG.splitlines()[:5])).returncode == 0
    )
    assert canx("decode", "--dbc", "car.dbc", "--strict", stdin=LOG.splitlines()[6]).returncode == 0


def test_json_has_the_message_and_its_signals(canx: Any) -> None:
    result = canx("decode", "drive.log", "--dbc", "car.dbc", "--json")
    records = [json.loads(line, parse_constant=pytest.fail) for line in result.stdout.splitlines()]
    frames = [json.loads(line) for line in canx("convert", "drive.log", "--to", "json").stdout.splitlines()]
    added = [
        {"message": "Engine", "signals": {"Speed": 75, "Temp": 10, "Gear": "First, low"}},
        {"message": "Body", "signals": {"Mux": 0, "A": 513}},
        {"message": "Engine", "signals": {"Speed": 150, "Temp": -41, "Gear": 7}},
        {"message": "Body", "signals": {"Mux": 1, "B": -0.3}},
        {"message": "Counter", "signals": {"Value": 9232379236109516801}},
        {"message": None},
        {},
        {"message": "Engine", "signals": {"Speed": 75.25}, "is_short": True},
        {"message": "Floats", "signals": {"Single": 0.1, "Scaled": -5}},
        {"message": "Floats", "signals": {"Single": None, "Scaled": 7}},
    ]
    assert records == [frame | more for frame, more in zip(frames, added, strict=True)]
    assert '"signals":{"Speed":75.0,"Temp":10,' in result.stdout  # the type does not depend on the value
    assert result.stderr == LEFT_OUT


def test_numbers_replaces_names(canx: Any) -> None:
    result = canx("decode", "drive.log", "--dbc", "car.dbc", "--numbers", "-n", "1", "--json")
    assert json.loads(result.stdout)["signals"]["Gear"] == 1


def test_a_channel_without_a_database_passes(canx: Any) -> None:
    result = canx("decode", "drive.log", "--dbc", "can1=car.dbc")
    decoded = [line for line in result.stdout.splitlines() if " :: " in line]
    assert decoded == [f"{LOG.splitlines()[2]} :: {LINES[2]}"]
    assert result.stderr == "canx: not decoded: 9 frames of channels without a database\n"


def test_a_line_goes_on_before_the_next_frame_arrives(environment: Any, tmp_path: Path) -> None:
    with subprocess.Popen(
        [CANX, "decode", "--dbc", "car.dbc"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line, text in zip(LOG.splitlines()[:3], LINES[:3], strict=True):
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 30)[0], "no line while the pipe is open"
            assert os.read(process.stdout.fileno(), 4096).decode() == f"{line} :: {text}\n"
        process.stdin.close()
        assert process.wait(30) == 0


def test_lines_go_to_a_file(canx: Any, tmp_path: Path) -> None:
    assert canx("decode", "drive.log", "--dbc", "car.dbc", "-o", "out.jsonl", "-q").returncode == 0
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])["message"] == "Engine"
    result = canx("decode", "drive.log", "--dbc", "car.dbc", "-o", "out.jsonl")
    assert (result.returncode, result.stderr.splitlines()[0]) == (2, "canx: out.jsonl: already exists")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--dbc", "car.dbc", "--to", "blf"], "canx: blf has no room for signals"),
        (["--dbc", "car.dbc", "--wide"], "canx: --wide has no effect: the output is lines"),
        ([], "canx: decode needs a database"),
        (["--dbc", "none.dbc"], "canx: none.dbc: No such file or directory"),
        (["--dbc", "drive.log"], None),
    ],
)
def test_bad_usage_is_one_clear_line(canx: Any, arguments: list[str], error: str | None) -> None:
    result = canx("decode", "drive.log", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    lines = [line for line in result.stderr.splitlines() if not line.startswith("hint: ")]
    assert len(lines) == 1
    assert error is None or lines == [error]


# expression: the frames of the log that pass, by number
WHERE = [
    ("Engine.Speed gt 100", [2]),
    ("Engine.Speed ge 75 and Engine.Speed lt 75.25", [0]),
    ("Engine.Speed in 75..80", [0, 7]),
    ("Engine.Speed eq 75.1", []),
    ("Engine.Speed ne 75", [2, 7]),
    ("not Engine.Speed ne 75", [0, 1, 3, 4, 5, 6, 8, 9]),
    ("Engine.Temp eq -41", [2]),
    ('Engine.Gear eq "First, low"', [0]),
    ('Engine.Gear ne "First, low"', [2]),
    ("Engine.Gear in Neutral, 7", [2]),
    ("Body.B eq -0.3", [3]),
    ("Body.B gt -1", [3]),
    ("Body.A ge 0", [1]),
    ("Counter.Value ge 0x8000000000000000", [4]),
    ("Counter.Value lt 0x8000000000000000", []),
    ("Counter.Value ge 1", [4]),
    ("Counter.Value not in 2..0x8000000000000000", [4]),
    ("Floats.Single eq 0.1", [8]),
    ("Floats.Single gt 0.1 or Floats.Single le 0.1", [8]),
    ("Floats.Scaled lt 0", [8]),
    ("Floats.Scaled ge 7", [9]),
    ("Floats.Scaled in -6..-4, 7", [8, 9]),
    ("message eq Engine", [0, 2, 7]),
    ("message ne Engine and known", [1, 3, 4, 8, 9]),
    ("message in Engine, Body and channel eq can1", [2]),
    ("known", [0, 1, 2, 3, 4, 7, 8, 9]),
    ("not known", [5, 6]),
]


@pytest.mark.parametrize(("expression", "numbers"), WHERE)
def test_signals_choose_frames(canx: Any, expression: str, numbers: list[int]) -> None:
    result = canx("convert", "drive.log", "--dbc", "car.dbc", "--where", expression)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [LOG.splitlines()[number] for number in numbers]


@pytest.mark.parametrize(
    ("expression", "error", "hint"),
    [
        ("Engine.Sped gt 3", 'message "Engine" has no signal "Sped", at position 1', "similar: Speed"),
        ("Engien.Speed gt 3", 'car.dbc has no message "Engien", at position 1', "similar: Engine"),
        ("message eq Engien", 'car.dbc has no message "Engien", at position 12', "similar: Engine"),
        (
            "Engine.Gear eq First",
            '"First" is neither a number nor the name of a value, at position 16',
            "names: First, low, ...",
        ),
        (
            "Engine.Gear gt Neutral",
            "names have no order, only eq, ne and in, at position 16",
            "Engine.Gear gt 3, Engine.Gear in A, B",
        ),
        ("Engine.Speed in 9..3", "a range that ends below its start, at position 20", None),
    ],
)
def test_a_wrong_name_or_value_is_refused(canx: Any, expression: str, error: str, hint: str | None) -> None:
    result = canx("convert", "drive.log", "--dbc", "car.dbc", "--where", expression)
    assert (result.returncode, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert lines[0] == f'canx: bad expression "{expression}": {error}'
    assert hint is None or lines[1] == f"hint: {hint}"


def test_signals_need_a_database_and_a_database_needs_signals(canx: Any) -> None:
    result = canx("convert", "drive.log", "--where", "Engine.Speed gt 3")
    assert result.stderr.splitlines()[1] == "hint: --dbc FILE names one"
    result = canx("convert", "drive.log", "--dbc", "car.dbc", "--where", "data")
    assert result.returncode == 2
    assert result.stderr.startswith("canx: --dbc has no effect: --where names no signal\n")


def test_dump_shows_signals_and_chooses_by_them(canx: Any, start: Any, until_listening: Any) -> None:
    shown = start("dump", "virtual:cars", "-n", "2", "--candump", "--dbc", "car.dbc", "--where", "known")
    objects = start("dump", "virtual:cars", "-n", "1", "--json", "--dbc", "car.dbc", "--where", "Body.B lt 0")
    until_listening("cars", 2)
    assert (
        canx("send", "virtual:cars", "100#2C01320100000000", "7FF#00", "200#01FDFF0000000000").returncode == 0
    )
    lines = shown.communicate(timeout=30)[0].decode().splitlines()
    assert [line.partition(" :: ")[2] for line in lines] == [LINES[0], LINES[3]]
    assert json.loads(objects.communicate(timeout=30)[0])["signals"] == {"Mux": 1, "B": -0.3}


def test_sniff_shows_the_signals_of_each_row(canx: Any) -> None:
    result = canx("sniff", "drive.log", "--once", "--dbc", "car.dbc", "--columns", "id,values", "-d", "7FF:B")
    assert [line.split(maxsplit=1)[1] for line in result.stdout.splitlines()[1:]] == [
        LINES[7],
        LINES[2],
        LINES[3],
        LINES[4],
        LINES[9],
        "0",
    ]


def test_replay_and_bridge_take_signals(canx: Any) -> None:
    for command in (["replay", "drive.log", "virtual:none"], ["bridge", "virtual:a", "virtual:b"]):
        result = canx(*command, "--dbc", "car.dbc", "--where", "Engine.Sped eq 1")
        assert (result.returncode, result.stderr.splitlines()[-1]) == (2, "hint: similar: Speed")


def test_a_name_with_control_characters_stays_on_its_line(canx: Any, tmp_path: Path) -> None:
    (tmp_path / "car.dbc").write_text(DBC.replace("First, low", "First\n\x1b[31m"))
    result = canx("decode", "drive.log", "--dbc", "car.dbc", "-n", "1")
    assert result.stdout.endswith("Gear: First\\n\\x1b[31m)\n")
    assert result.stdout.count("\n") == 1
