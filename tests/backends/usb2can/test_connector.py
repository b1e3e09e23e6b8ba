"""The setup strings of USB2CAN adapters."""

from __future__ import annotations

import pytest

from cantools_cli.backends.usb2can.connector import connector
from cantools_cli.bit_timing.classic import BitTiming, BitTimingFd
from cantools_cli.errors import UsageError


@pytest.mark.parametrize("rate", [125_000, 250_000, 500_000, 800_000, 1_000_000])
def test_rates_of_the_library(rate: int) -> None:
    assert connector("ED000200", rate) == (f"ED000200; {rate // 1000}", rate)


def test_a_higher_rate_is_limited() -> None:
    assert connector("ED000200", 2_000_000) == ("ED000200; 1000", 1_000_000)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (10_000, "13; 2; 1; 200"),
        (20_000, "13; 2; 1; 100"),
        (33_333, "13; 2; 1; 60"),
        (50_000, "13; 2; 1; 40"),
        (83_333, "13; 2; 1; 24"),
        (100_000, "13; 2; 1; 20"),
        (200_000, "13; 2; 1; 10"),
        (400_000, "13; 2; 1; 5"),
    ],
)
def test_other_rates_are_explicit(rate: int, text: str) -> None:
    assert connector("ED000200", rate) == (f"ED000200; 0; {text}", rate)


@pytest.mark.parametrize("rate", [123_456, 0, -1, 1, 500_500])
def test_unreachable_rates_are_refused(rate: int) -> None:
    with pytest.raises(UsageError, match=f"cannot reach {rate} bit/s from its clock of 32 MHz"):
        connector("ED000200", rate)


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        (BitTiming(f_clock=32_000_000, brp=8, tseg1=12, tseg2=3, sjw=2), ("0; 12; 3; 2; 8", 250_000)),
        (BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1), ("0; 13; 2; 1; 4", 500_000)),
    ],
)
def test_a_timing_overrides_the_rate(timing: BitTiming, expected: tuple[str, int]) -> None:
    text, rate = expected
    assert connector("ED000200", 125_000, timing) == (f"ED000200; {text}", rate)


def test_timings_that_do_not_fit() -> None:
    fd = BitTimingFd.from_sample_point(80_000_000, 500_000, 80.0, 2_000_000, 80.0)
    with pytest.raises(UsageError, match="the adapter has no CAN FD"):
        connector("ED000200", 500_000, fd)
    with pytest.raises(UsageError, match="the timing does not fit the clock of 32 MHz"):
        connector("ED000200", 500_000, BitTiming(f_clock=9_000_000, brp=1, tseg1=14, tseg2=3, sjw=1))


@pytest.mark.parametrize("serial", ["ED000200;125", "ÉD000200", "ED\n00200"])
def test_a_serial_number_cannot_change_the_fields(serial: str) -> None:
    with pytest.raises(ValueError, match="is not a serial number"):
        connector(serial, 500_000)
