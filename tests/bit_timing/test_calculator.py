"""The bit timing that Linux would choose, held against what Linux did choose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.bit_timing.calculator import CONTROLLERS, Limits, calculate, default_sample_point

# Rows of (clock, bit rate, wanted sample point or 0, expected), by the limits that were used.
VECTORS = json.loads((Path(__file__).parent / "timing_vectors.json").read_text())["calculated"]
MCP251XFD = CONTROLLERS["mcp251xfd"]
LIMITS = {
    "sja1000": CONTROLLERS["sja1000"].nominal,
    "mcp251xfd": MCP251XFD.nominal,
    "mcp251xfd-data": MCP251XFD.data,
}
ALL_LIMITS = [limits for controller in CONTROLLERS.values() for limits in controller if limits]


@pytest.mark.parametrize("name", LIMITS)
def test_known_values(name: str) -> None:
    for clock, bitrate, point, expected in VECTORS[name]:
        found = calculate(clock, bitrate, LIMITS[name], point or None)
        assert (found and [*found]) == expected, (clock, bitrate, point)


@given(
    st.integers(1_000_000, 160_000_000),
    st.integers(1, 12_000_000),
    st.sampled_from(ALL_LIMITS),
    st.none() | st.integers(1, 999),
)
def test_what_is_found_keeps_the_limits(clock: int, bitrate: int, limits: Limits, point: int | None) -> None:
    found = calculate(clock, bitrate, limits, point)
    if found is None:
        return
    tseg1 = found.prop_seg + found.phase_seg1
    assert limits.tseg1[0] <= tseg1 <= limits.tseg1[1]
    assert limits.tseg2[0] <= found.phase_seg2 <= limits.tseg2[1]
    assert limits.brp[0] <= found.brp <= limits.brp[1]
    assert found.brp % limits.brp_step == 0
    assert 1 <= found.sjw <= min(limits.max_sjw, found.phase_seg1, found.phase_seg2)
    assert found.sample_point <= found.wanted_sample_point == (point or default_sample_point(bitrate))
    assert abs(found.bitrate - bitrate) * 1000 // bitrate <= 50


@pytest.mark.parametrize(
    ("bitrate", "point"), [(1_000_000, 750), (800_001, 750), (800_000, 800), (500_001, 800), (500_000, 875)]
)
def test_the_default_sample_point_is_cia_s(bitrate: int, point: int) -> None:
    assert default_sample_point(bitrate) == point


@pytest.mark.parametrize(("clock", "bitrate"), [(0, 500_000), (8_000_000, 0), (8_000_000, -1)])
def test_nothing_runs_at_no_speed(clock: int, bitrate: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        calculate(clock, bitrate, MCP251XFD.nominal)
