"""The tables of interfaces and formats, whose modules are imported on first use.

Other distributions add their own by entry points: ``canx.interface``, ``canx.reader`` and
``canx.writer``, and python-can's ``can.interface``, ``can.io.message_reader`` and
``can.io.message_writer``, whose names are file suffixes such as ``.foo``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from os.path import splitext
from typing import Any, Protocol, cast

from cantools_cli.errors import CanInterfaceNotImplementedError, UsageError, quoted


def _folder(name: str, *modules: str) -> tuple[str, ...]:
    return (name, *(f"{name}.{module}" for module in modules))


class Finder(Protocol):
    """A module that finds the buses of an interface without waiting and without the bus class."""

    def channels(self) -> list[str]:
        """Return the channels that exist."""

    def obstacle(self) -> str | None:
        """Return why this computer cannot have such a bus, None if it can."""

    def details(self) -> dict[str, dict[str, Any]]:
        """Return what ``canx list`` shows about each channel, including those that cannot be opened."""


@dataclass(frozen=True)
class Interface:
    """An interface: a kind of bus.

    Attributes:
        target: the bus class, as ``module:Class``.
        extra: the extra of canx that installs the libraries it needs.
        platforms: the values of ``sys.platform`` that it works on; empty for all.
        library: the vendor's library that it needs. Such a bus class itself refuses the wrong platform, since
            the user may name a library for it.
        driver: what else the computer must have, such as libusb.
        finder: a module with the functions of ``Finder``.
        has_bare_channels: whether a channel that the finder knows needs no prefix on the command line.
        stands_in_for: a bare channel with this prefix means this interface if no interface with bare
            channels works on this computer.
        has_commas: whether a comma can be part of a channel.
        needs_channel: whether a command has to name a channel.
        example: a channel for hints.
        all_channels: the channels that mean all buses at once.
        can_only_send: whether the class has the parameter ``receive``, False for a bus that only sends.
        has_system_bitrate: whether the administrator of the computer sets the bit rate.
        defaults: settings of a command that neither its arguments nor the configuration give.
        command_settings: settings of a command that its arguments do not give, whatever is configured.
        send_timeout: how long ``canx send`` waits by default: less if each frame needs an acknowledgement.
        detection_seconds: how long ``_detect_available_configs`` may take.
        descriptions: settings of a detected configuration that ``canx list`` leaves out of the address, since
            they only describe the bus.
        modules: canx modules, apart from that of the class, with names of python-can's folder.
    """

    name: str
    target: str
    extra: str = ""
    platforms: tuple[str, ...] = ()
    library: str = ""
    driver: str = ""
    finder: str = ""
    has_bare_channels: bool = False
    stands_in_for: str = ""
    has_commas: bool = True
    needs_channel: bool = False
    example: str = "vcan0"
    all_channels: tuple[str | None, ...] = ()
    can_only_send: bool = False
    has_system_bitrate: bool = False
    defaults: dict[str, Any] = field(default_factory=dict)
    command_settings: dict[str, Any] = field(default_factory=dict)
    send_timeout: str = "10s"
    detection_seconds: float = 1.0
    descriptions: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    def find(self) -> Finder | None:
        """Return the finder, None if the interface has none."""
        return cast("Finder", import_module(self.finder)) if self.finder else None


INTERFACES = {
    "canalystii": Interface(
        "canalystii",
        "cantools_cli.backends.canalystii.bus:CANalystIIBus",
        driver="libusb",
        finder="cantools_cli.backends.canalystii.finder",
        all_channels=(None, "", "0,1", "1,0"),
        send_timeout="2s",
    ),
    "cannelloni": Interface("cannelloni", "cantools_cli.backends.cannelloni.bus:CannelloniBus"),
    "cantact": Interface(
        "cantact", "cantools_cli.backends.cantact:CantactBus", driver="libusb", send_timeout="2s"
    ),
    "etas": Interface(
        "etas",
        "cantools_cli.backends.etas.bus:EtasBus",
        platforms=("win32",),
        library="BOA of ETAS",
        has_commas=False,
        needs_channel=True,
        example="ETAS://ETH/ES910:abcd/CAN:1",
    ),
    "gs_usb": Interface(
        "gs_usb",
        "cantools_cli.backends.gs_usb.bus:GsUsbBus",
        driver="libusb",
        finder="cantools_cli.backends.gs_usb.finder",
        send_timeout="2s",
    ),
    "iscan": Interface(
        "iscan",
        "cantools_cli.backends.iscan.bus:IscanBus",
        platforms=("win32",),
        library="isCAN driver of Thorsis",
        example="0",
    ),
    "ixxat": Interface(
        "ixxat",
        "cantools_cli.backends.ixxat.bus:IXXATBus",
        platforms=("win32",),
        library="VCI of HMS Networks",
        finder="cantools_cli.backends.ixxat.finder",
        has_commas=False,
        needs_channel=True,
        example="0",
        defaults={"rx_fifo_size": 1024, "tx_fifo_size": 128},  # the documented 16 suit no busy bus
        modules=(
            "cantools_cli.backends.ixxat.exceptions",
            "cantools_cli.backends.ixxat.structures",
            "cantools_cli.backends.ixxat.constants",
        ),
    ),
    "kvaser": Interface(
        "kvaser",
        "cantools_cli.backends.kvaser.bus:KvaserBus",
        platforms=("linux", "win32"),
        library="CANlib of Kvaser",
        finder="cantools_cli.backends.kvaser.finder",
        example="0",
        modules=("cantools_cli.backends.kvaser.constants", "cantools_cli.backends.kvaser.structures"),
    ),
    "neousys": Interface(
        "neousys",
        "cantools_cli.backends.neousys.bus:NeousysBus",
        platforms=("linux", "win32"),
        library="WDT_DIO of Neousys",
        example="0",
    ),
    "neovi": Interface(
        "neovi",
        "cantools_cli.backends.neovi.bus:NeoViBus",
        extra="neovi",
        library="python-ics of Intrepid",
        finder="cantools_cli.backends.neovi.finder",
        example="HSCAN",
        needs_channel=True,
        send_timeout="2s",
        modules=("cantools_cli.backends.neovi.errors",),
    ),
    "nican": Interface(
        "nican",
        "cantools_cli.backends.nican.bus:NicanBus",
        platforms=("win32",),
        library="NI-CAN of National Instruments",
        has_commas=False,
        needs_channel=True,
        example="CAN0",
        modules=("cantools_cli.backends.nican.errors",),
    ),
    "nixnet": Interface(
        "nixnet",
        "cantools_cli.backends.nixnet.bus:NiXNETcanBus",
        extra="nixnet",
        platforms=("linux", "win32"),
        library="NI-XNET of National Instruments",
        finder="cantools_cli.backends.nixnet.finder",
        example="CAN1",
        send_timeout="2s",
    ),
    "pcan": Interface(
        "pcan",
        "cantools_cli.backends.pcan.bus:PcanBus",
        platforms=("linux", "win32", "darwin"),
        library="PCAN-Basic of PEAK-System",
        finder="cantools_cli.backends.pcan.finder",
        example="PCAN_USBBUS1",
        descriptions=("device_id",),
        modules=("cantools_cli.backends.pcan.basic", "cantools_cli.backends.pcan.constants"),
    ),
    "remote": Interface(
        "remote", "cantools_cli.backends.remote.bus:RemoteBus", extra="remote", driver="websockets"
    ),
    "robotell": Interface(
        "robotell",
        "cantools_cli.backends.robotell.bus:RobotellBus",
        finder="cantools_cli.backends.ch340",
        has_commas=False,
        needs_channel=True,
        example="/dev/ttyUSB0",
    ),
    "seeedstudio": Interface(
        "seeedstudio",
        "cantools_cli.backends.seeedstudio.bus:SeeedBus",
        finder="cantools_cli.backends.ch340",
        has_commas=False,
        needs_channel=True,
        example="/dev/ttyUSB0",
    ),
    "serial": Interface(
        "serial",
        "cantools_cli.backends.serial_can.bus:SerialBus",
        finder="cantools_cli.backends.serial_can.finder",
        has_commas=False,
        needs_channel=True,
        example="/dev/ttyUSB0",
    ),
    "slcan": Interface(
        "slcan",
        "cantools_cli.backends.slcan.bus:SlcanBus",
        finder="cantools_cli.backends.slcan.finder",
        has_commas=False,
        needs_channel=True,
        example="/dev/ttyACM0",
    ),
    "socketcan": Interface(
        "socketcan",
        "cantools_cli.backends.socketcan.bus:SocketcanBus",
        platforms=("linux",),
        driver="SocketCAN of the kernel",
        finder="cantools_cli.backends.socketcan.finder",
        has_bare_channels=True,
        has_commas=False,
        all_channels=(None, "", "any"),
        can_only_send=True,
        has_system_bitrate=True,
        defaults={"fd": True},  # as candump, which shows the CAN FD frames of an interface that has them
        modules=(
            *("cantools_cli.backends.socketcan.bcm", "cantools_cli.python_can.socketcan_bcm"),
            "cantools_cli.python_can.socketcan_utils",
        ),
    ),
    "socketcand": Interface(
        "socketcand",
        "cantools_cli.backends.socketcand.bus:SocketCanDaemonBus",
        has_commas=False,
        detection_seconds=3.5,  # its servers announce themselves every three seconds
        modules=("cantools_cli.python_can.internals",),
    ),
    "systec": Interface(
        "systec",
        "cantools_cli.backends.systec.bus:UcanBus",
        platforms=("win32",),
        library="USB-CANmodul driver of SYS TEC",
        finder="cantools_cli.backends.systec.finder",
        example="0",
        modules=(
            *("cantools_cli.backends.systec.constants", "cantools_cli.backends.systec.structures"),
            "cantools_cli.backends.systec.exceptions",
        ),
    ),
    "udp_multicast": Interface(
        "udp_multicast", "cantools_cli.backends.udp_multicast:UdpMulticastBus", has_commas=False
    ),
    "usb2can": Interface(
        "usb2can",
        "cantools_cli.backends.usb2can.bus:Usb2canBus",
        platforms=("win32",),
        library="CANAL library of 8devices",
        example="ED000200",
        detection_seconds=2.0,  # PowerShell
        modules=(
            *("cantools_cli.backends.usb2can.layer", "cantools_cli.backends.usb2can.canal"),
            "cantools_cli.backends.usb2can.finder",
        ),
    ),
    "vector": Interface(
        "vector",
        "cantools_cli.backends.vector.bus:VectorBus",
        platforms=("win32",),
        library="XL Driver Library of Vector",
        finder="cantools_cli.backends.vector.finder",
        example="0",
        modules=(
            *("cantools_cli.backends.vector.channels", "cantools_cli.backends.vector.exceptions"),
            *("cantools_cli.backends.vector.xldefine", "cantools_cli.backends.vector.xlclass"),
        ),
    ),
    "virtual": Interface(
        "virtual",
        "cantools_cli.backends.virtual.bus:VirtualBus",
        finder="cantools_cli.backends.virtual.finder",
        stands_in_for="vcan",
        has_commas=False,
        needs_channel=True,
        can_only_send=True,
        command_settings={"scope": "host"},  # no other process could reach a bus within a command's process
    ),
    "virtualcan": Interface("virtualcan", "cantools_cli.backends.virtualcan:VirtualCanBus"),
}

#: other spellings of the names of interfaces
SPELLINGS = {"seedstudio": "seeedstudio"}  # python-can's manual

#: python-can's interfaces, as its manual lists them, and the modules below ``can.interfaces`` that have the
#: names of each if they are others than the interface; those not in INTERFACES find no hardware
DOCUMENTED_INTERFACES: dict[str, tuple[str, ...]] = {
    "canalystii": (),
    "cantact": (),
    "etas": (),
    "gs_usb": (),
    "iscan": (),
    "ixxat": _folder(
        *("ixxat", "canlib", "canlib_vcinpl", "canlib_vcinpl2", "constants", "exceptions", "structures")
    ),
    "kvaser": _folder("kvaser", "canlib", "constants", "structures"),
    "neousys": _folder("neousys", "neousys"),
    "neovi": _folder("ics_neovi", "neovi_bus"),
    "nican": (),
    "nixnet": (),
    "pcan": _folder("pcan", "basic", "pcan"),
    "robotell": (),
    "seeedstudio": (*_folder("seeedstudio", "seeedstudio"), "seedstudio"),
    "serial": _folder("serial", "serial_can"),
    "slcan": (),
    "socketcan": _folder("socketcan", "constants", "socketcan", "utils"),
    "socketcand": _folder("socketcand", "socketcand"),
    "systec": _folder("systec", "ucan", "ucanbus", "constants", "exceptions", "structures"),
    "udp_multicast": _folder("udp_multicast", "bus", "utils"),
    "usb2can": _folder("usb2can", "usb2canInterface", "usb2canabstractionlayer", "serial_selector"),
    "vector": _folder("vector", "canlib", "exceptions", "xlclass", "xldefine"),
    "virtual": (),
}


@dataclass(frozen=True)
class Format:
    """A log format.

    Attributes:
        writer: None if canx only reads the format.
        suffixes: of file names; the first one is the default for new files.
        is_binary: whether it must not be written to a terminal.
        is_compressible: whether a file may be compressed as ``.gz`` or ``.zst``; BLF compresses its content.
        can_append: whether a file can be continued: the writer has the parameter ``append``.
        is_shared: whether several programs may write to one file, since its library locks each write.
        is_lines: whether a file consists of one line per frame, so that ``>>`` can continue it.
        reader_options, writer_options: options after the name, as in ``blf,level=6``, and the parameter of
            the
            class for each.
        reading, writing: keyword arguments of commands that differ from the documented defaults.
    """

    name: str
    reader: str
    writer: str | None
    suffixes: tuple[str, ...]
    is_binary: bool = False
    is_compressible: bool = True
    can_append: bool = False
    is_shared: bool = False
    is_lines: bool = False
    description: str = ""
    reader_options: dict[str, str] = field(default_factory=dict)
    writer_options: dict[str, str] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    writing: dict[str, Any] = field(default_factory=dict)


# In the order of recognition by the first bytes: fast and certain ones first.
FORMATS = {
    "blf": Format(
        "blf",
        "cantools_cli.io.blf.reader:BLFReader",
        "cantools_cli.io.blf.writer:BLFWriter",
        (".blf",),
        is_binary=True,
        is_compressible=False,
        can_append=True,
        description="Vector binary logging format",
        reader_options={"tz": "tz"},
        writer_options={"tz": "tz", "level": "compression_level"},
        # 0 is unknown: readers may assume local time in files of CANape, the documented default
        writing={"compression_level": 1, "application_id": 0},
    ),
    "mf4": Format(
        "mf4",
        "cantools_cli.io.mf4.reader:MF4Reader",
        "cantools_cli.io.mf4.writer:MF4Writer",
        (".mf4",),
        is_binary=True,
        is_compressible=False,
        can_append=True,
        description="ASAM MDF 4 bus logging",
        reader_options={"tz": "tz"},
        writer_options={"database": "database"},
    ),
    "pcap": Format(
        "pcap",
        "cantools_cli.io.capture.pcap:PcapReader",
        "cantools_cli.io.capture.pcap:PcapWriter",
        (".pcap", ".cap"),
        is_binary=True,
        can_append=True,
        description="tcpdump's captures",
        reader_options={"byteorder": "byteorder"},
    ),
    "pcapng": Format(
        "pcapng",
        "cantools_cli.io.capture.pcapng:PcapngReader",
        "cantools_cli.io.capture.pcapng:PcapngWriter",
        (".pcapng",),
        is_binary=True,
        can_append=True,
        description="Wireshark's captures",
        reader_options={"byteorder": "byteorder"},
    ),
    "db": Format(
        "db",
        "cantools_cli.io.sqlite.reader:SqliteReader",
        "cantools_cli.io.sqlite.writer:SqliteWriter",
        (".db",),
        is_binary=True,
        is_compressible=False,
        can_append=True,
        is_shared=True,
        description="python-can's SQLite databases",
        reader_options={"table": "table_name"},
        writer_options={"table": "table_name", "index": "index"},
    ),
    "json": Format(
        "json",
        "cantools_cli.io.jsonl:JsonReader",
        "cantools_cli.io.jsonl:JsonWriter",
        (".jsonl", ".json", ".ndjson"),
        can_append=True,
        is_lines=True,
        description="one JSON object per line",
    ),
    "gvret": Format(
        "gvret",
        "cantools_cli.io.gvret:GvretReader",
        "cantools_cli.io.gvret:GvretWriter",
        (".gvret.csv",),
        can_append=True,
        description="SavvyCAN's comma separated values",
    ),
    "busmaster": Format(
        "busmaster",
        "cantools_cli.io.busmaster:BusmasterReader",
        None,
        (".busmaster.log",),
        description="BUSMASTER's logs; read only",
        reader_options={"tz": "tz"},
    ),
    "csv": Format(
        "csv",
        "cantools_cli.io.csv:CSVReader",
        "cantools_cli.io.csv:CSVWriter",
        (".csv",),
        can_append=True,
        description="python-can's comma separated values",
        writer_options={"columns": "columns"},
    ),
    "txt": Format(
        "txt",
        "cantools_cli.io.printer:PrinterReader",
        "cantools_cli.io.printer:Printer",
        (".txt",),
        can_append=True,
        is_lines=True,
        description="python-can's printed messages",
    ),
    "asc": Format(
        "asc",
        "cantools_cli.io.asc.reader:ASCReader",
        "cantools_cli.io.asc.writer:ASCWriter",
        (".asc",),
        can_append=True,
        description="Vector ASCII",
        reader_options={"base": "base", "tz": "tz", "txrq": "txrq"},
        writer_options={"tz": "tz", "crlf": "crlf"},
        reading={"relative_timestamp": False},
    ),
    "trc": Format(
        "trc",
        "cantools_cli.io.trc.reader:TRCReader",
        "cantools_cli.io.trc.writer:TRCWriter",
        (".trc",),
        can_append=True,
        description="PEAK's trace files",
        reader_options={"tz": "tz", "status": "status"},
        writer_options={"tz": "tz", "version": "version"},
    ),
    "log": Format(
        "log",
        "cantools_cli.io.candump.log:CanutilsLogReader",
        "cantools_cli.io.candump.log:CanutilsLogWriter",
        (".log",),
        can_append=True,
        is_lines=True,
        description="candump's log lines; also reads its screen output",
        reader_options={"tz": "tz"},
        writer_options={"ns": "ns", "compat": "compat"},
    ),
    "candump": Format(
        "candump",
        "cantools_cli.io.candump.log:CanutilsLogReader",
        "cantools_cli.io.candump.screen_writer:CandumpWriter",
        (".candump",),
        is_lines=True,
        description="candump's screen output",
        reader_options={"tz": "tz"},
        writer_options={"time": "timestamps", "direction": "direction", "explain": "explain", "tz": "tz"},
    ),
    # less common text formats, which the readers above do not recognise
    "crtd": Format(
        "crtd", "cantools_cli.io.crtd:CrtdReader", None, (".crtd",), description="OVMS's logs; read only"
    ),
    "n2k": Format(
        "n2k",
        "cantools_cli.io.n2k:N2kReader",
        None,
        (".n2k",),
        description="lines of NMEA 2000 gateways; read only",
        reader_options={"tz": "tz", "fast": "fast"},
    ),
    "canking": Format(
        "canking",
        "cantools_cli.io.canking:CanKingReader",
        None,
        (".canking.txt",),
        description="text of Kvaser CANKing; read only",
        reader_options={"base": "base"},
    ),
    "slcan": Format(
        "slcan",
        "cantools_cli.io.slcan:SlcanReader",
        None,
        (".slcan",),
        description="lines of slcan adapters; read only",
    ),
    "canhacker": Format(
        "canhacker",
        "cantools_cli.io.canhacker:CanHackerReader",
        None,
        (".canhacker.trc",),
        description="traces of CANHacker; read only",
    ),
    "serial": Format(
        "serial",
        "cantools_cli.io.serial_log:SerialLogReader",
        None,
        (".serial.log",),
        description="serial logs with RX and TX; read only",
    ),
    "clx": Format(
        "clx",
        "cantools_cli.io.clx:ClxReader",
        None,
        (".clx.txt",),
        description="CSS Electronics' CL1000, CL2000, CL3000; read only",
        reader_options={"tz": "tz"},
    ),
    "vspy": Format(
        "vspy",
        "cantools_cli.io.vspy:VehicleSpyReader",
        None,
        (".vspy.csv",),
        description="Vehicle Spy's bus traffic; read only",
        reader_options={"tz": "tz"},
    ),
    "hcrl": Format(
        "hcrl",
        "cantools_cli.io.hcrl:HcrlReader",
        None,
        (".hcrl.csv",),
        description="HCRL's research data sets; read only",
    ),
    "cabana": Format(
        "cabana",
        "cantools_cli.io.cabana:CabanaReader",
        None,
        (".cabana.csv",),
        description="openpilot's viewer Cabana; read only",
    ),
    "komodo": Format(
        "komodo",
        "cantools_cli.io.komodo:KomodoReader",
        None,
        (".komodo.csv",),
        description="tables of Total Phase's Komodo; read only",
    ),
    # never recognised: the user names the columns
    "columns": Format(
        "columns",
        "cantools_cli.io.columns.reader:ColumnsReader",
        None,
        (".columns",),
        description="any delimited text with named columns; read only",
        reader_options={
            "id": "identifier",
            "dir": "direction",
            "sep": "separator",
            **{name: name for name in ("time", "data", "dlc", "channel", "tx", "extended", "remote", "fd")},
            **{name: name for name in ("error", "unit", "base", "data_base", "dlc_base", "skip", "tz")},
        },
    ),
    # after the text formats, since recognising these two imports more
    "parquet": Format(
        "parquet",
        "cantools_cli.io.parquet.reader:ParquetReader",
        "cantools_cli.io.parquet.writer:ParquetWriter",
        (".parquet",),
        is_binary=True,
        is_compressible=False,
        description="columns for DuckDB, Polars and pandas",
        writer_options={"compression": "compression"},
        can_append=True,
    ),
    "arrow": Format(
        "arrow",
        "cantools_cli.io.arrow.reader:ArrowReader",
        "cantools_cli.io.arrow.writer:ArrowWriter",
        (".arrows", ".arrow"),
        is_binary=True,
        description="Apache Arrow columns, for pipes",
        writer_options={"layout": "layout", "compression": "compression"},
    ),
}

#: the compression for each suffix after that of a format
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

#: interface -> (module, class), added by programs at run time; see ``python_can.interfaces``
added: dict[str, tuple[str, str]] = {}

#: function that is called before a module of another distribution is imported: most of them import ``can``
_PREPARATION = "cantools_cli.compat:install_where_missing"

#: entry point groups by kind, ours before python-can's
_GROUPS = {
    "interface": ("canx.interface", "can.interface"),
    "reader": ("canx.reader", "can.io.message_reader"),
    "writer": ("canx.writer", "can.io.message_writer"),
}

#: the extra of canx that installs each library of a format
EXTRAS = {"asammdf": "mf4", "pyarrow": "parquet"}


def install_hint(module: str, extra: str = "") -> str:
    """Return the command that installs ``module``: with ``extra`` of canx, or the one that EXTRAS names."""
    package = module.partition(".")[0]
    extra = extra or EXTRAS.get(package, "")
    return f"pip install 'canx[{extra}]'" if extra else f"pip install {package}"


@cache
def entry_points_of(kind: str) -> dict[str, str]:
    """Return the entry points of other distributions, name -> "module:Class". The search takes 25 ms."""
    from importlib.metadata import entry_points

    targets: dict[str, str] = {}
    for group in _GROUPS[kind]:
        for point in entry_points(group=group):
            if not point.value.startswith("can."):  # python-can's own, if it is installed next to canx
                targets.setdefault(point.name.lower(), point.value.replace(" ", ""))
    return targets


def interface_names() -> list[str]:
    """Return the names of all interfaces, including those of other distributions."""
    return sorted({*INTERFACES, *added, *entry_points_of("interface")})


def is_interface(name: str) -> bool:
    """Return whether ``name`` is an interface; other distributions are searched last."""
    return name in INTERFACES or name in SPELLINGS or name in added or name in entry_points_of("interface")


def interface(name: str | None) -> Interface:
    """Return the row of the interface ``name``, one with the defaults if it is not built in."""
    name = SPELLINGS.get(name or "", name or "")
    return INTERFACES.get(name) or Interface(name, "")


def bus_class(name: str | None) -> Any:
    """Return the bus class of the interface ``name``.

    Raises:
        CanInterfaceNotImplementedError: the interface is unknown, does not work on this platform, or needs a
            library that is not installed.
    """
    row = interface(name)
    target = ":".join(added.get(row.name, ())) or row.target or entry_points_of("interface").get(row.name)
    if target is None:
        kind = "canx does not have the" if name in DOCUMENTED_INTERFACES else "Unknown"
        raise CanInterfaceNotImplementedError(
            f'{kind} interface type "{name}"', hint=f"known: {', '.join(interface_names())}"
        )
    if row.platforms and not row.library and sys.platform not in row.platforms:
        raise CanInterfaceNotImplementedError(
            f"interface {quoted(row.name)} works on {' and '.join(row.platforms)}, not on {sys.platform}"
        )
    try:
        return _attribute(target)
    except ImportError as error:
        raise missing_library(row.name, error) from error


def missing_library(interface_name: str, error: ImportError) -> CanInterfaceNotImplementedError:
    """Return the error of an interface that cannot import a library."""
    return CanInterfaceNotImplementedError(
        f"interface {quoted(interface_name)} needs {error.name or error}, which is not installed",
        hint=install_hint(error.name, interface(interface_name).extra) if error.name else None,
    )


def format_of_suffix(path: str) -> tuple[str | None, bool]:
    """Return the format for the suffix of ``path``, or None, and whether the file is compressed."""
    name, suffix = peeled(path.lower())
    for form in FORMATS.values():
        if name.endswith(form.suffixes):
            return form.name, bool(suffix)
    return None, bool(suffix)


def split_suffix(path: str) -> tuple[str, str]:
    """Split ``path`` before the suffix of its format, which keeps the suffix of a compression."""
    name, compression = peeled(path)
    known = [suffix for form in FORMATS.values() for suffix in form.suffixes if name.lower().endswith(suffix)]
    size = len(max(known, key=len)) if known else len(splitext(name)[1])
    return name[: len(name) - size], name[len(name) - size :] + compression


def peeled(path: str) -> tuple[str, str]:
    """Split ``path`` before the suffix of a compression, which may be empty."""
    for suffix in COMPRESSIONS:
        if path.lower().endswith(suffix):
            return path[: -len(suffix)], path[-len(suffix) :]
    return path, ""


def writable() -> dict[str, Format]:
    """Return the formats with a writer, by name."""
    return {name: form for name, form in FORMATS.items() if form.writer is not None}


def reader_class(name: str) -> Any:
    """Return the reader class of the format ``name``, or of a suffix such as ``.foo``.

    Raises:
        UsageError: the format is unknown, cannot be used this way, or needs a library that is not installed.
    """
    return _io_class("reader", name)


def writer_class(name: str) -> Any:
    """Return the writer class of the format ``name``, or of a suffix such as ``.foo``.

    Raises:
        UsageError: the format is unknown, cannot be used this way, or needs a library that is not installed.
    """
    return _io_class("writer", name)


def _io_class(kind: str, name: str) -> Any:
    form = FORMATS.get(name)
    target = getattr(form, kind) if form else None
    if form is not None and target is None:
        raise UsageError(f"format {quoted(name)} is read only", hint=f"writable: {', '.join(writable())}")
    if target is None:
        others = entry_points_of(kind)
        target = others.get(name) or others.get(f".{name}")
    if target is None:
        known = ", ".join(sorted({*FORMATS, *(other.lstrip(".") for other in entry_points_of(kind))}))
        raise UsageError(f"unknown format {quoted(name)}", hint=f"known: {known}")
    try:
        return _attribute(target)
    except ImportError as error:
        raise UsageError(
            f"format {quoted(name)} needs {error.name or error}, which is not installed",
            hint=install_hint(error.name) if error.name else None,
        ) from error


def _attribute(target: str) -> Any:
    module, _, attribute = target.partition(":")
    if not module.startswith("cantools_cli."):
        _attribute(_PREPARATION)()
    return getattr(import_module(module), attribute)
