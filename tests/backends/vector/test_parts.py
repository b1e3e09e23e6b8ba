"""Errors, filters and bit timing by themselves."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.vector.exceptions import (
    VectorError,
    VectorInitializationError,
    VectorOperationError,
)
from cantools_cli.backends.vector.filters import EVERYTHING, acceptance
from cantools_cli.backends.vector.timing import recommended_phase, wanted
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError, UsageError
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.message import Message


@pytest.mark.parametrize("kind", [VectorError, VectorInitializationError, VectorOperationError])
def test_errors(kind: type[VectorError]) -> None:
    error = kind(118, "XL_ERR_INVALID_PORT", "xlReceive")
    assert str(error) == "xlReceive failed (XL_ERR_INVALID_PORT) [Error Code 118]"
    assert error.error_code == 118
    placed = kind(129, "gone", "xlReceive", place="vector:0", sent=3)
    for one in (error, placed):
        again = pickle.loads(pickle.dumps(one))
        assert type(again) is kind
        assert (str(again), again.error_code, again.hint, again.sent) == (
            *(str(one), one.error_code, one.hint, one.sent),
        )
    assert str(placed) == "vector:0: xlReceive failed (gone) [Error Code 129]"
    assert isinstance(error, CanError)


def test_the_classes_of_errors() -> None:
    general = VectorError(118, "gone", "xlReceive", place="vector:0", sent=1)
    special = VectorOperationError.from_generic(general)
    assert (type(special), str(special), special.sent) == (VectorOperationError, str(general), 1)
    assert issubclass(VectorInitializationError, CanInitializationError)
    assert issubclass(VectorOperationError, CanOperationError)


@pytest.mark.parametrize(
    ("rate", "most", "expected"),
    [
        (1_000_000, 160, (63, 16, 16)),
        (500_000, 160, (127, 32, 32)),
        (250_000, 160, (127, 32, 32)),
        (125_000, 160, (127, 32, 32)),
        (2_000_000, 40, (31, 8, 8)),
        (4_000_000, 40, (15, 4, 4)),
        (5_000_000, 40, (12, 3, 3)),
        (8_000_000, 40, (7, 2, 2)),
    ],
)
def test_recommended_timings(rate: int, most: int, expected: tuple[int, int, int]) -> None:
    assert recommended_phase(rate, most) == (rate, expected)


@given(st.integers(15_000, 8_000_000))
def test_a_recommended_timing_reaches_the_bit_rate(rate: int) -> None:
    try:
        phase = recommended_phase(rate, 160)
    except UsageError:
        return
    assert abs(phase.bitrate - rate) < rate / 256
    assert 70 <= phase.segments.sample_point <= 90
    exact = 80_000_000 / (phase.bitrate * phase.segments.quanta)
    assert abs(exact - round(exact)) < 0.01


def test_wanted_rates_are_compared_only_if_given() -> None:
    plain = wanted(None, fd=True, bitrate=None, data_bitrate=None)
    assert (plain.bitrate, plain.data_bitrate, plain.sample_points) == (None, None, (None, None))
    assert plain.is_checked
    assert not wanted(None, fd=False, bitrate=None, data_bitrate=None).is_checked


def test_a_timing_that_only_the_slower_clock_has() -> None:
    timing = BitTiming(f_clock=20_000_000, brp=29, tseg1=14, tseg2=8, sjw=1)
    converted = wanted(timing, fd=False, bitrate=None, data_bitrate=None).classic
    assert converted.f_clock == 8_000_000
    assert abs(converted.bitrate - timing.bitrate) < timing.bitrate / 256


FILTERS = st.lists(
    st.fixed_dictionaries(
        {"can_id": st.integers(0, 0x1FFFFFFF), "can_mask": st.integers(0, 0x1FFFFFFF)},
        optional={"extended": st.booleans()},
    ),
    max_size=4,
)


@given(FILTERS, st.integers(0, 0x1FFFFFFF), st.booleans(), st.data())
def test_the_device_passes_at_least_the_filters(
    filters: Any, identifier: int, extended: bool, data: st.DataObject
) -> None:
    if filters and data.draw(st.booleans()):  # an identifier that a filter may pass
        entry = filters[0]
        identifier = entry["can_id"] & entry["can_mask"] | identifier & ~entry["can_mask"]
    identifier &= 0x1FFFFFFF if extended else 0x7FF
    message = Message(arbitration_id=identifier, is_extended_id=extended)
    if filters and not FrameFilter.from_can_filters(filters).matches(message):
        return
    [(code, mask)] = [(one.code, one.mask) for one in acceptance(filters) if (one.kind == 2) is extended]
    assert identifier & mask == code & mask


def test_acceptance() -> None:
    assert acceptance(None) == acceptance([]) == EVERYTHING
    standard, extended = acceptance([{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}])
    assert standard == (0x123, 0x7FF, 1)
    assert extended == (0xFFFFFFFF, 0xFFFFFFFF, 2)  # closed
    standard, extended = acceptance(
        [{"can_id": 0x120, "can_mask": 0x7F0}, {"can_id": 0x12F, "can_mask": 0x7FF}]
    )
    assert standard == (0x120, 0x7F0, 1)
    assert extended == (0x120, 0x7F0, 2)
    assert acceptance([{"can_id": 0x20000123, "can_mask": 0x7FF}]) == EVERYTHING  # an inverted filter
