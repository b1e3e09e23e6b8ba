"""CAN frames over UDP multicast: among ourselves, and with python-can."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, wraps
from types import SimpleNamespace
from typing import Any

import pytest

from cantools_cli.backends import udp_multicast
from cantools_cli.backends.udp_multicast import UdpMulticastBus
from cantools_cli.backends.udp_multicast_codec import encode
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import CanInterfaceNotImplementedError, CanOperationError, CanTimeoutError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.test_udp_multicast_codec import CASES, REFUSED

GROUP, GROUP6 = UdpMulticastBus.DEFAULT_GROUP_IPv4, UdpMulticastBus.DEFAULT_GROUP_IPv6
PORT = 43113
#: a loopback with IPv4 multicast, and a pair of network interfaces that have IPv6's
NETWORK = (
    "ip link set lo up multicast on && ip route add 224.0.0.0/4 dev lo "
    "&& ip link add v0 type veth peer name v1 && ip -6 addr add fe80::1/64 dev v0 nodad "
    "&& ip link set v1 up && ip link set v0 up"
)


@cache
def why_not() -> str | None:
    """Return why no network namespace can be made here; None where it can."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return "needs unshare and ip"
    done = subprocess.run(["unshare", "-n", "sh", "-c", NETWORK], capture_output=True, text=True, check=False)
    return f"no network namespace: {done.stderr.strip()}" if done.returncode else None


def in_a_network_of_its_own(test: Callable[[], None]) -> Callable[[], None]:
    """Run ``test`` in another process, whose network namespace nothing ever leaves."""

    @wraps(test)
    def run() -> None:
        if os.environ.get("CANX_TEST_INSIDE"):
            test()
            return
        reason = why_not()
        if reason:
            pytest.skip(reason)
        program = f"from {test.__module__} import {test.__name__} as test; test()"
        command = ["unshare", "-n", "sh", "-c", f'{NETWORK} && exec "$0" -c "$1"', sys.executable, program]
        environment = {**os.environ, "CANX_TEST_INSIDE": "1"}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, timeout=60
        )
        assert done.returncode == 0, done.stderr

    return run


def bus(**options: Any) -> UdpMulticastBus:
    return UdpMulticastBus(**{"channel": GROUP, **options})


def received(bus: UdpMulticastBus, count: int) -> list[Message]:
    """Return the next ``count`` messages, fewer where they do not come."""
    messages: list[Message] = []
    while len(messages) < count and (message := bus.recv(5)) is not None:
        messages.append(message)
    return messages


def same(ours: Message, other: Any) -> bool:
    return ours.equals(other, timestamp_delta=None)


def sender(group: str = GROUP) -> socket.socket:
    """Return a plain socket that sends to the group."""
    plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    plain.connect((group, PORT))
    return plain


@in_a_network_of_its_own
def test_every_kind_of_frame_arrives() -> None:
    with bus() as here, bus() as there:
        before = time.time_ns()
        for message, _, _ in CASES:
            here.send(message)
        got = received(there, len(CASES))
        assert all(same(one, case[0]) for one, case in zip(got, CASES, strict=True))
        assert all(before <= one.timestamp_ns <= time.time_ns() for one in got)
        assert here.recv(0) is None  # its own are not received


@in_a_network_of_its_own
def test_two_buses_hear_each_other_in_both_directions() -> None:
    with bus() as here, bus() as there:
        here.send(Message(arbitration_id=1))
        there.send(Message(arbitration_id=2))
        assert [one.arbitration_id for one in received(there, 1) + received(here, 1)] == [1, 2]


@in_a_network_of_its_own
def test_ipv6_groups_of_every_scope_are_joined_without_an_interface() -> None:
    import can

    for prefix in ("ff01", "ff02", "ff11", "ff12", "ff05", "ff15"):
        group = f"{prefix}:7079:7468:6f6e:6465:6d6f:6d63:6173"
        with (
            bus(channel=group) as here,
            bus(channel=group) as there,
            can.Bus(group, "udp_multicast") as theirs,
        ):
            here.send(Message(arbitration_id=1))
            assert [one.arbitration_id for one in received(there, 1)] == [1], group
            heard = theirs.recv(5)
            assert getattr(heard, "arbitration_id", None) == 1, group
            theirs.send(can.Message(arbitration_id=2))
            assert [one.arbitration_id for one in received(here, 1)] == [2], group


@in_a_network_of_its_own
def test_without_a_list_of_groups_the_first_real_interface_is_taken() -> None:
    udp_multicast._MEMBERSHIPS = "/nonexistent"
    with bus(channel="ff12::7") as here, bus(channel="ff12::7") as there:
        here.send(Message(arbitration_id=7))
        assert [one.arbitration_id for one in received(there, 1)] == [7]


@in_a_network_of_its_own
def test_python_can_hears_us_and_we_hear_it() -> None:
    import can

    with bus() as ours, can.Bus(GROUP, "udp_multicast") as theirs:
        for message, _, _ in CASES:
            ours.send(message)
            got = theirs.recv(5)
            assert got is not None
            assert same(message, got)
        for message, _, _ in CASES:
            theirs.send(can.Message(**{name: getattr(message, name) for name in DOCUMENTED}))
        assert all(same(a, b[0]) for a, b in zip(received(ours, len(CASES)), CASES, strict=True))
        assert not ours.losses


DOCUMENTED = (
    "arbitration_id",
    "is_extended_id",
    "is_remote_frame",
    "is_error_frame",
    "channel",
    "dlc",
    "data",
    "is_fd",
    "bitrate_switch",
    "error_state_indicator",
)


@in_a_network_of_its_own
def test_bad_datagrams_are_counted_and_cost_only_themselves() -> None:
    bad = [datagram for datagram in REFUSED if len(datagram) < 65_000]
    with bus() as here, sender() as plain:
        for datagram in bad:
            plain.send(datagram)
            plain.send(encode(CASES[0][0]))
            assert len(received(here, 1)) == 1
        assert here.losses == {"malformed datagrams skipped": len(bad)}
        assert "the DLC and the length" in str(here.first_fault)


@in_a_network_of_its_own
def test_all_that_waits_comes_in_one_batch() -> None:
    with bus() as here, bus() as there:
        there.send_batch(MessageBatch(Message(arbitration_id=number) for number in range(200)))
        batch = here.recv_batch(5)
        assert batch is not None
        assert [message.arbitration_id for message in batch] == [*range(200)]
        assert here.recv_batch(0) is None


@in_a_network_of_its_own
def test_without_fd_such_frames_are_refused_and_ignored() -> None:
    with bus(fd=False) as classic, bus() as both:
        assert (classic.protocol, both.protocol) == (CanProtocol.CAN_20, CanProtocol.CAN_FD)
        with pytest.raises(CanOperationError, match="CAN FD disabled"):
            classic.send(Message(is_fd=True))
        both.send(Message(is_fd=True))
        both.send(Message(arbitration_id=7))
        assert [one.arbitration_id for one in received(classic, 1)] == [7]


@in_a_network_of_its_own
def test_the_sender_s_time_can_be_kept() -> None:
    with bus(keep_timestamps=True) as here, bus() as there:
        there.send(Message(timestamp=1_700_000_000.25))
        assert [one.timestamp_ns for one in received(here, 1)] == [1_700_000_000_250_000_000]


@in_a_network_of_its_own
def test_other_groups_on_the_same_port_are_not_heard() -> None:
    with bus() as here, bus(channel="239.74.163.3") as elsewhere, bus() as there:
        elsewhere.send(Message(arbitration_id=1))
        there.send(Message(arbitration_id=2))
        assert [one.arbitration_id for one in received(here, 1)] == [2]


@in_a_network_of_its_own
def test_filters_apply() -> None:
    with bus(can_filters=[{"can_id": 2, "can_mask": 0x7FF}]) as here, bus() as there:
        for number in (1, 2, 3, 2):
            there.send(Message(arbitration_id=number))
        assert [one.arbitration_id for one in received(here, 2)] == [2, 2]


@in_a_network_of_its_own
def test_the_descriptor_is_ready_as_long_as_anything_waits() -> None:
    with bus() as here, bus() as there:
        for number in range(3):
            there.send(Message(arbitration_id=number))
        got = []
        while select.select([here], [], [], 0)[0]:
            got += received(here, 1)
        assert len(got) == 3
        here.shutdown()
        assert here.fileno() == -1


@in_a_network_of_its_own
def test_the_network_interface_can_be_chosen() -> None:
    chosen: list[dict[str, Any]] = [
        {"interface": "lo"},
        {"interface": "127.0.0.1"},
        {"channel": f"{GROUP}%lo"},
        {"channel": f"{GROUP}%1"},
    ]
    subprocess.run(["ip", "route", "del", "224.0.0.0/4"], check=True)
    with ExitStack() as stack:
        buses = [stack.enter_context(bus(**options)) for options in chosen]
        for one in buses:
            one.send(Message())
            assert all(len(received(other, 1)) == 1 for other in buses if other is not one)


@in_a_network_of_its_own
def test_ipv6_works_the_same() -> None:
    with Bus(None, "udp_multicast", ignore_config=True) as here, bus(channel=f"{GROUP6}%v0") as there:
        assert str(here) == f"Multicast on {GROUP6}, port {PORT}"
        here.send(Message(arbitration_id=5))
        assert [one.arbitration_id for one in received(there, 1)] == [5]
        there.send(Message(arbitration_id=6))
        message = here.recv(5)
        assert message is not None
        assert message.arbitration_id == 6


@in_a_network_of_its_own
def test_a_network_without_a_way_to_the_group_is_an_error() -> None:
    subprocess.run(["ip", "route", "del", "224.0.0.0/4"], check=True)
    with bus(interface="lo") as here:
        here._group._index = 0
        with pytest.raises(CanOperationError, match=r"sending failed: .*unreachable"):
            here.send(Message())


@in_a_network_of_its_own
def test_sending_waits_for_room_as_long_as_asked() -> None:
    full, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with bus() as here, full, other:
        full.setblocking(False)
        here._port.sender, here._own_address = full, ("", 0)
        many = MessageBatch([Message()] * 100_000)
        with pytest.raises(CanTimeoutError, match="no room to send in time") as caught:
            here.send_batch(many, timeout=0.01)
        assert [other.recv(100) for _ in range(caught.value.sent or 0)]
        with pytest.raises(BlockingIOError):
            other.recv(100, socket.MSG_DONTWAIT)


@in_a_network_of_its_own
def test_polling_and_waiting_end() -> None:
    with bus() as here:
        start = time.monotonic()
        assert here.recv(0) is None
        assert here.recv(0.05) is None
        assert time.monotonic() - start >= 0.05


@in_a_network_of_its_own
def test_closing_ends_a_wait() -> None:
    failures: list[str] = []
    here = bus()

    def wait() -> None:
        try:
            here.recv(30)
        except CanOperationError as error:
            failures.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    while not here._port._wakeup._waits and thread.is_alive():
        pass
    here.shutdown()
    thread.join(30)
    assert failures == ["Cannot operate on a closed bus"]


# --- without a socket ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "channel", ["can0", "192.168.0.1", "223.255.255.255", "240.0.0.1", "fe80::1", "", "239.1"]
)
def test_what_is_no_multicast_group_is_refused(channel: str) -> None:
    with pytest.raises(ValueError, match="not a multicast address"):
        UdpMulticastBus(channel)


@pytest.mark.parametrize("options", [{"port": 0}, {"port": 65536}, {"hop_limit": -1}, {"hop_limit": 256}])
def test_numbers_out_of_range_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is not in"):
        bus(**options)


@pytest.mark.parametrize("channel", [GROUP, GROUP6])
def test_an_unknown_network_interface_is_refused(channel: str) -> None:
    with pytest.raises(ValueError, match='no network interface "nowhere"'):
        bus(channel=f"{channel}%nowhere")


def test_receiving_own_messages_is_refused_as_documented() -> None:
    with pytest.raises(NotImplementedError, match="own messages"):
        bus(receive_own_messages=True)


def test_a_system_without_ancillary_data_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp_multicast, "socket", SimpleNamespace(socket=object))
    with pytest.raises(CanInterfaceNotImplementedError, match="does not work on"):
        bus()
    assert UdpMulticastBus._obstacle() == f"udp_multicast does not work on {sys.platform}"


def test_the_default_groups_are_detected() -> None:
    found = [{"interface": "udp_multicast", "channel": group} for group in (GROUP6, GROUP)]
    assert detect_available_configs("udp_multicast") == found
