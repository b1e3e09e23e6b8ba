"""canx, the library: python-can's documented names, and the batches that carry frames in bulk.

Nothing is imported before it is used: a program that sends one frame pays for no log format.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; the typing module alone costs 3 ms
if TYPE_CHECKING:
    from typing import Any

    from cantools_cli.bit_timing.classic import BitTiming as BitTiming
    from cantools_cli.bit_timing.classic import BitTimingFd as BitTimingFd
    from cantools_cli.bus.async_reader import AsyncBufferedReader as AsyncBufferedReader
    from cantools_cli.bus.base import BusABC as BusABC
    from cantools_cli.bus.base import BusState as BusState
    from cantools_cli.bus.base import CanProtocol as CanProtocol
    from cantools_cli.bus.config import load_config as load_config
    from cantools_cli.bus.config import load_environment_config as load_environment_config
    from cantools_cli.bus.config import load_file_config as load_file_config
    from cantools_cli.bus.config import rc as rc
    from cantools_cli.bus.interface import VALID_INTERFACES as VALID_INTERFACES
    from cantools_cli.bus.interface import Bus as Bus
    from cantools_cli.bus.interface import detect_available_configs as detect_available_configs
    from cantools_cli.bus.listeners import BufferedReader as BufferedReader
    from cantools_cli.bus.listeners import Listener as Listener
    from cantools_cli.bus.listeners import RedirectReader as RedirectReader
    from cantools_cli.bus.notifier import Notifier as Notifier
    from cantools_cli.bus.thread_safe import ThreadSafeBus as ThreadSafeBus
    from cantools_cli.errors import CanError as CanError
    from cantools_cli.errors import CanInitializationError as CanInitializationError
    from cantools_cli.errors import CanInterfaceNotImplementedError as CanInterfaceNotImplementedError
    from cantools_cli.errors import CanOperationError as CanOperationError
    from cantools_cli.errors import CanTimeoutError as CanTimeoutError
    from cantools_cli.errors import FormatError as FormatError
    from cantools_cli.errors import UsageError as UsageError
    from cantools_cli.errors import error_check as error_check
    from cantools_cli.filtering.can_filter import CanFilter as CanFilter
    from cantools_cli.filtering.can_filter import CanFilters as CanFilters
    from cantools_cli.frame.batch import MessageBatch as MessageBatch
    from cantools_cli.frame.bits import dlc2len as dlc2len
    from cantools_cli.frame.bits import len2dlc as len2dlc
    from cantools_cli.frame.message import Message as Message
    from cantools_cli.frame.xl import XlMessage as XlMessage
    from cantools_cli.io.arrow.reader import ArrowReader as ArrowReader
    from cantools_cli.io.arrow.writer import ArrowWriter as ArrowWriter
    from cantools_cli.io.asc.reader import ASCReader as ASCReader
    from cantools_cli.io.asc.writer import ASCWriter as ASCWriter
    from cantools_cli.io.base import BaseIOHandler as BaseIOHandler
    from cantools_cli.io.base import FileIOMessageWriter as FileIOMessageWriter
    from cantools_cli.io.base import MessageReader as MessageReader
    from cantools_cli.io.base import MessageWriter as MessageWriter
    from cantools_cli.io.blf.reader import BLFReader as BLFReader
    from cantools_cli.io.blf.writer import BLFWriter as BLFWriter
    from cantools_cli.io.busmaster import BusmasterReader as BusmasterReader
    from cantools_cli.io.cabana import CabanaReader as CabanaReader
    from cantools_cli.io.candump.log import CanutilsLogReader as CanutilsLogReader
    from cantools_cli.io.candump.log import CanutilsLogWriter as CanutilsLogWriter
    from cantools_cli.io.canhacker import CanHackerReader as CanHackerReader
    from cantools_cli.io.canking import CanKingReader as CanKingReader
    from cantools_cli.io.capture.pcap import PcapReader as PcapReader
    from cantools_cli.io.capture.pcap import PcapWriter as PcapWriter
    from cantools_cli.io.capture.pcapng import PcapngReader as PcapngReader
    from cantools_cli.io.capture.pcapng import PcapngWriter as PcapngWriter
    from cantools_cli.io.clx import ClxReader as ClxReader
    from cantools_cli.io.columns.reader import ColumnsReader as ColumnsReader
    from cantools_cli.io.crtd import CrtdReader as CrtdReader
    from cantools_cli.io.csv import CSVReader as CSVReader
    from cantools_cli.io.csv import CSVWriter as CSVWriter
    from cantools_cli.io.gvret import GvretReader as GvretReader
    from cantools_cli.io.gvret import GvretWriter as GvretWriter
    from cantools_cli.io.hcrl import HcrlReader as HcrlReader
    from cantools_cli.io.jsonl import JsonReader as JsonReader
    from cantools_cli.io.jsonl import JsonWriter as JsonWriter
    from cantools_cli.io.komodo import KomodoReader as KomodoReader
    from cantools_cli.io.logger import BaseRotatingLogger as BaseRotatingLogger
    from cantools_cli.io.logger import Logger as Logger
    from cantools_cli.io.logger import RotatingLogger as RotatingLogger
    from cantools_cli.io.logger import SizedRotatingLogger as SizedRotatingLogger
    from cantools_cli.io.logger import TimedRotatingLogger as TimedRotatingLogger
    from cantools_cli.io.mf4.reader import MF4Reader as MF4Reader
    from cantools_cli.io.mf4.writer import MF4Writer as MF4Writer
    from cantools_cli.io.n2k import N2kReader as N2kReader
    from cantools_cli.io.parquet.reader import ParquetReader as ParquetReader
    from cantools_cli.io.parquet.writer import ParquetWriter as ParquetWriter
    from cantools_cli.io.player import LogReader as LogReader
    from cantools_cli.io.printer import Printer as Printer
    from cantools_cli.io.serial_log import SerialLogReader as SerialLogReader
    from cantools_cli.io.slcan import SlcanReader as SlcanReader
    from cantools_cli.io.sqlite.reader import SqliteReader as SqliteReader
    from cantools_cli.io.sqlite.writer import SqliteWriter as SqliteWriter
    from cantools_cli.io.trc.header import TRCFileVersion as TRCFileVersion
    from cantools_cli.io.trc.reader import TRCReader as TRCReader
    from cantools_cli.io.trc.writer import TRCWriter as TRCWriter
    from cantools_cli.io.vspy import VehicleSpyReader as VehicleSpyReader
    from cantools_cli.periodic.tasks import CyclicSendTaskABC as CyclicSendTaskABC
    from cantools_cli.periodic.tasks import (
        LimitedDurationCyclicSendTaskABC as LimitedDurationCyclicSendTaskABC,
    )
    from cantools_cli.periodic.tasks import ModifiableCyclicTaskABC as ModifiableCyclicTaskABC
    from cantools_cli.periodic.tasks import RestartableCyclicTaskABC as RestartableCyclicTaskABC
    from cantools_cli.python_can.util import channel2int as channel2int
    from cantools_cli.python_can.util import set_logging_level as set_logging_level
    from cantools_cli.streams.sync import MessageSync as MessageSync

__version__ = "0.1.0"

#: module -> the public names that it defines
_HOMES = {
    "bit_timing.classic": "BitTiming BitTimingFd",
    "bus.async_reader": "AsyncBufferedReader",
    "bus.base": "BusABC BusState CanProtocol",
    "bus.config": "load_config load_environment_config load_file_config rc",
    "bus.interface": "VALID_INTERFACES Bus detect_available_configs",
    "bus.listeners": "BufferedReader Listener RedirectReader",
    "bus.notifier": "Notifier",
    "bus.thread_safe": "ThreadSafeBus",
    "errors": "CanError CanInitializationError CanInterfaceNotImplementedError CanOperationError "
    "CanTimeoutError FormatError UsageError error_check",
    "filtering.can_filter": "CanFilter CanFilters",
    "frame.batch": "MessageBatch",
    "frame.bits": "dlc2len len2dlc",
    "frame.message": "Message",
    "frame.xl": "XlMessage",
    "io.arrow.reader": "ArrowReader",
    "io.arrow.writer": "ArrowWriter",
    "io.asc.reader": "ASCReader",
    "io.asc.writer": "ASCWriter",
    "io.base": "BaseIOHandler FileIOMessageWriter MessageReader MessageWriter",
    "io.blf.reader": "BLFReader",
    "io.blf.writer": "BLFWriter",
    "io.busmaster": "BusmasterReader",
    "io.cabana": "CabanaReader",
    "io.candump.log": "CanutilsLogReader CanutilsLogWriter",
    "io.canhacker": "CanHackerReader",
    "io.canking": "CanKingReader",
    "io.capture.pcap": "PcapReader PcapWriter",
    "io.capture.pcapng": "PcapngReader PcapngWriter",
    "io.clx": "ClxReader",
    "io.columns.reader": "ColumnsReader",
    "io.crtd": "CrtdReader",
    "io.csv": "CSVReader CSVWriter",
    "io.gvret": "GvretReader GvretWriter",
    "io.hcrl": "HcrlReader",
    "io.jsonl": "JsonReader JsonWriter",
    "io.komodo": "KomodoReader",
    "io.logger": "BaseRotatingLogger Logger RotatingLogger SizedRotatingLogger TimedRotatingLogger",
    "io.mf4.reader": "MF4Reader",
    "io.mf4.writer": "MF4Writer",
    "io.n2k": "N2kReader",
    "io.parquet.reader": "ParquetReader",
    "io.parquet.writer": "ParquetWriter",
    "io.player": "LogReader",
    "io.printer": "Printer",
    "io.serial_log": "SerialLogReader",
    "io.slcan": "SlcanReader",
    "io.sqlite.reader": "SqliteReader",
    "io.sqlite.writer": "SqliteWriter",
    "io.trc.header": "TRCFileVersion",
    "io.trc.reader": "TRCReader",
    "io.trc.writer": "TRCWriter",
    "io.vspy": "VehicleSpyReader",
    "periodic.tasks": "CyclicSendTaskABC LimitedDurationCyclicSendTaskABC ModifiableCyclicTaskABC "
    "RestartableCyclicTaskABC",
    "python_can.util": "channel2int set_logging_level",
    "streams.sync": "MessageSync",
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names.split()}
#: name -> module, as in ``can.util.channel2int``
_MODULES = {
    "bus": "bus",
    "config": "bus.config",
    "errors": "errors",
    "interface": "bus.interface",
    "io": "io",
    "listeners": "bus.listeners",
    "message": "frame.message",
    "notifier": "bus.notifier",
    "thread_safe_bus": "bus.thread_safe",
    "util": "python_can.util",
    # as python-can calls them
    "bit_timing": "bit_timing",
    "broadcastmanager": "periodic.tasks",
    "exceptions": "errors",
    "listener": "bus.listeners",
}

__all__ = [*_MODULE_OF]  # noqa: PLE0604  # one table, not two to keep in step


def __getattr__(name: str) -> Any:
    """Import a public name, or a module, the first time that it is asked for (PEP 562)."""
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"cantools_cli.{_MODULES[name]}")
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"cantools_cli.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF, *_MODULES})
