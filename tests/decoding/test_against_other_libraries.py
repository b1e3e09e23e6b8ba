"""Random databases and frames: canx decodes like canmatrix and asammdf, except in the known differences.

canmatrix refuses frames of another length than the message. asammdf ignores ranges of multiplexers, takes
what a short frame does not have from padding, and loses the sign or the last bits of some integers.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.model import Value
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.mf4 import MF4Writer
from tests.decoding.dbc_strategies import DrawnMessage, DrawnSignal, databases, dbc_text
from tests.decoding.judge import frame, read

canmatrix_formats = pytest.importorskip("canmatrix.formats")
canmatrix = pytest.importorskip("canmatrix")
asammdf = pytest.importorskip("asammdf")

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]


def without(drawn: DrawnMessage, left_out: Callable[[DrawnSignal], bool]) -> DrawnMessage:
    """Return a message without the signals that a library does not have, and what they select."""
    kept: dict[str, DrawnSignal] = {}
    for signal in drawn.signals:
        if not left_out(signal) and (not signal.selector or signal.selector in kept):
            kept[signal.name] = signal
    return replace(drawn, signals=tuple(kept.values()))


def raw_by_canx(drawn: DrawnMessage, payloads: list[bytes]) -> list[dict[str, Value]]:
    """Return the raw values of each frame."""
    frames = [frame(drawn.arbitration_id, data, is_extended_id=drawn.is_extended_id) for data in payloads]
    (table,) = Decoder(read(dbc_text([drawn]))).tables(MessageBatch(frames))
    return [
        {column.signal.name: column.raw_at(row) for column in table.columns if column.valid[row]}
        for row in range(len(payloads))
    ]


def are_near(first: Value, second: Any) -> bool:
    if isinstance(first, float) and math.isnan(first):
        return math.isnan(second)
    return bool(first == second)


@settings(max_examples=60)
@given(data=st.data(), drawn=databases().map(lambda messages: messages[0]))
def test_canmatrix_finds_the_same_raw_values(data: st.DataObject, drawn: DrawnMessage) -> None:
    drawn = without(drawn, lambda signal: signal.is_float and signal.size == 16)  # it raises KeyError
    text = dbc_text([drawn])
    matrix = canmatrix_formats.loads_flat(text.encode(), "dbc", dbcImportEncoding="utf-8")
    identifier = canmatrix.ArbitrationId(drawn.arbitration_id, extended=drawn.is_extended_id)
    payloads = data.draw(st.lists(exactly(drawn), min_size=1, max_size=5))
    for payload, found in zip(payloads, raw_by_canx(drawn, payloads), strict=True):
        wanted = {name: signal.raw_value for name, signal in matrix.decode(identifier, payload).items()}
        assert found.keys() == wanted.keys(), (text, payload.hex())
        assert all(are_near(value, wanted[name]) for name, value in found.items()), (text, payload.hex())


def exactly(drawn: DrawnMessage) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=drawn.length, max_size=drawn.length)


def _is_beyond_asammdf(signal: DrawnSignal) -> bool:
    """Return whether asammdf ignores some of the ranges, or has another number than the bits."""
    is_range = len({*signal.ranges}) > 1 or any(low != high for low, high in signal.ranges)
    is_array = signal.first % 8 + signal.size > 64
    is_inexact = signal.is_signed and signal.size > 32
    has_no_sign = signal.is_signed and signal.size == 8 and signal.first % 8 != 0
    return is_range or is_array or is_inexact or has_no_sign or signal.is_float


@settings(max_examples=15, phases=[Phase.generate])
@given(data=st.data(), drawn=databases().map(lambda messages: messages[0]))
def test_asammdf_finds_the_same_raw_values(data: st.DataObject, drawn: DrawnMessage) -> None:
    drawn = without(drawn, _is_beyond_asammdf)
    payloads = data.draw(st.lists(exactly(drawn), min_size=1, max_size=5))
    wanted: dict[str, list[Value]] = {}
    for found in raw_by_canx(drawn, payloads):
        for name, value in found.items():
            wanted.setdefault(name, []).append(value)
    text = dbc_text([drawn])
    assert samples(drawn, text, payloads) == wanted, (text, [payload.hex() for payload in payloads])


def samples(drawn: DrawnMessage, text: str, payloads: list[bytes]) -> dict[str, list[Value]]:
    """Return what asammdf extracts from a log that canx wrote: raw values by the name of the signal."""
    with tempfile.TemporaryDirectory() as folder:
        log, database = Path(folder, "log.mf4"), Path(folder, "x.dbc")
        database.write_text(text, encoding="utf-8")
        with MF4Writer(log) as writer:
            for index, payload in enumerate(payloads):
                message = frame(drawn.arbitration_id, payload, is_extended_id=drawn.is_extended_id)
                message.timestamp_ns = index * 1_000_000
                writer.on_message_received(message)
        with asammdf.MDF(log) as file:
            extracted = file.extract_bus_logging({"CAN": [(str(database), 0)]})
            return {
                channel.name: extracted.get(channel.name, group=number, raw=True).samples.tolist()
                for number, group in enumerate(extracted.groups)
                for channel in group.channels
                if channel.name not in ("time", "timestamps", "Timestamp")
            }
