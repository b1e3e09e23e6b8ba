"""``canx xcom simulate`` under attack: frames of all kinds, requests without end, wrong lengths."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.xcom import codec
from cantools_cli.xcom.addresses import parse_device
from cantools_cli.xcom.client import StuCanPublicClient
from tests.attack.conftest import Target

DRAW = random.Random(11)


def noise() -> Iterator[Message]:
    for _ in range(20_000):
        size = DRAW.randrange(9)
        yield Message(arbitration_id=DRAW.randrange(1 << 29), data=DRAW.randbytes(size))


def requests_of_all_kinds() -> Iterator[Message]:
    """Yield requests of each service and length, from many sources, to devices that are there."""
    for source in range(1024):
        for service in range(8):
            size = DRAW.randrange(9)
            device = DRAW.choice((100, 101, 300, 700, 600))
            frame = codec.frame(source, device, codec.Service.READ_USER_INFO, DRAW.randbytes(8))
            frame.arbitration_id ^= service
            frame.data, frame.dlc = frame.data[:size], size
            yield frame


def others() -> Iterator[Message]:
    for number in range(20_000):
        yield Message(arbitration_id=number & 0x7FF, is_extended_id=False, is_remote_frame=number % 2 == 0)
        yield Message(arbitration_id=number, is_fd=True, data=bytes(64))
        yield Message(arbitration_id=0x20, is_extended_id=False, is_error_frame=True, data=bytes(8), dlc=8)


@pytest.mark.long
@pytest.mark.parametrize("exclusive", [[], ["--exclusive"]])
@pytest.mark.parametrize("flood", [noise, requests_of_all_kinds, others])
def test_a_flood_costs_bounded_memory_and_the_gateway_still_answers(
    launch: Callable[..., Target], flood: Callable[[], Iterator[Message]], exclusive: list[str]
) -> None:
    target = launch("xcom", "simulate", "virtual:bus", "--still", "--latency", "0", *exclusive, ready="xt1")
    messages = list(flood())
    with VirtualBus("bus", scope="host", net=target.net, fd=True) as bus:
        for first in range(0, len(messages), 1000):
            bus.send_batch(MessageBatch(messages[first : first + 1000]), 30)
            while bus.recv_batch(0) is not None:
                pass
        with StuCanPublicClient(990, bus=bus) as client:
            client.retries = 5
            assert client.read_user_info(parse_device("xt1").address, 3000, timeout=10) > 0
    target.check()
