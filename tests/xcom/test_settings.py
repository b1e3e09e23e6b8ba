"""Parameters in a TOML file."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.xcom import codec
from cantools_cli.xcom.addresses import parse_device
from cantools_cli.xcom.objects import XcomObject, lookup, of_family
from cantools_cli.xcom.readings import Reading
from cantools_cli.xcom.settings import read_settings, setting_lines

XT1 = parse_device("xt1")
PARAMETERS = [
    one for one in of_family("parameter", "xt") if not one.is_signal and one.format != "not_supported"
]


def read(text: str) -> list[tuple[str, int, float]]:
    return [(one.device.name, one.object.number, one.value) for one in read_settings(text, "file.toml")]


def plausible(one: XcomObject) -> st.SearchStrategy[float]:
    if one.options and one.step != "bitfield":
        return st.sampled_from(sorted(one.options)).map(float)
    if one.step == "bitfield":
        return st.integers(0, 127).map(float)
    if one.format == "int32":
        return st.integers(0, 1440).map(float)
    return st.floats(-1e6, 1e6, width=32)


@given(st.sampled_from(PARAMETERS), st.data())
def test_exported_settings_can_be_read(one: XcomObject, data: st.DataObject) -> None:
    value = data.draw(plausible(one))
    text = f"[{XT1.name}]\n{setting_lines(Reading(0.0, XT1, one, value=value))}"
    if one.unit == "s_since_1970":
        return
    ((_, number, found),) = read(text)
    assert (number, codec.encode_value(found)) == (one.number, codec.encode_value(value + 0.0))


def test_a_parameter_without_a_value_is_a_comment() -> None:
    one = lookup("parameter", 1286)
    assert one is not None
    assert all(line.startswith("#") for line in setting_lines(Reading(0, XT1, one)).splitlines())
    assert "n/a" in setting_lines(Reading(0, XT1, one, value=math.nan))


def test_names_labels_and_several_devices_are_accepted() -> None:
    text = """
    [xt1]
    "AC Output voltage" = 229
    1202 = "Manual ON"
    1124 = true
    1525 = "13:41"
    [vt2]
    10005 = 54.5
    """
    assert read(text) == [
        ("xt1", 1286, 229.0),
        ("xt1", 1202, 4.0),
        ("xt1", 1124, 1.0),
        ("xt1", 1525, 821.0),
        ("vt2", 10005, 54.5),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[xt1]\n1286 = \n", "file.toml:2"),
        ("[nobody]\n1286 = 1\n", "not a device"),
        ("1286 = 1\n", "outside of a device"),
        ("[xt1]\n1286 = [1]\n", "neither a number nor text"),
        ('[xt1]\n1286 = "abc"\n', r"\[xt1\] 1286: .*is a number, not"),
        ("[xt1]\n1202 = 3\n", "not a value of"),
        ('[xt1]\n"voltage" = 3\n', "matches"),
        ("[xt1]\n1286 = nan\n", "is a number, not"),
        ("[xt1]\n1286 = 1e300\n", "too large"),
    ],
)
def test_errors_name_the_wrong_entry(text: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read(text)
