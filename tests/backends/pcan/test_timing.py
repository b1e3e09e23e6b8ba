"""The bit timing of PCAN channels."""

from __future__ import annotations

from typing import Any

import pytest

from cantools_cli.backends.pcan import constants, timing
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.errors import UsageError

SEGMENTS = {
    "nom_brp": 10,
    "nom_tseg1": 12,
    "nom_tseg2": 3,
    "nom_sjw": 1,
    "data_brp": 4,
    "data_tseg1": 7,
    "data_tseg2": 2,
    "data_sjw": 1,
}
TEXT = "nom_brp=10,nom_tseg1=12,nom_tseg2=3,nom_sjw=1,data_brp=4,data_tseg1=7,data_tseg2=2,data_sjw=1"


def of_settings(given: Any = None, bitrate: int = 500_000, **settings: Any) -> timing.Timing:
    segments = {key: settings.pop(key, None) for key in constants.PCAN_FD_PARAMETER_LIST}
    points = settings.pop("sample_point", None), settings.pop("dsample_point", None)
    clocks = settings.pop("f_clock", None), settings.pop("f_clock_mhz", None)
    more = {"fd": settings.pop("fd", False), "points": points, "clocks": clocks, "segments": segments}
    return timing.of_settings(given, bitrate, settings.pop("data_bitrate", None), **more)


@pytest.mark.parametrize(
    ("bitrate", "registers"),
    [
        *((1_000_000, 0x0014), (800_000, 0x0016), (500_000, 0x001C), (250_000, 0x011C), (125_000, 0x031C)),
        *((100_000, 0x432F), (95_000, 0xC34E), (95_238, 0xC34E), (83_000, 0x852B), (83_333, 0x852B)),
        *((50_000, 0x472F), (47_000, 0x1414), (47_619, 0x1414), (33_000, 0x8B2F), (33_333, 0x8B2F)),
        *((20_000, 0x532F), (10_000, 0x672F), (5_000, 0x7F7F)),
    ],
)
def test_the_table_of_peak(bitrate: int, registers: int) -> None:
    assert timing.classic(bitrate) == timing.Timing(registers, None, bitrate)
    exact = BitTiming.from_registers(8_000_000, registers >> 8, registers & 0xFF)
    assert exact.bitrate == pytest.approx(bitrate, rel=0.014)


@pytest.mark.parametrize(
    ("bitrate", "sample_point", "brp", "tseg1", "tseg2"),
    [
        (400_000, None, 1, 15, 4),
        (200_000, None, 2, 15, 4),
        (500_000, 87.5, 1, 13, 2),
        (500_000, 75, 1, 11, 4),
    ],
)
def test_other_rates_are_calculated(
    bitrate: int, sample_point: float | None, brp: int, tseg1: int, tseg2: int
) -> None:
    registers = timing.classic(bitrate, sample_point).registers
    assert registers is not None
    found = BitTiming.from_registers(8_000_000, registers >> 8, registers & 0xFF)
    assert (found.bitrate, found.brp, found.tseg1, found.tseg2) == (bitrate, brp, tseg1, tseg2)


@pytest.mark.parametrize("bitrate", [0, -1, 1, 4_999, 333_000, 1_234_567, 10_000_000])
def test_a_rate_that_no_registers_give(bitrate: int) -> None:
    with pytest.raises(UsageError, match=f"exactly {bitrate} bit/s") as caught:
        timing.classic(bitrate)
    assert "500k" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("given", "registers", "bitrate"),
    [
        (BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1), 0x001C, 500_000),
        (BitTiming(f_clock=16_000_000, brp=2, tseg1=13, tseg2=2, sjw=1), 0x001C, 500_000),
        (BitTiming(btr0=0x03, btr1=0x1C), 0x031C, 125_000),
        (BitTiming(bitrate=500_000, tseg1=13, tseg2=2, sjw=2), 0x401C, 500_000),
    ],
)
def test_a_bit_timing(given: BitTiming, registers: int, bitrate: int) -> None:
    assert of_settings(given, 10) == timing.Timing(registers, None, bitrate)


def test_a_bit_timing_that_does_not_fit() -> None:
    with pytest.raises(UsageError, match="fits no clock of the adapters: 8 MHz"):
        of_settings(BitTiming(f_clock=50_000_000, brp=5, tseg1=7, tseg2=2, sjw=1))
    with pytest.raises(UsageError, match="BitTiming or a BitTimingFd"):
        of_settings("500k")


@pytest.mark.parametrize(("name", "clock"), [("f_clock", 80_000_000), ("f_clock_mhz", 80)])
def test_the_documented_settings_of_fd(name: str, clock: int) -> None:
    found = of_settings(fd=True, **{name: clock}, **SEGMENTS)
    assert found == timing.Timing(None, f"{name}={clock},{TEXT}", 500_000, 2_000_000)


def test_a_bit_timing_for_fd() -> None:
    assert of_settings(BitTimingFd(80_000_000, **SEGMENTS)).text == f"f_clock=80000000,{TEXT}"
    odd = BitTimingFd(160_000_000, **{**SEGMENTS, "nom_brp": 20, "data_brp": 8})
    assert of_settings(odd)[2:] == (500_000, 2_000_000)


@pytest.mark.parametrize(
    ("rates", "clock"),
    [((500_000, 2_000_000), 80), ((1_000_000, 8_000_000), 80), ((1_000_000, 10_000_000), 80)],
)
def test_rates_alone(rates: tuple[int, int], clock: int) -> None:
    found = of_settings(None, rates[0], data_bitrate=rates[1], fd=True)
    assert found[2:] == rates
    assert str(found.text).startswith(f"f_clock={clock}000000,")


def test_rates_with_a_clock_and_sample_points() -> None:
    found = of_settings(
        fd=True, data_bitrate=2_000_000, f_clock_mhz=40, sample_point=87.5, dsample_point=75.0
    )
    values = dict(part.split("=") for part in str(found.text).split(","))
    assert values["f_clock"] == "40000000"
    for phase, point in (("nom", 0.875), ("data", 0.75)):
        tseg1, tseg2 = int(values[f"{phase}_tseg1"]), int(values[f"{phase}_tseg2"])
        assert (1 + tseg1) / (1 + tseg1 + tseg2) == pytest.approx(point)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "CAN FD needs f_clock_mhz, nom_brp, nom_tseg1"),
        ({"f_clock_mhz": 80, **SEGMENTS, "data_sjw": None}, "CAN FD needs data_sjw"),
        ({"f_clock_mhz": 80, "f_clock": 80_000_000, **SEGMENTS}, "are both given"),
        ({"f_clock_mhz": 16, **SEGMENTS}, "no adapter has a clock of 16 MHz"),
        ({"f_clock": 80, **SEGMENTS}, "no adapter has a clock of 8e-05 MHz"),
        ({"f_clock_mhz": 80, **SEGMENTS, "nom_tseg1": 257}, "nom_tseg1 257 is not in 1 to 256"),
        ({"f_clock_mhz": 80, **SEGMENTS, "data_tseg2": 17}, "data_tseg2 17 is not in 1 to 16"),
        ({"f_clock_mhz": 80, **SEGMENTS, "nom_brp": 0}, "nom_brp 0 is not in 1 to 1024"),
        ({"f_clock_mhz": 80, **SEGMENTS, "data_sjw": -1}, "data_sjw -1 is not in 1 to 16"),
        ({"data_bitrate": 2_000_001}, "no bit timing gives exactly 500000 and 2000001 bit/s"),
        ({"data_bitrate": 0}, "no bit timing gives exactly 500000 and 0 bit/s"),
        ({"data_bitrate": 2_000_000, "f_clock_mhz": 24, "bitrate": 700_000}, "exactly 700000 and 2000000"),
    ],
)
def test_wrong_settings_of_fd(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=f"^pcan: .*{text}"):
        of_settings(fd=True, **settings)
