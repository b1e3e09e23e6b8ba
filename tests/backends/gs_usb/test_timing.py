from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.gs_usb import timing
from cantools_cli.backends.gs_usb.codec import Registers
from cantools_cli.bit_timing.calculator import Limits
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.errors import UsageError

BXCAN = Limits((1, 16), (1, 8), 4, (1, 1024))
NOMINAL = Limits((1, 256), (1, 128), 128, (1, 512))
DATA = Limits((1, 32), (1, 16), 16, (1, 32))

#: bit rate -> prescaler, quanta before and after the sample point, at 48, 42 and 80 MHz
TABLE = {
    10_000: ("300/13/2", "525/6/1", "500/13/2"),
    20_000: ("150/13/2", "140/12/2", "250/13/2"),
    33_333: ("90/13/2", "84/12/2", "150/13/2"),
    50_000: ("60/13/2", "105/6/1", "100/13/2"),
    83_333: ("36/13/2", "63/6/1", "60/13/2"),
    100_000: ("30/13/2", "28/12/2", "50/13/2"),
    125_000: ("24/13/2", "21/13/2", "40/13/2"),
    250_000: ("12/13/2", "21/6/1", "20/13/2"),
    500_000: ("6/13/2", "6/11/2", "10/13/2"),
    800_000: ("4/12/2", "", "5/16/3"),
    1_000_000: ("3/13/2", "3/11/2", "5/13/2"),
}
#: clock in MHz, bit rate, limits, wanted sample point. The last one is 5 points off either way, 80 % or 70 %:
#: of two such timings, Linux's rule takes the earlier sample point.
FAST = {
    (80, 500_000, NOMINAL, 87.5): "1/139/20",
    (80, 2_000_000, DATA, 75): "1/29/10",
    (80, 4_000_000, DATA, 75): "1/14/5",
    (80, 5_000_000, DATA, 75): "1/11/4",
    (40, 500_000, NOMINAL, 87.5): "1/69/10",
    (40, 2_000_000, DATA, 75): "1/14/5",
    (40, 5_000_000, DATA, 75): "1/5/2",
    (80, 8_000_000, DATA, 75): "1/6/3",
}


def text(registers: Registers) -> str:
    return f"{registers.brp}/{registers.prop_seg + registers.phase_seg1}/{registers.phase_seg2}"


@pytest.mark.parametrize("bitrate", TABLE)
@pytest.mark.parametrize(("column", "clock"), [(0, 48_000_000), (1, 42_000_000), (2, 80_000_000)])
def test_the_timing_of_common_bit_rates(bitrate: int, column: int, clock: int) -> None:
    expected = TABLE[bitrate][column]
    if not expected:
        with pytest.raises(UsageError, match="cannot reach"):
            timing.calculated(clock, bitrate, BXCAN, 87.5)
        return
    assert text(timing.calculated(clock, bitrate, BXCAN, 87.5)) == expected


@pytest.mark.parametrize("case", FAST)
def test_the_timing_of_can_fd(case: tuple[int, int, Limits, float]) -> None:
    clock, bitrate, limits, point = case
    assert text(timing.calculated(clock * 1_000_000, bitrate, limits, point)) == FAST[case]


def test_the_registers_of_500_kbit_at_48_mhz() -> None:
    registers = timing.calculated(48_000_000, 500_000, BXCAN, 87.5)
    expected = "01000000 0C000000 02000000 02000000 06000000"
    assert registers.packed() == bytes.fromhex(expected)


@given(
    st.integers(1, 12_000_000), st.sampled_from([24, 40, 42, 48, 80]), st.sampled_from([BXCAN, NOMINAL, DATA])
)
def test_a_timing_is_within_the_limits(bitrate: int, clock: int, limits: Limits) -> None:
    try:
        found = timing.calculated(clock * 1_000_000, bitrate, limits, 80)
    except UsageError:
        return
    assert limits.tseg1[0] <= found.prop_seg + found.phase_seg1 <= limits.tseg1[1]
    assert limits.tseg2[0] <= found.phase_seg2 <= limits.tseg2[1]
    assert limits.brp[0] <= found.brp <= limits.brp[1]
    assert 1 <= found.sjw <= min(limits.max_sjw, found.phase_seg2)
    assert abs(found.bitrate(clock * 1_000_000) - bitrate) <= 0.005 * bitrate


def test_a_given_timing_keeps_its_segments() -> None:
    wanted = BitTiming(f_clock=8_000_000, brp=1, tseg1=11, tseg2=4, sjw=3)
    assert timing.given(wanted, 48_000_000, BXCAN) == Registers(1, 10, 4, 3, 6)


def test_a_given_timing_for_another_clock_keeps_rate_and_sample_point() -> None:
    wanted = BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1)  # 500 kbit/s, 87.5 %
    found = timing.given(wanted, 42_000_000, BXCAN)
    assert found.bitrate(42_000_000) == 500_000
    assert text(found) == "6/11/2"


def test_a_given_timing_of_can_fd() -> None:
    wanted = BitTimingFd(
        f_clock=80_000_000,
        nom_brp=1,
        nom_tseg1=119,
        nom_tseg2=40,
        nom_sjw=40,
        data_brp=1,
        data_tseg1=29,
        data_tseg2=10,
        data_sjw=10,
    )
    assert text(timing.given(wanted, 80_000_000, NOMINAL)) == "1/119/40"
    assert timing.given_data(wanted, 80_000_000, DATA) == Registers(1, 28, 10, 10, 1)
    assert timing.given_data(wanted, 40_000_000, DATA).bitrate(40_000_000) == 2_000_000


@pytest.mark.parametrize("point", [0, 100, -1])
def test_a_sample_point_is_within_the_bit(point: float) -> None:
    with pytest.raises(UsageError, match="sample point"):
        timing.calculated(48_000_000, 500_000, BXCAN, point)
