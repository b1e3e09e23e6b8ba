"""Filters of the module, against the formula of the manual."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.systec.acceptance import AcceptanceFilter, acceptance
from cantools_cli.backends.systec.bus import UcanBus
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.message import Message

ALL = (0xFFFFFFFF, 0)


def passes_hardware(amr: int, acr: int, message: Message) -> bool:
    identifier, remote = message.arbitration_id, int(message.is_remote_frame)
    if message.is_extended_id:
        register = (identifier << 3) + (remote << 2)
    else:
        register = (identifier << 21) + (remote << 20)
    return (~(register ^ acr) | amr) & 0xFFFFFFFF == 0xFFFFFFFF


def frame(identifier: int, extended: bool = False, remote: bool = False) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=extended, is_remote_frame=remote)


@pytest.mark.parametrize(
    ("arguments", "amr", "acr"),
    [
        ((False, 0x000, 0x01F, False, True), 0x03FFFFFF, 0x00000000),
        ((False, 0x100, 0x1FF, False, False), 0x1FEFFFFF, 0x20000000),
        ((False, 0x123, 0x123, True, False), 0x000FFFFF, 0x24700000),
        ((True, 0x18FF0000, 0x18FF00FF, False, True), 0x000007FF, 0xC7F80000),
        ((True, 0x18FF0000, 0x18FF00FF, False, False), 0x000007FB, 0xC7F80000),
        ((True, 0x1ABCDE, 0x1ABCDE, True, False), 0x00000003, 0x00D5E6F4),
        ((False, 0x101, 0x202, False, True), 0x607FFFFF, 0x00000000),
    ],
)
def test_known_ranges(arguments: tuple[Any, ...], amr: int, acr: int) -> None:
    [found] = UcanBus.create_filter(*arguments)
    assert found == {"can_id": acr, "can_mask": amr, "extended": arguments[0]}
    assert acceptance([found]) == (amr, acr)  # type: ignore[list-item]


def test_rtr_only_overrides_rtr_too() -> None:
    assert UcanBus.create_filter(False, 1, 1, True, True) == UcanBus.create_filter(False, 1, 1, True, False)


KINDS = st.booleans()
REGISTERS = st.integers(0, 0xFFFFFFFF)


@given(KINDS, REGISTERS, REGISTERS, st.integers(0, 0x1FFFFFFF), KINDS)
def test_the_software_test_is_that_of_the_hardware(
    extended: bool, amr: int, acr: int, identifier: int, remote: bool
) -> None:
    own = AcceptanceFilter(can_id=acr & ~amr, can_mask=amr, extended=extended)
    message = frame(identifier if extended else identifier & 0x7FF, extended, remote)
    expected = passes_hardware(amr, acr & ~amr, message)
    assert FrameFilter.from_can_filters([own]).matches(message) is expected  # type: ignore[list-item]


def test_the_software_test_knows_the_kind() -> None:
    own = UcanBus.create_filter(False, 0x100, 0x1FF, False, True)
    test = FrameFilter.from_can_filters(own)  # type: ignore[arg-type]
    assert test.matches(frame(0x123))
    assert not test.matches(frame(0x123, extended=True))


def test_several_filters_of_the_module_are_joined() -> None:
    own = UcanBus.create_filter(False, 1, 1, False, True) + UcanBus.create_filter(True, 5, 5, False, False)
    test = FrameFilter.from_can_filters(own)  # type: ignore[arg-type]
    assert acceptance(own) == ALL  # type: ignore[arg-type]
    assert [test.matches(frame(one, extended)) for one in (1, 5) for extended in (False, True)] == [
        *(True, False),
        *(False, True),
    ]


@given(KINDS, st.integers(0, 0x1FFFFFFF), st.integers(0, 0x1FFFFFFF), st.integers(0, 0x1FFFFFFF), KINDS)
def test_an_ordinary_filter_never_loses_a_frame(
    extended: bool, can_id: int, can_mask: int, identifier: int, remote: bool
) -> None:
    ordinary: Any = [{"can_id": can_id, "can_mask": can_mask, "extended": extended}]
    message = frame(identifier if extended else identifier & 0x7FF, extended, remote)
    amr, acr = acceptance(ordinary)
    assert passes_hardware(amr, acr, message) or not FrameFilter.from_can_filters(ordinary).matches(message)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, ALL),
        ([], ALL),
        ([{"can_id": 0x123, "can_mask": 0x7FF}], ALL),
        ([{"can_id": 0x20000123, "can_mask": 0x7FF, "extended": False}], ALL),
        (
            [{"can_id": 1, "can_mask": 1, "extended": True}, {"can_id": 2, "can_mask": 2, "extended": True}],
            ALL,
        ),
        ([{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}], (0x001FFFFF, 0x24600000)),
        ([{"can_id": 0x123, "can_mask": 0x7F0, "extended": False}], (0x01FFFFFF, 0x24000000)),
        ([{"can_id": 0x18FF00FF, "can_mask": 0x1FFFFFFF, "extended": True}], (0x7, 0xC7F807F8)),
    ],
)
def test_ordinary_filters(filters: Any, expected: tuple[int, int]) -> None:
    assert acceptance(filters) == expected
