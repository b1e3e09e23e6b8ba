"""``canx gen --dbc``: traffic of a database, to stdout and to a bus."""

from __future__ import annotations

from pathlib import Path

import pytest

DATABASE = """\
BU_: ECU
BO_ 256 Engine: 8 ECU
 SG_ Speed : 0|16@1+ (0.125,0) [0|8000] "rpm" ECU
 SG_ Alive : 48|4@1+ (1,0) [0|0] "" ECU
BO_ 257 Slow: 1 ECU
 SG_ X : 0|8@1+ (1,0) [0|0] "" ECU
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_ "GenMsgCycleTime" BO_ 256 20;
"""


@pytest.fixture
def dbc(tmp_path: Path) -> str:
    (tmp_path / "car.dbc").write_text(DATABASE)
    return "car.dbc"


def test_messages_have_their_cycle_times(canx, dbc):
    done = canx("gen", "--dbc", dbc, "--duration", "2s", "--seed", "1", "-g", "500ms")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert 99 <= sum(" 100#" in line for line in lines) <= 100
    assert 3 <= sum(" 101#" in line for line in lines) <= 4
    assert done.stderr == "canx: 1 message without a cycle time, generated every 500 ms\n"
    assert canx("gen", "--dbc", dbc, "--duration", "2s", "--seed", "1", "-g", "500ms").stdout == done.stdout


def test_each_channel_has_the_traffic_of_its_database(canx, dbc):
    done = canx("gen", "--dbc", f"can3={dbc},can4={dbc}", "-n", "40", "--seed", "1")
    assert {line.split()[1] for line in done.stdout.splitlines()} == {"can3", "can4"}


def test_it_is_sent_to_a_bus_with_a_counter(start, canx, until_listening, dbc):
    dump = start("dump", "virtual:g", "-f", "100:7FF", "-n", 3)
    until_listening("g")
    done = canx(
        "gen", "virtual:g", "--dbc", dbc, "--duration", "200ms", "--counter", "Engine.Alive=1..2", "-q"
    )
    assert done.returncode == 0
    stdout, _ = dump.communicate(timeout=20)
    counters = [line.split()[2][-3] for line in stdout.decode().splitlines()]
    assert counters in (["1", "2", "1"], ["2", "1", "2"])


def test_messages_longer_than_a_frame_are_counted(canx, tmp_path):
    long = 'BO_ 2365465601 Long: 39 X\n SG_ A : 0|8@1+ (1,0) [0|0] "" X\n'
    j1939 = 'BA_DEF_ "ProtocolType" STRING ;\nBA_ "ProtocolType" "J1939";\n'
    (tmp_path / "long.dbc").write_text(DATABASE + long + j1939)
    done = canx("gen", "--dbc", "long.dbc", "-n", "5", "-q")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 5
    assert done.stderr == "canx: long.dbc: lost 1 message longer than a frame (left out), such as Long\n"
    (tmp_path / "only.dbc").write_text(long + j1939)
    done = canx("gen", "--dbc", "only.dbc", "-n", "5")
    assert (done.returncode, done.stdout) == (2, "")
    assert "only.dbc: all messages are longer than a frame: Long" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--dbc", "car.dbc", "-I", "42A"], "--id has no effect: the database describes the frames"),
        (["--dbc", "car.dbc", "--rate", "5"], "--rate has no effect: the database describes the frames"),
        (["--dbc", "car.dbc", "-g", "0"], "--gap 0 has no effect: messages have cycle times"),
        (["--counter", "Engine.Alive"], "--counter has no effect: no database is named"),
        (["--dbc", "car.dbc", "--counter", "Engine.Alve"], 'message "Engine" has no signal "Alve"'),
    ],
)
def test_a_mistake_is_one_clear_line(canx, dbc, arguments, error):
    done = canx("gen", *arguments, "-n", "1")
    assert done.returncode == 2
    assert error in done.stderr
    assert len(done.stderr.splitlines()) <= 2
