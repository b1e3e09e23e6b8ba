"""The settings of a bus as arguments of canSetBusParams and canSetBusParamsFd."""

from __future__ import annotations

from typing import Any

import pytest

from cantools_cli.backends.kvaser import constants as c
from cantools_cli.backends.kvaser.timing import (
    CLASSIC_CLOCK,
    FD_PRESETS,
    PRESETS,
    BusParams,
    Segments,
    bus_params,
)
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.errors import UsageError

FD_80 = BitTimingFd(80_000_000, 2, 63, 16, 16, 2, 15, 4, 4)


def params(timing: Any = None, **settings: Any) -> BusParams:
    known: dict[str, Any] = {"fd": False, "bitrate": 500_000, "data_bitrate": None, "samples": 0}
    for name in ("nominal", "data"):
        known[name] = Segments(*settings.pop(name, ()))
    return bus_params(timing, **(known | settings))


@pytest.mark.parametrize("bitrate", PRESETS)
def test_presets_of_a_classic_channel(bitrate: int) -> None:
    found = params(bitrate=bitrate)
    assert found.nominal[:4] == (PRESETS[bitrate], 0, 0, 0)
    assert found.nominal.bitrate == pytest.approx(bitrate, rel=0.01)
    assert (found.data, found.samples) == (None, 0)


def test_the_names_of_two_presets_are_rounded_bit_rates() -> None:
    assert [params(bitrate=rate).nominal.bitrate for rate in (83_000, 62_000)] == [83_333, 62_500]


@pytest.mark.parametrize("bitrate", FD_PRESETS)
def test_presets_of_a_can_fd_channel(bitrate: int) -> None:
    found = params(fd=True, bitrate=bitrate)
    assert found.nominal[:4] == (FD_PRESETS[bitrate], 0, 0, 0)
    assert found.data == found.nominal  # python-can's default


def test_the_data_phase_has_its_own_preset() -> None:
    found = params(fd=True, data_bitrate=8_000_000)
    assert found.data is not None
    assert found.data[:4] == (c.canFD_BITRATE_8M_60P, 0, 0, 0)


@pytest.mark.parametrize("bitrate", [800_000, 200_000, 83_333, 62_500, 40_000, 20_000])
def test_other_bit_rates_are_calculated_for_8_mhz(bitrate: int) -> None:
    freq, tseg1, tseg2, sjw, _ = params(bitrate=bitrate).nominal
    quanta = 1 + tseg1 + tseg2
    prescaler = CLASSIC_CLOCK / (freq * quanta)
    assert freq == bitrate
    assert prescaler == pytest.approx(round(prescaler), rel=0.005)
    assert 1 <= sjw <= tseg2 <= 8
    assert tseg1 <= 16


def test_other_bit_rates_of_can_fd_are_calculated_for_80_mhz() -> None:
    found = params(fd=True, bitrate=250_000, data_bitrate=5_000_000)
    assert found.data is not None
    for phase, rate in ((found.nominal, 250_000), (found.data, 5_000_000)):
        quanta = 1 + phase.tseg1 + phase.tseg2
        assert phase.freq == rate
        assert 80_000_000 % (rate * quanta) == 0
        assert 100 * (1 + phase.tseg1) / quanta == pytest.approx(80, abs=5)


def test_segments_replace_a_preset() -> None:
    assert params(nominal=(5, 2, 1), samples=3) == BusParams(
        nominal=(500_000, 5, 2, 1, 500_000),  # type: ignore[arg-type]  # equal to the tuple
        samples=3,
    )
    found = params(fd=True, data_bitrate=2_000_000, nominal=(63, 16, 16))
    assert found.nominal == (500_000, 63, 16, 16, 500_000)
    assert found.data is not None
    assert found.data[:4] == (c.canFD_BITRATE_2M_80P, 0, 0, 0)  # the nominal segments do not fit
    assert params(fd=True, nominal=(63, 16, 16)).data == found.nominal
    found = params(fd=True, data_bitrate=2_000_000, nominal=(63, 16, 16), data=(15, 4, 4))
    assert found.data == (2_000_000, 15, 4, 4, 2_000_000)
    found = params(fd=True, data_bitrate=2_000_000, data=(15, 4, 4))
    assert found.nominal[:4] == (c.canFD_BITRATE_500K_80P, 0, 0, 0)


@pytest.mark.parametrize("clock", [8_000_000, 16_000_000])
def test_a_classic_timing_keeps_its_bit_rate_and_segments(clock: int) -> None:
    timing = BitTiming(f_clock=clock, brp=clock // 8_000_000, tseg1=13, tseg2=2, sjw=2, nof_samples=3)
    found = params(timing, bitrate=1)
    assert found == BusParams((500_000, 13, 2, 2, 500_000), 3)  # type: ignore[arg-type]  # equal to the tuple


def test_a_can_fd_timing() -> None:
    found = params(FD_80, fd=True)
    assert found.nominal == (500_000, 63, 16, 16, 500_000)
    assert found.data == (2_000_000, 15, 4, 4, 2_000_000)
    slower = BitTimingFd(40_000_000, 1, 63, 16, 16, 1, 15, 4, 4)
    found = params(slower, fd=True)
    assert (found.nominal.bitrate, found.data and found.data.bitrate) == (500_000, 2_000_000)


@pytest.mark.parametrize(
    ("timing", "settings", "text"),
    [
        (None, {"bitrate": 0}, "bit rate 0 is not above 0"),
        (None, {"bitrate": 1_234_567}, "no timing of a clock of 8 MHz has the bit rate 1234567"),
        (
            None,
            {"bitrate": 30_000_001, "fd": True},
            "no timing of a clock of 80 MHz has the bit rate 30000001",
        ),
        (None, {"nominal": (5, 0, 0)}, "tseg1, tseg2 and sjw are necessary together"),
        (None, {"nominal": (5, -2, 1)}, "tseg1, tseg2 and sjw must not be negative"),
        (None, {"data": (0, 4, 4), "fd": True}, "tseg1_dbr, tseg2_dbr and sjw_dbr are necessary together"),
        (None, {"samples": 2}, "no_samp 2 is not 1 or 3"),
        (None, {"fd": True, "data_bitrate": 0}, "bit rate 0 is not above 0"),
        (BitTiming(16_000_000, 2, 13, 2, 1), {"fd": True}, "a CAN FD channel needs a BitTimingFd"),
        (BitTiming(btr0=0, btr1=0x14), {}, "the timing has no clock"),
        (
            BitTimingFd(24_000_000, 1, 37, 10, 10, 1, 5, 2, 2),
            {"fd": True},
            "the timing does not fit the clock of 80 MHz",
        ),
    ],
)
def test_refused(timing: Any, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        params(timing, **settings)
