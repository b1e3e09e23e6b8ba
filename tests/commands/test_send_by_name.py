"""``canx send BUS 'Engine(Speed=1500 rpm)' --dbc FILE``, with real processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cantools_cli.decoding.rules import checksum

BUS = "virtual:n"
DATABASE = """\
BU_: ECU
BO_ 256 Engine: 8 ECU
 SG_ Speed : 0|16@1+ (0.125,0) [0|8000] "rpm" ECU
 SG_ Gear : 16|4@1+ (1,0) [0|0] "" ECU
 SG_ Temp : 24|8@1- (1,-40) [-40|210] "degC" ECU
 SG_ Alive : 48|4@1+ (1,0) [0|0] "" ECU
 SG_ Check : 56|8@1+ (1,0) [0|0] "" ECU
BO_ 2365465600 Body: 4 ECU
 SG_ Mode M : 0|8@1+ (1,0) [0|0] "" ECU
 SG_ Door m1 : 8|8@1+ (1,0) [0|0] "" ECU
 SG_ Light m2 : 8|16@1+ (0.5,0) [0|1000] "lx" ECU
BO_ 257 Wide: 12 ECU
 SG_ Far : 80|16@1+ (1,0) [0|0] "" ECU
BA_DEF_ SG_ "GenSigStartValue" INT 0 65535;
BA_ "GenSigStartValue" SG_ 256 Temp 60;
VAL_ 256 Gear 0 "Neutral" 1 "First" 3 "Third" ;
"""


@pytest.fixture
def dbc(tmp_path: Path) -> str:
    (tmp_path / "car.dbc").write_text(DATABASE)
    return "car.dbc"


@pytest.fixture
def sent(start: Any, canx: Any, until_listening: Any, dbc: str) -> Any:
    """Return a function that sends, and returns the frames on the bus and what was printed."""

    def send(count: int, *arguments: object) -> tuple[list[str], str]:
        dump = start("dump", BUS, "-n", count)
        until_listening("n")
        done = canx("send", BUS, "--dbc", dbc, *arguments)
        assert done.returncode == 0, done.stderr
        stdout, _ = dump.communicate(timeout=20)
        return [line.split()[2] for line in stdout.decode().splitlines()], done.stderr

    return send


def test_a_frame_by_name_is_sent_and_its_unset_signals_are_named(sent):
    frames, printed = sent(1, "Engine(Speed=1500 rpm, Gear=Third)")
    assert frames == ["100#E02E033C00000000"]
    assert printed == "canx: Engine: Temp start value; Alive, Check zero\n"


def test_a_later_frame_of_the_message_keeps_the_values_of_the_former(sent):
    frames, printed = sent(3, "Engine(Speed=1500, Gear=1, Alive=0, Check=0)", "Engine(Temp=-40)", "123#01")
    assert frames == ["100#E02E013C00000000", "100#E02E010000000000", "123#01"]
    assert "Engine: Speed, Gear, Alive, Check from the last frame\n" in printed


def test_a_multiplexed_signal_sets_its_multiplexer_and_rounding_is_reported(sent):
    frames, printed = sent(1, "Body(Light=3.25 lx)")
    assert frames == ["0CFE2400#02060000"]
    assert printed == "canx: Body.Light: 3.25 is sent as 3\ncanx: Body: Mode selects the others\n"


def test_more_than_8_bytes_are_sent_by_can_fd(sent):
    assert sent(1, "Wide(Far=0x1234)", "--fd")[0] == ["101##0000000000000000000003412"]


def test_counters_and_checksums_change_in_each_frame(sent):
    frames, _ = sent(
        5,
        *("Engine(Speed=1500)", "--period", "1ms", "-n", "5"),
        *("--counter", "Engine.Alive=0..2", "--crc", "Engine.Check=crc8-j1850"),
    )
    data = [bytes.fromhex(text.partition("#")[2]) for text in frames]
    assert [frame[6] for frame in data] == [0, 1, 2, 0, 1]
    assert [frame[7] for frame in data] == [checksum("crc8-j1850", frame[:7], 8) for frame in data]


def test_a_rule_holds_for_a_frame_given_as_bytes(sent):
    frames, _ = sent(1, "100#0000000000000000", "--crc", "Engine.Check=sum-complement")
    assert frames == ["100#00000000000000FF"]


def test_signals_keep_the_values_of_the_last_frame_on_the_bus(start, canx, until_listening, dbc):
    """Another program sends the message all the time, as a controller does."""
    dump = start("dump", BUS, "-f", "100:7FF")
    other = start("send", BUS, "100#FFFF0164AAAA07FF", "--period", "5ms")
    until_listening("n")
    done = canx(
        *("send", BUS, "Engine(Gear=Third)", "--dbc", dbc, "--last", "20s"),
        *("--counter", "Engine.Alive", "--crc", "Engine.Check=xor"),
    )
    assert done.returncode == 0
    assert done.stderr == "canx: Engine: Speed, Temp from the last frame\n"
    lines = iter(dump.stdout.readline, b"")
    found = next(line for line in lines if b"100#FFFF0364" in line)
    assert b"100#FFFF0364AAAA08" in found
    other.terminate()
    dump.terminate()


def test_a_message_that_is_not_seen_is_reported(sent):
    _, printed = sent(1, "Engine(Speed=1)", "--last", "10ms")
    assert printed.startswith("canx: no frame of Engine received in 0.01 s\n")


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["Engine(Speed=9000)"], 'signal "Speed": "9000" is above the maximum, 8000 rpm', "hexadecimal"),
        (["Engin(Speed=9)"], 'car.dbc has no message "Engin"', "similar: Engine"),
        (["Engine(Gear=Frst)"], 'signal "Gear" has no value "Frst"', "similar: First"),
        (["Body(Door=1, Light=1)"], '"Door" and "Light" are never in one frame', "Mode"),
        (["Engine", "--counter", "Body.Door"], 'a rule is for message "Body", which is not sent', ""),
        (["--counter", "Engine.Alive"], "--counter has no effect: frames come from stdin", ""),
    ],
)
def test_a_mistake_is_one_line_before_the_bus_is_opened(canx, dbc, arguments, error, hint):
    done = canx("send", "virtual:n", "--dbc", dbc, *arguments, stdin="")
    assert done.returncode == 2
    assert error in done.stderr
    assert hint in done.stderr
    assert len(done.stderr.splitlines()) == (2 if "hint: " in done.stderr else 1)


def test_a_frame_by_name_needs_a_database(canx):
    done = canx("send", BUS, "Engine(Speed=1)")
    assert done.returncode == 2
    assert (
        done.stderr
        == 'canx: "Engine(Speed=1)" is a frame by name, which needs a database\nhint: --dbc FILE\n'
    )


def test_a_database_for_another_bus_is_refused(canx, dbc):
    done = canx("send", "virtual:n", "Engine", "--dbc", f"can7={dbc}")
    assert done.returncode == 2
    assert '--dbc names no database for "n"' in done.stderr
