"""Programs in the shape that the manual teaches run here: only ``import cantools_cli as can`` is changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: name -> program, and what it prints
PROGRAMS = {
    "send one message": (
        """
        with can.Bus(interface="virtual", channel="vcan0") as bus:
            message = can.Message(arbitration_id=0xC0FFEE, data=[0, 25, 0, 1], is_extended_id=True)
            try:
                bus.send(message)
                print(f"sent on {bus.channel_info}")
            except can.CanError:
                print("not sent")
        """,
        "sent on Virtual bus channel vcan0\n",
    ),
    "two virtual buses": (
        """
        bus1 = can.interface.Bus("test", interface="virtual", preserve_timestamps=True)
        bus2 = can.interface.Bus("test", interface="virtual")
        first = can.Message(timestamp=1639740470.051948, arbitration_id=0xABCDE, data=[1, 2, 3])
        bus1.send(first)
        second = bus2.recv()
        assert (first.arbitration_id, first.data, first.timestamp) == (
            second.arbitration_id, second.data, second.timestamp)
        bus2.send(first)
        assert bus1.recv(timeout=10.0).timestamp != first.timestamp
        assert bus1.recv(timeout=0) is None
        for bus in (bus1, bus2):
            bus.shutdown()
        """,
        "",
    ),
    "iterate over a bus": (
        """
        with can.Bus("x", interface="virtual", receive_own_messages=True) as bus:
            for number in range(3):
                bus.send(can.Message(arbitration_id=number))
            for message in bus:
                print(message.arbitration_id, message.is_rx)
                if message.arbitration_id == 2:
                    break
        """,
        "0 False\n1 False\n2 False\n",
    ),
    "filters": (
        """
        filters = [
            {"can_id": 0x451, "can_mask": 0x7FF, "extended": False},
            {"can_id": 0xA0000, "can_mask": 0x1FFFFFFF, "extended": True},
        ]
        with can.Bus("x", interface="virtual") as sender, \\
             can.interface.Bus(channel="x", interface="virtual", can_filters=filters) as bus:
            for identifier, extended in ((0x451, False), (0x451, True), (0xA0000, True), (0x452, False)):
                sender.send(can.Message(arbitration_id=identifier, is_extended_id=extended))
            while (message := bus.recv(0)) is not None:
                print(hex(message.arbitration_id), message.is_extended_id)
            bus.set_filters()
            print(bus.filters)
        """,
        "0x451 False\n0xa0000 True\nNone\n",
    ),
    "print what comes": (
        """
        with can.Bus("x", interface="virtual", receive_own_messages=True) as bus:
            notifier = can.Notifier(bus, [can.Printer()])
            bus.send(can.Message(arbitration_id=1, is_extended_id=True))
            bus.send(can.Message(arbitration_id=0x2AB, is_extended_id=False, data=[1]))
            notifier.stop()
        """,
        None,  # the time is that of the moment
    ),
    "a notifier that nobody stops": (
        """
        import threading

        printed = threading.Event()
        with can.Bus("x", interface="virtual", receive_own_messages=True) as bus:
            can.Notifier(bus, [can.Printer("printed.txt"), lambda message: printed.set()])
            bus.send(can.Message(arbitration_id=1))
            print(printed.wait(10))
        """,
        "True\n",
    ),
    "a listener of one's own": (
        """
        class Counter(can.Listener):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.count = 0

            def on_message_received(self, msg):
                self.count += 1

            def stop(self):
                print("stopped at", self.count)

        bus = can.Bus("x", interface="virtual", receive_own_messages=True)
        counter = Counter()
        notifier = can.Notifier(bus, [counter], timeout=0.5)
        notifier.add_listener(counter)
        notifier.remove_listener(counter)
        for _ in range(5):
            bus.send(can.Message())
        notifier.stop()
        counter(can.Message())
        counter.stop()
        bus.shutdown()
        """,
        "stopped at 5\nstopped at 6\n",
    ),
    "a buffer": (
        """
        reader = can.BufferedReader()
        with can.Bus("a", interface="virtual", receive_own_messages=True) as bus, \\
             can.Bus("b", interface="virtual") as other, can.Bus("b", interface="virtual") as last:
            notifier = can.Notifier([bus], [reader, can.RedirectReader(other)])
            bus.send(can.Message(arbitration_id=77))
            print(reader.get_message(timeout=10).arbitration_id, last.recv(10).arbitration_id)
            notifier.stop()
        print(reader.is_stopped, reader.get_message())
        try:
            reader(can.Message())
        except BufferError as error:
            print(error)
        """,
        "77 77\nTrue None\nreader has already been stopped\n",
    ),
    "asyncio": (
        """
        import asyncio
        from typing import List
        from cantools_cli.bus.notifier import MessageRecipient

        def print_message(msg: can.Message) -> None:
            print("seen", msg.arbitration_id)

        async def main() -> None:
            with can.Bus(interface="virtual", channel="my_channel_0", receive_own_messages=True) as bus:
                reader = can.AsyncBufferedReader()
                logger = can.Logger("logfile.asc")
                listeners: List[MessageRecipient] = [print_message, reader, logger]
                notifier = can.Notifier(bus, listeners, loop=asyncio.get_running_loop())
                bus.send(can.Message(arbitration_id=0))
                for _ in range(3):
                    msg = await reader.get_message()
                    await asyncio.sleep(0)
                    msg.arbitration_id += 1
                    bus.send(msg)
                await reader.get_message()
                notifier.stop()

        asyncio.run(main())
        with can.LogReader("logfile.asc") as log:
            print([message.arbitration_id for message in log])
        """,
        "seen 0\nseen 1\nseen 2\nseen 3\n[0, 1, 2, 3]\n",
    ),
    "every kind of log": (
        """
        for suffix in (".asc", ".asc.gz", ".blf", ".csv", ".csv.gz", ".log", ".log.gz", ".txt"):
            name = "drive" + suffix
            with can.Bus("x", interface="virtual", receive_own_messages=True) as bus:
                logger = can.Logger(name)
                notifier = can.Notifier(bus, [logger])
                for number in range(20):
                    bus.send(can.Message(arbitration_id=number, data=[number]))
                notifier.stop()
            with can.LogReader(name) as reader:
                assert [(one.arbitration_id, one.data[0]) for one in reader] == [
                    (number, number) for number in range(20)], name
        try:
            can.Logger("drive.xyz")
        except ValueError as error:
            print(error)
        """,
        'No write support for unknown log format ".xyz"\n',
    ),
    "a log in many files": (
        """
        import os

        logger = can.SizedRotatingLogger(base_filename="my_logfile.log", max_bytes=5 * 1024)
        logger.rollover_count = 23
        logger.namer = lambda name: name.replace("my_logfile", "done")
        with can.Bus("x", interface="virtual", receive_own_messages=True) as bus:
            notifier = can.Notifier(bus=bus, listeners=[logger])
            for number in range(300):
                bus.send(can.Message(arbitration_id=number, data=bytes(8)))
            notifier.stop()
        names = sorted(os.listdir())
        print(names[0][:5], names[0][-8:], names[-1])
        total = 0
        for name in names:
            with can.LogReader(name) as log:
                total += len(list(log))
        print(total)
        """,
        "done_ #023.log my_logfile.log\n300\n",
    ),
    "a rotating logger of one's own": (
        """
        class Hundreds(can.io.BaseRotatingLogger):
            def __init__(self, stem):
                super().__init__()
                self.stem, self.written = stem, 0
                self._writer = can.Logger(f"{stem}_0.csv")

            def should_rollover(self, msg):
                self.written += 1
                return self.written % 100 == 1 and self.written > 1

            def do_rollover(self):
                self.writer.stop()
                self.rollover_count += 1
                self._writer = can.Logger(f"{self.stem}_{self.rollover_count}.csv")

        with can.Bus("x", interface="virtual", receive_own_messages=True) as bus:
            notifier = can.Notifier(bus, [Hundreds("part")])
            for number in range(250):
                bus.send(can.Message(arbitration_id=number))
            notifier.stop()
        for number in range(3):
            with can.LogReader(f"part_{number}.csv") as log:
                print(len(list(log)))
        """,
        "100\n100\n50\n",
    ),
    "a log replayed": (
        """
        with can.CSVWriter("short.csv") as writer:
            for number in range(5):
                writer(can.Message(timestamp=1000 + number / 1000, arbitration_id=number))
        with can.Bus("x", interface="virtual") as bus, can.Bus("x", interface="virtual") as other, \\
             can.LogReader("short.csv") as log:
            for message in can.MessageSync(log, timestamps=True, gap=0.0001, skip=60.0):
                bus.send(message)
            print([other.recv(1).arbitration_id for _ in range(5)])
        """,
        "[0, 1, 2, 3, 4]\n",
    ),
    "send periodically": (
        """
        msg = can.Message(arbitration_id=0x0CF02200, data=[1, 1, 1, 1])
        with can.Bus("x", interface="virtual") as bus, can.Bus("x", interface="virtual") as other:
            task = bus.send_periodic(msg, 0.002)
            assert isinstance(task, can.CyclicSendTaskABC)
            assert isinstance(task, can.broadcastmanager.ModifiableCyclicTaskABC)
            print(other.recv(10).data.hex())
            msg.data = bytearray([0xFF])
            msg.dlc = 1
            task.modify_data(msg)
            while other.recv(10).data != b"\\xff":
                pass
            task.stop()
            while other.recv(0) is not None:
                pass
            task.start()
            print(other.recv(10).data.hex())
            task.stop()
            limited = bus.send_periodic(msg, 0.001, 0.01, store_task=False)
            print(isinstance(limited, can.LimitedDurationCyclicSendTaskABC))
            bus.stop_all_periodic_tasks()
        """,
        "01010101\nff\nTrue\n",
    ),
    "settings in the program": (
        """
        can.rc["interface"] = "virtual"
        can.rc["channel"] = "from rc"
        can.rc["bitrate"] = 500000
        from cantools_cli.bus.interface import Bus

        with Bus() as bus:
            print(bus)
        """,
        "Virtual bus channel from rc\n",
    ),
    "settings in a file": (
        """
        from pathlib import Path

        Path.home().joinpath("can.conf").write_text(
            "[default]\\ninterface = virtual\\nchannel = slow\\n[HS]\\nchannel = fast\\n")
        from cantools_cli.bus.interface import Bus

        for context in (None, "HS"):
            with Bus(config_context=context) as bus:
                print(bus)
        print(can.util.load_config(context="HS")["channel"], can.util.load_file_config(section="HS"))
        """,
        "Virtual bus channel slow\nVirtual bus channel fast\nfast {'channel': 'fast'}\n",
    ),
    "errors": (
        """
        for error in (can.exceptions.CanOperationError(message="Failed to do it", error_code=42),
                      can.CanTimeoutError("late"), can.CanInitializationError("no"), can.CanError()):
            assert isinstance(error, can.CanError)
            print(repr(str(error)))
        try:
            can.Bus(interface="nothing", channel=0)
        except NotImplementedError as error:
            print(type(error).__name__)
        try:
            with can.exceptions.error_check("could not divide"):
                1 / 0
        except can.CanOperationError as error:
            print(error, type(error.__cause__).__name__)
        """,
        "'Failed to do it [Error Code 42]'\n'late'\n'no'\n''\nCanInterfaceNotImplementedError\n"
        "could not divide ZeroDivisionError\n",
    ),
    "utilities": (
        """
        print(can.util.channel2int("can12"), can.util.dlc2len(13), can.util.len2dlc(33))
        can.util.set_logging_level("warning")
        wall, counter = can.util.time_perfcouter_correlation()
        assert wall > counter
        print([one["interface"] for one in can.detect_available_configs("virtual")])

        @can.util.deprecated_args_alias(oldArg="new_arg")
        def library_function(new_arg):
            return new_arg

        import warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            print(library_function(oldArg=5), caught[0].category.__name__)
        """,
        "12 32 14\n['virtual']\n5 DeprecationWarning\n",
    ),
    "a thread safe bus": (
        """
        import threading

        my_bus = can.ThreadSafeBus(interface="virtual", channel="vcan0", receive_own_messages=True)
        threads = [threading.Thread(target=my_bus.send, args=(can.Message(arbitration_id=number),))
                   for number in range(10)]
        for thread in threads:
            thread.start()
        print(sorted(my_bus.recv(10).arbitration_id for _ in threads))
        my_bus.shutdown()
        """,
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n",
    ),
    "an interface of one's own": (
        """
        class LoopBus(can.BusABC):
            channel_info = "a loop"

            def __init__(self, channel, can_filters=None, **kwargs):
                self.queue = []
                super().__init__(channel, can_filters, **kwargs)

            def send(self, msg, timeout=None):
                self.queue.append(msg)

            def _recv_internal(self, timeout):
                return (self.queue.pop(0), False) if self.queue else (None, False)

        with LoopBus("x", can_filters=[{"can_id": 1, "can_mask": 1}]) as bus:
            for number in range(4):
                bus.send(can.Message(arbitration_id=number))
            print(bus, [bus.recv(1).arbitration_id for _ in range(2)], bus.state, bus.recv(0))
        """,
        "a loop [1, 3] BusState.ACTIVE None\n",
    ),
    "bit timing": (
        """
        timing = can.BitTiming(bitrate=1000000, f_clock=8000000, tseg1=5, tseg2=2, sjw=1)
        print(timing.brp, timing.bitrate, hex(timing.btr0), hex(timing.btr1))
        print(can.BitTiming(btr0=0x00, btr1=0x14).tseg1)
        """,
        "1 1000000 0x0 0x14\n5\n",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_written_for_the_manual_runs(name: str, tmp_path: Path) -> None:
    source, expected = PROGRAMS[name]
    lines = source.split("\n")
    program = "\n".join(["import cantools_cli as can", *(line[8:] for line in lines)])
    work = tmp_path / "work"
    work.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CAN")}
    environment |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    if expected is not None:
        assert done.stdout == expected
    else:
        assert [line.split()[3] for line in done.stdout.splitlines()] == ["00000001", "2ab"]
