"""The signals of frames as text: after a log line, or as members of a JSON object.

::

    Engine(Speed: 1500.5 rpm, Gear: Third)        a frame of the message Engine
    Engine(Speed: 1500.5 rpm) (3 of 8 bytes)      it ends before the signal Gear does
    All(Engine(Speed: 1500.5 rpm), Body(A: 1))    a container of messages; in JSON a list "contained"
    unknown                                       no message of the database
    "message":"Engine","signals":{"Speed":1500.5,"Gear":"Third"}
    "message":null

Remote, error and CAN XL frames, and those of channels without a database, have no text. A signal that the
multiplexer of the frame does not select is left out.

A scaled value has up to 15 digits, since the 16th and 17th digit of a double are rounding errors of the
multiplication; a float has the fewest digits that give the same float of its size.
"""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Callable, Sequence
from math import isfinite

from cantools_cli.decoding.columns import Decoder, MessageTable, SignalColumn
from cantools_cli.decoding.model import MessageSpec, Number, SignalSpec
from cantools_cli.errors import printable
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import signals as kernel

_EXACT = 1e15  # from here on 15 digits would lose whole numbers
_SINGLES = {16: ("<e", range(3, 6)), 32: ("<f", range(6, 10))}


class SignalText:
    """Writes the signals of batches, frame by frame.

    Attributes:
        decoder: counts what it could not decode.
    """

    def __init__(self, decoder: Decoder, *, as_json: bool = False, with_names: bool = True) -> None:
        self.decoder = decoder
        self._as_json = as_json
        self._with_names = with_names

    def rows(self, batch: MessageBatch) -> list[str]:
        """Return the text of each frame, "" for one that is not to be decoded."""
        texts = [""] * len(batch)
        numbers = self.decoder.numbers(batch)
        if kernel.UNKNOWN in numbers:
            self._mark_unknown(batch, numbers, texts)
        contained: dict[int, list[str]] = {}
        for table in self.decoder.tables_of(batch, numbers):
            is_contained = table.message.name != self._message(numbers[table.rows[0]]).name
            for row, text in zip(table.rows, self._table(table, batch), strict=True):
                if is_contained:
                    contained.setdefault(row, []).append(text)
                else:
                    texts[row] = text
        for row, number in enumerate(numbers):
            if number != kernel.UNKNOWN and not texts[row]:
                texts[row] = self._container(self._message(number), contained.get(row, ()))
        return texts

    def _message(self, number: int) -> MessageSpec:
        return self.decoder.messages[number][1]

    def _container(self, message: MessageSpec, parts: Sequence[str]) -> str:
        """Return the text of a container of messages; ``parts`` are the texts of these."""
        if self._as_json:
            members = ",".join(f"{{{part}}}" for part in parts)
            return f'"message":{json.dumps(message.name)},"contained":[{members}]'
        return f"{message.name}({', '.join(parts)})"

    def _mark_unknown(self, batch: MessageBatch, numbers: array[int], texts: list[str]) -> None:
        unknown = '"message":null' if self._as_json else "unknown"
        databases = self.decoder.databases
        described = [databases.for_channel(channel) is not None for channel in batch.channels]
        for row, number in enumerate(numbers):
            if (
                number == kernel.UNKNOWN
                and described[batch.channel[row]]
                and not batch.can_id[row] & (bits.CAN_ERR_FLAG | bits.CAN_RTR_FLAG)
                and not batch.flags[row] & bits.XL
            ):
                texts[row] = unknown

    def _table(self, table: MessageTable, batch: MessageBatch) -> list[str]:
        """Return the text of each frame of ``table``."""
        columns = [
            _cells(column, as_json=self._as_json, with_names=self._with_names) for column in table.columns
        ]
        if all(column.is_complete for column in table.columns):
            frames = [*zip(*columns, strict=True)] if columns else [()] * len(table)
        else:
            frames = [tuple(filter(None, cells)) for cells in zip(*columns, strict=True)]
        if self._as_json:
            start = f'"message":{json.dumps(table.message.name)},"signals":{{'
            texts = [f"{start}{','.join(cells)}}}" for cells in frames]
        else:
            texts = [f"{table.message.name}({', '.join(cells)})" for cells in frames]
        if table.short:
            for index, is_short in enumerate(table.is_short):
                if is_short:
                    texts[index] += self._shortage(table, batch, index)
        return texts

    def _shortage(self, table: MessageTable, batch: MessageBatch, index: int) -> str:
        if self._as_json:
            return ',"is_short":true'
        row = table.rows[index]
        if not batch.offset[row + 1] - batch.offset[row] < table.message.length:  # it is in a container
            return " (too short)"
        return f" ({batch.offset[row + 1] - batch.offset[row]} of {table.message.length} bytes)"


def _cells(column: SignalColumn, *, as_json: bool, with_names: bool) -> list[str]:
    """Return the text of the signal in each frame, "" if it does not have it."""
    signal = column.signal
    spell = _json_number(signal) if as_json else number_speller(signal)
    start = f"{json.dumps(signal.name)}:" if as_json else f"{signal.name}: "
    unit = f" {printable(signal.unit)}" if signal.unit and not as_json else ""
    texts = [f"{start}{spell(value)}{unit}" for value in column.physical]
    if with_names and signal.choices:
        names = {
            raw: start + (json.dumps(name) if as_json else printable(name))
            for raw, name in signal.choices.items()
        }
        for index in range(len(texts)):
            raw = column.raw_at(index)
            if raw in names:  # a float equals a whole number only if it is one
                texts[index] = names[int(raw)]
    if not column.is_complete:
        texts = [text if has_one else "" for text, has_one in zip(texts, column.valid, strict=True)]
    return texts


def number_speller(signal: SignalSpec) -> Callable[[Number], str]:
    """Return what writes a physical value of ``signal``."""
    if signal.is_whole:
        return str
    if signal.is_float and signal.factor == 1 and signal.shift == 0:
        if signal.size == 64:
            return _trimmed
        code, digits = _SINGLES[signal.size]
        return lambda value: _shortest(value, code, digits)
    return _scaled


def _scaled(value: Number) -> str:
    if isinstance(value, float) and abs(value) >= _EXACT:
        return _trimmed(value)
    return f"{value:.15g}"


def _trimmed(value: Number) -> str:
    return repr(value).removesuffix(".0")


def _shortest(value: Number, code: str, digits: range) -> str:
    if not isfinite(value):
        return str(value)
    text = ""
    for count in digits:
        text = f"{value:.{count}g}"
        try:
            if struct.unpack(code, struct.pack(code, float(text)))[0] == value:
                return text
        except OverflowError:  # rounded up above the largest one
            continue
    return text


def _json_number(signal: SignalSpec) -> Callable[[Number], str]:
    """Return what writes a physical value in JSON, which lacks infinities and NaN.

    All numbers of a signal with fractions have a point or an exponent: tools that guess the type from the
    first rows would round the later ones.
    """
    spell = number_speller(signal)
    if signal.is_whole:
        return spell

    def spelled(value: Number) -> str:
        if not isfinite(value):
            return "null"
        text = spell(value)
        return text if "." in text or "e" in text else f"{text}.0"

    return spelled
