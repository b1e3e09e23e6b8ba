"""``canx decode -o``: the tables that a user gets, as the tools for tables read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.commands.test_man import examples

pytest.importorskip("pyarrow")

DBC = """VERSION ""
BU_: ECU
BO_ 256 Engine: 8 ECU
 SG_ Speed : 0|16@1+ (0.25,0) [0|16000] "rpm" ECU
 SG_ Temp : 16|8@1- (1,-40) [-40|215] "degC" ECU
 SG_ Gear : 24|4@1+ (1,0) [0|15] "" ECU
 SG_ gear : 28|4@1+ (1,0) [0|15] "" ECU
BO_ 512 Body: 8 ECU
 SG_ Mux M : 0|8@1+ (1,0) [0|255] "" ECU
 SG_ A m0 : 8|16@1+ (1,0) [0|0] "V" ECU
 SG_ B m1 : 8|16@1- (0.5,0) [0|0] "A" ECU
BO_ 768 Counter: 8 ECU
 SG_ Value : 0|64@1+ (1,0) [0|0] "" ECU
VAL_ 256 Gear 0 "Neutral" 1 "First, low" ;
"""
LOG = """(1700000000.000001) can0 100#2C01320100000000
(1700000000.000002) can0 200#0001020000000000
(1700000000.250003) can1 100#5802FF0700000000
(1700000001.000004) can0 200#01FFFF0000000000
(1700000001.000005) can0 300#0100000000002000
(1700000001.000006) can0 7FF#00
(1700000001.000007) can0 100#R
(1700000001.000008) can0 100#2D01
"""
LEFT_OUT = (
    "canx: not decoded: 1 frame whose identifier is not in car.dbc, 1 frame too short for some signals, "
    "1 remote frame\n"
)


@pytest.fixture
def decode(canx: Any, tmp_path: Path) -> Any:
    """Return a function that runs ``canx decode`` on the log."""
    (tmp_path / "car.dbc").write_text(DBC)
    (tmp_path / "drive.log").write_text(LOG)
    return lambda *arguments: canx("decode", "drive.log", "--dbc", "car.dbc", *arguments)


def rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    stamps = table.column("timestamp").cast("int64").to_pylist()
    return [
        row | {"timestamp": stamp - 1_700_000_000_000_000_000}
        for row, stamp in zip(table.drop(["timestamp"]).to_pylist(), stamps, strict=True)
    ]


def test_a_long_table_has_a_row_per_value_in_the_order_of_the_frames(decode, tmp_path):
    result = decode("-o", "signals.parquet", "-v")
    assert result.returncode == 0
    lost = "canx: signals.parquet: lost whole numbers rounded to 53 bits of 1 frame\n"
    assert result.stderr == LEFT_OUT + lost + "canx: 14 values written to signals.parquet\n"
    found = [
        (row["timestamp"] // 1000, row["channel"], row["message"], row["signal"], row["value"], row["name"])
        for row in rows(tmp_path / "signals.parquet")
    ]
    assert found == [
        (1, "can0", "Engine", "Speed", 75.0, None),
        (1, "can0", "Engine", "Temp", 10.0, None),
        (1, "can0", "Engine", "Gear", 1.0, "First, low"),
        (1, "can0", "Engine", "gear", 0.0, None),
        (2, "can0", "Body", "Mux", 0.0, None),
        (2, "can0", "Body", "A", 513.0, None),
        (250003, "can1", "Engine", "Speed", 150.0, None),
        (250003, "can1", "Engine", "Temp", -41.0, None),
        (250003, "can1", "Engine", "Gear", 7.0, None),
        (250003, "can1", "Engine", "gear", 0.0, None),
        (1000004, "can0", "Body", "Mux", 1.0, None),
        (1000004, "can0", "Body", "B", -0.5, None),
        (1000005, "can0", "Counter", "Value", float(2**53), None),
        (1000008, "can0", "Engine", "Speed", 75.25, None),
    ]
    first = rows(tmp_path / "signals.parquet")[0]
    assert (first["arbitration_id"], first["unit"]) == (0x100, "rpm")


def test_a_directory_has_a_typed_table_per_message(decode, tmp_path):
    import pyarrow.parquet

    assert decode("-o", "out/").returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("Body.parquet", "Counter.parquet", "Engine.parquet")
    ]
    assert rows(tmp_path / "out/Body.parquet") == [
        {"timestamp": 2_000, "channel": "can0", "Mux": 0, "A": 513, "B": None},
        {"timestamp": 1_000_004_000, "channel": "can0", "Mux": 1, "A": None, "B": -0.5},
    ]
    assert rows(tmp_path / "out/Counter.parquet")[0]["Value"] == 2**53 + 1
    engine = pyarrow.parquet.read_table(tmp_path / "out/Engine.parquet")
    types = {field.name: str(field.type) for field in engine.schema}
    text = "dictionary<values=string, indices=int32, ordered=0>"
    assert types == {
        "timestamp": "timestamp[ns, tz=UTC]",
        "channel": text,
        "Speed": "double",
        "Temp": "int64",
        "Gear": "int64",
        "Gear_name": text,
        "gear_": "int64",
    }
    assert engine.column("Gear_name").to_pylist() == ["First, low", None, None]
    about = {key.decode(): value.decode() for key, value in engine.schema.field("Speed").metadata.items()}
    assert about.items() >= {"unit": "rpm", "minimum": "0", "maximum": "16000", "signal": "Speed"}.items()
    choices = json.loads(engine.schema.field("Gear").metadata[b"choices"])
    assert choices == {"0": "Neutral", "1": "First, low"}


def test_a_directory_may_have_more_tables_than_files_are_usually_open(shell, tmp_path):
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 400:
        pytest.skip("this system allows few open files")
    names = range(1, 101)
    database = "".join(f'BO_ {n} M{n}: 1 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\n' for n in names)
    (tmp_path / "many.dbc").write_text(database)
    (tmp_path / "many.log").write_text("".join(f"(1700000000.000000) can0 {n:03X}#01\n" for n in names))
    result = shell("ulimit -Sn 64; canx decode many.log --dbc many.dbc -o many/")
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / "many").iterdir())) == 100


def test_a_wide_table_has_a_row_per_decoded_frame(decode, tmp_path):
    assert decode("-o", "wide.parquet", "--wide").returncode == 0
    table = rows(tmp_path / "wide.parquet")
    assert [row["Engine.Speed"] for row in table] == [75.0, None, 150.0, None, None, 75.25]
    assert [row["Engine.Gear_name"] for row in table] == ["First, low", *[None] * 5]
    assert [row["Body.B"] for row in table] == [None, None, None, -0.5, None, None]
    assert table[4]["Counter.Value"] == 2**53 + 1


def test_csv_has_a_point_in_every_number_that_may_have_one(decode):
    result = decode("--to", "csv", "-n", "1")
    assert result.stdout == (
        "timestamp,channel,arbitration_id,message,signal,value,name,unit\n"
        "2023-11-14 22:13:20.000001000Z,can0,256,Engine,Speed,75.0,,rpm\n"
        "2023-11-14 22:13:20.000001000Z,can0,256,Engine,Temp,10.0,,degC\n"
        '2023-11-14 22:13:20.000001000Z,can0,256,Engine,Gear,1.0,"First, low",\n'
        "2023-11-14 22:13:20.000001000Z,can0,256,Engine,gear,0.0,,\n"
    )


@pytest.mark.parametrize("name", ["signals.arrow", "signals.arrows"])
def test_arrow_holds_the_same_as_parquet(decode, tmp_path, name):
    import pyarrow.ipc
    import pyarrow.parquet

    assert decode("-o", name).returncode == decode("-o", "signals.parquet").returncode == 0
    opened = pyarrow.ipc.open_file if name.endswith(".arrow") else pyarrow.ipc.open_stream
    with open(tmp_path / name, "rb") as file:
        table = opened(file).read_all()
    assert table.to_pylist() == pyarrow.parquet.read_table(tmp_path / "signals.parquet").to_pylist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "old.csv"], "canx: old.csv: already exists\nhint: --force replaces it\n"),
        (["-o", "full"], "canx: full: not an empty directory\nhint: --force replaces the files in it\n"),
        (["-o", "d/", "--wide"], "canx: --wide has no effect: a directory has a table per message\n"),
        (["--to", "csv", "--force"], "canx: --force needs a file, -o FILE\n"),
        (["-o", "d/", "--to", "mf4"], "canx: d/: MF4 is one file\nhint: -o FILE.mf4\n"),
    ],
)
def test_an_output_that_cannot_be_is_refused(decode, tmp_path, arguments, message):
    (tmp_path / "old.csv").write_text("old")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    result = decode(*arguments)
    assert (result.returncode, result.stderr) == (2, message)
    assert (tmp_path / "old.csv").read_text() == "old"


def test_strict_ends_with_2_if_frames_are_not_decoded(decode):
    assert decode("-o", "signals.csv", "--strict").returncode == 2
    assert decode("-o", "others.csv", "--strict", "-n", "4").returncode == 0


def test_a_full_disk_ends_with_3(decode):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    result = decode("-o", "/dev/full", "--to", "csv")
    assert (result.returncode, result.stderr) == (3, "canx: /dev/full: No space left on device\n")


def queries() -> dict[str, str]:
    """Return the queries of the manual page, by what they need."""
    found = {mark.removeprefix("needs "): text for mark, text in examples("canx-decode.1")}
    matches = {tool: re.search(r'-c "(.*)"', text, re.DOTALL) for tool, text in found.items()}
    return {tool: match[1] for tool, match in matches.items() if match}


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # Dask 2026.8 calls pandas 3.1 so
@pytest.mark.parametrize("tool", ["DuckDB", "Polars", "pandas", "Dask"])
def test_the_query_of_the_manual_gives_the_means(decode, tmp_path, monkeypatch, capsys, tool):
    pytest.importorskip({"Dask": "dask.dataframe"}.get(tool, tool.lower()))
    assert decode("-o", "signals/").returncode == 0
    monkeypatch.chdir(tmp_path)
    query = queries()[tool]
    if tool == "DuckDB":
        import duckdb

        print(duckdb.sql("SET TimeZone = 'UTC'") or duckdb.sql(query))
    else:
        exec(query, {})  # the text of our own manual
    printed = capsys.readouterr().out
    assert re.findall(r"\b(?:112\.5|75\.25)(?=0*\b)", printed) == ["112.5", "75.25"], printed


def test_an_mf4_file_has_a_group_per_message_and_channel(decode, tmp_path):
    asammdf = pytest.importorskip("asammdf")
    result = decode("-o", "signals.mf4")
    assert (result.returncode, result.stderr) == (0, LEFT_OUT)
    with asammdf.MDF(tmp_path / "signals.mf4") as mdf:
        names = [(group.channel_group.acq_name, group.channel_group.acq_source.path) for group in mdf.groups]
        assert sorted(names) == [
            ("Body", "can0"),
            ("Counter", "can0"),
            ("Engine", "can0"),
            ("Engine", "can1"),
        ]
        group = names.index(("Engine", "can0"))
        speed = mdf.get("Speed", group=group)
        assert (speed.unit, [*speed.samples], [*speed.timestamps]) == ("rpm", [75.0, 75.25], [0.0, 1.000007])
        gear = mdf.get("Gear", group=group)
        assert ([*gear.samples], [*gear.timestamps]) == ([1], [0.0])  # the other frame is too short for it
        assert [*mdf.get("Gear_name", group=group).samples] == [b"First, low"]
        assert [*mdf.get("Temp", group=names.index(("Engine", "can1"))).samples] == [-41]
        voltage = mdf.get("A", group=names.index(("Body", "can0")))
        assert ([*voltage.samples], [*voltage.timestamps]) == ([513], [pytest.approx(1e-6)])
        assert mdf.get("Value").samples[0] == 2**53 + 1


def test_an_mf4_file_needs_a_file(decode):
    result = decode("--to", "mf4")
    assert (result.returncode, result.stderr) == (
        2,
        "canx: -: signals as MF4 need an uncompressed file\nhint: -o FILE.mf4\n",
    )
