"""Any frames between two channels of the emulated library."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.pcan.bus import PcanBus
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.pcan.test_bus import FD, received
from tests.backends.pcan.test_codec import facts, frames
from tests.vendor.kit import Stub


@pytest.mark.parametrize("is_fd", [False, True])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(data=st.data())
def test_any_frames_arrive(stub: Stub, is_fd: bool, data: st.DataObject) -> None:
    messages: list[Message] = data.draw(st.lists(frames(is_fd), min_size=1, max_size=12))
    more = FD if is_fd else {}
    with PcanBus("PCAN_USBBUS1", **more) as one, PcanBus("PCAN_USBBUS2", **more) as two:  # type: ignore[arg-type]
        for sender, receiver in ((one, two), (two, one)):
            sender.send_batch(MessageBatch(messages))
            found = received(receiver, len(messages))
            assert [*map(facts, found)] == [*map(facts, messages)]
