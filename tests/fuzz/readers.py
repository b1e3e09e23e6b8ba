"""What has to hold for a reader, whatever the bytes.

- ``FormatError`` with its place and ``UsageError`` are the only exceptions, and there are no warnings.
- Every frame is one that CAN allows, and the columns of each batch fit together.
- ``skip`` gives what ``stop`` gave before its error, and may go on; streams merged by time, in another order.
- A pipe, however it cuts the bytes, gives what the file gives; interpreted kernels what compiled ones do.
- All formats that can be written take the frames, and hold then those that were not counted as left out.
- There are no more frames than bytes, but for what is compressed.

Time and memory are bounded from outside: see ``process.py``.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from cantools_cli import plugins
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.compression import deflater
from cantools_cli.io.formats import open_reader, open_writer
from tests.kernels.forms import interpreted

#: those that need a file with a name
NEED_PATH = ("db",)
#: those that may say a thing in less than a byte a frame
_PACKED = ("parquet", "arrow", "mf4", "blf", "db")
#: those of several streams: a fault in one ends that stream, whose later frames are missing among the others
_MERGED = ("mf4",)
_MAX_FRAMES = 1 << 20
_KNOWN_FLAGS = bits.FD | bits.BRS | bits.ESI | bits.TX | bits.XL | bits.EXTENDED_ERROR

#: what a reader may be told, of which an input gets one; nothing is likelier
_OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "asc": ({}, {"base": "dec"}, {"relative_timestamp": True}, {"txrq": True}, {"tz": "Europe/Berlin"}),
    "trc": ({}, {}, {"status": True}, {"tz": "Europe/Berlin"}),
    "clx": ({}, {"tz": "Europe/Berlin"}),
    "vspy": ({}, {"tz": "Europe/Berlin"}),
    "columns": (
        {},
        {"time": 0, "identifier": 1, "data": "3:"},
        {"time": 0, "identifier": 1, "dlc": 2, "data": "3:-1", "direction": -1},
        {"time": "0:2", "identifier": -2, "data": -1, "separator": "blank", "base": "dec", "unit": "us"},
        {
            "identifier": "addr",
            "data": "data",
            "channel": "bus",
            "data_base": "dec",
            "skip": 1,
            "extended": True,
        },
        {
            "time": "time",
            "identifier": "can id",
            "data": "D1:D3",
            "remote": "rtr",
            "fd": "ext",
            "error": "bus",
        },
    ),
    "canking": ({}, {"base": "hex"}, {"base": "dec"}),
    "n2k": ({}, {"fast": "skip"}, {"tz": "Europe/Berlin"}),
    "blf": ({}, {}, {}, {"tz": "America/New_York"}),
}

Frame = tuple[object, ...]


class BrokenPropertyError(AssertionError):
    """A reader gave what it must not give."""


@dataclass
class Outcome:
    """What reading gave."""

    frames: list[Frame] = field(default_factory=list)
    error: str | None = None
    skipped: int = 0
    notes: list[str] = field(default_factory=list)


class Pieces:
    """A pipe that gives ``data`` in pieces cut anywhere."""

    name = "<pipe>"

    def __init__(self, data: bytes, draw: random.Random) -> None:
        self._data = data
        self._at = 0
        self._draw = draw
        # some 20 pieces at most: reading each is work
        self._usual = max(1, len(data) // draw.choice((1, 3, 10)))

    def read(self, size: int = -1) -> bytes:
        size = min(size if size >= 0 else 1 << 30, self._draw.randint(1, self._usual))
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece


def read(file: Any, form: str | None, data: bytes, on_error: str, options: dict[str, Any]) -> Outcome:
    """Read ``file``, which holds ``data``, as the commands do with ``options``.

    Raises:
        BrokenPropertyError: a batch or an error is not as it must be.
    """
    outcome = Outcome()
    most = _MAX_FRAMES if form in _PACKED or form is None or data[:1] in b"\x1f\x28" else len(data) + 1
    try:
        with open_reader(
            file, form, as_command=True, on_error=on_error, **{"tz": "UTC", **options}
        ) as reader:
            try:
                for batch in reader.batches():
                    outcome.frames += checked(batch)
                    expect(len(outcome.frames) <= most, f"{len(outcome.frames)} frames of {len(data)} bytes")
            finally:
                outcome.skipped, outcome.notes = reader.skipped, list(reader.notes)
    except FormatError as error:
        expect(error.position is not None or error.source is not None, f"no place: {error}")
        expect("\n" not in str(error) and str(error).isprintable(), f"not a line to print: {error!r}")
        outcome.error = str(error)
    except UsageError as error:
        expect("\n" not in str(error), f"not one line: {error!r}")
        outcome.error = str(error)
    for note in outcome.notes:
        expect(note.isprintable(), f"not a line to print: {note!r}")
    return outcome


def expect(truth: bool, text: str) -> None:
    if not truth:
        raise BrokenPropertyError(text)


def checked(batch: MessageBatch) -> list[Frame]:
    """Return the frames of ``batch``.

    Raises:
        BrokenPropertyError: its columns do not fit together, or a frame is none.
    """
    rows = len(batch)
    expect(rows > 0, "an empty batch")
    columns = (batch.can_id, batch.flags, batch.channel, batch.dlc_code)
    expect(all(len(column) == rows for column in columns), "columns of different lengths")
    expect(len(batch.offset) == rows + 1 and batch.offset[0] == 0, "offsets that do not begin with 0")
    expect(batch.offset[-1] == len(batch.payload), "a payload longer than its frames")
    expect(all(map(int.__le__, batch.offset[:-1], batch.offset[1:])), "offsets that go back")
    expect(max(batch.channel) < len(batch.channels), "a channel that is none")
    expect(len(set(batch.channels)) == len(batch.channels), "a channel that is there twice")
    expect(all(not flags & ~_KNOWN_FLAGS for flags in batch.flags), "flags that are none")
    if batch.xl is not None:
        expect(len(batch.xl.vcid) == rows, "CAN XL columns of another length")
        expect(len(batch.xl.acceptance_field) == rows, "CAN XL columns of another length")
    expect(batch.xl is not None or not any(flags & bits.XL for flags in batch.flags), "no CAN XL columns")
    found = []
    for row, message in enumerate(batch):
        # a batch takes only what CAN allows
        try:
            again = MessageBatch((message,))
        except ValueError as error:
            raise BrokenPropertyError(f"frame {row}, {message!r}: {error}") from error
        one = batch.part(row, row + 1)
        same = one.can_id == again.can_id and one.flags == again.flags and one.dlc_code == again.dlc_code
        expect(same, f"frame {row}, {message!r}, is {_words(one)}, and made again {_words(again)}")
        xl = (
            ()
            if one.xl is None
            else (one.xl.vcid[0], one.xl.sdt[0], one.xl.bits[0], one.xl.acceptance_field[0])
        )
        found.append(
            (
                one.timestamp_ns[0],
                message.channel,
                one.can_id[0],
                one.flags[0],
                one.dlc_code[0],
                bytes(one.payload),
                xl,
            )
        )
    return found


def _words(batch: MessageBatch) -> str:
    return f"can_id {batch.can_id[0]:08X} flags {batch.flags[0]:02X} DLC code {batch.dlc_code[0]}"


@cache
def kernel_places() -> list[tuple[ModuleType, str, ModuleType, ModuleType]]:
    """Return where a compiled kernel is used: (module, name in it, compiled, interpreted)."""
    compiled = {
        id(module): (module, name.rpartition(".")[2])
        for name, module in list(sys.modules.items())
        if name.startswith("cantools_cli.kernels.") and str(module.__file__).endswith((".so", ".pyd"))
    }
    found = []
    for name, module in list(sys.modules.items()):
        if name.startswith("cantools_cli.") and not name.startswith("cantools_cli.kernels."):
            for attribute, value in list(vars(module).items()):
                if id(value) in compiled:
                    kernel, short = compiled[id(value)]
                    found.append((module, attribute, kernel, interpreted(short)))
    return found


@contextmanager
def interpreted_kernels() -> Iterator[None]:
    """Let everything use the kernels as plain Python, which checks every index."""
    places = kernel_places()
    try:
        for module, name, _, plain in places:
            setattr(module, name, plain)
        yield
    finally:
        for module, name, compiled, _ in places:
            setattr(module, name, compiled)


def check(form: str, data: bytes, draw: random.Random, folder: Path, *, thorough: bool = False) -> int:
    """Read ``data`` as ``form`` in several ways; return how many frames there were.

    ``stop`` and ``skip`` always; through a pipe and with interpreted kernels as one of the two, and as what
    the first bytes say now and then, which ``thorough`` makes both and always.

    Raises:
        BrokenPropertyError: a property does not hold. Any other exception passes.
    """
    real = "log" if form == "screen" else form
    path = folder / f"input{plugins.FORMATS[real].suffixes[0]}"
    path.write_bytes(data)
    options = draw.choice(_OPTIONS.get(real, ({},)))
    stop = read(str(path), real, data, "stop", options)
    skip = read(str(path), real, data, "skip", options)
    expect(stop.skipped == 0, "stop has skipped")
    if real in _MERGED:
        missing = Counter(stop.frames) - Counter(skip.frames)
        expect(not missing, f"skip does not give all frames that stop gives: {[*missing][:1]}; {stop.error}")
    else:
        expect(
            skip.frames[: len(stop.frames)] == stop.frames,
            f"skip does not begin with what stop gives: {difference(stop.frames, skip.frames)}; {stop.error}",
        )
    if stop.error is None:
        expect(
            skip == stop, f"skip is not stop where nothing is wrong: {skip.skipped} {skip.error} {skip.notes}"
        )
    ways = [("stop", stop), ("skip", skip)]
    with interpreted_kernels():
        for on_error, outcome in ways if thorough else [draw.choice(ways)]:
            same(f"interpreted, {on_error}", outcome, read(str(path), real, data, on_error, options))
    if real not in NEED_PATH:
        for on_error, outcome in ways if thorough else [draw.choice(ways)]:
            piped = read(Pieces(data, draw), real, data, on_error, options)
            same_frames(f"a pipe, {on_error}", outcome, piped)
    if thorough or draw.random() < 0.1:
        read(str(path), None, data, "skip", {})
    if skip.frames and (thorough or draw.random() < 0.2):
        for name in plugins.writable() if thorough else [draw.choice([*plugins.writable()])]:
            check_written(path, real, name, len(skip.frames), folder, options)
    return len(skip.frames)


def prepare(folder: Path) -> None:
    """Use every format once: some bring libraries with threads, which take their memory then."""
    path = folder / "first.log"
    path.write_bytes(b"(1.0) can0 123#11\n")
    for name in plugins.writable():
        check_written(path, "log", name, 1, folder, {})


def check_written(
    path: Path, form: str, name: str, count: int, folder: Path, reading: dict[str, Any]
) -> None:
    """Write the frames of ``path``, read with the options ``reading``, as ``name``, and read that again.

    Raises:
        BrokenPropertyError: what was written has faults, or other frames than those that are not left out.
    """
    output = folder / f"output{plugins.FORMATS[name].suffixes[0]}"
    output.unlink(missing_ok=True)
    options = {"tz": "UTC"} if "tz" in plugins.FORMATS[name].writer_options else {}
    try:
        with (
            open_reader(
                str(path), form, as_command=True, on_error="skip", **{"tz": "UTC", **reading}
            ) as reader,
            open_writer(str(output), name, {**plugins.FORMATS[name].writing, **options}) as writer,
        ):
            for batch in reader.batches():
                writer.write(batch)
    except UsageError:
        return
    except FormatError:  # of the reader, behind its last frame
        count = -1
    again = read(str(output), name, output.read_bytes(), "stop", {})
    expect(again.error is None, f"written as {name}, and read again: {again.error}")
    left_out = sum(lost for kind, lost in writer.losses.items() if kind.endswith("(left out)"))
    wrong = count >= 0 and len(again.frames) != count - left_out
    expect(
        not wrong, f"written as {name}: {count} frames, {left_out} left out, {len(again.frames)} read again"
    )


def same(what: str, one: Outcome, other: Outcome) -> None:
    expect(one.frames == other.frames, f"{what}: {difference(one.frames, other.frames)}")
    said = [(one.error, one.skipped, one.notes), (other.error, other.skipped, other.notes)]
    expect(said[0] == said[1], f"{what}: {said[0]}; {said[1]}")


def same_frames(what: str, one: Outcome, other: Outcome) -> None:
    """Compare without the words, in which a pipe has another name."""
    expect(
        one.frames == other.frames,
        f"{what}: {difference(one.frames, other.frames)}; {one.error}; {other.error}",
    )
    expect((one.error is None) == (other.error is None), f"{what}: {one.error}; {other.error}")


def difference(one: list[Frame], other: list[Frame]) -> str:
    for row, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return f"frame {row} is {left} and {right}"
    return f"{len(one)} and {len(other)} frames"


def compressed(data: bytes, kind: str) -> bytes:
    """Return ``data`` as ``gzip`` or ``zstd``, in one or two members."""
    made = b""
    for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
        packer = deflater(kind)
        made += packer.compress(piece) + packer.finish()
    return made
