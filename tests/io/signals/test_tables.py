"""Tables of signals that no DBC file describes, or that do not fit into usual types."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.model import ContainerHeader, Database, MessageSpec, SignalSpec
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.files import OutputStream
from cantools_cli.io.signals.base import SignalWriter
from cantools_cli.io.signals.files import TableFile
from cantools_cli.io.signals.tables import REPEATED, ROUNDED, LongTable, MessageTables, WideTable

parquet = pytest.importorskip("pyarrow.parquet")
DOORS = MessageSpec("Doors", 0x100, False, 1, (SignalSpec("Open", 0, 1),), is_fd=True)
BOX = MessageSpec(
    "Box", 0x100, False, 64, is_fd=True, contained={5: DOORS}, header=ContainerHeader(3, 1, True)
)


def written(
    layout: Any, database: Database, folder: Path, *frames: bytes
) -> tuple[SignalWriter, dict[str, list[dict[str, Any]]]]:
    """Return the writer and the rows of each file of the layout."""

    def opener(name: str, schema: Any) -> TableFile:
        return TableFile(OutputStream(folder / f"{name or 'all'}.parquet", is_binary=True), "parquet", schema)

    writer = layout(Decoder(database), opener)
    writer.write(
        MessageBatch(
            Message(arbitration_id=0x100, is_extended_id=False, is_fd=True, timestamp=number, data=data)
            for number, data in enumerate(frames)
        )
    )
    writer.close()
    return writer, {path.stem: parquet.read_table(path).to_pylist() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("layout", "file", "column", "values"),
    [
        (LongTable, "all", "value", [1.0, 0.0, 1.0]),
        (MessageTables, "Doors", "Open", [1, 0, 1]),
        (WideTable, "all", "Doors.Open", [1, 1]),
    ],
)
def test_the_messages_of_a_container_have_rows(tmp_path, layout, file, column, values):
    frames = (bytes.fromhex("00000501010000"), bytes.fromhex("000005010000000501010000"))
    writer, tables = written(layout, Database("box", (BOX,)), tmp_path, *frames)
    assert [row[column] for row in tables[file]] == values
    assert dict(writer.losses) == ({REPEATED: 1} if layout is WideTable else {})


def test_a_signal_of_any_size_is_exact_in_its_column(tmp_path):
    signals = (
        SignalSpec("Word", 0, 64),
        SignalSpec("Scaled", 0, 64, factor=4),
        SignalSpec("Wide", 0, 128, is_signed=True),
        SignalSpec("Wider", 0, 200),
        SignalSpec("Widest", 0, 300),
        SignalSpec("Fraction", 0, 128, factor=0.5),
    )
    database = Database("wide", (MessageSpec("M", 0x100, False, 64, signals, is_fd=True),))
    data = b"\xff" * 64
    _, tables = written(MessageTables, database, tmp_path, data, data[:8])
    first, second = tables["M"]
    assert first["Word"] == second["Word"] == 2**64 - 1
    assert first["Scaled"] == second["Scaled"] == Decimal(4 * (2**64 - 1))
    assert (first["Wide"], second["Wide"]) == (Decimal(-1), None)
    assert (first["Wider"], first["Widest"]) == (Decimal(2**200 - 1), str(2**300 - 1))
    assert first["Fraction"] == 2.0**127


def test_a_factor_above_all_64_bit_integers_is_exact(tmp_path):
    signals = (SignalSpec("S", 0, 1, is_signed=True, factor=1 << 63),)
    database = Database("wide", (MessageSpec("M", 0x100, False, 1, signals),))
    _, tables = written(MessageTables, database, tmp_path, b"\1", b"\0")
    assert [row["S"] for row in tables["M"]] == [-(1 << 63), 0]


def test_a_signal_of_thousands_of_bits_is_text(tmp_path):
    signals = (SignalSpec("Plain", 0, 8), SignalSpec("Huge", 0, 16_000))
    database = Database("huge", (MessageSpec("M", 0x100, False, 2000, signals, is_fd=True),))
    _, tables = written(MessageTables, database, tmp_path, b"\1")
    assert [(row["Plain"], row["Huge"]) for row in tables["M"]] == [(1, None)]


def test_values_of_rare_messages_do_not_wait_without_bound(tmp_path, monkeypatch):
    monkeypatch.setattr("cantools_cli.io.signals.tables._GROUP_ROWS", 4)
    monkeypatch.setattr("cantools_cli.io.signals.tables._HELD_VALUES", 10)
    named = SignalSpec("S", 0, 8, choices={1: "One"})
    messages = tuple(MessageSpec(name, key, False, 1, (named,)) for name, key in (("Busy", 1), ("Rare", 2)))
    groups: list[str] = []

    def opener(name: str, schema: Any) -> TableFile:
        file = TableFile(OutputStream(tmp_path / f"{name}.parquet", is_binary=True), "parquet", schema)
        monkeypatch.setattr(file, "write", lambda table: groups.append(name))
        return file

    writer = MessageTables(Decoder(Database("names", messages)), opener)
    monkeypatch.setattr(writer, "_limit", 1)  # decode at once
    for _ in range(6):
        writer.write(
            MessageBatch(Message(arbitration_id=1, is_extended_id=False, data=b"\1") for _ in range(5))
        )
    frame = Message(arbitration_id=2, is_extended_id=False, data=b"\1")
    writer.write(MessageBatch([frame] * 3))  # each with a time, a channel, a value and a name
    assert "Rare" in groups
    writer.close()


def test_rounded_values_are_counted_in_a_long_table(tmp_path):
    database = Database("wide", (MessageSpec("M", 0x100, False, 8, (SignalSpec("Word", 0, 64),)),))
    frames = [number.to_bytes(8, "little") for number in (2**53, 2**53 + 1, 2**64 - 1, 2**63)]
    writer, tables = written(LongTable, database, tmp_path, *frames)
    assert [row["value"] for row in tables["all"]] == [2.0**53, 2.0**53, 2.0**64, 2.0**63]
    assert dict(writer.losses) == {ROUNDED: 2}


def test_a_name_of_a_float_is_that_of_an_equal_value(tmp_path):
    import struct

    signal = SignalSpec("Ratio", 0, 32, is_float=True, choices={1: "One"})
    database = Database("floats", (MessageSpec("M", 0x100, False, 4, (signal,)),))
    frames = [struct.pack("<f", value) for value in (1.0, 1.5, float("nan"), float("inf"))]
    _, tables = written(MessageTables, database, tmp_path, *frames)
    assert [row["Ratio_name"] for row in tables["M"]] == ["One", None, None, None]
