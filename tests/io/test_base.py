"""What all writers share."""

from __future__ import annotations

import io

import pytest

from cantools_cli import CanutilsLogWriter, Message, MessageBatch
from cantools_cli.errors import UsageError
from cantools_cli.io.channels import NumberedChannels


@pytest.mark.parametrize(
    ("channels", "numbers"),
    [
        (("can0", "can3"), [0, 3]),
        ((0, 7, None), [0, 7, 0]),
        (("can1", "1", 1), [1, 1, 1]),
        (("eth", "can0"), [1, 0]),  # whoever says a number has it, whatever comes first
        (("eth", "can1", "wlan"), [0, 1, 2]),
        (("can0", "vcan0"), [0, 1]),  # two channels never become one
    ],
)
def test_channels_get_numbers(channels, numbers):
    assert list(NumberedChannels().table(MessageBatch(channels=channels), 255)) == numbers


def test_numbers_stay_over_batches_and_made_up_ones_are_told_once():
    told = []
    numbering = NumberedChannels(note=told.append)
    for _ in range(2):
        assert list(numbering.table(MessageBatch(channels=("diag",)), 255)) == [0]
    assert list(numbering.table(MessageBatch(channels=("can0",)), 255)) == [1]
    assert told == ["diag is written as channel 1", "can0 is written as channel 2"]


def test_a_number_beyond_the_format_is_refused():
    with pytest.raises(UsageError, match="exceeds 254"):
        NumberedChannels().table(MessageBatch(channels=("can255",)), 254)


def test_a_message_without_a_time_gets_that_of_the_one_before():
    file = io.BytesIO()
    with CanutilsLogWriter(file) as writer:
        for timestamp in (None, 1.5, None):
            writer.on_message_received(Message(timestamp=timestamp, arbitration_id=1, is_extended_id=False))
    times = [line.split()[0] for line in file.getvalue().decode().splitlines()]
    assert times == ["(0.000000)", "(1.500000)", "(1.500000)"]


def test_messages_of_python_can_are_taken():
    can = pytest.importorskip("can")
    file = io.BytesIO()
    with CanutilsLogWriter(file) as writer:
        writer.on_message_received(
            can.Message(timestamp=2.5, arbitration_id=0x12, data=b"\1", channel="can4")
        )
    assert file.getvalue() == b"(2.500000) can4 00000012#01\n"
