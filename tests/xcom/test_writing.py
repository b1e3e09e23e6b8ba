"""Writes: the checks before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.errors import CanTimeoutError, UsageError
from cantools_cli.xcom import StuCanPublicClient, Timeout
from cantools_cli.xcom.addresses import parse_device
from cantools_cli.xcom.codec import Part
from cantools_cli.xcom.journal import Journal, warning
from cantools_cli.xcom.objects import XcomObject, lookup
from cantools_cli.xcom.simulator import Gateway, parse_units
from cantools_cli.xcom.writing import RefusedError, WriteFailedError, Writer
from tests.xcom.emulator import EmulatedBus, EmulatedGateway, Frame, message

BUS = "emulated:test"
XT1 = parse_device("xt1")
SERVICE_WRITE = 2


def parameter(number: int) -> XcomObject:
    found = lookup("parameter", number)
    assert found is not None
    return found


VOLTAGE = parameter(1286)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(str(tmp_path / "journal.jsonl"))


@pytest.fixture
def bus() -> Iterator[EmulatedBus]:
    with EmulatedBus(EmulatedGateway()) as bus:
        yield bus


@pytest.fixture
def writer(bus: EmulatedBus, journal: Journal) -> Iterator[Callable[..., Writer]]:
    with StuCanPublicClient(0, bus=bus) as client:
        yield lambda **options: Writer(client, journal, BUS, timeout=0.05, **options)


def writes(bus: EmulatedBus) -> list[Frame]:
    return [frame for frame in bus.sent if frame[0] >> 6 & 7 == SERVICE_WRITE]


def written(writer: Writer, value: float, part: Part = Part.RAM, **more: Any) -> Any:
    one, device = more.get("one", VOLTAGE), more.get("device", XT1)
    return writer.carry_out(writer.plan(one, device, value, part))


def test_a_write_to_ram_is_sent_once_and_not_recorded(bus, writer, journal) -> None:
    outcome = written(writer(), 231.5)
    assert (outcome.stored, outcome.verified) == (231.5, None)
    assert writes(bus) == [(0x03280080, bytes.fromhex("05060443678000"))]
    assert not Path(journal.path).exists()


def test_flash_is_read_back_and_counted(bus, writer, journal) -> None:
    outcome = written(writer(), 229.0, Part.FLASH)
    assert outcome.verified == 229.0
    assert journal.count(BUS, "xt1", 1286) == 1
    assert journal.count(BUS, "xt2", 1286) == journal.count("other", "xt1", 1286) == 0


@pytest.mark.parametrize("value", [109.0, 281.0])
@pytest.mark.parametrize("part", [Part.RAM, Part.FLASH])
def test_values_outside_the_limits_of_the_device_are_refused(bus, writer, value, part) -> None:
    with pytest.raises(UsageError, match="limits, 110 to 280 Vac"):
        written(writer(), value, part)
    assert writes(bus) == []


def test_limits_are_those_of_the_device_not_of_the_table(bus, writer) -> None:
    bus.device.limits[1286] = (55.0, 140.0)
    written(writer(), 120.0)
    with pytest.raises(UsageError, match="limits, 55 to 140"):
        written(writer(), 230.0)


def test_force_passes_the_limits_and_the_device_has_the_last_word(bus, writer) -> None:
    with pytest.raises(RefusedError, match=r"1286 AC Output voltage \(xt1\): DATA_TOO_BIG"):
        written(writer(force=True), 300.0)
    assert len(writes(bus)) == 1


@pytest.mark.parametrize("part", [Part.MIN, Part.MAX])
def test_limits_cannot_be_written(bus, writer, part) -> None:
    with pytest.raises(UsageError):
        writer().plan(VOLTAGE, XT1, 230.0, part)
    assert bus.sent == []


@pytest.mark.parametrize("number", [1124, 1395, 1468])
def test_switching_a_device_needs_force(bus, writer, number) -> None:
    with pytest.raises(UsageError, match="switches, resets or reconfigures"):
        writer().plan(parameter(number), XT1, 1.0, Part.RAM)
    assert bus.sent == []


def test_writing_a_group_needs_broadcast(bus, writer) -> None:
    with pytest.raises(UsageError, match="writing it needs --broadcast"):
        written(writer(), 230.0, device=parse_device("xt"))
    assert bus.sent == []
    written(writer(broadcast=True), 231.0, device=parse_device("xt"))
    assert writes(bus) == [(0x03200080, bytes.fromhex("05060443670000"))]


def test_a_missing_device_is_not_written(bus, writer) -> None:
    with pytest.raises(RefusedError, match="DEVICE_NOT_FOUND"):
        written(writer(), 230.0, device=parse_device("xt5"))
    bus.device = lambda _: []
    with pytest.raises(Timeout):
        written(writer(), 230.0)
    assert writes(bus) == []


def test_a_write_without_a_reply_is_not_repeated_but_reported(bus, writer, journal) -> None:
    there = bus.device
    bus.device = lambda frame: [] if frame[0] >> 6 & 7 == SERVICE_WRITE else there(frame)
    with pytest.raises(CanTimeoutError, match="unknown whether the value was written") as caught:
        written(writer(), 229.0, Part.FLASH)
    assert caught.value.hint
    assert len(writes(bus)) == 1
    assert journal.count(BUS, "xt1", 1286) == 1  # on the safe side


def test_flash_with_another_value_after_a_write_is_a_failure(bus, writer) -> None:
    there = bus.device

    def forgetful(frame: Frame) -> Any:
        yield from there(frame)
        there.flash[1286] = 230.0

    bus.device = forgetful
    with pytest.raises(WriteFailedError, match="flash holds 230 Vac after 220"):
        written(writer(), 220.0, Part.FLASH)


def test_rounding_is_not_a_difference(bus, writer) -> None:
    there = bus.device

    def rounding(frame: Frame) -> Any:
        yield from there(frame)
        there.flash[1286] = round(there.flash[1286])

    bus.device = rounding
    assert written(writer(), 229.4, Part.FLASH).verified == 229.0


def test_an_unchanged_value_is_detected(writer) -> None:
    assert writer().plan(VOLTAGE, XT1, 230.0, Part.FLASH).is_unchanged
    assert not writer().plan(VOLTAGE, XT1, 231.0, Part.FLASH).is_unchanged
    assert writer().plan_if_changed(VOLTAGE, XT1, 230.0, Part.RAM) is None
    assert writer().plan_if_changed(VOLTAGE, XT1, 231.0, Part.RAM) is not None


def test_a_worn_parameter_is_refused(bus, writer, journal) -> None:
    for _ in range(1000):
        with open(journal.path, "a") as file:
            file.write(f'{{"bus":"{BUS}","device":"xt1","number":1286}}\n')
    with pytest.raises(UsageError, match="guaranteed writes to flash are used"):
        written(writer(), 229.0, Part.FLASH)
    assert writes(bus) == []
    written(writer(), 229.0)
    written(writer(force=True), 229.0, Part.FLASH)
    assert len(writes(bus)) == 2


def test_nothing_is_sent_if_the_journal_cannot_be_written(bus, writer, tmp_path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(OSError, match="directory"):
        written(writer(), 229.0, Part.FLASH)
    assert writes(bus) == []


def test_flash_of_each_device_of_a_group_is_counted_and_read_back(journal) -> None:
    there = Gateway(parse_units("xt1,xt2,xt3"))

    def device(frame: Frame) -> Any:
        return [sending.message for sending in there.answer(message(frame))]

    with EmulatedBus(device) as bus, StuCanPublicClient(0, bus=bus) as client:
        writer = Writer(client, journal, BUS, timeout=0.05, broadcast=True)
        there.units[103].ram[1286] = 1.0
        plan = writer.plan(VOLTAGE, parse_device("xt"), 229.0, Part.FLASH)
        assert [member.name for member in plan.members] == ["xt1", "xt2", "xt3"]
        assert writer.carry_out(plan).verified == 229.0
    assert [journal.count(BUS, f"xt{number}", 1286) for number in (1, 2, 3, 4)] == [1, 1, 1, 0]


# --- the journal --------------------------------------------------------------------------------------


def test_malformed_lines_of_the_journal_are_ignored(journal) -> None:
    journal.record(BUS, "xt1", 1286, 230.0)
    with open(journal.path, "ab") as file:
        file.write(b'garbage\n\xff\xfe\n[1]\n{"bus":1}\n{"bus":"cut')
    journal.record(BUS, "xt1", 1286, 231.0)
    assert journal.count(BUS, "xt1", 1286) == 2


def test_warnings_are_printed_near_the_limit() -> None:
    assert warning(99) is None
    assert "100 of 1000" in str(warning(100))
    assert "prefer writing to RAM" in str(warning(900))


def test_the_journal_is_in_the_users_state(monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert Journal().path == "/state/canx/xcom-flash.jsonl"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Journal().path == "/home/somebody/.local/state/canx/xcom-flash.jsonl"
