"""``canx plot``: what it draws, of which frames, and what it refuses."""

from __future__ import annotations

import json
import re
import struct
from array import array

import pytest

DBC = """VERSION ""
BO_ 256 Engine: 8 ECU
 SG_ Speed : 0|16@1+ (0.25,0) [0|16000] "rpm" X
 SG_ Temp : 16|8@1+ (1,-40) [-40|215] "degC" X
 SG_ Gear : 24|4@1+ (1,0) [0|7] "" X
VAL_ 256 Gear 0 "Neutral" 1 "First" 2 "Second" ;
"""
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def drive(tmp_path):
    (tmp_path / "car.dbc").write_text(DBC)
    lines = []
    for at in range(300):
        speed = 30_000 if at == 100 else 4 * at
        data = speed.to_bytes(2, "little") + bytes([60, at // 100])
        lines.append(f"({1700000000 + at / 100:.6f}) can0 100#{data.hex().upper()}\n")
    (tmp_path / "drive.log").write_text("".join(lines))


def page_data(path):
    text = re.search(r'id="data">(.*?)</script>', path.read_text(), re.DOTALL)
    assert text is not None
    return json.loads(text[1])


def test_signals_in_the_terminal_with_units_and_states(canx, drive):
    result = canx("plot", "drive.log", "--dbc", "car.dbc", "--size", "60x24")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.strip() for line in lines if "Engine." in line] == [
        "Engine.Speed [rpm]",
        "Engine.Temp [degC]",
        "Engine.Gear",
    ]
    assert all(len(line) <= 60 for line in lines)
    assert len(lines) <= 24
    assert any(line.strip().startswith("7500┤") for line in lines), "the peak of one frame is on the axis"
    states = [line for line in lines if "━" in line]
    assert [line.split("┤")[0].strip() for line in states] == ["Second", "First", "Neutral"]
    first, second = (states[index].index("━") for index in (2, 1))
    assert first < second < states[0].index("━")
    assert lines[-1].strip() == "seconds since 2023-11-14 22:13:20.000 UTC"


def test_a_peak_of_one_frame_is_drawn_in_its_column(canx, drive):
    result = canx("plot", "drive.log", "--dbc", "car.dbc", "-s", "Speed", "--size", "60x20")
    top = next(line for line in result.stdout.splitlines() if "7500┤" in line)
    column = top.split("┤")[1]
    assert len(column.strip()) == 1
    assert 0.30 < len(column) / 55 < 0.38, "at a third of the time"


@pytest.mark.long
@pytest.mark.parametrize(("name", "head"), [("a.png", PNG), ("a.svg", b"<?xml")])
def test_pictures_have_their_form_and_are_reproducible(canx, drive, tmp_path, name, head):
    pytest.importorskip("matplotlib")
    assert canx("plot", "drive.log", "--dbc", "car.dbc", "-o", name).returncode == 0
    data = (tmp_path / name).read_bytes()
    assert data.startswith(head)
    assert canx("plot", "drive.log", "--dbc", "car.dbc", "-o", f"again-{name}").returncode == 0
    assert (tmp_path / f"again-{name}").read_bytes() == data


@pytest.mark.long
def test_a_picture_names_its_signals_units_and_states(canx, drive, tmp_path):
    pytest.importorskip("matplotlib")
    assert canx("plot", "drive.log", "--dbc", "car.dbc", "-o", "a.svg", "--title", "a $5 < b").returncode == 0
    text = (tmp_path / "a.svg").read_text()
    for word in ("Engine.Speed [rpm]", "Engine.Temp [degC]", "Neutral", "First", "Second", "a $5 &lt; b"):
        assert word in text


def test_a_picture_has_the_size_that_was_asked_for(canx, drive, tmp_path):
    pytest.importorskip("matplotlib")
    assert canx("plot", "drive.log", "-s", "rate", "-o", "a.png", "--size", "640x320").returncode == 0
    head = (tmp_path / "a.png").read_bytes()[16:24]
    assert (int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")) == (640, 320)


def test_a_page_has_all_points_and_needs_no_other_file(canx, drive, tmp_path):
    assert canx("plot", "drive.log", "--dbc", "car.dbc", "-o", "a.html").returncode == 0
    data = page_data(tmp_path / "a.html")
    assert [one["label"] for one in data] == ["Engine.Speed", "Engine.Temp", "Engine.Gear"]
    assert [one["count"] for one in data] == [300, 300, 300]
    assert data[2]["states"] == [[0, "Neutral"], [1, "First"], [2, "Second"]]
    assert not re.search(r"https?:|src=|@import|url\(", (tmp_path / "a.html").read_text())


def test_bytes_without_a_database(canx, drive, tmp_path):
    words = ("-s", "100[0:2],le,factor=0.25,unit=rpm,name=Speed", "-s", "100[2]")
    assert canx("plot", "drive.log", *words, "-o", "a.html").returncode == 0
    speed, other = page_data(tmp_path / "a.html")
    assert (speed["label"], speed["unit"], other["label"]) == ("Speed", "rpm", "100[2]")


def test_rate_load_and_period(canx, drive):
    words = ("-s", "rate", "-s", "load", "-s", "period:100", "--bitrate", "100k")
    result = canx("plot", "drive.log", *words, "--size", "70x30")
    assert result.returncode == 0
    assert "rate [frames/s]" in result.stdout
    assert "load [% busy]" in result.stdout
    assert "period 100 [ms]" in result.stdout
    assert "110┤" in result.stdout, "100 frames/s in the middle of its axis"
    assert "90┤" in result.stdout


def test_each_channel_has_its_own_series(canx, drive, tmp_path):
    log = (tmp_path / "drive.log").read_text()
    (tmp_path / "both.log").write_text(log + log.replace("can0", "can1"))
    assert canx("plot", "both.log", "-q", "-s", "100[2]", "-o", "a.html").returncode == 0
    data = page_data(tmp_path / "a.html")
    assert [(one["label"], one["count"]) for one in data] == [("can0 100[2]", 300), ("can1 100[2]", 300)]


def test_frames_of_another_message_of_the_group_are_not_plotted(canx, tmp_path):
    (tmp_path / "truck.dbc").write_text(
        'BO_ 2566844672 A: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] "" X\n'
        'BO_ 2566844695 B: 8 X\n SG_ T : 0|8@1+ (1,0) [0|0] "" X\n'
    )
    frames = enumerate(("18FEF100#01", "18FEF117#C8", "18FEF100#02"))
    (tmp_path / "truck.log").write_text("".join(f"({at}.0) can0 {frame}\n" for at, frame in frames))
    result = canx("plot", "truck.log", "--dbc", "truck.dbc", "--j1939", "-s", "A.S", "--size", "60x12")
    assert "A.S" in result.stdout
    assert "source" not in result.stdout  # of only one
    assert "200" not in result.stdout


def test_an_expression_may_name_signals(canx, tmp_path):
    (tmp_path / "a.dbc").write_text('BO_ 256 M: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] "" X\n')
    (tmp_path / "a.log").write_text("(1.0) can0 100#01\n(2.0) can0 100#02\n(3.0) can0 100#03\n")
    result = canx("plot", "a.log", "--dbc", "a.dbc", "--where", "M.S gt 1", "-o", "a.html")
    assert (result.returncode, result.stderr) == (0, "")
    assert [one["count"] for one in page_data(tmp_path / "a.html")] == [2]


@pytest.mark.parametrize("arguments", [(), ("-o", "a.png")])
def test_numbers_at_the_end_of_the_range_of_floats_are_plotted(canx, tmp_path, arguments):
    if arguments:
        pytest.importorskip("matplotlib")
    (tmp_path / "a.dbc").write_text(
        'BO_ 256 M: 8 X\n SG_ D : 0|64@1- (1,0) [0|0] "" X\nSIG_VALTYPE_ 256 D : 2;\n'
    )
    frames = enumerate((-1.7e308, 1.7e308, 0.0, float("nan"), 1.79e308))
    lines = [f"({at}.0) can0 100#{struct.pack('<d', value).hex()}\n" for at, value in frames]
    (tmp_path / "a.log").write_text("".join(lines))
    result = canx("plot", "a.log", "--dbc", "a.dbc", *arguments)
    assert (result.returncode, result.stderr) == (0, "canx: M.D: 1 value not finite, shown as gaps\n")


def test_an_axis_that_would_end_too_high_has_a_lower_end_below_the_upper_one():
    from cantools_cli.plotting.series import Panel, Series

    low, high = Panel("", [Series("S", "", array("q", [0]), array("d", [1e308]))]).limits
    assert low < high


def test_control_codes_of_a_database_do_not_reach_the_terminal(canx, tmp_path):
    (tmp_path / "bad.dbc").write_text(
        'BO_ 256 M: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] "\x1bc" X\n SG_ G : 8|8@1+ (1,0) [0|0] "" X\n'
        'VAL_ 256 G 0 "\x1bc" 1 "on" ;\n'
    )
    (tmp_path / "bad.log").write_text("(1.0) can0 100#0000\n(2.0) can0 100#0101\n")
    result = canx("plot", "bad.log", "--dbc", "bad.dbc")
    assert result.stdout.count(r"\x1bc") == 2
    assert "\x1b" not in result.stdout


def test_each_source_of_a_parameter_group_has_its_own_series(canx, tmp_path):
    (tmp_path / "truck.dbc").write_text(
        'VERSION ""\nBO_ 2364540158 EEC1: 8 ECU\n SG_ Load : 0|8@1+ (1,0) [0|0] "%" X\n'
    )
    frames = [("00", "05"), ("17", "63")] * 4
    lines = [f"({at}.0) can0 0CF004{source}#{value}\n" for at, (source, value) in enumerate(frames)]
    (tmp_path / "truck.log").write_text("".join(lines))
    assert canx("plot", "truck.log", "--dbc", "truck.dbc", "--j1939", "-o", "a.html").returncode == 0
    data = page_data(tmp_path / "a.html")
    found = [(one["label"], one["count"]) for one in data]
    assert found == [("EEC1.Load source 00", 4), ("EEC1.Load source 17", 4)]


def test_a_database_of_one_channel_is_not_used_for_another(canx, drive, tmp_path):
    log = (tmp_path / "drive.log").read_text()
    (tmp_path / "both.log").write_text(log + log.replace("can0", "can1"))
    assert canx("plot", "both.log", "--dbc", "can1=car.dbc", "-s", "Temp", "-o", "a.html").returncode == 0
    assert [one["count"] for one in page_data(tmp_path / "a.html")] == [300]


def test_a_gap_is_not_bridged_unless_asked(canx, drive, tmp_path):
    lines = (tmp_path / "drive.log").read_text().splitlines(keepends=True)
    (tmp_path / "gap.log").write_text("".join(lines[:100] + lines[200:]))
    for gap, breaks in (("auto", [100]), ("none", []), ("5s", []), ("100ms", [100])):
        result = canx("plot", "gap.log", "-s", "100[2]", "--gap", gap, "--force", "-o", "a.html")
        assert result.returncode == 0
        assert page_data(tmp_path / "a.html")[0]["breaks"] == breaks


def test_frames_are_chosen_by_time_filter_and_count(canx, drive, tmp_path):
    for words, count in (
        (("--start", "1s", "--end", "2s"), 100),
        (("-n", "7"), 7),
        (("--where", "data[3] eq 2"), 100),
        (("-f", "100"), 300),
    ):
        assert canx("plot", "drive.log", "-s", "100[2]", *words, "--force", "-o", "a.html").returncode == 0
        assert page_data(tmp_path / "a.html")[0]["count"] == count


def test_points_are_limited(canx, drive, tmp_path):
    assert canx("plot", "drive.log", "-s", "100[0:2]", "--points", "64", "-o", "a.html").returncode == 0
    assert page_data(tmp_path / "a.html")[0]["count"] <= 64


def test_what_is_wrong_with_the_database_is_reported(canx, drive, tmp_path):
    (tmp_path / "bad.dbc").write_text(DBC + 'VAL_ 256 Missing 0 "No" ;\n')
    result = canx("plot", "drive.log", "--dbc", "bad.dbc", "-s", "Speed", "--size", "40x10")
    assert result.returncode == 0
    assert "bad.dbc:7" in result.stderr


def test_short_frames_are_counted(canx, tmp_path):
    (tmp_path / "a.log").write_text("(1.0) can0 100#0102\n(2.0) can0 100#01\n")
    result = canx("plot", "a.log", "-s", "100[1]", "--size", "40x10")
    assert result.returncode == 0
    assert result.stderr == "canx: 1 frame too short for a signal\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("drive.log", "-s", "Engine.Speed"), '"Engine.Speed" needs a database'),
        (("drive.log", "--dbc", "car.dbc", "-s", "Engine.Sped"), 'message "Engine" has no signal "Sped"'),
        (("drive.log", "-s", "123[0]"), "nothing to plot: no frame has any of the series"),
        (("drive.log", "-s", "load"), "load needs the bit rate"),
        (("drive.log", "--bitrate", "500k"), "--bitrate has no effect: only load needs it"),
        (("drive.log", "--j1939"), "--j1939 has no effect: no database is named"),
        (("drive.log", "-o", "a.jpg"), "a.jpg: the suffix names no picture"),
        (("drive.log", "--to", "jpg"), '--to "jpg" is not one of png, svg, html, text'),
        (("drive.log", "-o", "drive.log", "--to", "svg"), "drive.log is an input"),
        (("drive.log", "-o", "car.dbc", "--to", "svg"), "car.dbc: already exists"),
        (("drive.log", "--size", "big"), 'bad --size "big"'),
        (("drive.log", "--size", "1x1"), "--size 1x1 is not 20x8 to 20000x20000"),
        (("drive.log", "--points", "3"), "--points 3 must be at least 16"),
        (("drive.log", "--interval", "0"), "--interval 0 must be greater than 0"),
        (("drive.log", "--gap", "often"), 'bad duration "often"'),
        (("drive.log", "--color", "red"), '--color "red" is not one of auto, always, never'),
        (("drive.log", "--force"), "--force needs a file, -o FILE"),
    ],
)
def test_wrong_usage_is_one_clear_line(canx, drive, tmp_path, words, text):
    result = canx("plot", *words)
    assert (result.returncode, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"canx: {text}")
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("hint: "))
    assert not (tmp_path / "a.jpg").exists()


def test_colour_is_for_terminals_or_on_request(canx, drive):
    plain = canx("plot", "drive.log", "--size", "60x12")
    coloured = canx("plot", "drive.log", "--size", "60x12", "--color", "always")
    assert "\x1b[" not in plain.stdout
    assert re.sub(r"\x1b\[\d+m", "", coloured.stdout) == plain.stdout
    assert "\x1b[34m" in coloured.stdout


def test_a_full_disk_is_status_3(canx, drive):
    result = canx("plot", "drive.log", "-o", "/dev/full", "--to", "html")
    assert result.returncode == 3
    assert len(result.stderr.splitlines()) == 1
