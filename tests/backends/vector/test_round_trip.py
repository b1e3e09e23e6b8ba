"""Any frames between two buses on the emulated library."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.backends.vector.bus import VectorBus
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import messages
from tests.vendor.kit import Stub

FD = {"fd": True, "bitrate": 500_000, "data_bitrate": 8_000_000}


def facts(frame: Message) -> tuple[object, ...]:
    kind = frame.is_extended_id, frame.is_remote_frame, frame.is_fd, frame.bitrate_switch
    return frame.arbitration_id, *kind, frame.dlc, bytes(frame.data)


@pytest.mark.parametrize("more", [{}, FD], ids=["classic", "fd"])
def test_any_frames_arrive(stub: Stub, more: dict[str, Any]) -> None:
    kinds = ("classic", "raw", "remote", "fd") if more else ("classic", "raw", "remote")
    with ExitStack() as opened:
        left = opened.enter_context(VectorBus(0, receive_own_messages=True, **more))
        right = opened.enter_context(VectorBus(1, **more))

        @settings(max_examples=60)
        @given(st.lists(messages(kinds=kinds, channels=st.none()), min_size=1, max_size=20))
        def exchange(frames: list[Message]) -> None:
            left.send_batch(MessageBatch(frames))
            for bus, is_rx in ((right, True), (left, False)):
                found: list[Message] = []
                while len(found) < len(frames):
                    batch = bus.recv_batch(20)
                    assert batch is not None
                    found += batch
                assert [facts(frame) for frame in found] == [facts(frame) for frame in frames]
                assert {frame.is_rx for frame in found} == {is_rx}

        exchange()
        assert not left.losses
        assert not right.losses
