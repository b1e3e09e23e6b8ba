"""canx, the library: python-can's documented names, and the batches that carry frames in bulk.

Nothing is imported before it is used: a program that sends one frame pays for no log format.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; the typing module alone costs 3 ms
if TYPE_CHECKING:
    from typing import Any

    from cantools_cli.async_reader import AsyncBufferedReader as AsyncBufferedReader
    from cantools_cli.batch import MessageBatch as MessageBatch
    from cantools_cli.bus import BusABC as BusABC
    from cantools_cli.bus import BusState as BusState
    from cantools_cli.bus import CanFilter as CanFilter
    from cantools_cli.bus import CanFilters as CanFilters
    from cantools_cli.bus import CanProtocol as CanProtocol
    from cantools_cli.config import load_config as load_config
    from cantools_cli.config import load_environment_config as load_environment_config
    from cantools_cli.config import load_file_config as load_file_config
    from cantools_cli.config import rc as rc
    from cantools_cli.cyclic import CyclicSendTaskABC as CyclicSendTaskABC
    from cantools_cli.cyclic import LimitedDurationCyclicSendTaskABC as LimitedDurationCyclicSendTaskABC
    from cantools_cli.cyclic import ModifiableCyclicTaskABC as ModifiableCyclicTaskABC
    from cantools_cli.cyclic import RestartableCyclicTaskABC as RestartableCyclicTaskABC
    from cantools_cli.errors import CanError as CanError
    from cantools_cli.errors import CanInitializationError as CanInitializationError
    from cantools_cli.errors import CanInterfaceNotImplementedError as CanInterfaceNotImplementedError
    from cantools_cli.errors import CanOperationError as CanOperationError
    from cantools_cli.errors import CanTimeoutError as CanTimeoutError
    from cantools_cli.errors import FormatError as FormatError
    from cantools_cli.errors import UsageError as UsageError
    from cantools_cli.errors import error_check as error_check
    from cantools_cli.frames import dlc2len as dlc2len
    from cantools_cli.frames import len2dlc as len2dlc
    from cantools_cli.interface import VALID_INTERFACES as VALID_INTERFACES
    from cantools_cli.interface import Bus as Bus
    from cantools_cli.interface import detect_available_configs as detect_available_configs
    from cantools_cli.io.arrow import ArrowReader as ArrowReader
    from cantools_cli.io.arrow import ArrowWriter as ArrowWriter
    from cantools_cli.io.asc import ASCReader as ASCReader
    from cantools_cli.io.asc import ASCWriter as ASCWriter
    from cantools_cli.io.base import BaseIOHandler as BaseIOHandler
    from cantools_cli.io.base import FileIOMessageWriter as FileIOMessageWriter
    from cantools_cli.io.base import MessageReader as MessageReader
    from cantools_cli.io.base import MessageWriter as MessageWriter
    from cantools_cli.io.blf import BLFReader as BLFReader
    from cantools_cli.io.blf import BLFWriter as BLFWriter
    from cantools_cli.io.busmaster import BusmasterReader as BusmasterReader
    from cantools_cli.io.cabana import CabanaReader as CabanaReader
    from cantools_cli.io.candump import CanutilsLogReader as CanutilsLogReader
    from cantools_cli.io.candump import CanutilsLogWriter as CanutilsLogWriter
    from cantools_cli.io.canhacker import CanHackerReader as CanHackerReader
    from cantools_cli.io.canking import CanKingReader as CanKingReader
    from cantools_cli.io.clx import ClxReader as ClxReader
    from cantools_cli.io.columns import ColumnsReader as ColumnsReader
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
    from cantools_cli.io.mf4 import MF4Reader as MF4Reader
    from cantools_cli.io.mf4 import MF4Writer as MF4Writer
    from cantools_cli.io.n2k import N2kReader as N2kReader
    from cantools_cli.io.parquet import ParquetReader as ParquetReader
    from cantools_cli.io.parquet import ParquetWriter as ParquetWriter
    from cantools_cli.io.pcap import PcapReader as PcapReader
    from cantools_cli.io.pcap import PcapWriter as PcapWriter
    from cantools_cli.io.pcapng import PcapngReader as PcapngReader
    from cantools_cli.io.pcapng import PcapngWriter as PcapngWriter
    from cantools_cli.io.player import LogReader as LogReader
    from cantools_cli.io.printer import Printer as Printer
    from cantools_cli.io.serial_log import SerialLogReader as SerialLogReader
    from cantools_cli.io.slcan import SlcanReader as SlcanReader
    from cantools_cli.io.sqlite import SqliteReader as SqliteReader
    from cantools_cli.io.sqlite import SqliteWriter as SqliteWriter
    from cantools_cli.io.trc import TRCFileVersion as TRCFileVersion
    from cantools_cli.io.trc import TRCReader as TRCReader
    from cantools_cli.io.trc import TRCWriter as TRCWriter
    from cantools_cli.io.vspy import VehicleSpyReader as VehicleSpyReader
    from cantools_cli.listeners import BufferedReader as BufferedReader
    from cantools_cli.listeners import Listener as Listener
    from cantools_cli.listeners import RedirectReader as RedirectReader
    from cantools_cli.message import Message as Message
    from cantools_cli.notifier import Notifier as Notifier
    from cantools_cli.sync import MessageSync as MessageSync
    from cantools_cli.thread_safe_bus import ThreadSafeBus as ThreadSafeBus
    from cantools_cli.timing import BitTiming as BitTiming
    from cantools_cli.timing import BitTimingFd as BitTimingFd
    from cantools_cli.util import channel2int as channel2int
    from cantools_cli.util import set_logging_level as set_logging_level
    from cantools_cli.xl import XlMessage as XlMessage

__version__ = "0.1.0"

#: module -> the public names that it defines
_HOMES = {
    "async_reader": "AsyncBufferedReader",
    "batch": "MessageBatch",
    "bus": "BusABC BusState CanFilter CanFilters CanProtocol",
    "config": "load_config load_environment_config load_file_config rc",
    "cyclic": "CyclicSendTaskABC LimitedDurationCyclicSendTaskABC ModifiableCyclicTaskABC "
    "RestartableCyclicTaskABC",
    "errors": "CanError CanInitializationError CanInterfaceNotImplementedError CanOperationError "
    "CanTimeoutError FormatError UsageError error_check",
    "frames": "dlc2len len2dlc",
    "interface": "VALID_INTERFACES Bus detect_available_configs",
    "io.arrow": "ArrowReader ArrowWriter",
    "io.asc": "ASCReader ASCWriter",
    "io.base": "BaseIOHandler FileIOMessageWriter MessageReader MessageWriter",
    "io.blf": "BLFReader BLFWriter",
    "io.busmaster": "BusmasterReader",
    "io.cabana": "CabanaReader",
    "io.clx": "ClxReader",
    "io.columns": "ColumnsReader",
    "io.hcrl": "HcrlReader",
    "io.komodo": "KomodoReader",
    "io.vspy": "VehicleSpyReader",
    "io.candump": "CanutilsLogReader CanutilsLogWriter",
    "io.canhacker": "CanHackerReader",
    "io.canking": "CanKingReader",
    "io.crtd": "CrtdReader",
    "io.n2k": "N2kReader",
    "io.serial_log": "SerialLogReader",
    "io.slcan": "SlcanReader",
    "io.csv": "CSVReader CSVWriter",
    "io.gvret": "GvretReader GvretWriter",
    "io.jsonl": "JsonReader JsonWriter",
    "io.mf4": "MF4Reader MF4Writer",
    "io.logger": "BaseRotatingLogger Logger RotatingLogger SizedRotatingLogger TimedRotatingLogger",
    "io.pcap": "PcapReader PcapWriter",
    "io.pcapng": "PcapngReader PcapngWriter",
    "io.parquet": "ParquetReader ParquetWriter",
    "io.player": "LogReader",
    "io.printer": "Printer",
    "io.sqlite": "SqliteReader SqliteWriter",
    "io.trc": "TRCFileVersion TRCReader TRCWriter",
    "listeners": "BufferedReader Listener RedirectReader",
    "message": "Message",
    "notifier": "Notifier",
    "sync": "MessageSync",
    "thread_safe_bus": "ThreadSafeBus",
    "timing": "BitTiming BitTimingFd",
    "util": "channel2int set_logging_level",
    "xl": "XlMessage",
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names.split()}
#: name -> module, as in ``can.util.channel2int``
_MODULES = {
    "bus": "bus",
    "config": "config",
    "errors": "errors",
    "interface": "interface",
    "io": "io",
    "listeners": "listeners",
    "message": "message",
    "notifier": "notifier",
    "thread_safe_bus": "thread_safe_bus",
    "util": "util",
    # as python-can calls them
    "bit_timing": "timing",
    "broadcastmanager": "cyclic",
    "exceptions": "errors",
    "listener": "listeners",
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
