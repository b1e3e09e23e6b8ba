"""The order of an MDF 4 file's records, by both forms of the kernel."""

from __future__ import annotations

import struct
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.kernels import mf4 as plans
from tests.kernels.forms import FORMS, compiled, interpreted, load

#: kind 1 counts microseconds, 2 seconds as f8, 3 is of variable length, 4 is no frame


def plan(kind: int, length: int, mode: int = 0, factor: int = 1) -> list[int]:
    numbers = [0] * plans.PLAN
    numbers[plans.LENGTH], numbers[plans.KIND], numbers[plans.TIME_MODE] = length, kind, mode
    numbers[plans.TIME_FACTOR], numbers[plans.TIME_LIMIT] = factor, ((1 << 63) - 1) // factor
    numbers[plans.PLAN_FIELDS : plans.PLAN_FIELDS + plans.WIDTH] = (plans.LITTLE, 0, 0, 8, -1, 0)
    return numbers


PLANS = array(
    "q",
    [
        *plan(plans.DATA, 9, plans.UNSIGNED, 1000),
        *plan(plans.REMOTE, 9, plans.FLOATING),
        *plan(plans.VARIABLE, 0),
        *plan(plans.SKIP, 3),
        *plan(plans.DATA, 9, plans.SIGNED),
    ],
)
KINDS = array("H", [0xFFFF, 0, 1, 2, 3, 4])
SCALES = array("d", [1000.0, 1e9, 0.0, 0.0, 1.0])


def scanned(kernel: Any, text: bytes, latest: int = 0) -> tuple[int, int, int]:
    result: tuple[int, int, int] = kernel.scan(text + bytes(8), 0, len(text), 1, KINDS, PLANS, SCALES, latest)
    return result


def micros(time: int) -> bytes:
    return b"\1" + struct.pack("<Qx", time)


def seconds(time: float) -> bytes:
    return b"\2" + struct.pack("<dx", time)


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("mf4_order", request.param)


def test_records_in_order_are_used_up(kernel: Any) -> None:
    text = micros(5) + b"\3\2\0\0\0ab" + seconds(5e-6) + b"\4abc" + micros(7)
    assert scanned(kernel, text) == (len(text), kernel.DONE, 7000)


@pytest.mark.parametrize("later", [micros(4), seconds(4.9e-6)])
def test_a_record_that_goes_back_stops(kernel: Any, later: bytes) -> None:
    assert scanned(kernel, micros(5) + later + micros(9)) == (10, kernel.BACK, 5000)
    assert scanned(kernel, micros(5), 6000) == (0, kernel.BACK, 6000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (micros(1)[:-1], "CUT"),
        (b"\3\0\0", "CUT"),
        (b"\3\5\0\0\0ab", "CUT"),
        (b"\3\0\0\0\x7f", "STRANGE"),
        (b"\0" + bytes(9), "LOST"),
        (b"\6" + bytes(9), "LOST"),
        (b"\5" + bytes(9), "STRANGE"),
        (micros(1 << 63), "STRANGE"),
        (micros(1 << 60), "STRANGE"),
        (seconds(-1.0), "STRANGE"),
        (seconds(float("nan")), "STRANGE"),
        (seconds(1e300), "STRANGE"),
    ],
)
def test_what_is_not_a_whole_usual_record_stops(kernel: Any, text: bytes, reason: str) -> None:
    assert scanned(kernel, micros(0) + text) == (10, getattr(kernel, reason), 0)


def test_sizes_are_checked(kernel: Any) -> None:
    with pytest.raises(ValueError, match="shorter"):
        kernel.scan(bytes(8), 0, 1, 1, KINDS, PLANS, SCALES, 0)
    with pytest.raises(ValueError, match="plans"):
        kernel.scan(bytes(9), 0, 1, 1, KINDS, PLANS[:9], SCALES, 0)
    with pytest.raises(ValueError, match="no plan"):
        kernel.scan(bytes(9), 0, 1, 1, array("H", [9]), PLANS, SCALES, 0)


@given(st.lists(st.integers(-2, 9), max_size=5), st.integers(0, 9))
def test_the_latest_of_stamps_that_ascend(stamps: list[int], latest_ns: int) -> None:
    ascends = [latest_ns, *stamps] == sorted([latest_ns, *stamps])
    for form in FORMS:
        assert load("mf4_order", form).latest(array("q", stamps), latest_ns) == (
            [latest_ns, *stamps][-1] if ascends else -1
        )


@given(
    st.lists(
        st.one_of(
            st.integers(0, 9).map(micros),
            st.sampled_from((0.0, 1e-6, 2.5e-6, -1.0)).map(seconds),
            st.binary(max_size=4),
        )
    )
)
def test_both_forms_do_the_same_with_anything(parts: list[bytes]) -> None:
    text = b"".join(parts)
    assert scanned(compiled("mf4_order"), text) == scanned(interpreted("mf4_order"), text)
