"""Objects and addresses of devices, found by number and by name."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.xcom import addresses, objects
from cantools_cli.xcom.addresses import Device, device_name, is_group, is_member, parse_device
from cantools_cli.xcom.objects import COLUMNS, find, find_readable, lookup, message_text, search, table


def test_the_table_has_as_many_objects_as_its_source_states() -> None:
    counts = Counter((one.kind, one.family) for one in table())
    parameters = {"xt": 356, "xt120": 7, "rcc": 82, "bsp": 25, "bms": 39, "vt": 263, "vs": 174}
    infos = {"xt": 114, "bsp": 35, "bms": 33, "vt": 55, "vs": 87}
    assert {family: counts["parameter", family] for family in parameters} == parameters
    assert {family: counts["info", family] for family in infos} == infos
    assert counts["message", "any"] == 189


def test_each_object_exists_once() -> None:
    assert max(Counter((one.kind, one.family, one.number) for one in table()).values()) == 1


@pytest.mark.parametrize(
    ("number", "name", "unit", "default", "low", "high", "step"),
    [
        (1286, "AC Output voltage", "Vac", 230, 110, 280, "1"),
        (1140, "Floating voltage", "Vdc", 54.4, 37.9, 72, "0.1"),
        (1395, "Restore default settings", "", None, None, None, "signal"),
    ],
)
def test_rows_of_the_specification(number, name, unit, default, low, high, step) -> None:
    one = lookup("parameter", number)
    assert one is not None
    found = (one.name, one.unit, one.default, one.minimum, one.maximum, one.step)
    assert found == (name, unit, default, low, high, step)


def test_packing_keeps_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    row = [
        "1",
        "parameter",
        "xt",
        "a, b",
        "V",
        "float",
        "1",
        "0",
        "2",
        "0.1",
        "basic",
        "0=No",
        "s",
        "A > B",
        "n",
    ]
    quoted = ",".join(f'"{field}"' for field in row)
    packed = objects.pack(",".join(COLUMNS) + "\n" + quoted + "\n")
    assert gzip.decompress(packed).decode() == "\t".join(row) + "\n"
    assert objects._parsed("\t".join(row)).options == {0: "No"}


@pytest.mark.parametrize(
    ("text", "kind", "device", "number", "address"),
    [
        ("1286", "parameter", None, 1286, 101),
        ("3000", "info", None, 3000, 101),
        ("11000", "info", None, 11000, 301),
        ("15000", "info", None, 15000, 701),
        ("7002", "info", None, 7002, 601),
        ("xt2:1286", "parameter", None, 1286, 102),
        ("102:1286", "parameter", None, 1286, 102),
        ("AC Output voltage", "parameter", None, 1286, 101),
        ("ac output VOLT", "parameter", None, 1286, 101),
        ("xt3:AC Output voltage", "parameter", None, 1286, 103),
        ("Battery voltage", "info", "vt2", 11000, 302),
        ("1999", "parameter", "xt1", 1999, 101),
    ],
)
def test_an_object_is_found(text, kind, device, number, address) -> None:
    one, asked = find(text, kind, None if device is None else parse_device(device))
    assert (one.number, asked.address) == (number, address)


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("Battery voltage", "info", "matches"),
        ("no such thing", "parameter", "has"),
        ("3000", "parameter", "it is an info"),
        ("1286", "info", "it is a parameter"),
        ("1999", "parameter", "unknown parameter 1999"),
        ("70000", "parameter", "largest"),
        ("", "parameter", "empty"),
    ],
)
def test_unknown_and_ambiguous_objects_are_refused_with_a_hint(text: str, kind: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        find(text, kind)


def test_a_bsp_and_a_bms_share_an_address_not_their_objects() -> None:
    assert find("7034", "info", parse_device("bsp"))[0].family == "bsp"
    assert find("7054", "info", parse_device("601"))[0].family == "bms"
    assert find("7054", "info", parse_device("bms"))[0].family == "bms"


def test_a_number_may_be_an_info_or_a_parameter() -> None:
    assert find_readable("3000")[0].kind == "info"
    assert find_readable("1286")[0].kind == "parameter"
    with pytest.raises(UsageError, match="no info"):
        find_readable("no such thing")


def test_searching_takes_all_words() -> None:
    assert [one.number for one in search("fan detected", "message")] == [16]
    assert {one.family for one in search("float", family="vt")} == {"vt"}
    assert list(search("no such thing")) == []


def test_messages_have_their_severity_and_three_digits() -> None:
    assert message_text(16) == "Warning (016): Fan error detected"
    assert message_text(66) == "(066): unknown message"


def test_parameters_that_switch_a_device_are_guarded() -> None:
    for number in (1124, 1395, 1468, 1628, 10051, 14067, 6003):
        one = lookup("parameter", number)
        assert one is not None
        assert one.is_guarded
    one = lookup("parameter", 1286)
    assert one is not None
    assert not one.is_guarded


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("xt1", 101, "xt1"),
        ("XT9", 109, "xt9"),
        ("xt", 100, "xt"),
        ("l2", 192, "l2"),
        ("vt15", 315, "vt15"),
        ("bsp", 601, "bsp"),
        ("bms", 601, "bms"),
        ("vs", 700, "vs"),
        ("rcc5", 505, "rcc5"),
        ("101", 101, "xt1"),
        ("0x65", 101, "xt1"),
        ("7", 7, "7"),
    ],
)
def test_names_of_devices(text: str, address: int, name: str) -> None:
    device = parse_device(text)
    assert (device.address, device.name) == (address, name)


@pytest.mark.parametrize(
    "text", ["xt0", "xt10", "vt16", "xt01", "bsp2", "l4", "1024", "0x400", "-1", "", "x", "1e2"]
)
def test_invalid_devices_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_device(text)


@given(st.integers(0, 1023))
def test_every_name_of_an_address_parses_back(address: int) -> None:
    if address != 600:  # the group of what there is one of
        assert parse_device(device_name(address)).address == address


def test_groups_and_their_members() -> None:
    assert is_group(100)
    assert is_group(191)
    assert not is_group(101)
    assert is_member(102, 100)
    assert is_member(100, 100)
    assert is_member(102, 191)
    assert not is_member(301, 100)
    assert not is_member(101, 102)


def test_the_constants_are_the_vendors() -> None:
    theirs = pytest.importorskip("xcomcan.addresses")
    names = [name for name in dir(theirs) if name.endswith("DEVICE_ID") or name.startswith("PARAMETER_PART")]
    assert {name: getattr(theirs, name) for name in names} == {
        name: getattr(addresses, name) for name in names
    }
    assert set(names) == set(addresses.__all__)


def test_groups_are_told_from_single_devices() -> None:
    assert Device(100, "xt").is_group
    assert not Device(101, "xt").is_group
