"""The names of series on the command line."""

from __future__ import annotations

import pytest

from cantools_cli.decoding.model import Database, MessageSpec, SignalSpec
from cantools_cli.errors import UsageError
from cantools_cli.plotting.names import Figure, parse

MUX = MessageSpec(
    "Mux",
    0x200,
    False,
    8,
    (
        SignalSpec("Page", 0, 8, is_selector=True),
        SignalSpec("Other", 8, 8, selector="Page", selected_by=((1, 1),)),
        SignalSpec("Third", 16, 8),
    ),
)
ENGINE = MessageSpec("Engine", 0x100, False, 8, (SignalSpec("Speed", 0, 16), SignalSpec("Temp", 16, 8)))
DATABASE = Database("car.dbc", (ENGINE, MUX))


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("Engine.Speed", {("Engine", "Speed")}),
        ("Speed", {("Engine", "Speed")}),
        ("Engine", {("Engine", "Speed"), ("Engine", "Temp")}),
        ("Engine.*", {("Engine", "Speed"), ("Engine", "Temp")}),
        ("*.T*", {("Engine", "Temp"), ("Mux", "Third")}),
    ],
)
def test_signals_by_name_and_pattern(word, names):
    assert parse([word], DATABASE).names == names


def test_a_multiplexed_signal_brings_the_one_that_selects_it():
    wanted = parse(["Mux.Other"], DATABASE)
    assert wanted.names == {("Mux", "Other")}
    assert [signal.name for signal in wanted.signals[0].signals] == ["Page", "Other"]


def test_no_names_are_all_signals_or_the_rate():
    assert parse([], DATABASE).count == 5
    assert parse([], None).figures == [Figure("rate", label="rate")]


def test_bytes_are_big_endian_signals_of_an_identifier():
    wanted = parse(["123[2:4]", "00000123[0],le,signed,factor=0.5,offset=-1,unit=V,name=Volt"], None)
    first, second = wanted.octets
    assert (first.key, first.signals[0]) == (0x123, SignalSpec("123[2:4]", 16, 16, is_big_endian=True))
    assert second.key == 0x80000123
    assert second.signals[0] == SignalSpec("Volt", 0, 8, is_signed=True, factor=0.5, shift=-1.0, unit="V")


def test_bytes_of_one_identifier_are_one_message():
    (message,) = parse(["123[0]", "123[4:6]"], None).octets
    assert [signal.start for signal in message.signals] == [0, 32]


def test_figures():
    wanted = parse(["rate", "load", "period:123", "rate:Engine"], DATABASE)
    assert [(figure.kind, figure.key) for figure in wanted.figures] == [
        ("rate", None),
        ("load", None),
        ("period", 0x123),
        ("rate", 0x100),
    ]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("Engine.Sped", 'message "Engine" has no signal "Sped"'),
        ("Engin.Speed", 'car.dbc has no message "Engin"'),
        ("Sped", 'car.dbc has no signal "Sped"'),
        ("period", '"period" needs an identifier'),
        ("load:123", '"load:123": the load is that of a bus'),
        ("rate:12", 'car.dbc has no message "12"'),
        ("FFF[0]", 'identifier "FFF" exceeds 7FF'),
        ("123[4:4]", 'bad bytes in "123[4:4]": 1 to 8, the end is not included'),
        ("123[0:9]", 'bad bytes in "123[0:9]": 1 to 8, the end is not included'),
        ("123[0],be,middle", 'unknown option "middle" in "123[0],be,middle"'),
        ("123[0],factor=x", 'bad number "x" in "123[0],factor=x"'),
        ("123[0:3],float", '"123[0:3],float": a float has 2, 4 or 8 bytes'),
    ],
)
def test_bad_names_are_one_clear_line(word, text):
    with pytest.raises(UsageError) as raised:
        parse([word], DATABASE)
    assert str(raised.value) == text


def test_a_signal_needs_a_database():
    with pytest.raises(UsageError, match="needs a database"):
        parse(["Engine.Speed"], None)
