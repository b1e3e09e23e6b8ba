"""Compiles the emulated vendor libraries and controls them; the C side is ``stub.h``.

With ``CANX_STUB_SANITIZE=1`` they are built for AddressSanitizer and UndefinedBehaviorSanitizer, whose
libraries the process must have been started with (``make test-sanitized``).
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_FLAGS = (
    "-std=gnu11",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fPIC",
    "-shared",
    "-pthread",
    "-fvisibility=hidden",
)
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer")

KIND_FRAME, KIND_ERROR, KIND_STATE, KIND_OVERRUN = 1, 2, 3, 4
FLAG_EXTENDED, FLAG_REMOTE, FLAG_FD, FLAG_BRS, FLAG_ESI, FLAG_ECHO = 1, 2, 4, 8, 16, 32


class Record(ctypes.Structure):
    """A frame on a wire."""

    _fields_ = (
        ("magic", ctypes.c_uint32),
        ("kind", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("length", ctypes.c_uint8),
        ("sender", ctypes.c_uint8),
        ("id", ctypes.c_uint32),
        ("code", ctypes.c_uint32),
        ("serial", ctypes.c_uint64),
        ("time_ns", ctypes.c_int64),
        ("bitrate", ctypes.c_uint32),
        ("data_bitrate", ctypes.c_uint32),
        ("data", ctypes.c_uint8 * 64),
    )


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


def is_sanitized() -> bool:
    return os.environ.get("CANX_STUB_SANITIZE") == "1"


def compiled(name: str, *definitions: str, file_name: str = "") -> Path:
    """Return the library compiled from ``<name>.c`` with macros such as ``FD=1``, once for all processes.

    ``file_name`` is that of the vendor, for programs that look for it; its folder holds nothing else.
    """
    tool = compiler()
    if tool is None:
        import pytest

        pytest.skip("no C compiler")
    flags = (
        *_FLAGS,
        "-fvisibility=hidden",
        *(_SANITIZERS if is_sanitized() else ()),
        *(f"-D{macro}" for macro in definitions),
    )
    sources = (FOLDER / f"{name}.c", FOLDER / "stub.h")
    key = hashlib.sha256(b"\0".join([source.read_bytes() for source in sources] + [" ".join(flags).encode()]))
    folder = Path(tempfile.gettempdir()) / f"canx-stubs-{os.getuid()}" / f"{name}-{key.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (file_name or f"lib{name}-stub.so")
    with open(folder.parent / f"{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            fresh = folder.parent / f"{folder.name}.{os.getpid()}.so"
            command = [tool, *flags, "-I", str(FOLDER), "-o", str(fresh), str(sources[0])]
            subprocess.run(command, check=True)
            fresh.rename(path)
    return path


class Stub:
    """An emulated library that is loaded in this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.functions = ctypes.CDLL(str(path))
        self._typed("stub_reset", None)
        self._typed("stub_set", None, ctypes.c_char_p, ctypes.c_int64)
        self._typed("stub_fail", None, ctypes.c_char_p, ctypes.c_int64, ctypes.c_uint32, ctypes.c_uint32)
        self._typed("stub_inject", ctypes.c_int, ctypes.c_int32, ctypes.POINTER(Record))
        self._typed("stub_sent_count", ctypes.c_uint32)
        self._typed("stub_sent", ctypes.c_int, ctypes.c_uint32, ctypes.POINTER(Record))
        self._typed("stub_log", ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32)
        self._typed("stub_clear_log", None)
        self._typed("stub_violations", ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32)
        self._typed("stub_leaks", ctypes.c_int64)
        self._typed("stub_advance_clock", None, ctypes.c_int64)
        self._typed("stub_layout", ctypes.c_int64, ctypes.c_char_p, ctypes.c_char_p)
        self._typed("stub_unplug", None, ctypes.c_int32)

    def _typed(self, name: str, result: Any, *arguments: Any) -> None:
        function = getattr(self.functions, name)
        function.restype, function.argtypes = result, arguments

    def reset(self) -> None:
        """Forget everything: handles, rings, orders, logs."""
        self.functions.stub_reset()

    def set(self, key: str, value: int) -> None:
        """Set a hook of the library."""
        self.functions.stub_set(key.encode(), value)

    def fail(self, function: str, status: int, *, skip: int = 0, count: int = 1) -> None:
        """Let ``count`` calls of ``function`` return ``status``, after ``skip`` that work."""
        self.functions.stub_fail(function.encode(), status, skip, count)

    def inject(
        self,
        channel: int,
        *,
        kind: int = KIND_FRAME,
        arbitration_id: int = 0,
        data: bytes = b"",
        flags: int = 0,
        length: int | None = None,
        code: int = 0,
        time_ns: int = 0,
    ) -> None:
        """Let a record arrive at a channel of the library."""
        record = Record(
            magic=0x464B4358, kind=kind, flags=flags, id=arbitration_id, code=code, time_ns=time_ns
        )
        record.length = len(data) if length is None else length
        record.data[: len(data)] = data
        assert self.functions.stub_inject(channel, ctypes.byref(record)) == 0, "no such channel"

    def sent(self) -> list[Record]:
        """Return what the library has sent since the last reset."""
        records = []
        for index in range(self.functions.stub_sent_count()):
            record = Record()
            assert self.functions.stub_sent(index, ctypes.byref(record)) == 0
            records.append(record)
        return records

    def calls(self) -> list[str]:
        """Return the calls since the last reset or ``clear_calls``, a line each."""
        return self._text(self.functions.stub_log).splitlines()

    def clear_calls(self) -> None:
        self.functions.stub_clear_log()

    def violations(self) -> str:
        """Return the rules that the caller broke, a line each."""
        return self._text(self.functions.stub_violations)

    def leaks(self) -> int:
        """Return the number of open handles, ports and drivers."""
        return int(self.functions.stub_leaks())

    def advance_clock(self, nanoseconds: int) -> None:
        self.functions.stub_advance_clock(nanoseconds)

    def layout(self, structure: str, field: str = "") -> int:
        """Return the size of a structure or the offset of a field; -1 if unknown."""
        return int(self.functions.stub_layout(structure.encode(), field.encode()))

    def unplug(self, device: int = -1) -> None:
        self.functions.stub_unplug(device)

    @staticmethod
    def _text(function: Any) -> str:
        buffer = ctypes.create_string_buffer(1 << 16)
        function(buffer, len(buffer))
        return buffer.value.decode()


@contextmanager
def loaded(path: Path, *, may_violate: bool = False) -> Iterator[Stub]:
    """Yield the library at ``path`` with a wire of its own; then nothing is open, and no rule was broken."""
    before = os.environ.get("CANX_STUB_WIRES")
    with tempfile.TemporaryDirectory(prefix="cw-") as wires:  # a short name: those of sockets are limited
        os.environ["CANX_STUB_WIRES"] = wires
        stub = Stub(path)
        stub.reset()
        try:
            yield stub
            assert stub.leaks() == 0, f"{stub.leaks()} handles are open"
            assert may_violate or not stub.violations(), stub.violations()
        finally:
            stub.reset()
            if before is None:
                del os.environ["CANX_STUB_WIRES"]
            else:
                os.environ["CANX_STUB_WIRES"] = before
