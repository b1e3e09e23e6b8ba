"""Frames by name: what is understood, and one clear line for what is not."""

from __future__ import annotations

from math import isnan

import pytest

from cantools_cli.decoding.model import MessageSpec, SignalSpec
from cantools_cli.decoding.naming import is_name, parse
from cantools_cli.errors import UsageError

GEARS = {0: "Neutral", 1: "First", 3: "Third (high, sport)", 4: "2"}
ENGINE = MessageSpec(
    "Engine",
    0x100,
    False,
    8,
    (
        SignalSpec("Speed", 0, 16, factor=0.125, minimum=0, maximum=8000, unit="rpm"),
        SignalSpec("Gear", 16, 4, choices=GEARS),
        SignalSpec("Temp", 24, 8, is_signed=True),
        SignalSpec("Ratio", 32, 32, is_float=True),
    ),
)


def raws(text: str) -> dict[str, object]:
    return dict(parse(text, [ENGINE], "car.dbc").raws)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Engine", {}),
        ("Engine()", {}),
        ("Engine(Speed=1500 rpm, Gear=First)", {"Speed": 12000, "Gear": 1}),
        (" Engine ( Speed : 1500rpm ,Gear: Third (high, sport) ) ", {"Speed": 12000, "Gear": 3}),
        ('Engine(Gear="Third (high, sport)", Temp=-1)', {"Gear": 3, "Temp": -1}),
        ("Engine(Gear=2)", {"Gear": 4}),  # the name, as it is printed
        ("Engine(Gear=7)", {"Gear": 7}),
        ("Engine(Speed=0xFFFF)", {"Speed": 65535}),  # beyond the maximum
        ("Engine(Temp=0xFF)", {"Temp": -1}),
        ("Engine(Speed=1.5e3)", {"Speed": 12000}),
        ("Engine(Ratio=0.5)", {"Ratio": 0.5}),
    ],
)
def test_a_frame_by_name(text, expected):
    assert raws(text) == expected


def test_a_float_may_be_no_number():
    assert isnan(parse("Engine(Ratio=nan)", [ENGINE], "x").raws["Ratio"])


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        ("Engin(Speed=1)", 'car.dbc has no message "Engin"', "similar: Engine"),
        ("Engine(Sped=1)", 'Engine: message "Engine" has no signal "Sped"', "similar: Speed"),
        ("Engine(Speed=8001)", 'signal "Speed": "8001" is above the maximum, 8000 rpm', "hexadecimal"),
        ("Engine(Speed=1e999)", '"1e999" is above the maximum, 8000 rpm', "hexadecimal"),
        ("Engine(Speed=-1)", '"-1" is below the minimum, 0 rpm', "hexadecimal"),
        ("Engine(Speed=1 km/h)", 'signal "Speed" has the unit "rpm", not "km/h"', ""),
        ("Engine(Temp=1 K)", 'signal "Temp" has no unit, not "K"', ""),
        ("Engine(Temp=128)", 'signal "Temp" has 8 bits, which hold -128 to 127', ""),
        ("Engine(Speed=0x10000)", "has 16 bits", ""),
        ("Engine(Gear=Frist)", 'signal "Gear" has no value "Frist"', "similar: First"),
        ("Engine(Gear=Xyzzy)", 'signal "Gear" has no value "Xyzzy"', "its names: Neutral, First"),
        ("Engine(Temp=warm)", 'signal "Temp": "warm" is not a number', ""),
        ("Engine(Ratio=1e39)", "cannot hold 1e+39", ""),
        ("Engine(Ratio=0x1)", "is a float", ""),
        ("Engine(Speed=1, Speed=2)", 'signal "Speed" is given twice', ""),
        ("Engine(Speed)", 'expected SIGNAL=VALUE at "Speed"', "Engine(Speed=1500 rpm"),
        ("Engine(Speed=1", 'malformed frame "Engine(Speed=1"', "Engine(Speed=1500 rpm"),
        ('Engine(Gear="First" Speed=1)', 'expected a comma at "Speed=1"', ""),
    ],
)
def test_a_mistake_is_one_clear_line(text, error, hint):
    with pytest.raises(UsageError) as caught:
        raws(text)
    assert error in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_a_value_between_two_raw_values_is_reported():
    found = parse("Engine(Speed=1500.06, Temp=3)", [ENGINE], "x")
    assert found.rounded == ["Engine.Speed: 1500.06 is sent as 1500"]
    assert parse("Engine(Ratio=0.1)", [ENGINE], "x").rounded == [
        "Engine.Ratio: 0.1 is sent as 0.10000000149011612"
    ]


@pytest.mark.parametrize(("text", "expected"), [("Engine", True), ("E(A=#1)", True), ("123#01", False)])
def test_a_name_is_told_from_a_frame_by_its_mark(text, expected):
    assert is_name(text) is expected
