"""Files of Arrow tables: Parquet, Arrow and CSV."""

from __future__ import annotations

from typing import Any

from cantools_cli.io.arrow.table import Pieces, load_pyarrow
from cantools_cli.io.files import OutputStream

#: suffix of each format
SUFFIXES = {"parquet": ".parquet", "arrow": ".arrow", "csv": ".csv"}

#: columns in which few values are equal
_OF_MANY_VALUES = ("timestamp", "value")
#: rows that become text at a time
_CSV_ROWS = 1 << 14
#: whole numbers below are written without an exponent
_PLAIN = 1e9


class TableFile:
    """A file of one table, in the format ``form``: ``parquet``, ``arrow`` or ``csv``.

    Arrow is a stream if the name ends in ``.arrows`` or the output is a pipe, else a file.
    """

    def __init__(self, output: OutputStream, form: str, schema: Any) -> None:
        self._output = output
        self._form = form
        self._pieces = Pieces()
        self._writer = _OPENERS[form](self, schema)

    def write(self, table: Any) -> None:
        """Write the rows of ``table``, as one row group or record batch.

        Raises:
            OSError: the disk is full.
        """
        if self._form == "csv":
            for batch in table.to_batches(max_chunksize=_CSV_ROWS):
                self._writer.write_batch(batch)
                self._output.write(self._pieces.take())
        elif self._form == "parquet":
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        else:
            for batch in table.combine_chunks().to_batches():
                self._writer.write_batch(batch)
        self._output.write(self._pieces.take())

    def close(self) -> None:
        """Complete the file."""
        try:
            self._writer.close()
            self._output.write(self._pieces.take())
        finally:
            self._output.close()

    def abort(self) -> None:
        """Close the file as it is."""
        self._output.close()

    def _parquet(self, schema: Any) -> Any:
        parquet = load_pyarrow("pyarrow.parquet")
        arrow = load_pyarrow()
        dictionaries = [field.name for field in schema if arrow.types.is_dictionary(field.type)]
        return parquet.ParquetWriter(
            self._pieces,
            schema,
            compression="snappy",  # zstd takes a third longer, for a tenth less
            use_dictionary=[name for name in schema.names if name not in _OF_MANY_VALUES],
            write_statistics=[name for name in schema.names if name not in dictionaries],
            column_encoding={"timestamp": "DELTA_BINARY_PACKED"},
        )

    def _arrow(self, schema: Any) -> Any:
        ipc = load_pyarrow("pyarrow.ipc")
        is_file = self._output.seekable and not self._output.name.lower().endswith(".arrows")
        options = ipc.IpcWriteOptions(emit_dictionary_deltas=is_file)
        return (ipc.new_file if is_file else ipc.new_stream)(self._pieces, schema, options=options)

    def _csv(self, schema: Any) -> Any:
        return _CsvWriter(self._pieces, schema)


_OPENERS = {"parquet": TableFile._parquet, "arrow": TableFile._arrow, "csv": TableFile._csv}


class _CsvWriter:
    """Writes rows as text, after a header; a null is empty.

    A float64 always has a point or an exponent: a reader that guesses types by the first rows would take
    whole ones for integers, and round the others.
    """

    def __init__(self, pieces: Pieces, schema: Any) -> None:
        self._pieces = pieces
        self._arrow, self._compute = load_pyarrow(), load_pyarrow("pyarrow.compute")
        pieces.write((",".join(_quoted(name) for name in schema.names) + "\n").encode())

    def write_batch(self, batch: Any) -> None:
        """Write the rows of ``batch``."""
        texts = [self._text(column) for column in batch.columns]
        lines = self._compute.binary_join_element_wise(*texts, ",", null_handling="replace")
        lines = self._compute.binary_join_element_wise(lines, "\n", "")
        self._pieces.write(lines.buffers()[2] or b"")  # the lines one after another

    def close(self) -> None:
        """Do nothing: the text is complete."""

    def _text(self, column: Any) -> Any:
        arrow, compute = self._arrow, self._compute
        if arrow.types.is_dictionary(column.type):
            texts = [_quoted(text) for text in column.dictionary.to_pylist()]
            column = arrow.DictionaryArray.from_arrays(column.indices, arrow.array(texts, arrow.string()))
            return column.cast(arrow.string())
        if arrow.types.is_timestamp(column.type):  # with its zone it takes ten times as long
            plain = column.cast(arrow.timestamp("ns")).cast(arrow.string())
            return compute.binary_join_element_wise(plain, "Z", "")
        text = column.cast(arrow.string())
        if arrow.types.is_float64(column.type):
            whole = self._is_plain(column, text)
            text = compute.if_else(whole, compute.binary_join_element_wise(text, ".0", ""), text)
        return text

    def _is_plain(self, column: Any, text: Any) -> Any:
        """Return which of the numbers have neither a point nor an exponent in their ``text``."""
        compute = self._compute
        limits = compute.min_max(column).as_py()
        low, high = limits["min"] or 0, limits["max"] or 0
        if low > -_PLAIN and high < _PLAIN:
            return compute.equal(compute.trunc(column), column)
        return compute.match_substring_regex(text, r"^-?[0-9]+$")


def _quoted(text: str) -> str:
    if not text or any(character in text for character in '",\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
