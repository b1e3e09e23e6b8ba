"""CAN XL frames by rule: what cangen -X sends, as batches.

They are made one by one, in Python: their data is long, so that little would be gained by a kernel.

Source: can-utils 2025, cangen's usage.
"""

from __future__ import annotations

from random import Random
from typing import Any

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import CAN_SFF_MASK
from cantools_cli.frame.xl import IS_XL, MAX_DATA, RRS, SEC, XlMessage
from cantools_cli.kernels import generate as kernel
from cantools_cli.streams.generator import Generator, parse_data, parse_identifier

_HEX = frozenset("0123456789abcdefABCDEF")
_ROWS = 64  #: frames of a batch at most: each has up to 2 KiB


class XlGenerator(Generator):
    """CAN XL frames by rule; otherwise as ``Generator``, whose arguments of the same names these are.

    ``identifier`` is the priority. ``length`` is ``r``, ``i`` or bytes, 1 to 2048. ``flags``, ``sdt``,
    ``acceptance_field`` and ``vcid`` are ``r`` random, ``i`` counted up, or hexadecimal; of the flags count
    1 SEC and 2 RRS.

    Raises:
        UsageError: a mode is none, or they contradict each other.
    """

    def __init__(
        self,
        *,
        identifier: str = "r",
        length: str | None = None,
        data: str = "r",
        flags: str = "0",
        sdt: str = "0",
        acceptance_field: str = "r",
        vcid: str = "0",
        **schedule: Any,
    ) -> None:
        super().__init__(**schedule)
        self._random = Random(self.seed)
        self._priority = parse_identifier(identifier, 0)
        self._xl_data = parse_data(data, MAX_DATA)
        self._size = _size(length, self._xl_data.size)
        self._flags = _Field(flags, SEC | RRS, "flags", ignored=IS_XL)
        self._sdt = _Field(sdt, 0xFF, "SDU type")
        self._acceptance_field = _Field(acceptance_field, 0xFFFFFFFF, "acceptance field")
        self._vcid = _Field(vcid, 0xFF, "VCID")

    def take(self, rows: int) -> MessageBatch:
        rows = self._rows(min(rows, _ROWS))
        batch = MessageBatch(channels=(self._channel,))
        numerator, denominator = self._gap
        for _ in range(rows):
            message = self._drawn()
            message.timestamp_ns = self._start_ns + self.drawn * numerator // denominator
            batch.append(message)
            self.drawn += 1
        return batch

    def _drawn(self) -> XlMessage:
        flags = self._flags.value(self.drawn, self._random)
        return XlMessage(
            arbitration_id=self._draw_priority(),
            data=self._draw_data(),
            vcid=self._vcid.value(self.drawn, self._random),
            sdt=self._sdt.value(self.drawn, self._random),
            sec=bool(flags & SEC),
            rrs=bool(flags & RRS),
            acceptance_field=self._acceptance_field.value(self.drawn, self._random),
            channel=self._channel,
        )

    def _draw_priority(self) -> int:
        mode, fixed = self._priority
        if mode == kernel.FIXED:
            return fixed
        value = self.drawn & CAN_SFF_MASK if mode == kernel.INCREMENT else self._random.getrandbits(11)
        if mode == kernel.EVEN:
            return value & ~1
        return value | 1 if mode == kernel.ODD else value

    def _draw_data(self) -> bytearray:
        size = self._size
        if isinstance(size, str):
            size = 1 + (self.drawn % MAX_DATA if size == "i" else self._random.randrange(MAX_DATA))
        data = self._xl_data
        if data.mode == kernel.INCREMENT:
            return bytearray((self.drawn & (1 << 64) - 1).to_bytes(8, "little")[:size].ljust(size, b"\0"))
        result = bytearray(data.pattern[:size])
        if data.mode == kernel.RANDOM:
            drawn = self._random.randbytes(size)
            for at in range(size):
                result[at] |= drawn[at] & data.mask[at]
        return result


class _Field:
    """One field of ``most`` at most: random, counted up or fixed."""

    def __init__(self, text: str, most: int, name: str, *, ignored: int = 0) -> None:
        self._mode = text
        self._most = most
        self._fixed = 0
        if text in ("r", "i"):
            return
        digits = text[2:] if text[:2] in ("0x", "0X") else text
        if not digits or set(digits) - _HEX or int(digits, 16) & ~ignored > most:
            raise UsageError(
                f"bad {name} {quoted(text)}", hint=f"r random, i counted up, or hexadecimal up to {most:X}"
            )
        self._fixed = int(digits, 16) & most

    def value(self, number: int, random: Random) -> int:
        if self._mode == "r":
            return random.getrandbits(self._most.bit_length())
        return number & self._most if self._mode == "i" else self._fixed


def _size(text: str | None, given: int) -> str | int:
    """Return a mode, or a number of bytes; by default that of the data, if it has one."""
    if text is None:
        return given or "r"
    if text in ("r", "i"):
        return text
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[-18:]) <= MAX_DATA:
        raise UsageError(
            f"bad length {quoted(text)}", hint=f"r random, i counted up, or 1 to {MAX_DATA} bytes"
        )
    return int(text)
