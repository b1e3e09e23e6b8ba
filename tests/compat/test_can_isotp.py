"""can-isotp: ISO-TP transfers between two virtual buses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cantools_cli.bus.interface import Bus

PAYLOAD = bytes(range(100))


@pytest.fixture
def buses() -> Iterator[list[Any]]:
    with (
        Bus("isotp", "virtual", ignore_config=True) as one,
        Bus("isotp", "virtual", ignore_config=True) as two,
    ):
        yield [one, two]


def addresses() -> list[Any]:
    import isotp

    mode = isotp.AddressingMode.Normal_11bits
    return [isotp.Address(mode, txid=tx, rxid=rx) for tx, rx in ((0x123, 0x456), (0x456, 0x123))]


def exchange(stacks: list[Any]) -> None:
    """Send a payload each way, both taking many frames and flow control."""
    for stack in stacks:
        stack.start()
    try:
        for sender, receiver in (stacks, stacks[::-1]):
            sender.send(PAYLOAD)
            assert receiver.recv(block=True, timeout=30) == PAYLOAD
    finally:
        for stack in stacks:
            stack.stop()


def test_a_stack_on_a_bus(buses: list[Any]) -> None:
    import isotp

    exchange([isotp.CanStack(bus, address=address) for bus, address in zip(buses, addresses(), strict=True)])


def test_a_stack_on_a_notifier(buses: list[Any]) -> None:
    import can
    import isotp

    notifiers = [can.Notifier(bus, []) for bus in buses]
    try:
        exchange(
            [
                isotp.NotifierBasedCanStack(bus, notifier, address=address)
                for bus, notifier, address in zip(buses, notifiers, addresses(), strict=True)
            ]
        )
    finally:
        for notifier in notifiers:
            notifier.stop()
