"""Errors, state, filters and times on the emulated BOA."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from cantools_cli.backends.etas import codec
from cantools_cli.backends.etas.bus import EtasBus
from cantools_cli.backends.etas.constants import Result
from cantools_cli.bus.base import BusState
from cantools_cli.errors import (
    CanOperationError,
)
from tests.backends.etas.common import OTHER, URI, received, std
from tests.vendor.kit import (
    FLAG_EXTENDED,
    FLAG_FD,
    KIND_ERROR,
    KIND_OVERRUN,
    KIND_STATE,
    Stub,
)

# --- errors and state ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (1, BusState.ACTIVE),
        (2, BusState.PASSIVE),
        (4, BusState.ACTIVE),
        (6, BusState.PASSIVE),
        (8, BusState.ERROR),
    ],
)
def test_the_state(stub: Stub, bus: EtasBus, code: int, state: BusState) -> None:
    stub.inject(0, kind=KIND_STATE, code=code)
    assert received(bus, 1)[0].is_error_frame
    assert bus.state is state
    with pytest.raises(NotImplementedError):
        bus.state = BusState.ACTIVE


def test_without_error_frames(stub: Stub) -> None:
    with EtasBus(URI, error_frames=False) as bus:
        stub.inject(0, kind=KIND_ERROR, code=1)
        stub.inject(0, kind=KIND_STATE, code=2)
        stub.inject(0, arbitration_id=1)
        assert received(bus, 1)[0].arbitration_id == 1
        assert bus.state is BusState.PASSIVE


def test_a_driver_that_cannot_report_errors(stub: Stub) -> None:
    stub.fail("OCI_AddCANBusEventFilter", Result.NOT_SUPPORTED)
    with EtasBus(URI) as bus:
        stub.inject(0, kind=KIND_ERROR, code=4)
        assert received(bus, 1)[0].is_error_frame


def test_another_bit_rate_on_the_bus(stub: Stub, bus: EtasBus) -> None:
    with EtasBus(OTHER, bitrate=500_000, fd=False) as other:
        other.send(std(1))
        assert received(bus, 1)[0].is_error_frame


# --- filters ------------------------------------------------------------------------------------------


def installed(stub: Stub) -> set[str]:
    """Return the filters that the driver has, by the calls that added and removed them."""
    found: set[str] = set()
    for line in stub.calls():
        name, _, values = line.partition(" ")
        if name == "OCI_AddCANFrameFilterEx":
            assert values not in found
            found.add(values)
        elif name == "OCI_RemoveCANFrameFilterEx":
            found.remove(values)
    return found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, {"0/0 0/4"}),
        ([], {"0/0 0/4"}),
        ([{"can_id": 0x123, "can_mask": 0x7FF}], {"123/7ff 0/4"}),
        ([{"can_id": 0x123, "can_mask": 0x1FFFFFFF, "extended": False}], {"123/7ff 0/5"}),
        ([{"can_id": 0x12ABCDEF, "can_mask": 0x1FFFFFF0, "extended": True}], {"12abcde0/1ffffff0 1/5"}),
        (
            [{"can_id": 1, "can_mask": 0x7FF}, {"can_id": 2, "can_mask": 0x7FF, "extended": False}],
            {"1/7ff 0/4", "2/7ff 0/5"},
        ),
        ([{"can_id": 0x20000123, "can_mask": 0x7FF}], {"0/0 0/4"}),  # inverted: only software can
    ],
)
def test_filters_of_the_driver(stub: Stub, bus: EtasBus, filters: Any, expected: set[str]) -> None:
    bus.set_filters(filters)
    assert installed(stub) == expected
    bus.set_filters([{"can_id": 1, "can_mask": 0x7FF}, {"can_id": 7, "can_mask": 0x7FF}])
    assert installed(stub) == {"1/7ff 0/4", "7/7ff 0/4"}
    bus.set_filters(None)
    assert installed(stub) == {"0/0 0/4"}


def test_more_filters_than_the_driver_has(stub: Stub, bus: EtasBus) -> None:
    stub.set("max_filters", 3)
    bus.set_filters([{"can_id": 0x100 + number, "can_mask": 0x7FF} for number in range(4)])
    assert installed(stub) == {"0/0 0/4"}
    for identifier in (0x99, 0x103):
        stub.inject(0, arbitration_id=identifier)
    assert received(bus, 1)[0].arbitration_id == 0x103


def test_filters_are_exact(stub: Stub, bus: EtasBus) -> None:
    bus.set_filters([{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}])
    stub.inject(0, arbitration_id=0x123, flags=FLAG_EXTENDED)
    stub.inject(0, kind=KIND_ERROR, code=1)
    stub.inject(0, arbitration_id=0x123, flags=FLAG_FD, data=b"\1")
    error, frame = received(bus, 2)
    assert (error.is_error_frame, frame.is_fd, frame.is_extended_id) == (True, True, False)


def test_a_filter_that_the_driver_refuses(stub: Stub, bus: EtasBus) -> None:
    stub.fail("OCI_AddCANFrameFilterEx", Result.WRONG_STATE)
    with pytest.raises(CanOperationError, match="OCI_AddCANFrameFilterEx"):
        bus.set_filters([{"can_id": 1, "can_mask": 0x7FF}])


# --- time ---------------------------------------------------------------------------------------------


def test_times_are_those_of_the_controller(stub: Stub, bus: EtasBus) -> None:
    now = time.time_ns()
    stub.inject(0, arbitration_id=1, time_ns=now - 10_000_000_000)  # which waited in the queue
    stub.inject(0, arbitration_id=2, time_ns=now)
    first, second = received(bus, 2)
    assert abs(first.timestamp_ns - now + 10_000_000_000) < 1_000_000_000
    assert abs(second.timestamp_ns - first.timestamp_ns - 10_000_000_000) < 2_000


def test_times_of_arrival(stub: Stub) -> None:
    with EtasBus(URI, timestamps="host") as bus:
        stub.inject(0, arbitration_id=1, time_ns=time.time_ns() - 10_000_000_000)
        before = time.time_ns()
        assert received(bus, 1)[0].timestamp_ns >= before


def test_impossible_times(stub: Stub, bus: EtasBus, caplog: pytest.LogCaptureFixture) -> None:
    before = time.time_ns()
    for _ in range(2):
        stub.inject(0, arbitration_id=1, time_ns=before + 100_000_000_000)
        assert 0 <= received(bus, 1)[0].timestamp_ns - before < 60_000_000_000
    assert caplog.messages == [
        f"etas:{URI}: the controller's timer is wrong; frames get the time of their arrival"
    ]


def test_there_is_no_descriptor(bus: EtasBus) -> None:
    with pytest.raises(NotImplementedError):
        bus.fileno()


def test_periodic_sending(bus: EtasBus, other: EtasBus) -> None:
    task = bus.send_periodic(std(1, b"\1"), 0.005)
    assert [bytes(frame.data) for frame in received(other, 3)] == [b"\1"] * 3
    task.stop()


def test_overruns_of_the_queue_are_counted_each_time(stub: Stub, bus: EtasBus) -> None:
    for _ in range(3):
        stub.inject(0, kind=KIND_OVERRUN)
    assert [frame.is_error_frame for frame in itertools.islice(bus, 3)] == [True] * 3
    assert bus.losses[codec.OVERFLOWS] == 3
