"""The simulated gateway: exchanges of the specification, errors, injected faults and the simulated day."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.frame.message import Message
from cantools_cli.xcom import codec
from cantools_cli.xcom.codec import ERROR_CODES
from cantools_cli.xcom.faults import Fault
from cantools_cli.xcom.objects import PROBES, of_family
from cantools_cli.xcom.plant import DAY, Plant
from cantools_cli.xcom.simulation import Simulation
from cantools_cli.xcom.simulator import DEFAULT_DEVICES, Gateway, Unit, parse_notice, parse_units
from tests.strategies import messages
from tests.xcom.emulator import EmulatedBus, identifier
from tests.xcom.golden import EXCHANGES

Reply = tuple[str, str]


def gateway(devices: str = DEFAULT_DEVICES, **options: Any) -> Gateway:
    return Gateway(parse_units(devices), **options)


def answers(there: Gateway, number: str, data: str) -> list[Reply]:
    request = Message(arbitration_id=int(number, 16), data=bytes.fromhex(data))
    sent = [one.message for one in there.answer(request)]
    assert all(one.is_extended_id for one in sent)
    return [(f"{one.arbitration_id:08X}", one.data.hex().upper()) for one in sent]


@pytest.mark.parametrize("name", EXCHANGES)
def test_exchanges_of_the_specification(name: str) -> None:
    assert answers(gateway(), *EXCHANGES[name].request) == [EXCHANGES[name].reply]


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (3000, "424F4000"),
        (3005, "41480000"),
        (3007, "42AE0000"),
        (3012, "40500000"),
        (3125, "45FA0000"),
        (3131, "44C54000"),
        (3139, "3F880000"),
        (3157, "46ACF000"),
        (3018, "00000000"),
        (3031, "00000000"),
    ],
)
def test_values_at_the_start_are_exact(number: int, data: str) -> None:
    assert answers(gateway(), "03280000", f"{number:04X}") == [("0000CA00", f"{number:04X}{data}")]


def test_ram_has_an_effect_but_is_never_read() -> None:
    there = gateway()
    answers(there, "03280080", "05060443678000")
    assert answers(there, "03280040", "050604") == [("0000CA40", "05060443660000")]
    assert answers(there, "03280000", "0BCD") == [("0000CA00", "0BCD43678000")]


def test_flash_is_worn_by_writing_and_kept_over_a_restart() -> None:
    there = gateway("xt1")
    unit = there.units[101]
    answers(there, "03280080", "05060443678000")
    answers(there, "03280080", "05060043650000")
    assert (unit.flash[1286], unit.ram[1286], unit.wear[1286]) == (229.0, 229.0, 1)
    answers(there, "03280080", "05060443678000")
    restart = answers(there, "03280080", "05BC043F800000")  # 1468
    assert restart == [("0000CA80", "05BC043F800000"), ("0FA0CAC0", "00B100000000")]
    assert unit.ram[1286] == 229.0


def test_nothing_is_saved_in_flash_if_that_is_disabled() -> None:
    there = gateway("xt1")
    answers(there, "03280080", "060E0000000000")  # 1550 = 0
    answers(there, "03280080", "05060043650000")
    assert (there.units[101].flash[1286], there.units[101].ram[1286]) == (230.0, 229.0)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("05060343660000", "INVALID_SERVICE_ARGUMENT"),
        ("050604" + "7FC00000", "INVALID_DATA"),
        ("050604" + "7F800000", "INVALID_DATA"),
        ("046404" + "40000000", "INVALID_DATA"),  # a bool of 2
        ("04B204" + "40400000", "INVALID_DATA"),  # an enumeration of 3
        ("05F504" + "3FC00000", "INVALID_DATA"),  # 1.5 minutes
        ("07CF04" + "3F800000", "OBJECT_ID_NOT_FOUND"),
    ],
)
def test_invalid_writes_are_answered_with_errors(data: str, error: str) -> None:
    assert answers(gateway(), "03280080", data) == [("0000CA81", f"{data[:4]}{ERROR_CODES[error]:08X}")]


def test_a_group_is_written_whole_or_not_at_all() -> None:
    there = gateway()
    assert answers(there, "03200080", "05060443678000") == [("0000C880", "05060443678000")]
    assert [there.units[address].ram[1286] for address in (101, 102)] == [231.5, 231.5]
    answers(there, "03200080", "05060443960000")
    assert there.units[101].ram[1286] == 231.5


def test_a_phase_is_read_from_its_first_device() -> None:
    there = gateway()
    assert answers(there, "05F80000", "0BB8") == [("00017E00", "0BB8424F4000")]
    assert answers(there, f"{identifier(192, 0, 0):08X}", "0BB8")[0][1] == "0BB8424F0000"
    assert answers(there, f"{identifier(193, 0, 0):08X}", "0BB8")[0][1] == "0BB800000002"


@pytest.mark.parametrize(
    ("number", "data"),
    [
        ("03280001", "0BB8"),
        ("00000000", "0BB8"),
        ("0FA80000", "0BB8"),
        ("0330CA00", "0BB8"),
        ("03280000", "0B"),
        ("03280000", "0BB800"),
        ("032800C0", "0BB800000000"),
        ("03280100", "0BB8"),
    ],
)
def test_malformed_requests_get_no_reply(number: str, data: str) -> None:
    assert answers(gateway(), number, data) == []


def test_an_exclusive_gateway_answers_malformed_requests() -> None:
    assert answers(gateway(exclusive=True), "03280000", "0B") == [("0000CA01", "0B0000000001")]


def test_two_gateways_can_share_a_bus() -> None:
    assert answers(gateway("vt1", only=True), "03280000", "0BB8") == []
    assert answers(gateway("vt1", only=True), "09680000", "2AF8") != []


#: answers as many frames as a gateway ever does
EXCLUSIVE = gateway(exclusive=True)


@given(messages())
def test_arbitrary_frames_do_not_break_it_and_replies_get_no_reply(message: Message) -> None:
    for sending in EXCLUSIVE.answer(message):
        assert EXCLUSIVE.answer(sending.message) == []


@given(st.integers(0, 0x1FFFFFFF), st.binary(max_size=8))
@settings(max_examples=300)
def test_every_answer_has_its_documented_length(number: int, data: bytes) -> None:
    for sending in EXCLUSIVE.answer(Message(arbitration_id=number, data=data)):
        found = codec.decode_identifier(sending.message.arbitration_id)
        length = 6 if found.is_error or found.service in (0, 3) else 7
        assert len(sending.message.data) == length


@pytest.mark.parametrize("family", ["xt", "vt", "vs", "bsp", "bms"])
def test_all_objects_of_a_family_can_be_read(family: str) -> None:
    unit = parse_units(family if family in ("bsp", "bms") else f"{family}1")[0]
    assert all(math.isfinite(unit.read_info(one.number)) for one in of_family("info", family))
    for one in of_family("parameter", family):
        assert unit.read(one.number, 1) <= unit.read(one.number, 2)
    assert unit.read_info(PROBES[family]) != 0.0


def test_defaults_can_be_written_back() -> None:
    for unit in parse_units("xt1,vt1,vs1,bsp"):
        for one in unit.parameters.values():
            if one.default is not None and one.format != "not_supported" and one.step != "bitfield":
                assert unit.write(one.number, 4, codec.rounded(one.default)) == codec.rounded(one.default)


@pytest.mark.parametrize("text", ["xt", "xt1,xt1", "bsp,bms", "nonsense", "7", ""])
def test_invalid_units_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_units(text)


# --- faults -------------------------------------------------------------------------------------------


def faulty(*texts: str) -> list[Reply]:
    return answers(gateway(faults=[Fault.parse(text) for text in texts]), "03280000", "0BB8")


RIGHT = ("0000CA00", "0BB8424F4000")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("silence", []),
        ("short", [("0000CA00", "0BB8")]),
        ("duplicate", [RIGHT, RIGHT]),
        ("wrong-source", [("00025A00", RIGHT[1])]),
        ("wrong-source=xt2", [("0000CC00", RIGHT[1])]),
        ("wrong-object", [(RIGHT[0], "0BCD424F4000")]),
        ("busy", [("0000CA01", "0BB800000013")]),
        ("error=0x99", [("0000CA01", "0BB800000099")]),
        ("silence@vt1", [RIGHT]),
        ("silence/2", [RIGHT]),
        ("silence@xt1", []),
        ("silence@xt", []),
    ],
)
def test_faults_on_request(fault: str, expected: list[Reply]) -> None:
    assert faulty(fault) == expected


def test_a_fault_may_affect_every_nth_reply() -> None:
    there = gateway(faults=[Fault.parse("silence/3")])
    assert [len(answers(there, "03280000", "0BB8")) for _ in range(6)] == [1, 1, 0, 1, 1, 0]


def test_a_late_reply_and_one_in_a_standard_frame() -> None:
    request = Message(arbitration_id=0x03280000, data=bytes.fromhex("0BB8"))
    assert gateway(faults=[Fault.parse("late=2.5")]).answer(request)[0].delay == 2.5
    (sending,) = gateway(faults=[Fault.parse("standard")]).answer(request)
    assert not sending.message.is_extended_id


@pytest.mark.parametrize(
    "text", ["", "nonsense", "late=x", "silence/0", "silence@nobody", "error=x", "wrong-object=99999"]
)
def test_invalid_faults_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Fault.parse(text)


# --- days ---------------------------------------------------------------------------------------------


def day(seed: int = 1, start: float = 0.0) -> list[dict[int, float]]:
    plant, found = Plant(start, seed), []
    for _ in range(24 * 6):
        plant.advance(600)
        found.append(
            {
                number: value
                for family in ("xt", "vt", "bsp")
                for number, value in plant.infos(family, 1.0, {}).items()
            }
        )
    return found


def test_a_day_has_sun_from_six_to_eighteen() -> None:
    power = [one[11004] for one in day()]
    assert max(power[: 6 * 6 - 1]) == max(power[18 * 6 :]) == 0.0
    assert max(power) == max(power[9 * 6 : 15 * 6]) > 3.0
    assert len(set(power)) > 50


def test_energy_grows_in_a_day_and_becomes_yesterdays() -> None:
    made = [one[11007] for one in day()][:-1]
    assert made == sorted(made)
    assert 10 < made[-1] < 60
    assert day()[-1][11011] == pytest.approx(made[-1], abs=1.0)


def test_values_stay_plausible_for_days() -> None:
    plant = Plant(0.0)
    for _ in range(5 * 24):
        plant.advance(3600)
        assert 44.0 < plant.voltage < 56.0
        assert 5.0 <= plant.soc <= 100.0
        assert abs(plant.current) < 200.0


def test_the_same_seed_gives_the_same_day() -> None:
    assert repr(day(3)) == repr(day(3))  # which has values that are no number
    assert repr(day(3)) != repr(day(4))


def test_values_that_change_are_single_precision() -> None:
    for one in day()[:12]:
        assert all(math.isnan(value) or codec.rounded(value) == value for value in one.values())


def test_a_low_battery_is_reported_once() -> None:
    there = gateway("xt1", plant=Plant(0.0))
    there.units[101].ram[1108] = 72.0
    assert [one.message.arbitration_id for one in there.advance(60)] == [0x0FA0CAC0]
    assert there.advance(60) == []


def test_simulating_a_long_time_is_fast() -> None:
    Plant(0.0).advance(400 * DAY)


# --- on a bus -----------------------------------------------------------------------------------------


class Clock:
    """A clock that goes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def simulation(there: Gateway, **options: Any) -> tuple[Simulation, EmulatedBus, Clock]:
    bus, clock = EmulatedBus(lambda _: []), Clock()
    return Simulation(bus, there, clock=clock, **options), bus, clock


def request(bus: EmulatedBus, there: Simulation, *numbers: str) -> None:
    bus.deliver(*[(0x03280000, bytes.fromhex(number)) for number in numbers])
    while (batch := bus.recv_batch(0)) is not None:
        there.handle(batch)


def test_requests_are_answered_in_order_each_after_the_latency() -> None:
    there, bus, clock = simulation(gateway(), latency=0.5)
    request(bus, there, "0BB8", "0BB9")
    assert bus.sent == []
    assert there.send_due() == 0.5
    clock.now += 0.5
    assert there.send_due() == pytest.approx(0.5)
    clock.now += 0.5
    there.send_due()
    assert [data[:2].hex() for _, data in bus.sent] == ["0bb8", "0bb9"]


def test_a_late_reply_follows_the_next_one() -> None:
    there, bus, clock = simulation(gateway(faults=[Fault.parse("late=1.5/2")]))
    request(bus, there, "0BB9", "0BB8", "0BBD")
    assert [data[:2].hex() for _, data in bus.sent] == ["0bb9", "0bbd"]
    clock.now += 1.5
    there.send_due()
    assert bus.sent[-1][1].hex() == "0bb8424f4000"


def test_messages_are_sent_at_the_start_and_periodically() -> None:
    there, bus, clock = simulation(gateway(), notices=[parse_notice("xt1:16@5s"), parse_notice("vt1:83:7")])
    for expected in (2, 2, 3):
        there.send_due()
        assert len(bus.sent) == expected
        clock.now += 2.5
    assert bus.sent[:2] == [
        (0x0FA0CAC0, bytes.fromhex("001000000000")),
        (0x0FA25AC0, bytes.fromhex("005300000007")),
    ]


@pytest.mark.parametrize("text", ["", "xt1", "xt1:x", "xt1:1:2:3", "nobody:16", "xt1:70000", "xt1:16@x"])
def test_invalid_messages_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_notice(text)


def test_time_passes_in_the_plant() -> None:
    there, bus, clock = simulation(gateway("vt1", plant=Plant(6 * 3600.0)), speed=3600.0)
    unit: Unit = there.gateway.units[301]
    before = unit.read_info(11004)
    clock.now += 2
    there.send_due()
    assert unit.read_info(11004) > before
    assert bus.sent == []
