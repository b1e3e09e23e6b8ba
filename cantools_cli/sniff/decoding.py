"""Decoding of data with the format strings of python-can's viewer.

::

    100:<BHL:1:10:100.0    identifier 100: 8, 16 and 32 bits, little-endian; divided by 1, 10 and 100.0

The identifier is hexadecimal and of either kind; the format is that of Python's ``struct``. Each value is
divided by its scale: floor division for an integer scale, true division for a decimal one. Data may be longer
than the format.

Source: python-can's manual, "CAN viewer".
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from math import isfinite

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.message import Channel

Value = int | float | bool | str
#: returns the values of a frame, by its identifier, the kind of that, its data and its channel; None for an
#: unknown one
Decoder = Callable[[int, bool, bytes, Channel], list[Value] | None]
_FORM = "HEXID:FORMAT[:SCALE...], as in 100:<BHL:1:10:100.0, or a file of such lines"


class StructDecoder:
    """Decodes with one ``struct`` format per identifier; the last one for an identifier wins."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._known: dict[int, tuple[struct.Struct, list[int | float]]] = {}
        for place, text in _lines(texts):
            try:
                identifier, layout, scales = _parsed(text)
            except ValueError as error:
                raise UsageError(f"{place}bad decoding {quoted(text)}: {error}", hint=_FORM) from error
            self._known[identifier] = layout, scales

    def __call__(
        self, arbitration_id: int, is_extended_id: bool, data: bytes, channel: Channel = None
    ) -> list[Value] | None:
        """Return the values of a frame; None if its identifier is unknown, ValueError if data is missing."""
        known = self._known.get(arbitration_id)
        if known is None:
            return None
        layout, scales = known
        if layout.size > len(data):
            raise ValueError(f"{len(data)} of {layout.size} bytes")
        values = [_plain(value) for value in layout.unpack_from(data)]
        return (
            [_scaled(value, scale) for value, scale in zip(values, scales, strict=True)] if scales else values
        )


def _plain(value: object) -> Value:
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    assert isinstance(value, int | float)
    return value


def _scaled(value: Value, scale: int | float) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(scale, int):
        return value // scale
    return value / scale


def _lines(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each format with its place for messages."""
    for text in texts:
        if ":" in text and not os.path.isfile(text):
            yield "", text
            continue
        with open(text, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith("#"):
                    yield f"{text}:{number}: ", line.strip()


def _parsed(text: str) -> tuple[int, struct.Struct, list[int | float]]:
    identifier, _, rest = text.partition(":")
    form, *scales = rest.split(":")
    digits = identifier.removeprefix("0x")
    if not digits or not set(digits) <= set("0123456789abcdefABCDEF"):
        raise ValueError("the identifier is not hexadecimal")
    if int(digits, 16) > bits.CAN_EFF_MASK:
        raise ValueError("the identifier is above 1FFFFFFF")
    try:
        layout = struct.Struct(form)
    except struct.error as error:
        raise ValueError(str(error)) from error
    if not 0 < layout.size <= 64:
        raise ValueError(f"{layout.size} bytes, but a frame has 1 to 64")
    numbers = [_scale(scale) for scale in scales]
    values = len(layout.unpack(bytes(layout.size)))
    if numbers and len(numbers) != values:
        raise ValueError(f"{len(numbers)} scales for {values} values")
    return int(digits, 16), layout, numbers


def _scale(text: str) -> int | float:
    try:
        number = int(text) if text.strip().lstrip("+-").isdigit() else float(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} is not a number") from None
    if not number or not isfinite(number):
        raise ValueError(f"{quoted(text)} is not a scale")
    return number
