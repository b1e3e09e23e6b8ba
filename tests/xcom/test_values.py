"""Values of objects as text."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.xcom import values
from cantools_cli.xcom.objects import XcomObject, lookup, table
from tests.xcom.golden import NUMBERS


def parameter(number: int) -> XcomObject:
    found = lookup("parameter", number)
    assert found is not None
    return found


@pytest.mark.parametrize("data", NUMBERS)
def test_numbers_of_the_specification(data: str) -> None:
    (value,) = struct.unpack(">f", bytes.fromhex(data))
    assert values.format_number(value) == NUMBERS[data]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_printed_number_is_the_same_four_bytes(value: float) -> None:
    text = values.format_number(value)
    assert float(text) == value or struct.pack(">f", float(text)) == struct.pack(">f", value)
    assert not text.endswith(".0")
    if 1e-4 <= abs(value) < 1e10:
        assert "e" not in text


@given(st.floats(width=32))
def test_json_numbers_are_finite(value: float) -> None:
    found = values.json_number(None, value)
    assert (found is None) == (math.isnan(value) or math.isinf(value))


@pytest.mark.parametrize(
    ("number", "given_text", "value"),
    [
        (1286, "231.5", 231.5),
        (1286, "229", 229.0),
        (1124, "yes", 1.0),
        (1124, "OFF", 0.0),
        (1124, "true", 1.0),
        (1202, "Manual ON", 4.0),
        (1202, "manual off", 8.0),
        (1202, "2", 2.0),
        (1525, "13:41", 821.0),
        (1525, "1440", 1440.0),
        (1497, "0", 0.0),
        (1395, "1", 1.0),
    ],
)
def test_accepted_spellings(number: int, given_text: str, value: float) -> None:
    assert values.parse(parameter(number), given_text) == value


@pytest.mark.parametrize(
    ("number", "given_text"),
    [
        (1286, "abc"),
        (1286, "nan"),
        (1286, "inf"),
        (1286, "1e39"),
        (1286, "1e999"),
        (1286, "1_0"),
        (1286, ""),
        (1124, "2"),
        (1124, "maybe"),
        (1202, "3"),
        (1202, "Manual"),
        (1525, "24:01"),
        (1525, "12:60"),
        (1525, "1.5"),
        (1395, "0"),
        (5002, "1764340000"),
    ],
)
def test_invalid_values_are_refused(number: int, given_text: str) -> None:
    with pytest.raises(UsageError):
        values.parse(parameter(number), given_text)


def test_days_are_bits_from_monday_on() -> None:
    days = next(one for one in table() if one.step == "bitfield")
    assert values.parse(days, "mon,wed") == 5
    assert values.parse(days, "all") == 127
    assert values.label(days, 96.0) == "sat,sun"
    assert values.label(days, 0.0) == "none"
    with pytest.raises(UsageError):
        values.parse(days, "128")
    with pytest.raises(UsageError):
        values.parse(days, "mon,foo")


@given(st.sampled_from([one for one in table() if one.options]), st.data())
def test_every_displayed_label_parses_back(one: XcomObject, data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(sorted(one.options)))
    labels = [name.casefold() for name in one.options.values()]
    shown = values.label(one, float(value))
    assert shown is not None
    if labels.count(shown.casefold()) == 1 and one.format != "bool":
        assert values.parse(one, shown) == value
    assert values.parse(one, str(value)) == value


@pytest.mark.parametrize(
    ("kind", "number", "value", "text"),
    [
        ("parameter", 1286, 230.0, "230 Vac"),
        ("info", 3010, 4.0, "4 (Floating)"),
        ("info", 3010, 77.0, "77"),
        ("info", 3001, 32767.0, "n/a"),
        ("info", 3001, 22.0, "22 °C"),
        ("info", 7004, math.nan, "n/a"),
        ("parameter", 1525, 821.0, "821 (13:41)"),
        ("parameter", 1124, 1.0, "1 (Yes)"),
    ],
)
def test_displayed_values(kind: str, number: int, value: float, text: str) -> None:
    assert values.text(lookup(kind, number), value) == text


def test_integers_beyond_single_precision_are_refused() -> None:
    number = XcomObject(1, "parameter", "xt", format="int32")
    assert values.parse(number, "16777216") == 16777216
    with pytest.raises(UsageError, match="24 bits"):
        values.parse(number, "16777217")
