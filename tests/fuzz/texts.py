"""What people type, which is no file: frames, filters, expressions, addresses, settings, numbers.

For each text: only canx's own errors, and what is understood is consistent.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cantools_cli import units
from cantools_cli.bus import address, config
from cantools_cli.errors import CanError, FormatError, UsageError
from cantools_cli.filtering import window
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.filtering.where import Where
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io import formats
from cantools_cli.io.frame_text import format_frame, parse_frame
from cantools_cli.kernels import generate
from cantools_cli.serve import access
from cantools_cli.streams import bridge as bridging
from cantools_cli.streams import generator, splitting
from cantools_cli.streams.routes import Rule
from tests.fuzz.readers import checked, expect, interpreted_kernels
from tests.fuzz.seeds import frames
from tests.strategies import facts

_FRAMES = frames(40)
#: of the environment, that have settings
_VARIABLES = ("CAN_INTERFACE", "CAN_CHANNEL", "CAN_BITRATE", "CAN_CONFIG")


def check(name: str, data: bytes, draw: random.Random, folder: Path) -> int:
    """Let the target ``name`` take ``data`` as an argument of a command; return 1 where it is accepted.

    Raises:
        BrokenPropertyError: what is understood contradicts itself. Other exceptions pass.
    """
    text = os.fsdecode(data.replace(b"\0", b""))  # as arguments are made, which hold no NUL
    try:
        TARGETS[name][0](text, folder)
    except (FormatError, UsageError, CanError):
        return 0
    return 1


def _frame(text: str, folder: Path) -> None:
    for pad in (True, False):
        message, _ = parse_frame(text, pad=pad)
        checked(MessageBatch((message,)))
        again, warning = parse_frame(format_frame(message), pad=False)
        expect(facts(again) == facts(message) and warning is None, f"{message!r} and {again!r}")


def _filter(text: str, folder: Path) -> None:
    chosen = FrameFilter.parse([text])
    batch = MessageBatch(_FRAMES)
    rows = list(chosen.rows(batch))
    expect(rows == [row for row, message in enumerate(_FRAMES) if chosen.matches(message)], "rows, matches")
    if (dictionaries := chosen.can_filters()) is not None:
        wider = FrameFilter.from_can_filters(dictionaries)
        missing = [row for row in rows if not _FRAMES[row].is_error_frame and not wider.matches(_FRAMES[row])]
        expect(not missing, f"the bus drops {missing}")
    with interpreted_kernels():
        expect(list(chosen.rows(batch)) == rows, "interpreted kernels pass others")


def _where(text: str, folder: Path) -> None:
    batch = MessageBatch(_FRAMES)
    whole = list(Where(text, tz="UTC").rows(batch))
    cut = Where(text, tz="UTC")
    rows = list(cut.rows(batch.part(0, 7))) + [7 + row for row in cut.rows(batch.part(7, len(batch)))]
    expect(rows == whole, "another cut of the stream passes others")
    pushed = Where(text, tz="UTC").frame_filter()
    if pushed is not None:
        expect(set(whole) <= set(pushed.rows(batch)), "the filter that is pushed down drops what passes")
    with interpreted_kernels():
        expect(list(Where(text, tz="UTC").rows(batch)) == whole, "interpreted kernels pass others")


def _address(text: str, folder: Path) -> None:
    parsed = address.parse_address(text)
    expect(len({*address.stream_names([parsed, parsed])}) == 2, "names of the stream")
    _with_settings(folder, {}, lambda: address.resolve(parsed))


def _setting(text: str, folder: Path) -> None:
    """Take ``text`` as the configuration files, as the variables, and as values of settings."""
    home = folder / "home"
    (home / ".config/canx").mkdir(parents=True, exist_ok=True)
    encoded = os.fsencode(text)
    for name in (".canrc", ".config/canx/config.toml"):
        (home / name).write_bytes(encoded)
        with suppress(FormatError, UsageError, CanError):
            _with_settings(folder, {}, lambda: address.resolve(address.BusAddress("x", "virtual", "x")))
        (home / name).unlink()
    for variable in _VARIABLES:
        with suppress(FormatError, UsageError, CanError):
            _with_settings(
                folder, {variable: text}, lambda: address.resolve(address.BusAddress("x", "virtual"))
            )
    config.cast_from_string(text)


def _with_settings(folder: Path, variables: dict[str, str], ask: Callable[[], object]) -> None:
    """Call ``ask`` with ``variables`` and the files in ``folder`` alone."""
    before = dict(os.environ)
    try:
        for name in list(os.environ):
            if name.startswith(("CAN_", "CANX_", "XDG_")):
                del os.environ[name]
        os.environ.update(variables, HOME=str(folder / "home"))
        ask()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _number(text: str, folder: Path) -> None:
    accepted: list[object] = []
    for parse in (
        units.duration_ns,
        units.duration,
        units.bitrate,
        units.size,
        units.rate,
        units.percentage,
        window.shift_ns,
        lambda one: units.milliseconds_must_have_unit(one, "-T"),
    ):
        _also(lambda parse=parse: accepted.append(parse(text)))
    if not accepted:
        raise UsageError("no number")


def _moment(text: str, folder: Path) -> None:
    for zone in ("UTC", "local", "Europe/Berlin"):
        moment = window.Moment.parse(text, zone)
        expect(isinstance(moment.after(0), int), "no time")


def _option(text: str, folder: Path) -> None:
    """Take ``text`` as every option with a grammar of its own."""
    names = ("can0", "can1", "virtual:x")
    for parse in (
        lambda: formats.parse_format(text, writing=False),
        lambda: formats.parse_format(text, writing=True),
        lambda: formats.format_for_output(text),
        lambda: splitting.parse(text, "UTC"),
        lambda: Rule.parse(text),
        lambda: bridging.parse_rewrite(text, names),
        lambda: generator.parse_identifier(text, generate.EXTENDED),
        lambda: generator.parse_data(text, 64),
        lambda: access.parse_place(text, 29536, "--listen"),
        lambda: access.Access([text]),
    ):
        _also(parse)


def _also(ask: Callable[[], object]) -> None:
    """Call ``ask``, which may refuse."""
    with suppress(FormatError, UsageError):
        ask()


def _frame_seeds() -> list[str]:
    given = "123#DEADBEEF 00000123# 123#R 123#R4 123#1122334455667788_B 7FF#R8_B 123##1DEADBEEF 123#11.22.33"
    return [*given.split(), *(format_frame(message) for message in _FRAMES)]


_WHERE = """id in 100..1FF and data[0] eq 3 and not remote
id eq 123 or id eq 00000123
id & 7F0 eq 120
data[2:4] little gt 1000
channel eq can0 and changed
(error or rx) and time lt 10s and every 100
not (length in 1, 2, 4..8) and dlc_code ge 9
time gt @1700000000 and timestamp lt 2030-01-01T00:00:00Z
channel in ('can0', "can1") or xl or fd and brs and esi or tx or base or extended or data
id not in (100, 200..2FF) && dlc != 0x8"""
_FILTERS = """123:7FF 12345678:DFFFFFFF 400~7F0 123 00000123 100-1FF 00000100-000001FF #FF j 123,456,j
123:7FF,#FFFFFFFF,J 0x123:0x7FF"""
_ADDRESSES = """can0 slcan:/dev/ttyACM0@115200,bitrate=500k vector:0,1,app_name=CANalyzer can0,123:7FF,#FF
virtual:x?bitrate=500k&fd=true socket://host:4000 udp_multicast:ff15::1,port=43113 vcan0,j
cannelloni:[::1]:20000 virtual:vcan0,brp=2,tseg1=5,tseg2=6,sjw=3,nof_samples=1,f_clock=8000000"""
_INI = """[default]
interface = virtual
channel = vcan0
bitrate = 500000
[HS]
f_clock = 80000000
brp = 2
tseg1 = 5
tseg2 = 6
sjw = 3
nof_samples = 1
btr0 = 0x00
btr1 = 0x14
port = 4000
state = ACTIVE
fd = True
"""
_TIMING = """[default]
f_clock=80000000
nom_brp=1
nom_tseg1=119
nom_tseg2=40
nom_sjw=40
data_brp=1
data_tseg1=29
data_tseg2=10
data_sjw=10
"""
_SETTINGS = [
    _INI,
    _TIMING,
    _INI.replace("[HS]", "").replace("= virtual", '= "virtual"').replace("= vcan0", "= 'vcan0'"),
    '{"interface": "virtual", "bitrate": 1e6, "port": 5, "fd": null, "state": "PASSIVE"}',
    "500000",
    "1.5e3",
]
_NUMBERS = """1.5 250us 200ms 5s 10m 2h 0 500k 83.333k 1M 4096 64KiB 100MB 1000/s 30% -1.5 +250ms"""
_MOMENTS = """90
1.5s
@1436509052.25
2015-07-10T06:17:32.25
2015-07-10T08:17:32+02:00
20150710
Jul 10 2015 06:17:32
10 July 2015
2015-10-25 02:30:00"""
_OPTIONS = """asc,base=dec,tz=UTC blf,level=6 trc,version=2.1 db,table=messages out.asc.gz channel id time=10m
can0=vcan2 123=456 100-1FF=300 can0>can1:100-1FF=+200 120:7F0=520 *>virtual:x:123=00000456 r e i 7FF 11xx22
127.0.0.1:29536 [::1]:5 :0 10.0.0.0/8 fe80::/10"""

_Check = Callable[[str, Path], None]
#: what takes a text, and texts to begin with
TARGETS: dict[str, tuple[_Check, list[str]]] = {
    "frame": (_frame, _frame_seeds()),
    "filter": (_filter, _FILTERS.split()),
    "where": (_where, _WHERE.split("\n")),
    "address": (_address, _ADDRESSES.split()),
    "setting": (_setting, _SETTINGS),
    "number": (_number, _NUMBERS.split()),
    "moment": (_moment, _MOMENTS.split("\n")),
    "option": (_option, _OPTIONS.split()),
}
