"""AUTOSAR containers: the messages in the data of a frame."""

from __future__ import annotations

import pytest

from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.model import ContainerHeader, Database, MessageSpec, SignalSpec
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

SPEED = MessageSpec("Speed", 0x100, False, 2, (SignalSpec("Rpm", 0, 16, True),), is_fd=True)
DOORS = MessageSpec("Doors", 0x100, False, 1, (SignalSpec("Open", 0, 1),), is_fd=True)


def container(is_big_endian: bool) -> Database:
    header = ContainerHeader(3, 1, is_big_endian)
    message = MessageSpec(
        "Box", 0x100, False, 64, is_fd=True, contained={0x0A0B0C: SPEED, 5: DOORS}, header=header
    )
    return Database("box", (message,))


@pytest.mark.parametrize(("is_big_endian", "first"), [(True, "0A0B0C02"), (False, "0C0B0A02")])
def test_each_message_in_a_container_is_decoded(is_big_endian: bool, first: str) -> None:
    five = "000005" if is_big_endian else "050000"
    seven = "000007" if is_big_endian else "070000"
    texts = [
        f"{first}1234 {five}0101 00000000 FF",  # two messages, then padding
        f"{five}0100 {seven}03010203 {five}0101 000000",  # one that is not in the database; one twice
        f"{first}12",  # ends within a message
        f"{first[:6]}01FF {five}0101 0000",  # a message that ends before its signal
        "",
    ]
    batch = MessageBatch(
        Message(
            arbitration_id=0x100, is_extended_id=False, is_fd=True, timestamp=index, data=bytes.fromhex(text)
        )
        for index, text in enumerate(texts)
    )
    decoder = Decoder(container(is_big_endian))
    tables = {table.message.name: table for table in decoder.tables(batch)}
    speed, doors = tables["Speed"], tables["Doors"]
    assert [*speed.rows] == [0, 3]
    assert [speed.values(index) for index in range(2)] == [{"Rpm": 0x1234}, {}]
    assert [*doors.rows] == [0, 1, 1, 3]
    assert [doors.values(index)["Open"] for index in range(4)] == [1, 0, 1, 1]
    assert [*doors.timestamp_ns] == [0, 10**9, 10**9, 3 * 10**9]
    assert (decoder.unknown, decoder.unknown_contained, decoder.short) == (0, 1, 2)
