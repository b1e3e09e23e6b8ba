"""The outputs of ``monitor``: JSON lines, comma-separated values, Parquet, or text for people.

One row per reading: timestamp, device, number, name, value, unit, label, error. JSON lines and CSV are
flushed after every round, and can be continued; Parquet is complete when its file is closed.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from abc import ABC, abstractmethod
from typing import IO, Any

from cantools_cli.console.xcom.shared import print_json, print_line
from cantools_cli.errors import UsageError
from cantools_cli.io.arrow.table import load_pyarrow
from cantools_cli.xcom.readings import Reading

COLUMNS = ("timestamp", "device", "number", "name", "value", "unit", "label", "error")
_GROUP_ROWS = 50_000


class Rows(ABC):
    """Receives readings, and writes them to ``file``, if any."""

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self._file = file

    @abstractmethod
    def put(self, reading: Reading) -> None: ...

    def flush(self) -> None:
        (self._file or sys.stdout).flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def open_rows(path: str | None, *, as_json: bool, force: bool, append: bool) -> Rows:
    """Open the file of ``-o`` by its suffix, else stdout: text for a terminal, JSON lines for a pipe."""
    if path is None or path == "-":
        if append or force:
            raise UsageError("--append and --force need a file: -o FILE")
        return _Json() if as_json or not os.isatty(1) else _Text()
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in (".csv", ".jsonl", ".ndjson", ".json", ".parquet"):
        raise UsageError(f"{path}: unknown suffix", hint=".csv, .jsonl or .parquet")
    if suffix == ".parquet" and append:
        raise UsageError(f"{path}: Parquet cannot be continued", hint="another file, .csv or .jsonl")
    if suffix == ".parquet":
        _load_parquet()  # before there is an empty file
    try:
        file = open(path, "ab" if append else "wb" if force else "xb")  # noqa: SIM115  # closed by the rows
    except FileExistsError:
        hint = "--force replaces it" + ("" if suffix == ".parquet" else ", --append continues it")
        raise UsageError(f"{path}: already exists", hint=hint) from None
    if suffix == ".parquet":
        return _Parquet(file)
    return _Csv(file) if suffix == ".csv" else _Json(file)


def _row(reading: Reading) -> dict[str, Any]:
    row = reading.as_json()
    row["error"] = None if row["error"] is None else row["error"]["name"]
    return {column: row[column] for column in COLUMNS}


class _Text(Rows):
    """For people."""

    def put(self, reading: Reading) -> None:
        from datetime import datetime

        print_line(f"{datetime.fromtimestamp(reading.timestamp):%H:%M:%S} {reading}")


class _Json(Rows):
    """JSON lines, to a file or stdout."""

    def put(self, reading: Reading) -> None:
        if self._file is None:
            print_json(_row(reading))
            return
        import json

        text = json.dumps(_row(reading), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        self._file.write(f"{text}\n".encode())


class _Csv(Rows):
    """Comma-separated values; a missing value is an empty field."""

    _file: IO[bytes]

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        if not file.tell():
            self._write(COLUMNS)

    def put(self, reading: Reading) -> None:
        row = _row(reading)
        row["timestamp"] = f"{reading.timestamp:.6f}"
        self._write(["" if row[column] is None else row[column] for column in COLUMNS])

    def _write(self, fields: Any) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(fields)
        self._file.write(text.getvalue().encode())


class _Parquet(Rows):
    """Parquet, in groups of bounded size."""

    def __init__(self, file: IO[bytes]) -> None:
        arrow, parquet = _load_parquet()
        super().__init__(file)
        self._held: list[dict[str, Any]] = []
        types = {"timestamp": arrow.timestamp("us", "UTC"), "number": arrow.int32(), "value": arrow.float64()}
        self._schema = arrow.schema([(column, types.get(column, arrow.string())) for column in COLUMNS])
        self._table = arrow.Table
        self._writer = parquet.ParquetWriter(file, self._schema)

    def put(self, reading: Reading) -> None:
        self._held.append(_row(reading) | {"timestamp": round(reading.timestamp * 1_000_000)})
        if len(self._held) >= _GROUP_ROWS:
            self._write()

    def _write(self) -> None:
        if self._held:
            self._writer.write_table(self._table.from_pylist(self._held, schema=self._schema))
            self._held.clear()

    def flush(self) -> None:
        """Do nothing: a file is complete when it is closed."""

    def close(self) -> None:
        self._write()
        self._writer.close()
        super().close()


def _load_parquet() -> tuple[Any, Any]:
    return load_pyarrow(), load_pyarrow("pyarrow.parquet")
