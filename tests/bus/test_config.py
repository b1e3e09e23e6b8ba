"""Where the settings of a bus come from, and what they are made into."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import can.util
import pytest

from cantools_cli import Bus
from cantools_cli.bit_timing.classic import BitTiming, BitTimingFd
from cantools_cli.bus import config
from cantools_cli.bus.base import BusState
from cantools_cli.bus.config import (
    cast_from_string,
    check_context,
    find_settings,
    load_config,
    load_file_config,
)
from cantools_cli.errors import CanInterfaceNotImplementedError, FormatError, UsageError

NOTHING = io.StringIO  # an explicit file without settings, in place of those of this computer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return a function that writes a file of an otherwise empty home; nothing else is configured."""
    everywhere = config.config_files
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("INTERFACE", "CHANNEL", "BITRATE", "CONFIG"):
        monkeypatch.delenv(f"CAN_{name}", raising=False)
    here = str(tmp_path)
    monkeypatch.setattr(config, "config_files", lambda: [p for p in everywhere() if p.startswith(here)])

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("+1", 1),
        ("-3", -3),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.5e3", 1500.0),
        ("true", True),
        ("FALSE", False),
        ("0x10", "0x10"),
        ("1e5", "1e5"),
        ("1.", "1."),
        ("None", "None"),
        (" 1", " 1"),
        ("1_0", "1_0"),
        ("", ""),
    ],
)
def test_text_is_cast_as_python_can_does(text: str, value: object) -> None:
    assert cast_from_string(text) == value
    assert type(cast_from_string(text)) is type(value)
    assert can.util.cast_from_string(text) == value


def test_the_files_are_the_documented_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    ours = str(tmp_path / "canx" / "config.toml")
    assert config.config_files() == ["/h/can.conf", "/etc/can.conf", "/h/.can", "/h/.canrc", ours]
    monkeypatch.setenv("XDG_CONFIG_HOME", "not/absolute")
    assert config.config_files()[-1] == "/h/.config/canx/config.toml"


def test_each_key_comes_from_the_strongest_source(
    home: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ["a", "b", "c", "d", "e", "f", "g"]
    home(".canrc", "[HS]\n" + _ini(keys[:6], 5) + "[default]\n" + _ini(keys, 6))
    monkeypatch.setenv("CAN_CONFIG", json.dumps(dict.fromkeys(keys[:5], 4)))
    monkeypatch.setenv("CAN_CONFIG_HS", json.dumps(dict.fromkeys(keys[:4], 3)))
    for key in keys[:3]:
        monkeypatch.setitem(config.rc, key, 2)
    asked = {**dict.fromkeys(keys[:2], 1), "interface": "virtual"}
    settings = load_config(config=asked, context="HS")
    assert [settings[key] for key in keys] == [1, 1, 2, 3, 4, 5, 6]


def _ini(keys: list[str], value: int) -> str:
    return "".join(f"{key} = {value}\n" for key in keys)


def test_a_later_file_wins_and_ours_wins_over_all(home: Callable[[str, str], None]) -> None:
    home("can.conf", "[default]\na = 1\nb = 1\nc = 1\nd = 1\n")
    home(".can", "[default]\nb = 2\nc = 2\nd = 2\n")
    home(".canrc", "[default]\nc = 3\nd = 3\n")
    home(".config/canx/config.toml", "[default]\nd = 4\ninterface = 'virtual'\n[HS]\na = 5\n")
    assert load_config() == {"a": 1, "b": 2, "c": 3, "d": 4, "interface": "virtual", "channel": None}
    assert load_config(context="HS")["a"] == 5
    assert load_file_config() == {"a": "1", "b": "2", "c": "3", "d": 4, "interface": "virtual"}


def test_an_unknown_context_is_the_default_one(home: Callable[[str, str], None]) -> None:
    home(".canrc", "[default]\ninterface = virtual\nchannel = x\n")
    assert load_config(context="nowhere")["channel"] == "x"
    assert load_file_config(section="nowhere") == {}


def test_a_context_that_nothing_defines_is_an_error(home: Callable[[str, str], None]) -> None:
    home(".canrc", "[default]\nchannel = x\n[HS]\n[MS]\n")
    home(".config/canx/config.toml", "[LAB]\nchannel = 'y'\n")
    for context in (None, "", "default", "HS", "LAB"):
        check_context(context)
    with pytest.raises(UsageError, match=r'^--context: no section "HSS" in the configuration') as caught:
        check_context("HSS", "--context")
    assert caught.value.hint == "did you mean HS? sections: default, HS, MS, LAB"


def test_a_context_may_be_in_the_environment_alone(
    home: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r'^no section "HS"') as caught:
        check_context("HS")
    assert "no configuration file has sections" in (caught.value.hint or "")
    monkeypatch.setenv("CAN_CHANNEL_HS", "can1")
    check_context("HS")


def test_every_value_tells_its_source(
    home: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(".canrc", "[HS]\nbitrate = 500000\n")
    monkeypatch.setenv("CAN_CHANNEL", "can1")
    monkeypatch.setitem(config.rc, "fd", True)
    sources = find_settings(None, {"interface": "virtual"}, "HS", "the command line").sources
    assert sources == {
        "interface": "the command line",
        "fd": "rc",
        "channel": "the environment",
        "bitrate": f"{tmp_path}/.canrc [HS]",
    }


def test_single_variables_beat_the_json_of_their_level(
    home: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAN_CONFIG", '{"receive_own_messages": true, "channel": "a", "bitrate": "125000"}')
    monkeypatch.setenv("CAN_CHANNEL", "b")
    monkeypatch.setenv("CAN_BITRATE", "")
    monkeypatch.setenv("CAN_INTERFACE_HS", "virtual")
    assert config.load_environment_config() == can.util.load_environment_config()
    assert config.load_environment_config("HS") == {"interface": "virtual"}
    settings = load_config(context="HS")
    assert (settings["channel"], settings["bitrate"], settings["receive_own_messages"]) == ("b", 125000, True)


@pytest.mark.parametrize("text", ["{", "no", "[1]", '"x"'])
def test_bad_json_in_the_environment_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAN_CONFIG", text)
    with pytest.raises(ValueError, match="CAN_CONFIG"):
        config.load_environment_config()


CONFIGS: list[dict[str, Any]] = [
    {"interface": "virtual"},
    {"interface": "virtual", "channel": "0", "Key": "1.5", "x": "False"},
    {"bustype": "virtual"},
    {"bustype": "nonsense", "interface": "virtual"},
    {"interface": "virtual", "port": 65534},
    {"interface": "virtual", "port": "5"},
    {"interface": "virtual", "port": "x"},
    {"interface": "virtual", "port": 0},
    {"interface": "virtual", "port": 65535},
    {"interface": "virtual", "port": 1.5},
    {"interface": "virtual", "port": None},
    {"interface": "virtual", "fd": "0"},
    {"interface": "virtual", "fd": None},
    {"interface": "virtual", "fd": False},
    {"interface": "virtual", "state": "active"},
    {"interface": "virtual", "brp": "2"},
    {"interface": "virtual", "f_clock": "8000000", "tseg1": 5},
    {"interface": "nonsense"},
    {"interface": None},
    {},
]


@pytest.mark.parametrize("given", CONFIGS)
def test_python_can_makes_the_same_of_it(given: dict[str, Any], tmp_path: Path) -> None:
    empty = tmp_path / "can.conf"
    empty.write_text("[default]\nbitrate = 250000\n")
    assert _outcome(load_config, empty, given) == _outcome(can.util.load_config, empty, given)


def _outcome(function: Callable[..., dict[str, Any]], path: Path, given: dict[str, Any]) -> object:
    try:
        return function(path, dict(given), None)
    except (ValueError, TypeError, NotImplementedError) as error:
        return type(error).__name__, str(error)


SEGMENTS = {"tseg1": "5", "tseg2": "2", "sjw": "1", "nof_samples": "1"}
NOMINAL = {"nom_brp": 1, "nom_tseg1": 59, "nom_tseg2": 20, "nom_sjw": 10}
DATA = {"data_brp": 1, "data_tseg1": 6, "data_tseg2": 3, "data_sjw": 2}


@pytest.mark.parametrize("given", [{"brp": "1", **SEGMENTS}, {**NOMINAL, **DATA}])
def test_python_can_makes_the_same_timing_of_it(given: dict[str, Any]) -> None:
    given = {"interface": "virtual", "f_clock": "80000000", **given}
    ours, theirs = load_config(NOTHING(), given), can.util.load_config(NOTHING(), given)
    assert [*ours] == [*theirs]
    assert dict(ours["timing"]) == dict(theirs["timing"])
    assert isinstance(ours["timing"], BitTimingFd if "nom_brp" in given else BitTiming)


@pytest.mark.parametrize(
    ("given", "timing"),
    [
        ({"bitrate": "1000000", "f_clock": "8000000", **SEGMENTS}, BitTiming(8_000_000, 1, 5, 2, 1)),
        ({"brp": "1", **SEGMENTS}, BitTiming(btr0=0x00, btr1=0x14)),
        ({"btr0": "0x00", "btr1": "0x14"}, BitTiming(btr0=0x00, btr1=0x14)),
        ({"btr0": 0, "btr1": 20, "f_clock": 8_000_000}, BitTiming(8_000_000, 1, 5, 2, 1)),
    ],
)
def test_the_manual_s_settings_make_a_timing(given: dict[str, Any], timing: BitTiming) -> None:
    settings = load_config(NOTHING(), {"interface": "virtual", **given})
    assert settings["timing"] == timing
    assert given.keys() < settings.keys()


def test_a_timing_of_the_program_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    timing = BitTiming(8_000_000, 2, 5, 2, 1)
    monkeypatch.setitem(config.rc, "timing", timing)
    settings = load_config(NOTHING(), {"interface": "virtual", "btr0": "0x00", "btr1": "0x14"})
    assert settings["timing"] is timing


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"brp": "65"}, r"bit timing: bitrate prescaler \(=65\) must be in \[1...64\]"),
        ({"sjw": "wide"}, "bit timing: invalid literal"),
        ({"sjw": 1.5}, "bit timing: 'float' object"),
    ],
)
def test_a_timing_that_cannot_be_is_not_passed_over(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text) as caught:
        load_config(NOTHING(), {"interface": "virtual", "brp": "1", **SEGMENTS, **wrong})
    assert caught.value.hint == "made of brp, tseg1, tseg2, sjw, nof_samples"


@pytest.mark.parametrize("text", ["PASSIVE", "can.bus.BusState.PASSIVE", "BusState.PASSIVE"])
def test_a_state_is_named_in_capitals_or_as_in_the_manual(text: str, tmp_path: Path) -> None:
    path = tmp_path / "can.conf"
    path.write_text(f"[default]\ninterface = virtual\nstate = {text}\n")
    assert load_config(path)["state"] is BusState.PASSIVE


@pytest.mark.parametrize(
    ("text", "value"), [("yes", True), ("ON", True), ("1", True), ("no", False), ("off", False), ("0", False)]
)
def test_fd_is_what_its_text_says(text: str, value: bool) -> None:
    assert load_config(NOTHING(), {"interface": "virtual", "fd": text})["fd"] is value


def test_fd_that_is_neither_true_nor_false_is_an_error() -> None:
    with pytest.raises(UsageError, match='fd must be true or false, not "maybe"'):
        load_config(NOTHING(), {"interface": "virtual", "fd": "maybe"})


def test_bit_rates_may_have_a_unit() -> None:
    settings = load_config(NOTHING(), {"interface": "virtual", "bitrate": "500k", "data_bitrate": "2M"})
    assert (settings["bitrate"], settings["data_bitrate"]) == (500_000, 2_000_000)
    with pytest.raises(UsageError, match="fast"):
        load_config(NOTHING(), {"interface": "virtual", "bitrate": "fast"})


def test_a_program_s_dictionaries_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"bustype": "virtual"}
    monkeypatch.setitem(config.rc, "bustype", "other")
    monkeypatch.setitem(config.rc, "channel", "0")
    assert load_config(NOTHING(), given) == {"interface": "virtual", "channel": 0}
    assert (given, config.rc) == ({"bustype": "virtual"}, {"bustype": "other", "channel": "0"})


def test_an_interface_without_its_driver_is_configured_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_config(NOTHING(), {"interface": "pcan", "channel": "PCAN_USBBUS1"})["interface"] == "pcan"
    monkeypatch.setenv("CANX_PCAN_LIBRARY", "/nowhere/libpcanbasic.so")
    with pytest.raises(CanInterfaceNotImplementedError, match="pcan: cannot load"):
        Bus("PCAN_USBBUS1", "pcan")


def test_no_interface_at_all_has_the_documented_text() -> None:
    with pytest.raises(CanInterfaceNotImplementedError, match=r'^Unknown interface type "None"$'):
        load_config(NOTHING())


@pytest.mark.parametrize("stream", [io.StringIO("[x]\nA = 1\n"), io.BytesIO(b"[x]\nA = 1\n")])
def test_a_file_may_be_an_open_stream(stream: Any) -> None:
    assert load_file_config(stream, "x") == {"A": "1"}


def test_a_missing_file_has_no_settings(tmp_path: Path) -> None:
    assert load_file_config(tmp_path / "absent") == {}
    assert load_file_config(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("f.conf", "interface = x\n", 'f.conf:1: no section such as [default] before "interface = x"'),
        ("f.conf", "[default]\nnothing\n", "f.conf:2: not of the form KEY = VALUE"),
        ("f.conf", "[default]\na = 1\na = 2\n", 'f.conf:3: "a" is defined twice in [default]'),
        ("f.conf", "[default]\n[default]\n", "f.conf:2: [default] is defined twice"),
        ("f.toml", "[default\n", "f.toml:1: Expected"),
        ("f.toml", "default = 3\n", "f.toml: default is not a table"),
    ],
)
def test_a_malformed_file_is_an_error_with_its_line(
    name: str, text: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)
    with pytest.raises(FormatError) as caught:
        load_file_config(name)
    assert str(caught.value).startswith(error)


def test_a_percent_sign_may_be_just_one(tmp_path: Path) -> None:
    path = tmp_path / "can.conf"
    path.write_text("[default]\na = 50%\nb = %(c)s/2\nc = x\n")
    assert load_file_config(path) == {"a": "50%", "b": "x/2", "c": "x"}


def test_nothing_that_reads_files_is_imported_without_one(home: Callable[[str, str], None]) -> None:
    import subprocess

    program = "import cantools_cli.bus.config as c, sys; c.find_settings(); print([m for m in \
('json', 'configparser', 'tomllib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
