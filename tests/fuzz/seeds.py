"""Good files of every format, which mutations start from: written by canx, by peers, and by hand.

Nothing here comes from a file of somebody else: all are made when they are needed.
"""

from __future__ import annotations

import logging
import random
import struct
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cantools_cli import plugins
from cantools_cli.frame.bits import CAN_EFF_MASK, CAN_SFF_MASK, FD_LENGTHS
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from tests.io.asc import asc_text
from tests.io.asc.test_reader import SAMPLES as ASC
from tests.io.blf import blf_bytes
from tests.io.candump.test_screen import LINES as SCREEN
from tests.io.capture import capture_bytes
from tests.io.line_samples import SAMPLES as LINES
from tests.io.mf4 import mf4_bytes
from tests.io.table_samples import CABANA, CLX_6, COLUMNS, HCRL
from tests.io.test_busmaster import END, HEADER, J1939, LINE
from tests.io.test_gvret import OLD_HEADER, OLD_ROWS
from tests.io.trc.test_reader import head as trc_head

START_NS = 1_700_000_000_123_456_789
KINDS = ("classic", "raw", "remote", "fd", "error", "xl")
_CHANNELS = ("can0", "can1", "vcan0", "can12")


def frames(count: int, kinds: tuple[str, ...] = KINDS, seed: int = 1) -> list[Message]:
    """Return frames of all ``kinds`` in turn, in time, on some channels, in both directions."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        message = _frame(draw, kinds[number % len(kinds)])
        message.timestamp_ns = START_NS + number * 1_000_001_000
        message.channel = draw.choice(_CHANNELS)
        message.is_rx = draw.random() < 0.7
        found.append(message)
    return found


def _frame(draw: random.Random, kind: str) -> Message:
    if kind == "xl":
        return XlMessage(
            arbitration_id=draw.randint(0, CAN_SFF_MASK),
            data=draw.randbytes(draw.choice((1, 8, 70))),
            vcid=draw.randrange(256),
            sdt=draw.randrange(256),
            sec=draw.random() < 0.5,
            rrs=draw.random() < 0.5,
            acceptance_field=draw.getrandbits(32),
        )
    is_extended = kind != "error" and draw.random() < 0.5
    message = Message(arbitration_id=draw.randint(0, CAN_EFF_MASK if is_extended else CAN_SFF_MASK))
    message.is_extended_id = is_extended
    if kind == "remote":
        message.is_remote_frame = True
        message.dlc = draw.randint(0, 8)
        return message
    size = draw.randint(0, 8) if kind == "classic" else 8
    if kind == "fd":
        message.is_fd, size = True, draw.choice(FD_LENGTHS)
        message.bitrate_switch, message.error_state_indicator = draw.random() < 0.5, draw.random() < 0.5
    message.is_error_frame = kind == "error"
    message.data = bytearray(draw.randbytes(size))
    message.dlc = size
    if kind == "raw":
        message.dlc_code = draw.randint(9, 15)
    return message


def written(form: str, messages: Iterable[Message], **options: Any) -> bytes:
    """Return the file of ``form`` that canx writes."""
    writer = plugins.writer_class(form)
    options = {**plugins.FORMATS[form].writing, **options}
    if "tz" in plugins.FORMATS[form].writer_options:
        options["tz"] = "UTC"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"seed{plugins.FORMATS[form].suffixes[0]}")
        with writer(str(path), **options) as sink:
            for message in messages:
                sink.on_message_received(message)
        return path.read_bytes()


def by_python_can(suffix: str, **options: Any) -> list[bytes]:
    """Return the bytes that python-can writes; nothing if it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import can
    except ImportError:
        return []
    log = logging.getLogger("can")
    level = log.level
    log.setLevel(logging.CRITICAL)  # python-can logs what it leaves out
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            path = Path(folder, f"seed{suffix}")
            with can.Logger(str(path), **options) as logger:
                for frame in frames(12, ("classic", "remote", "fd", "error")):
                    logger(
                        can.Message(
                            timestamp=frame.timestamp,
                            arbitration_id=frame.arbitration_id,
                            is_extended_id=frame.is_extended_id,
                            is_remote_frame=frame.is_remote_frame,
                            is_error_frame=frame.is_error_frame,
                            channel=1,
                            dlc=frame.dlc,
                            data=None if frame.is_remote_frame else frame.data,
                            is_fd=frame.is_fd,
                            is_rx=frame.is_rx,
                        )
                    )
            return [path.read_bytes()]
    finally:
        log.setLevel(level)


def of(form: str) -> list[bytes]:
    """Return the good files of ``form``."""
    return [seed for seed in _MAKERS[form]() if seed]


def _log() -> list[bytes]:
    return [
        written("log", frames(24)),
        written("log", frames(12), ns=True),
        written("log", frames(12), compat="python-can"),
        b"(1436509052.249713) can0 123#DEADBEEF\n",
        b"(0.000000) can0 7FF#R8_D R\r\nDROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 5)\n",
        *by_python_can(".log"),
    ]


def _screen() -> list[bytes]:
    return [
        "".join(f"{line[0]}\n" for line in SCREEN).encode(),
        *(f"{line[0]}\n".encode() for line in SCREEN),
    ]


def _asc() -> list[bytes]:
    return [
        written("asc", frames(24)),
        written("asc", frames(12), crlf=True),
        asc_text.HEAD + "".join(f"{line}\n" for line, _ in ASC).encode(),
        asc_text.HEAD.replace(b"base hex", b"base dec").replace(b"absolute", b"relative")
        + b"   0.001000 1  291             Rx   d 2 17 255\n   0.001000 1  291x            Tx   r 3\n",
        *by_python_can(".asc"),
    ]


def _blf() -> list[bytes]:
    few = frames(12)
    objects = b"".join(blf_bytes.classic(number, number * 1000) for number in range(8))
    split = blf_bytes.head() + b"".join(
        blf_bytes.container(objects[at : at + 100], stored=at % 200 == 0)
        for at in range(0, len(objects), 100)
    )
    kinds = [1, 2, 3, 73, 86, 100, 101, 104, 139, 140, 65, 91, 92, 96, 125]
    draw = random.Random(2)
    bodies = [
        struct.pack("<HBBL", 1, 0, 8, 0x123) + bytes((0, 0, 0, 0, 1, 0x10, 8, 0)) + draw.randbytes(88)
        for _ in kinds
    ]
    every = b"".join(blf_bytes.lobj(kind, body, 5000) for kind, body in zip(kinds, bodies, strict=True))
    return [
        written("blf", few, compression_level=0),
        written("blf", few, compression_level=0),
        written("blf", frames(200), compression_level=6),
        blf_bytes.GOLDEN,
        blf_bytes.head() + blf_bytes.container(every, stored=True),
        blf_bytes.head(blf_bytes.PYTHON_CAN, 0) + every,
        split,
        *by_python_can(".blf"),
        *by_python_can(".blf", compression_level=0),
    ]


def _mf4() -> list[bytes]:
    few = frames(16, ("classic", "remote", "fd", "error"))
    records = b"".join(mf4_bytes.usual_record(n, bytes(n % 9), n * 0.5) for n in range(9))
    file = mf4_bytes.File()
    packed = zlib.compress(records)
    zipped = file.add(b"DZ", (), struct.pack("<2sBxIQQ", b"DT", 0, 0, len(records), len(packed)) + packed)
    listed = mf4_bytes.File()
    pieces = [listed.add(b"DT", (), records[at : at + 100]) for at in range(0, len(records), 100)]
    table = listed.add(b"DL", (0, *pieces), struct.pack("<B3xIQ", 1, len(pieces), 100))
    several = mf4_bytes.File()
    group = several.group(several.chain(mf4_bytes.usual("CAN_RemoteFrame")), 24, record_id=2)
    group = several.group(several.chain(mf4_bytes.usual()), 24, record_id=1, following=group)
    mixed = b"".join(bytes((1 + n % 2,)) + records[24 * n : 24 * n + 24] for n in range(9))
    unsorted = several.finish(several.data_group(group, several.add(b"DT", (), mixed), id_size=1))
    return [
        mf4_bytes.simple(records),
        mf4_bytes.simple(records, data=zipped, file=file),
        mf4_bytes.simple(records, data=table, file=listed),
        mf4_bytes.simple(records, file=mf4_bytes.File(magic=b"UnFinMF ", unfinished=0x25)),
        unsorted,
        written("mf4", few, compression_level=0),
        written("mf4", few),
        *by_python_can(".mf4"),
    ]


def _trc() -> list[bytes]:
    lines = b"     1      1059.900 1  Rx        0300 -  7    00 00 00 00 04 00 00\r\n"
    return [
        *(written("trc", frames(12), version=version) for version in ("1.0", "1.1", "1.3", "2.0", "2.1")),
        trc_head("1.1") + lines.replace(b" 1  Rx", b"  Rx"),
        trc_head("1.2") + lines,
        trc_head("1.3") + lines,
        trc_head("1.0") + b"     1)      1059  0300  7    00 00 00 00 04 00 00\r\n",
        trc_head("2.0", "N,O,T,I,d,l,D")
        + b"     1      1059.900 DT     0300 Rx 7    00 00 00 00 04 00 00\r\n",
        *by_python_can(".trc"),
    ]


def _pcap() -> list[bytes]:
    packet = capture_bytes.classic(0x123)
    cooked = bytes.fromhex("00010118000000000000000000 00000c".replace(" ", "")) + packet
    return [
        written("pcap", frames(18)),
        capture_bytes.pcap_head(227, ">") + capture_bytes.pcap_record(packet, 5, ">"),
        capture_bytes.pcap_head(113, "<", 0xA1B2C3D4) + capture_bytes.pcap_record(cooked, 5),
        capture_bytes.pcap_head(276)
        + capture_bytes.pcap_record(
            bytes.fromhex("000c0000000000030118000000000000 00000000".replace(" ", "")) + packet
        ),
    ]


def _pcapng() -> list[bytes]:
    made = []
    for order in "<>":
        options = b"".join(
            capture_bytes.option(code, value, order)
            for code, value in ((2, b"can0"), (9, b"\x06"), (14, bytes(8)), (0, b""))
        )
        made.append(
            capture_bytes.section(order)
            + capture_bytes.interface(227, options, order)
            + capture_bytes.packet_block(capture_bytes.classic(0x123), 5, 0, options[-4:], order)
            + capture_bytes.block(5, bytes(12), order)
            + capture_bytes.section(order)
            + capture_bytes.interface(227, b"", order)
            + capture_bytes.packet_block(capture_bytes.classic(0x80000123), 7, order=order)
        )
    return [written("pcapng", frames(18)), *made]


def _db() -> list[bytes]:
    few = frames(16, ("classic", "remote", "fd", "error"))
    return [written("db", few), written("db", few, index=True), *by_python_can(".db")]


def _json() -> list[bytes]:
    line = b'{"timestamp":1.5,"channel":null,"arbitration_id":9,"is_extended_id":false,"dlc":1,"data":"de"}\n'
    strange = (
        b'{"dlc": 2, "data": "DEAD", "more": {"a": [1, "\\u00e4", null]}, "is_fd": true, '
        b'"channel": "x\\"y", "timestamp_ns": "1436509052249713123", "arbitration_id": 1, "is_rx": false}\n'
    )
    return [written("json", frames(24)), line, line + strange]


def _gvret() -> list[bytes]:
    return [written("gvret", frames(12, ("classic",))), OLD_HEADER + OLD_ROWS]


def _busmaster() -> list[bytes]:
    kinds = "22:20:14:9925 Tx 2 0x1ABCDEF0 x 0\n22:20:15:0000 Rx 1 0x7FF sr 8\n22:20:15:1 Rx 1 0x12 s-fdf 12 "
    kinds += "AA " * 12 + "\n"
    return [
        (HEADER + LINE * 3 + kinds + END).encode(),
        (HEADER.replace("SYSTEM", "RELATIVE") + LINE * 3 + END + HEADER + LINE).encode(),
        (HEADER.replace("HEX", "DEC") + "22:20:14:9925 Rx 1 538 s 2 254 54\n").encode(),
        (
            J1939 + "22:20:14:9925 1 18feef00 0FEEF DAT 00 FF 6 Rx 3 FE 36 12\n" * 2 + END + HEADER + LINE
        ).encode(),
    ]


def _csv() -> list[bytes]:
    few = frames(16, ("classic", "remote", "error"))
    return [
        written("csv", few),
        b"timestamp,arbitration_id,extended,remote,error,dlc,data\n1.5,0x123,0,0,0,2,3q0=\n",
        b"data,dlc,arbitration_id,timestamp\n3q0=,2,0x123,1.5\n",
        *by_python_can(".csv"),
    ]


def _txt() -> list[bytes]:
    return [written("txt", frames(24)), *by_python_can(".txt")]


def _columns(form: str, *variants: dict[str, Any]) -> Callable[[], list[bytes]]:
    def make() -> list[bytes]:
        few = frames(12, ("classic", "raw", "remote", "fd", "error"))
        return [written(form, few, **variant) for variant in variants]

    return make


def _separated() -> list[bytes]:
    dates = b"2024-05-06 07:08:09.123|18DB33F1|1,2,3\n0:09.643.335|12x|0x0102\n-1.5e-3|7FF|01 02 3\n"
    blanks = b"#\n1.5  0x123 2 01 02\n2\t00000123 0\n3 123 8 1 2 3 4 5 6 7 8 \n"
    return [COLUMNS, HCRL, CABANA, dates, blanks, b'"Time","ID","Data"\n"1.5","123","0102"\n']


def _lines(form: str) -> Callable[[], list[bytes]]:
    def make() -> list[bytes]:
        return [LINES[form], *(line + b"\n" for line in LINES[form].splitlines())]

    return make


_MAKERS: dict[str, Callable[[], list[bytes]]] = {
    "blf": _blf,
    "mf4": _mf4,
    "pcap": _pcap,
    "pcapng": _pcapng,
    "db": _db,
    "json": _json,
    "gvret": _gvret,
    "busmaster": _busmaster,
    **{form: _lines(form) for form in LINES},
    "clx": lambda: [LINES["clx"], CLX_6],
    "columns": _separated,
    "csv": _csv,
    "txt": _txt,
    "asc": _asc,
    "trc": _trc,
    "log": _log,
    "screen": _screen,
    "candump": _screen,
    "parquet": _columns("parquet", {"compression": "none"}, {"compression": "none"}, {}),
    "arrow": _columns("arrow", {}, {"layout": "file"}, {"compression": "zstd"}),
}
