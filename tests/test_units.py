from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli import units
from cantools_cli.errors import UsageError

DURATIONS = [
    ("5", 5_000_000_000),
    ("0", 0),
    ("0.25", 250_000_000),
    (".5", 500_000_000),
    ("2.", 2_000_000_000),
    ("1.000000001", 1_000_000_001),
    ("7ns", 7),
    ("250us", 250_000),
    ("250µs", 250_000),
    ("3.75ms", 3_750_000),
    ("200 ms", 200_000_000),
    (" 5s ", 5_000_000_000),
    ("10m", 600_000_000_000),
    ("2h", 7_200_000_000_000),
    ("0.0015us", 2),  # rounded half up
]


@pytest.mark.parametrize(("text", "nanoseconds"), DURATIONS)
def test_durations(text: str, nanoseconds: int) -> None:
    assert units.duration_ns(text) == nanoseconds
    assert units.duration(text) == nanoseconds / 1e9


@given(st.integers(0, 9_000_000_000_000_000), st.sampled_from(["ns", "us", "ms"]))
def test_durations_are_exact(number: int, unit: str) -> None:
    factor = {"ns": 1, "us": 1000, "ms": 1_000_000}[unit]
    number //= factor
    assert units.duration_ns(f"{number}{unit}") == number * factor


@pytest.mark.parametrize("text", ["500", "0.5", "5.", " 500 "])
def test_a_bare_number_is_refused_where_it_meant_milliseconds(text: str) -> None:
    with pytest.raises(UsageError, match="candump uses milliseconds") as caught:
        units.milliseconds_must_have_unit(text, "-T")
    number = text.strip()
    assert caught.value.hint == f"-T {number}ms or -T {number}s"


def test_the_refusal_names_the_tool_that_the_option_is_known_from() -> None:
    with pytest.raises(UsageError, match="-g 200 has no unit: cangen uses"):
        units.milliseconds_must_have_unit("200", "-g")


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("5s", 5.0), ("0", 0.0), ("0.0", 0.0), ("3.75ms", 0.00375)]
)
def test_zero_is_the_same_in_every_unit(text: str, seconds: float) -> None:
    assert units.milliseconds_must_have_unit(text, "-g") == seconds


GOOD: list[tuple[Callable[[str], Any], str, Any]] = [
    (units.bitrate, "500000", 500_000),
    (units.bitrate, "500k", 500_000),
    (units.bitrate, "500K", 500_000),
    (units.bitrate, "83.333k", 83_333),
    (units.bitrate, "1M", 1_000_000),
    (units.bitrate, "2.5M", 2_500_000),
    (units.size, "0", 0),
    (units.size, "4096", 4096),
    (units.size, "17B", 17),
    (units.size, "1.5kB", 1500),
    (units.size, "100MB", 100_000_000),
    (units.size, "100M", 100_000_000),
    (units.size, "64KiB", 65_536),
    (units.size, "64kiB", 65_536),
    (units.size, "2GiB", 2 << 30),
    (units.size, "1TB", 10**12),
    (units.rate, "1000", 1000.0),
    (units.rate, "2.5", 2.5),
    (units.rate, "10k", 10_000.0),
    (units.rate, "1000/s", 1000.0),
    (units.percentage, "30%", 0.3),
    (units.percentage, "30", 0.3),
    (units.percentage, "0.5 %", 0.005),
    (units.percentage, "100%", 1.0),
]


@pytest.mark.parametrize(("parse", "text", "value"), GOOD)
def test_other_units(parse: Callable[[str], Any], text: str, value: Any) -> None:
    assert parse(text) == value


# What no parser takes: nothing, signs, exponents, other digits, another unit, inner junk.
NEVER = [
    "",
    " ",
    ".",
    "-1",
    "+1",
    "1e3",
    "1_000",
    "0x10",
    "٣",
    "5 5",
    "5parsec",
    "ms",
    "1,5",
    "inf",
    "nan",
    "1..2",
    "9" * 40,
]


@pytest.mark.parametrize("parse", [units.duration, units.bitrate, units.size, units.rate, units.percentage])
@pytest.mark.parametrize("text", NEVER)
def test_what_is_no_number_is_refused_with_the_accepted_forms(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert '"' in str(caught.value)
    assert caught.value.hint


# In range and form, but not in meaning.
WRONG: list[tuple[Callable[[str], Any], str, str]] = [
    (units.duration, "999999999999999999h", "exceeds 292 years"),
    (units.duration, "5M", 'unknown unit "M"'),
    (units.bitrate, "0", "not a positive"),
    (units.bitrate, "0.5", "whole number"),
    (units.bitrate, "500m", 'unknown unit "m"'),
    (units.size, "1.5B", "whole number"),
    (units.size, "10m", 'unknown unit "m"'),
    (units.rate, "0", "must be greater than 0"),
    (units.percentage, "100.1%", "exceeds 100"),
]


@pytest.mark.parametrize(("parse", "text", "reason"), WRONG)
def test_what_makes_no_sense_is_refused(parse: Callable[[str], Any], text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse(text)
