"""A frame or a filter where a command takes a bus: refused, and the hint says what is missing."""

from __future__ import annotations

import pytest

from cantools_cli.bus import not_a_bus
from cantools_cli.bus.address import parse_address
from cantools_cli.errors import UsageError

LINE = "(1700000000.000000) can0 123#11\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "123#11"],
        ["dump", "123#11", "-T", "10ms"],
        ["gen", "123#11", "-n", "1"],
        ["replay", "-", "123#11"],
        ["replay", "-", "--map", "can0=123#11"],
        ["bridge", "virtual:a", "123#11"],
        ["sniff", "123#11", "--once", "--duration", "10ms"],
        ["serve", "123#11"],
        ["xcom", "scan", "--bus", "123#11"],
        ["xcom", "simulate", "123#11"],
    ],
    ids=" ".join,
)
def test_a_frame_is_no_bus_in_any_command(canx, arguments):
    result = canx(*arguments, stdin=LINE, CAN_INTERFACE="virtual")
    assert (result.stdout, result.returncode) == ("", 2)
    assert result.stderr == (
        'canx: "123#11" is a frame, not a bus\nhint: the bus comes first: canx send BUS 123#11\n'
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["dump", "a", "-f", "100:7FC", "200:7F0"],
        ["sniff", "a", "--once", "-f", "100:7FC", "200:7F0"],
        ["bridge", "a", "b", "-f", "100:7FC", "200:7F0"],
        ["replay", "-", "-f", "100:7FC", "200:7F0"],
        ["send", "a", "-f", "100:7FC", "200:7F0"],
        ["convert", "-f", "100:7FC", "200:7F0"],
        ["serve", "a", "200:7F0"],
        ["gen", "200:7F0", "-n", "1"],
    ],
    ids=" ".join,
)
def test_several_filters_after_one_option_are_refused_with_the_right_spelling(canx, arguments):
    result = canx(*arguments, stdin=LINE, CAN_INTERFACE="virtual")
    assert (result.stdout, result.returncode) == ("", 2)
    assert '"200:7F0" is a filter, not a ' in result.stderr
    assert "-f 123 -f 200:7F0" in result.stderr


@pytest.mark.parametrize("interface", ["virtual", ""])
def test_an_identifier_after_a_filter_is_one_as_well(canx, interface):
    arguments = ["dump", "-f", "100", "200", "-T", "10ms"]
    result = canx(*arguments, CAN_INTERFACE=interface)
    assert result.returncode == 2
    assert result.stderr.startswith('canx: "200" is a filter, not a bus\nhint: each filter has its own -f')
    assert "BUS,200" not in result.stderr


def test_without_filters_a_bus_may_be_called_like_an_identifier(canx):
    assert canx("dump", "200", "-T", "10ms", CAN_INTERFACE="virtual").returncode == 0


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("can0#FF", "can0,#FF"),
        ("virtual:a#FF", "virtual:a,#FF"),
        ("#FF", "BUS,#FF"),
        ("100-1FF", "-f 123 -f 100-1FF"),
        ("00000100-000001FF", "-f 00000100-000001FF"),
        ("0x400~0x7F0", "BUS,0x400~0x7F0"),
        ("virtual:100:7FC", "-f virtual:100:7FC"),
        ("12345678#R", "canx send BUS 12345678#R"),
        ("123##1AA", "canx send BUS 123##1AA"),
    ],
)
def test_the_hint_says_what_is_missing(text, hint):
    with pytest.raises(UsageError) as raised:
        parse_address(text)
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("0", "0"),
        ("200", "200"),
        ("1.2.3.4:20000", "1.2.3.4:20000"),
        ("fe80::1", "fe80::1"),
        ("/dev/serial/by-id/usb#1", "/dev/serial/by-id/usb#1"),
        ("cannelloni:cafe:20000", "cafe:20000"),
        ("ED000200", "ED000200"),
        ("0,1", "0,1"),
        ("can0,123:7FF", "can0"),
        ("can0,#FF", "can0"),
    ],
)
def test_channels_that_look_alike_stay_channels(text, channel):
    assert parse_address(text).channel == channel


def test_a_file_is_a_filter_only_if_there_is_none_of_that_name(canx, tmp_path):
    (tmp_path / "100-1FF").write_text(LINE)
    assert canx("convert", "100-1FF").stdout == LINE
    assert not not_a_bus.is_filter("trace.log")


def test_two_dots_in_a_filter_suggest_the_range_that_filters_have(canx):
    result = canx("convert", "-f", "100..1FF", stdin=LINE)
    assert result.returncode == 2
    assert "hint: -f 100-1FF, or --where 'id in 100..1FF'" in result.stderr
