"""Each status of the table, wherever it is returned: its class, its code, and the text of the library."""

from __future__ import annotations

import pickle

import pytest

from cantools_cli.backends.nixnet import library as xnet
from cantools_cli.backends.nixnet.bus import NiXNETcanBus
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError, CanTimeoutError
from tests.backends.nixnet.conftest import Opened
from tests.vendor import kit
from tests.vendor.frames import FRAMES

_TABLE = (
    *(0x008, 0x00A, 0x00B, 0x020, 0x072, 0x073, 0x074, 0x08A, 0x08D, 0x08E, 0x09E, 0x09F, 0x0A3, 0x0B2),
    *(0x176, 0x228, 0x236, 0x3FF),
)
CODES = [0xBFF63000 | number for number in _TABLE]
QUIET = {xnet.TIMED_OUT, *xnet.INPUT_OVERFLOWS}  # what reading does not raise


def is_reported(error: CanError, code: int) -> None:
    assert error.error_code == code
    assert f"0x{code:X}" in str(error) or isinstance(error, CanTimeoutError)
    assert "\n" not in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.error_code) == (type(error), str(error), code)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("function", ["nxCreateSession", "nxSetProperty", "nxStart"])
def test_opening(stub: kit.Stub, function: str, code: int) -> None:
    stub.fail(function, code)
    with pytest.raises(CanInitializationError) as raised:
        NiXNETcanBus("CAN1")
    is_reported(raised.value, code)


@pytest.mark.parametrize("code", CODES)
def test_receiving(stub: kit.Stub, opened: Opened, code: int) -> None:
    bus = opened("CAN1")
    stub.fail("nxReadFrame", code)
    if code in QUIET:
        message = bus.recv(0)
        assert message is None or message.is_error_frame
        return
    with pytest.raises(CanOperationError) as raised:
        bus.recv(0.01)
    is_reported(raised.value, code)
    assert bus.is_shutdown == (code in xnet.LOST)


@pytest.mark.parametrize("code", CODES)
def test_sending(stub: kit.Stub, opened: Opened, code: int) -> None:
    bus = opened("CAN1")
    stub.fail("nxWriteFrame", code, count=1000)
    is_full = code in (xnet.TIMED_OUT, xnet.OUTPUT_OVERFLOW)
    with pytest.raises(CanTimeoutError if is_full else CanOperationError) as raised:
        bus.send(FRAMES[0], 0)
    is_reported(raised.value, code)
    assert raised.value.sent == 0


@pytest.mark.parametrize("code", CODES)
def test_the_state_and_a_reset(stub: kit.Stub, opened: Opened, code: int) -> None:
    bus = opened("CAN1")
    stub.fail("nxReadState", code)
    with pytest.raises(CanOperationError) as raised:
        assert bus.state
    is_reported(raised.value, code)
    for function in ("nxFlush", "nxStop", "nxStart"):
        stub.fail(function, code)
        with pytest.raises(CanOperationError) as raised:
            bus.reset()
        is_reported(raised.value, code)
    bus.reset()
