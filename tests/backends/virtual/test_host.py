"""The virtual bus between processes: real processes, one net and one folder for each test."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.virtual import line as virtual_line
from cantools_cli.backends.virtual import sender as virtual_sender
from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.backends.virtual.line import HostLine, folder_name
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    CanTimeoutError,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import ALL_KINDS, facts, messages

if not hasattr(socket, "AF_UNIX") or not hasattr(select, "poll"):
    pytest.skip("no Unix datagram sockets here", allow_module_level=True)

TIMEOUT = 30.0
START = """
import os, signal, sys, time
from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
def say(*words): print(*words, flush=True)
"""
Opener = Callable[..., VirtualBus]
Spawner = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def net_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the test from all others, and return the folder of its net."""
    monkeypatch.setenv("CANX_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("CANX_NET", "test")
    return tmp_path / f"canx-{os.geteuid()}" / "v1" / "test"


@pytest.fixture
def open_bus() -> Iterator[Opener]:
    with contextlib.ExitStack() as stack:

        def open_one(channel: Any = "bus", **settings: Any) -> VirtualBus:
            return stack.enter_context(VirtualBus(channel, scope="host", **settings))

        yield open_one


@pytest.fixture
def spawn() -> Iterator[Spawner]:
    children: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", START + code, *map(str, arguments)]
        children.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.communicate()


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def numbered(count: int, first: int = 0) -> MessageBatch:
    """Return frames whose data count."""
    return MessageBatch(Message(data=number.to_bytes(8, "big")) for number in range(first, first + count))


def numbers(bus: VirtualBus, count: int) -> list[int]:
    """Receive ``count`` frames and return what their data count."""
    received: list[int] = []
    while len(received) < count:
        batch = bus.recv_batch(TIMEOUT)
        assert batch is not None
        received += [int.from_bytes(message.data, "big") for message in batch]
    return received


def fill(bus: VirtualBus) -> int:
    """Send single frames until a reader has no room; return how many went."""
    sent = 0
    with contextlib.suppress(CanTimeoutError):
        while True:
            bus.send_batch(numbered(1, sent), timeout=0.3)
            sent += 1
    return sent


# --- order and completeness -------------------------------------------------------------------------------

SENDER = """
number, count = int(sys.argv[1]), 20_000
with VirtualBus("bus", scope="host", receive=False) as bus:
    say("ready")
    sys.stdin.readline()
    first = 0
    while first < count:
        size = min(count - first, 1 if first < 2000 else 50 if first < 8000 else 6000)
        bus.send_batch(MessageBatch(
            Message(arbitration_id=number, data=row.to_bytes(8, "big")) for row in range(first, first + size)
        ))
        first += size
"""
RECEIVER = """
from hashlib import sha256
with VirtualBus("bus", scope="host") as bus:
    say("ready")
    frames = MessageBatch()
    while len(frames) < 40_000:
        frames.extend(bus.recv_batch(30))
orders = {1: [], 2: []}
for message in frames:
    orders[message.arbitration_id].append(int.from_bytes(message.data, "big"))
assert orders == {1: list(range(20_000)), 2: list(range(20_000))}
assert bus.losses.total() == 0
assert sorted(frames.timestamp_ns) == list(frames.timestamp_ns)
say(sha256(b"".join(map(bytes, frames.columns()))).hexdigest())
"""


def test_two_senders_give_three_readers_one_order_and_everything(spawn: Spawner) -> None:
    readers = [spawn(RECEIVER) for _ in range(3)]
    senders = [spawn(SENDER, number) for number in (1, 2)]
    assert {line_of(child) for child in (*readers, *senders)} == {"ready"}
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
    digests = {line_of(reader) for reader in readers}
    assert len(digests) == 1
    assert digests != {""}


def test_a_sender_that_ends_at_once_loses_nothing(open_bus: Opener, spawn: Spawner) -> None:
    reader = open_bus()
    spawn(
        "bus = VirtualBus('bus', scope='host', receive=False)\n"
        "bus.send_batch(MessageBatch(Message(data=row.to_bytes(8, 'big')) for row in range(30_000)))\n"
        "os._exit(0)"
    )
    assert numbers(reader, 30_000) == list(range(30_000))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(frames=st.lists(messages(kinds=ALL_KINDS, extended_errors=st.booleans()), min_size=1, max_size=10))
def test_every_kind_of_frame_arrives_as_it_was(open_bus: Opener, frames: list[Message]) -> None:
    sender, reader = open_bus("x", preserve_timestamps=True, receive=False), open_bus("x")
    sender.send_batch(MessageBatch(frames))
    received: list[Message] = []
    while len(received) < len(frames):  # a CAN XL frame is a datagram of its own
        batch = reader.recv_batch(TIMEOUT)
        assert batch is not None
        received += batch
    for message in frames:
        message.channel, message.is_rx = "x", True
    assert [facts(message) for message in received] == [facts(message) for message in frames]
    sender.shutdown()
    reader.shutdown()


def test_all_readers_see_the_same_time_of_sending(open_bus: Opener) -> None:
    sender, readers = open_bus(receive=False), [open_bus() for _ in range(2)]
    before = time.time_ns()
    sender.send(Message(timestamp=5.0))
    stamps = {message.timestamp_ns for message in (reader.recv(TIMEOUT) for reader in readers) if message}
    assert len(stamps) == 1
    assert before <= stamps.pop() <= time.time_ns()


def test_own_messages_come_back_as_sent_ones_in_the_common_order(open_bus: Opener) -> None:
    echo, other = open_bus(receive_own_messages=True), open_bus()
    for sender in (echo, other, echo):
        sender.send(Message())
    for bus, expected in ((echo, [False, True, False]), (other, [True, True])):
        received = [bus.recv(TIMEOUT) for _ in expected]
        assert [message.is_rx for message in received if message is not None] == expected
    assert other.recv(0) is None


def test_a_batch_of_many_datagrams_is_cut_and_complete(open_bus: Opener) -> None:
    sender, reader = open_bus(receive=False), open_bus()
    sender.send_batch(numbered(100_000))
    assert numbers(reader, 100_000) == list(range(100_000))


def test_a_quiet_bus_takes_frames_that_nobody_reads(open_bus: Opener) -> None:
    open_bus(receive=False).send_batch(numbered(100_000))
    late = open_bus()
    assert late.recv(0) is None


# --- readers that die, stop or are slow -------------------------------------------------------------------

PRINTER = """
bus = VirtualBus("bus", scope="host")
say("ready")
normal = errors = 0
last = int(sys.argv[1])
while True:
    message = bus.recv()
    if message.is_error_frame:
        assert message.arbitration_id == 4 and message.data[1] == 1
        errors += 1
        say("overflow")
        if last < 0: break
    else:
        normal += 1
        if int.from_bytes(message.data, "big") == last: break
say(normal, errors, bus.losses.total())
"""


def stopped(child: subprocess.Popen[str]) -> None:
    os.kill(child.pid, signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)


def test_a_killed_reader_disturbs_nobody_and_its_files_go(
    open_bus: Opener, spawn: Spawner, net_of_its_own: Path
) -> None:
    victim, reader = spawn(PRINTER, -1), open_bus()
    assert line_of(victim) == "ready"
    sender = open_bus(receive=False)
    sender.send_batch(numbered(10))
    victim.kill()
    victim.wait()
    sender.send_batch(numbered(10, 10))
    assert numbers(reader, 20) == list(range(20))
    kinds = sorted(path.suffix for path in (net_of_its_own / "bus").iterdir())
    assert kinds == ["", "", ".bus", ".state"]


def test_a_reader_that_died_while_full_disturbs_nobody(open_bus: Opener, spawn: Spawner) -> None:
    victim = spawn(PRINTER, -1)
    assert line_of(victim) == "ready"
    stopped(victim)
    sender = open_bus(receive=False)
    sent = fill(sender)
    victim.kill()
    victim.wait()
    reader = open_bus()
    sender.send_batch(numbered(5, sent), timeout=0)
    assert numbers(reader, 5) == list(range(sent, sent + 5))


def test_a_stopped_reader_is_told_what_it_missed(
    open_bus: Opener, spawn: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_sender, "STALL", 0.2)
    victim, reader, sender = spawn(PRINTER, 100), open_bus(), open_bus(receive=False)
    assert line_of(victim) == "ready"
    stopped(victim)
    for number in range(100):
        sender.send_batch(numbered(1, number))
    assert numbers(reader, 100) == list(range(100))
    os.kill(victim.pid, signal.SIGCONT)
    assert line_of(victim) == "overflow"
    sender.send_batch(numbered(1, 100))
    normal, errors, missed = map(int, line_of(victim).split())
    assert (normal + missed, errors) == (101, 1)
    assert missed > 50


def test_an_idle_reader_is_told_without_another_frame(
    open_bus: Opener, spawn: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_sender, "STALL", 0.2)
    victim = spawn(PRINTER, -1)
    assert line_of(victim) == "ready"
    stopped(victim)
    for number in range(100):
        open_bus(receive=False).send_batch(numbered(1, number))
    os.kill(victim.pid, signal.SIGCONT)
    assert line_of(victim) == "overflow"
    normal, errors, missed = map(int, line_of(victim).split())
    assert (normal + missed, errors) == (100, 1)


def test_no_other_sender_waits_for_a_reader_that_fell_behind(
    open_bus: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, first, second = open_bus(rx_queue_size=1), open_bus(receive=False), open_bus(receive=False)
    sent = fill(first)
    with pytest.raises(CanTimeoutError):
        second.send(Message(), timeout=0)
    monkeypatch.setattr(virtual_sender, "STALL", 0.2)
    first.send_batch(numbered(1, sent))
    second.send_batch(numbered(4, sent + 1), timeout=0)
    assert numbers_and_errors(slow) == [*range(sent), "missed"]
    assert slow.losses.total() == 5
    second.send_batch(numbered(1, 7))
    assert numbers(slow, 1) == [7]


def numbers_and_errors(bus: VirtualBus) -> list[int | str]:
    """Receive up to an error frame."""
    received: list[int | str] = []
    while "missed" not in received:
        message = bus.recv(TIMEOUT)
        assert message is not None
        received.append("missed" if message.is_error_frame else int.from_bytes(message.data, "big"))
    return received


def test_the_first_datagram_that_finds_room_says_what_was_missed(open_bus: Opener) -> None:
    # By hand, since with a live reader its own thread is as likely to be first.
    reader, sender = open_bus(), open_bus(receive=False)
    inbox = reader._port._inbox  # type: ignore[attr-defined]  # the port of the host
    path = inbox._line.file(f"{inbox.number}.state")
    file = os.open(path, os.O_RDWR)
    os.pwrite(file, (3).to_bytes(8, "little"), 8)
    sender.send_batch(numbered(1, 5))
    assert numbers_and_errors(reader) == ["missed"]
    assert numbers(reader, 1) == [5]
    assert reader.losses.total() == 3
    assert os.pread(file, 8, 8) == bytes(8)
    os.close(file)


def test_a_slow_reader_loses_nothing(open_bus: Opener) -> None:
    sender, reader = open_bus(receive=False), open_bus(rx_queue_size=5)
    sending = threading.Thread(
        target=lambda: [sender.send_batch(numbered(1, number)) for number in range(3000)]
    )
    sending.start()
    assert numbers(reader, 3000) == list(range(3000))
    sending.join(TIMEOUT)
    assert reader.losses.total() == 0


def test_taking_frames_one_by_one_counts_as_progress(
    open_bus: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_sender, "STALL", 0.5)
    sender, reader = open_bus(receive=False), open_bus(rx_queue_size=1)
    frames = numbered(100_000)
    sending = threading.Thread(target=sender.send_batch, args=(frames,))
    sending.start()
    received = []
    end = time.monotonic() + 1.0
    while time.monotonic() < end:  # slow is what this reader is
        message = reader.recv(TIMEOUT)
        assert message is not None
        received.append(int.from_bytes(message.data, "big"))
        time.sleep(0.005)
    received += numbers(reader, len(frames) - len(received))
    sending.join(TIMEOUT)
    assert received == list(range(len(frames)))
    assert reader.losses.total() == 0


def test_a_timeout_of_send_ends_the_wait_for_room(open_bus: Opener) -> None:
    slow, other, sender = open_bus(rx_queue_size=1), open_bus(), open_bus(receive=False)
    sent = fill(sender)
    with pytest.raises(CanTimeoutError, match="virtual:bus: a reader had no room in time"):
        sender.send(Message(), timeout=0.05)
    assert numbers(slow, sent) == numbers(other, sent)
    assert other.recv(0) is None


def test_a_batch_without_room_tells_how_many_frames_went(open_bus: Opener) -> None:
    reader, sender = open_bus(rx_queue_size=1), open_bus(receive=False)
    with pytest.raises(CanTimeoutError) as caught:
        sender.send_batch(MessageBatch([Message()] * 200_000), timeout=0.05)
    sent, got = caught.value.sent, 0
    assert sent
    while got < sent:
        got += len(reader.recv_batch(TIMEOUT) or ())
    assert (got, reader.recv(0)) == (sent, None)


def test_a_stopped_process_on_the_wire_is_an_error_in_time(open_bus: Opener, net_of_its_own: Path) -> None:
    sender = open_bus(receive=False)
    with open(net_of_its_own / "bus" / "wire", "rb") as wire:
        fcntl.flock(wire, fcntl.LOCK_EX)
        with pytest.raises(CanTimeoutError, match="stopped process holds the bus"):
            sender.send(Message(), timeout=0.01)


def test_who_waits_for_the_wire_comes_before_the_rest_of_a_long_transfer() -> None:
    long, other, observer = (HostLine("test", "bus") for _ in range(3))
    order = []

    def wait() -> None:
        other.acquire(Deadline(TIMEOUT))
        order.append("other")
        other.release()

    long.acquire(Deadline(TIMEOUT))
    waiting = threading.Thread(target=wait)
    waiting.start()
    while virtual_line._try_lock(observer._turn):  # until it waits
        fcntl.flock(observer._turn, fcntl.LOCK_UN)
    long.release()
    long.acquire(Deadline(TIMEOUT), in_turn=True)
    order.append("long")
    long.release()
    waiting.join(TIMEOUT)
    for line in (long, other, observer):
        line.close()
    assert order == ["other", "long"]


# --- descriptors, closing, forks --------------------------------------------------------------------------


def is_ready(bus: VirtualBus, timeout: float = 0) -> bool:
    return select.select([bus], [], [], timeout)[0] == [bus]


def test_the_descriptor_is_ready_as_long_as_a_frame_waits(open_bus: Opener) -> None:
    sender, reader = open_bus(receive=False), open_bus()
    assert not is_ready(reader)
    sender.send(Message())
    sender.send_batch(numbered(2))
    for _ in range(3):
        assert is_ready(reader, TIMEOUT)
        assert reader.recv(TIMEOUT) is not None
    assert not is_ready(reader)
    sender.send(Message())
    assert is_ready(reader, TIMEOUT)
    assert reader.recv_batch(0) is not None
    assert not is_ready(reader)


def test_closing_removes_the_files_and_ends_a_waiting_recv(open_bus: Opener, net_of_its_own: Path) -> None:
    bus, sender, errors = open_bus(), open_bus(receive=False), []

    def wait() -> None:
        with pytest.raises(CanOperationError, match="closed bus") as caught:
            bus.recv()
        errors.append(caught.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    bus.shutdown()
    waiting.join(TIMEOUT)
    assert len(errors) == 1
    assert {path.name for path in (net_of_its_own / "bus").iterdir()} == {"wire", "turn"}
    sender.send(Message())
    with pytest.raises(CanOperationError, match="closed bus"):
        bus.send(Message())


def test_closing_ends_a_recv_that_is_about_to_wait(open_bus: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The close comes between the look at the queue and the wait, and must not be wiped away."""
    bus, closers = open_bus(), []
    inbox = bus._port._inbox  # type: ignore[attr-defined]  # the moment is not to be had from outside
    is_set = threading.Event()
    settle, set_event = inbox._settle, inbox._wakeup.set

    def close_then_settle() -> None:
        if not closers:
            closers.append(threading.Thread(target=bus.shutdown))
            closers[0].start()
            assert is_set.wait(TIMEOUT)
        settle()

    def set_and_tell() -> None:
        set_event()
        is_set.set()

    monkeypatch.setattr(inbox, "_settle", close_then_settle)
    monkeypatch.setattr(inbox._wakeup, "set", set_and_tell)
    with pytest.raises(CanOperationError, match="closed bus"):
        assert bus.recv(TIMEOUT) is not None
    closers[0].join(TIMEOUT)


def held() -> tuple[int, int]:
    """Return how many descriptors and threads this process has."""
    descriptors = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    return len(os.listdir(descriptors)), threading.active_count()


def test_closing_leaves_no_descriptor_and_no_thread(open_bus: Opener) -> None:
    before = held()
    sender, reader = open_bus(), open_bus()
    sender.send(Message())
    assert reader.recv(TIMEOUT) is not None
    sender.shutdown()
    reader.shutdown()
    assert held() == before


def test_a_bus_that_only_sends_does_not_receive(open_bus: Opener) -> None:
    bus = open_bus(receive=False)
    for use in (lambda: bus.recv(0), lambda: bus.recv_batch(0), bus.fileno):
        with pytest.raises(CanOperationError, match="opened with receive=False"):
            use()
    assert bus.losses.total() == 0


def test_a_negative_timeout_is_refused(open_bus: Opener) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        open_bus().recv(-1)


def test_strange_datagrams_are_counted_and_survived(open_bus: Opener, net_of_its_own: Path) -> None:
    sender, reader = open_bus(receive=False), open_bus()
    inbox = reader._port._inbox  # type: ignore[attr-defined]  # the port of the host
    lies = bytearray(bytes((1, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0)) + bytes(28))
    lies[38] = 9  # bytes of data, which are not there
    xl = bytearray(
        bytes((1, 2, 0, 0, 45, 0, 0, 0, 0)) + bytes(23) + bytes.fromhex("23010000800001000000000011")
    )
    none = bytes((1, 2, 0, 0, 32, 0, 0, 0, 1)) + bytes(23)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stray:
        stray.connect(inbox._line.address(f"{inbox.number}.bus"))
        for garbage in (b"", b"hello", bytes(32), bytes(40), bytes(lies), xl, none):
            stray.send(garbage)
    sender.send_batch(numbered(1, 5))
    assert numbers(reader, 1) == [5]
    assert reader.losses == {"malformed datagrams skipped": 7}
    assert "not a datagram of the virtual bus: 0 bytes" in str(reader.first_fault)


def test_a_forked_process_has_closed_buses_and_its_parent_working_ones(
    open_bus: Opener, spawn: Spawner
) -> None:
    sender, parent = (
        open_bus(receive=False),
        spawn(
            "import warnings; warnings.simplefilter('ignore')\n"
            "bus = VirtualBus('bus', scope='host')\n"
            "child = os.fork()\n"
            "if not child:\n"
            "    from cantools_cli.errors import CanOperationError\n"
            "    try: bus.recv(0)\n"
            "    except CanOperationError: bus.shutdown(); os._exit(7)\n"
            "    os._exit(1)\n"
            "say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
            "say(bus.recv(30).arbitration_id)"
        ),
    )
    assert line_of(parent) == "7"
    sender.send(Message(arbitration_id=0x55))
    assert line_of(parent) == str(0x55)


# --- the place --------------------------------------------------------------------------------------------


def test_channels_and_nets_are_apart(open_bus: Opener) -> None:
    sender = open_bus("a", receive=False)
    same, channel, net = open_bus("a"), open_bus("b"), open_bus("a", net="other")
    sender.send(Message())
    assert same.recv(TIMEOUT) is not None
    assert channel.recv(0) is None
    assert net.recv(0) is None


NAMES = ["can0", "A-b_c.d", "x" * 40, "x" * 41, "x" * 500, "", ".", "..", ".hidden", "a/b", "/dev/tty"]
NAMES += ["über", "can 0", "\udcff", "line\nbreak", "x~y"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_a_channel(open_bus: Opener, net_of_its_own: Path, name: str) -> None:
    sender, reader = open_bus(name, receive=False), open_bus(name)
    sender.send(Message())
    message = reader.recv(TIMEOUT)
    assert message is not None
    assert message.channel == name
    assert [path.parent for path in net_of_its_own.iterdir()] == [net_of_its_own]
    assert {"interface": "virtual", "channel": name, "scope": "host"} in reader._detect_available_configs()


def test_no_two_names_share_a_folder() -> None:
    similar = [*NAMES, "x" * 42, "x" * 501, "a_b", folder_name("a/b"), "A/B", "uber"]
    assert len({folder_name(name) for name in similar}) == len(similar)
    assert all("/" not in folder_name(name) and len(folder_name(name)) <= 41 for name in similar)


def test_a_number_is_the_channel_of_its_digits(open_bus: Opener) -> None:
    sender, reader = open_bus("0", receive=False), open_bus(0)
    sender.send(Message())
    message = reader.recv(TIMEOUT)
    assert message is not None
    assert message.channel == 0


def test_only_channels_that_are_received_from_are_detected(open_bus: Opener, spawn: Spawner) -> None:
    victim = spawn(PRINTER, -1)
    assert line_of(victim) == "ready"
    open_bus("sending", receive=False)
    open_bus("receiving").send(Message())
    assert host_channels() == ["bus", "receiving"]
    victim.kill()
    victim.wait()
    assert host_channels() == ["receiving"]


def host_channels() -> list[str]:
    found = VirtualBus._detect_available_configs()
    return [config["channel"] for config in found if config.get("scope") == "host"]


def test_the_folders_are_the_users_alone(open_bus: Opener, net_of_its_own: Path) -> None:
    umask = os.umask(0)
    try:
        open_bus("some/name")
    finally:
        os.umask(umask)
    for path in (net_of_its_own, *net_of_its_own.parents[:2], *net_of_its_own.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert path.is_socket() or mode in (0o700, 0o600), path


@pytest.mark.parametrize("kind", ["open to all", "a link", "a file"])
def test_a_folder_that_is_not_private_is_refused(tmp_path: Path, open_bus: Opener, kind: str) -> None:
    folder = tmp_path / f"canx-{os.geteuid()}"
    if kind == "open to all":
        folder.mkdir()
        folder.chmod(0o755)
    elif kind == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to("elsewhere")
    else:
        folder.write_text("")
    with pytest.raises(CanInitializationError, match="is not a private folder of this user") as caught:
        open_bus()
    assert caught.value.hint


def test_a_place_that_cannot_be_made_is_refused(
    tmp_path: Path, open_bus: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANX_RUNTIME_DIR", str(tmp_path / "missing"))
    with pytest.raises(CanInitializationError, match=r"cannot create .*missing.*: No such file"):
        open_bus()
    assert all(config.get("scope") != "host" for config in VirtualBus._detect_available_configs())


def test_the_place_may_be_deep(tmp_path: Path, open_bus: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    monkeypatch.setenv("CANX_RUNTIME_DIR", str(deep))
    sender, reader = open_bus(receive=False), open_bus()
    sender.send(Message())
    assert reader.recv(TIMEOUT) is not None


def test_a_system_without_unix_sockets_says_what_else_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(CanInterfaceNotImplementedError, match="needs Unix datagram sockets") as caught:
        VirtualBus("x", scope="host")
    assert "udp_multicast" in str(caught.value.hint)
