"""``canx xcom`` as a user types it, against ``canx xcom simulate``."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from cantools_cli.cli import run
from tests.commands.conftest import CANX

CHANNEL = {"CAN_INTERFACE": "virtual", "CAN_CHANNEL": "xcom"}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def simulate(start: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that starts the simulator on virtual:xcom; it is on the bus when that returns."""

    def launch(*arguments: str) -> Any:
        process = start("xcom", "simulate", "virtual:xcom", "--still", "--latency", "1ms", *arguments)
        assert b"on virtual:xcom" in process.stderr.readline()
        return process

    return launch


@pytest.fixture
def xcom(canx: Run) -> Run:
    """Return a function that runs a command of ``canx xcom`` on the simulator's bus."""
    return lambda *arguments, **extra: canx("xcom", *arguments, **CHANNEL, **extra)


@pytest.fixture
def plant(simulate: Callable[..., Any]) -> Any:
    """Run a simulator without faults."""
    return simulate()


def printed_by(process: Any) -> str:
    """End a simulator, and return what it printed."""
    process.send_signal(signal.SIGINT)
    text: str = process.communicate(timeout=30)[0].decode()
    return text


@pytest.mark.usefixtures("plant")
def test_a_parameter_is_read_on_the_bus_that_the_environment_names(xcom) -> None:
    result = xcom("read-param", "1286")
    assert (result.returncode, result.stdout, result.stderr) == (
        0,
        "1286 AC Output voltage (xt1): 230 Vac\n",
        "",
    )


@pytest.mark.usefixtures("plant")
@pytest.mark.parametrize(
    "options",
    [["--bus", "virtual:xcom"], ["-i", "virtual", "--bus", "xcom"], ["--bus", "virtual:xcom", "-b", "250k"]],
)
def test_the_bus_may_be_named_by_options(canx, options) -> None:
    assert canx("xcom", "read-param", "1286", "--value", *options).stdout == "230\n"


@pytest.mark.usefixtures("plant")
def test_all_values_of_a_parameter(xcom) -> None:
    lines = xcom("read-param", "AC Output voltage", "--part", "all").stdout.splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == ["230 Vac", "110 Vac", "280 Vac"]


@pytest.mark.usefixtures("plant")
def test_infos_as_text_and_json(xcom) -> None:
    result = xcom("read-info", "3000", "3010", "vt1:11000")
    assert result.stdout == (
        "3000 Battery voltage (xt1): 51.8125 Vdc\n"
        "3010 Battery cycle phase (xt1): 4 (Floating)\n"
        "11000 Battery voltage (vt1): 51.875 Vdc\n"
    )
    found = json.loads(xcom("read-info", "3010", "--json").stdout)
    assert (found["number"], found["value"], found["label"], found["error"]) == (3010, 4, "Floating", None)


@pytest.mark.usefixtures("plant")
def test_an_error_reply_is_status_3_and_does_not_stop_the_others(xcom) -> None:
    result = xcom("read-info", "-d", "xt1", "3999", "3000", "--json")
    first, second = map(json.loads, result.stdout.splitlines())
    assert (result.returncode, second["value"]) == (3, 51.8125)
    assert first["error"] == {"code": 34, "name": "OBJECT_ID_NOT_FOUND"}
    assert "OBJECT_ID_NOT_FOUND (0x22): the device has no such object" in result.stderr


def test_silence_is_status_3_with_a_hint(simulate, xcom) -> None:
    simulate("--fault", "silence@xt1")
    result = xcom("read-param", "1286", "--timeout", "50ms")
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr.startswith("canx: 1286 AC Output voltage (xt1): no reply\nhint: ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["read-param"], "PARAMETER"),
        (["read-param", "no such thing"], "has"),
        (["read-param", "3000"], "read-info"),
        (["read-param", "1286", "--part", "x"], "not one of flash"),
        (["read-param", "1286", "--device", "xt77"], "no such device"),
        (["read-param", "1286", "--source", "101"], "address of xt1"),
        (["read-param", "1286", "--source", "2000"], "0 to 1023"),
        (["read-param", "1286", "--timeout", "0"], "no time"),
        (["read-param", "1286", "--retries", "-1"], "negative"),
        (["read-param", "1286", "--json", "--value"], "contradict"),
        (["write-param", "1286", "abc"], "is a number, not"),
        (["write-param", "1286", "230", "--part", "min"], "not one of ram"),
        (["monitor", "3000", "-o", "a.xyz", "-n", "1"], "suffix"),
        (["apply", "not-there.toml"], "No such file"),
        (["export", "xt"], "single device"),
        (["simulate", "--devices", "xt"], "single device"),
        (["simulate", "--fault", "x"], "not a fault"),
        (["simulate", "--set", "1286"], "PARAMETER=VALUE"),
        (["list", "--kind", "x"], "not one of"),
        (["scan", "--family", "x"], "not one of"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_usage_is_status_2_with_one_line(monkeypatch, capsys, arguments, reason) -> None:
    for name, value in CHANNEL.items():
        monkeypatch.setenv(name, value)
    assert run(["xcom", *arguments]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert len(said.splitlines()) <= 2


def test_a_bus_that_nobody_named_is_an_error(canx) -> None:
    result = canx("xcom", "read-param", "1286")
    assert result.returncode in (2, 3)
    assert "no bus given" in result.stderr


# --- writing ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("plant")
def test_a_write_goes_to_ram(xcom) -> None:
    result = xcom("write-param", "1286", "231.5")
    assert result.stdout == (
        "1286 AC Output voltage (xt1): 231.5 Vac, written to ram (110 to 280, flash 230 before)\n"
    )
    assert xcom("read-param", "1286", "--value").stdout == "230\n"
    assert xcom("read-info", "3021", "--value").stdout == "231.5\n"


@pytest.mark.usefixtures("plant")
def test_flash_is_written_where_it_is_confirmed_and_counted(xcom, tmp_path) -> None:
    refused = xcom("write-param", "1286", "229", "--part", "flash")
    assert (refused.returncode, xcom("read-param", "1286", "--value").stdout) == (2, "230\n")
    assert "--yes" in refused.stderr
    result = xcom("write-param", "1286", "229", "--part", "flash", "--yes", "-v")
    assert result.stdout.endswith("229 Vac, written to flash (110 to 280, flash 230 before), read back\n")
    assert "1 of 1000 writes" in result.stderr
    assert xcom("read-param", "1286", "--value").stdout == "229\n"
    again = xcom("write-param", "1286", "229", "--part", "flash", "--yes", "--json")
    assert (again.returncode, json.loads(again.stdout)["written"]) == (0, False)
    journal = tmp_path / "home/.local/state/canx/xcom-flash.jsonl"
    assert [json.loads(line)["value"] for line in journal.read_text().splitlines()] == [229]


@pytest.mark.usefixtures("plant")
def test_a_worn_parameter_warns_and_then_refuses(xcom, tmp_path) -> None:
    line = '{"bus":"virtual:xcom","device":"xt1","number":1286}\n'
    for count, status, words in ((950, 0, "950 of 1000 guaranteed writes"), (1000, 2, "all 1000 guaranteed")):
        (tmp_path / "worn.jsonl").write_text(line * count)
        options = ["--part", "flash", "--yes", "--journal", "worn.jsonl"]
        result = xcom("write-param", "1286", "225", *options)
        assert result.returncode == status
        assert words in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["1286", "300"], "limits, 110 to 280"),
        (["1124", "no"], "switches"),
        (["1286", "230", "--device", "xt"], "--broadcast"),
        (["1202", "3"], "not a value of"),
    ],
)
def test_what_is_not_to_be_written_is_not_sent(xcom, simulate, arguments, reason) -> None:
    process = simulate("--log")
    result = xcom("write-param", *arguments)
    assert result.returncode == 2
    assert reason in result.stderr
    assert "write parameter" not in printed_by(process)


def test_a_dry_run_prints_the_frame_and_needs_no_bus(canx) -> None:
    result = canx("xcom", "write-param", "1286", "231.5", "--dry-run")
    assert (result.returncode, result.stdout) == (0, "03280080#05060443678000\n")


@pytest.mark.usefixtures("plant")
def test_a_group_is_written_when_that_is_asked_for(xcom) -> None:
    assert xcom("write-param", "1286", "231", "-d", "xt", "--broadcast").returncode == 0
    assert xcom("read-info", "xt1:3021", "xt2:3021", "--value").stdout == "231\n231\n"


def test_a_write_without_an_answer_is_sent_once(simulate, xcom) -> None:
    process = simulate("--fault", "silence/4", "--log")  # min, max, flash, and then the write
    result = xcom("write-param", "1286", "231", "--timeout", "100ms")
    assert result.returncode == 3
    assert "unknown whether the value was written" in result.stderr
    assert printed_by(process).count("03280080#") == 1


@pytest.mark.usefixtures("plant")
@pytest.mark.parametrize(("answer", "value"), [(b"y\n", "229"), (b"n\n", "230"), (b"\n", "230")])
def test_a_terminal_is_asked_before_flash_is_written(xcom, environment, tmp_path, answer, value) -> None:
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [CANX, "xcom", "write-param", "1286", "229", "--part", "flash"],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            cwd=tmp_path,
            env=environment | CHANNEL,
        ) as process:
            asked = b""
            while b"[y/N]" not in asked:
                asked += os.read(ours, 1024)
            assert b"write number 1 of 1000" in asked
            os.write(ours, answer)
            process.communicate(timeout=30)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == (0 if value == "229" else 2)
    assert xcom("read-param", "1286", "--value").stdout == f"{value}\n"


# --- watching -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("plant")
def test_scan_finds_what_there_is(xcom) -> None:
    found = [json.loads(line) for line in xcom("scan", "--json").stdout.splitlines()]
    assert [one["device"] for one in found] == ["xt1", "xt2", "vt1", "vs1", "bsp"]
    assert (found[0]["model"], found[0]["version"]) == ("XTH", "1.6.42")


def test_scan_of_a_bus_without_a_gateway_is_status_3(xcom) -> None:
    result = xcom("scan", "--family", "xt", "--timeout", "20ms")
    assert (result.returncode, result.stdout) == (3, "")


@pytest.mark.usefixtures("plant")
def test_monitor_is_json_lines_in_a_pipe(xcom) -> None:
    lines = xcom("monitor", "3000", "bsp:7002", "-n", "3", "--interval", "10ms").stdout.splitlines()
    values = [(json.loads(line)["device"], json.loads(line)["value"]) for line in lines]
    assert values == [("xt1", 51.8125), ("bsp", 87)] * 3


@pytest.mark.usefixtures("plant")
def test_monitor_writes_csv_and_goes_on_with_it(xcom, tmp_path) -> None:
    options = ["monitor", "3000", "3010", "-n", "2", "--interval", "10ms", "-o", "a.csv"]
    assert xcom(*options).returncode == 0
    assert xcom(*options).returncode == 2
    assert xcom(*options, "--append").returncode == 0
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["value"] for row in rows] == ["51.8125", "4"] * 4
    assert rows[1]["label"] == "Floating"


@pytest.mark.usefixtures("plant")
def test_monitor_writes_parquet(xcom, tmp_path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    result = xcom("monitor", "3000", "-d", "xt1", "3999", "-n", "2", "--interval", "10ms", "-o", "a.parquet")
    assert result.returncode == 3  # one of them cannot be read
    columns = parquet.read_table(tmp_path / "a.parquet").to_pydict()
    assert columns["value"] == [51.8125, None] * 2
    assert columns["error"] == [None, "OBJECT_ID_NOT_FOUND"] * 2


def test_monitor_ends_by_a_signal_with_its_file_complete(simulate, start, tmp_path) -> None:
    simulate()
    process = start(
        *["xcom", "monitor", "3000", "--interval", "10ms", "--bus", "virtual:xcom", "-o", "a.jsonl"]
    )
    while not (tmp_path / "a.jsonl").exists() or (tmp_path / "a.jsonl").read_text().count("\n") < 3:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert {json.loads(line)["value"] for line in lines} == {51.8125}


def test_messages_are_followed(simulate, xcom) -> None:
    simulate("--notify", "xt1:16@50ms")
    result = xcom("messages", "--follow", "-n", "2")
    assert result.returncode == 0
    assert re.fullmatch(
        r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d xt1 Warning \(016\): Fan error detected\n){2}", result.stdout
    )
    found = json.loads(xcom("messages", "--follow", "-n", "1", "--json").stdout)
    assert (found["device"], found["number"], found["level"]) == ("xt1", 16, "warning")


def test_no_message_in_time_is_status_1_where_one_was_wanted(xcom) -> None:
    assert xcom("messages", "--duration", "50ms", "-n", "1").returncode == 1
    assert xcom("messages", "--duration", "50ms").returncode == 0


# --- files of parameters, frames, the table -----------------------------------------------------------


@pytest.mark.usefixtures("plant")
def test_parameters_are_saved_compared_and_brought_back(xcom, tmp_path) -> None:
    path = tmp_path / "bsp.toml"
    assert xcom("export", "bsp", "-o", "bsp.toml").returncode == 0
    assert xcom("export", "bsp", "-o", "bsp.toml").returncode == 2
    assert xcom("apply", "bsp.toml", "--dry-run").returncode == 0
    assert "\n6001 = 110\n" in path.read_text()
    path.write_text(path.read_text().replace("\n6001 = 110\n", "\n6001 = 200\n"))
    result = xcom("apply", "bsp.toml", "--dry-run")
    assert (result.returncode, result.stdout) == (1, "6001 Nominal capacity (bsp): 110 Ah -> 200 Ah\n")
    assert xcom("apply", "bsp.toml").returncode == 2  # nobody to ask
    assert xcom("read-param", "6001", "--value").stdout == "110\n"
    assert xcom("apply", "bsp.toml", "--yes", "--part", "flash").returncode == 0
    assert xcom("read-param", "6001", "--value").stdout == "200\n"


@pytest.mark.usefixtures("plant")
def test_one_wrong_parameter_keeps_all_from_being_written(xcom, tmp_path) -> None:
    (tmp_path / "a.toml").write_text("[xt1]\n1286 = 229\n1107 = 1000\n")
    result = xcom("apply", "a.toml", "--yes", "--part", "flash")
    assert result.returncode == 2
    assert "1107" in result.stderr
    assert xcom("read-param", "1286", "--value").stdout == "230\n"


def test_an_export_of_what_is_not_there_ends_at_once(simulate, xcom, tmp_path) -> None:
    simulate("--devices", "vt1")
    result = xcom("export", "xt1", "-o", "a.toml")
    assert result.returncode == 3
    assert not (tmp_path / "a.toml").exists()


def test_decode_is_a_filter(canx) -> None:
    log = (
        "(1.000000) can0 03280040#050600\n(1.100000) can0 123#11\n"
        "(1.200000) can0 0000CA40#05060043660000\n(1.300000) can0 0FA0CAC0#001000000000\n"
    )
    result = canx("xcom", "decode", stdin=log)
    assert result.stdout == (
        "(1.000000) can0 request 0->xt1 read parameter 1286 AC Output voltage [flash]\n"
        "(1.200000) can0 reply xt1->0 read parameter 1286 AC Output voltage [flash]: 230 Vac\n"
        "(1.300000) can0 message xt1->all Warning (016): Fan error detected\n"
    )
    lines = canx("xcom", "decode", "--json", stdin=log).stdout.splitlines()
    assert [json.loads(line)["what"] for line in lines] == ["request", "reply", "message"]


def test_decode_says_each_frame_as_it_comes(start) -> None:
    process = start("xcom", "decode", stdin=subprocess.PIPE)
    process.stdin.write(b"(1.0) can0 03280000#0BB8\n")
    process.stdin.flush()
    assert b"read info 3000 Battery voltage" in process.stdout.readline()  # with the pipe still open


def test_decode_stops_at_malformed_input_with_its_place(canx) -> None:
    result = canx("xcom", "decode", stdin="(1.0) can0 03280000#0BB8\nnonsense\n")
    assert result.returncode == 2
    assert "-:2" in result.stderr
    assert canx("xcom", "decode", "--on-error", "skip", stdin="(1.0) can0 123#\nnonsense\n").returncode == 0


def test_list_searches_the_table(canx) -> None:
    assert canx("xcom", "list", "1286").stdout == "1286\tparameter\txt\tAC Output voltage\tVac\n"
    assert "default 230, min 110, max 280" in canx("xcom", "list", "1286", "-v").stdout
    assert canx("xcom", "list", "--kind", "message", "fan", "error").stdout.startswith("16\tmessage")
    found = json.loads(canx("xcom", "list", "3010", "--json").stdout)
    assert found["options"]["4"] == "Floating"
    assert canx("xcom", "list", "no such thing").returncode == 1


def test_two_commands_at_once_do_not_mix_their_answers(simulate, start) -> None:
    simulate("--latency", "5ms")
    options = ["--bus", "virtual:xcom", "-n", "15", "--interval", "0", "--timeout", "10s"]
    first = start("xcom", "monitor", "3000", *options)
    second = start("xcom", "monitor", "bsp:7002", *options)
    for process, value in ((first, 51.8125), (second, 87)):
        lines = process.communicate(timeout=60)[0].splitlines()
        assert [json.loads(line)["value"] for line in lines] == [value] * 15
        assert process.returncode == 0


@pytest.mark.parametrize(
    "fault", ["wrong-source", "wrong-object", "short", "standard", "late=300ms", "silence"]
)
def test_faults_of_the_simulator_never_give_a_value(simulate, xcom, fault) -> None:
    simulate("--fault", fault)
    result = xcom("read-info", "3000", "--timeout", "100ms")
    assert (result.returncode, result.stdout) == (3, "")


def test_a_simulated_day_changes_values(start, xcom) -> None:
    process = start("xcom", "simulate", "virtual:xcom", "--day", "1s", "--clock", "09:00")
    assert b"on virtual:xcom" in process.stderr.readline()
    result = xcom("monitor", "vt1:11004", "3000", "-n", "4", "--interval", "1100ms")
    assert result.returncode == 0
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert len({one["value"] for one in found if one["number"] == 3000}) > 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_simulator_ends_by_a_signal(plant, number) -> None:
    plant.send_signal(number)
    plant.communicate(timeout=30)
    assert plant.returncode == -number


def test_verbose_shows_the_frames(simulate, xcom) -> None:
    simulate()
    result = xcom("read-param", "1286", "-v")
    assert "sent: 03280040#050600" in result.stderr
    assert "received: 0000CA40#05060043660000" in result.stderr
