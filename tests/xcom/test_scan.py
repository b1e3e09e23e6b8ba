"""Finding devices, and readings of their values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

import pytest

from cantools_cli.frame.message import Message
from cantools_cli.xcom import StuCanPublicClient
from cantools_cli.xcom.addresses import parse_device
from cantools_cli.xcom.codec import Part
from cantools_cli.xcom.faults import Fault
from cantools_cli.xcom.objects import lookup
from cantools_cli.xcom.readings import Reading, read
from cantools_cli.xcom.scan import scan
from cantools_cli.xcom.simulator import Gateway, parse_units
from tests.xcom.emulator import EmulatedBus, Frame, message

SHORT = 0.02


def found(devices: str, *faults: str, identify: bool = False) -> tuple[list[str], int]:
    there = Gateway(parse_units(devices), faults=[Fault.parse(text) for text in faults])

    def device(frame: Frame) -> Iterable[Message]:
        return [sending.message for sending in there.answer(message(frame))]

    with EmulatedBus(device) as bus, StuCanPublicClient(0, bus=bus) as client:
        names = [one.device.name for one in scan(client, timeout=SHORT, identify=identify)]
        return names, len(bus.sent)


@pytest.mark.parametrize(
    "devices", ["xt1", "xt1,xt2,xt3,vt1,vs1,bsp", "vt1,vt2,bms", ",".join(f"xt{n}" for n in range(1, 10))]
)
def test_all_devices_are_found(devices: str) -> None:
    assert found(devices)[0] == devices.split(",")


def test_a_family_ends_with_the_first_missing_device() -> None:
    assert found("xt1")[1] == 2 + 4  # xt1 and xt2, and one each of the others


def test_a_silent_device_does_not_hide_the_next_one() -> None:
    assert found("xt1,xt2,xt3", "silence@xt2")[0] == ["xt1", "xt3"]


def test_silence_everywhere_ends_soon() -> None:
    names, asked = found("xt1", *(f"silence@{name}" for name in ("xt", "vt", "vs", "bsp")))
    assert (names, asked) == ([], 2 + 2 + 2 + 1 + 1)


def test_a_device_is_identified() -> None:
    there = Gateway(parse_units("xt1,vs1"))

    def device(frame: Frame) -> Iterable[Message]:
        return [sending.message for sending in there.answer(message(frame))]

    with EmulatedBus(device) as bus, StuCanPublicClient(0, bus=bus) as client:
        first, second = scan(client, ["xt", "vs"])
    assert (first.model, first.version, first.serial) == ("XTH", "1.6.42", 4660 << 16 | 22136)
    assert (second.model, second.version) == ("VS-70", "1.6.42")


def test_a_failed_reading_has_a_reason() -> None:
    one = lookup("info", 3000)
    assert one is not None
    error = (0x0000CA01, bytes.fromhex("0BB800000022"))
    for frames, name in (
        ([], "NO_REPLY"),
        ([error], "OBJECT_ID_NOT_FOUND"),
        ([(0xCA00, b"")], "SHORT_REPLY"),
    ):
        with EmulatedBus(lambda _, frames=frames: frames) as bus, StuCanPublicClient(0, bus=bus) as client:
            reading = read(client, one, parse_device("xt1"), timeout=SHORT)
        assert reading.as_json()["error"]["name"] == name
        assert reading.as_json()["value"] is None
        assert str(reading).startswith("3000 Battery voltage (xt1): ")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 32767.0])
def test_missing_values_are_null_in_json(value: float) -> None:
    one = lookup("info", 3001)
    assert one is not None
    reading = Reading(1.5, parse_device("xt1"), one, value=value)
    text = json.dumps(reading.as_json(), allow_nan=False)
    assert json.loads(text)["value"] is None
    assert str(reading) == "3001 Battery temperature (xt1): n/a"


def test_json_has_everything_of_a_reading() -> None:
    one = lookup("parameter", 1202)
    assert one is not None
    reading = Reading(1.5, parse_device("xt2"), one, Part.MAX, 8.0)
    assert reading.as_json() == {
        "timestamp": 1.5,
        "device": "xt2",
        "address": 102,
        "kind": "parameter",
        "number": 1202,
        "name": "Operating mode (AUX 1)",
        "part": "max",
        "value": 8,
        "unit": None,
        "label": "Manual OFF",
        "raw": "41000000",
        "error": None,
    }
    assert str(reading) == "1202 Operating mode (AUX 1) (xt2) [max]: 8 (Manual OFF)"
