"""Logs in formats that canx reads but does not write as such: candump's screen output, BUSMASTER."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cantools_cli import LogReader
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.candump.screen_writer import CandumpScreenWriter

_BUSMASTER = """***BUSMASTER Ver 2.4.0***
***PROTOCOL CAN***
***START DATE AND TIME {:%d:%m:%Y %H:%M:%S}:000***
***HEX***
***SYSTEM MODE***
***<Time><Tx/Rx><Channel><CAN ID><Type><DLC><DataBytes>***
"""


def write_screen(log: Path, target: Path) -> None:
    """Write the frames of ``log`` as ``candump -ta`` prints them."""
    with LogReader(str(log)) as reader, CandumpScreenWriter(str(target), timestamps="a") as writer:
        for batch in reader.batches():
            writer.write(batch)


def write_busmaster(log: Path, target: Path) -> None:
    """Write the frames of ``log`` as a BUSMASTER session, with times of 0.1 ms resolution."""
    with LogReader(str(log)) as reader, target.open("w", encoding="ascii") as file:
        for number, batch in enumerate(reader.batches()):
            if number == 0:
                file.write(_BUSMASTER.format(datetime.fromtimestamp(batch.timestamp_ns[0] // 10**9)))
            file.writelines(_busmaster_lines(batch))


def _busmaster_lines(batch: MessageBatch) -> list[str]:
    lines = []
    for message in batch:
        seconds, rest = divmod(message.timestamp_ns, 10**9)
        clock = datetime.fromtimestamp(seconds).strftime("%H:%M:%S")
        way = "Rx" if message.is_rx else "Tx"
        bus = int(str(message.channel).removeprefix("can")) + 1
        kind = ("x" if message.is_extended_id else "s") + ("-fd" if message.is_fd else "")
        data = message.data.hex(" ").upper()
        frame = f"{bus} 0x{message.arbitration_id:X} {kind} {message.dlc} {data}"
        lines.append(f"{clock}:{rest // 100_000:04d} {way} {frame} \n")
    return lines
