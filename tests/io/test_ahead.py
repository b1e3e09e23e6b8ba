"""Reading in a thread: the same batches, the same errors, no more of them at once than are allowed."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator

import pytest

from cantools_cli import kernels
from cantools_cli.console import inputs as inputs_module
from cantools_cli.console.inputs import Inputs
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.report import Report
from cantools_cli.console.sources import ReadOptions
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.ahead import DEPTH, BatchesAhead
from cantools_cli.io.files import OutputStream
from cantools_cli.io.formats import open_reader, open_writer

PATIENCE = 20  # seconds until a test fails that waits for a thread


def batches(count: int) -> list[MessageBatch]:
    return [MessageBatch() for _ in range(count)]


def test_all_come_in_order():
    given = batches(50)
    with BatchesAhead(iter(given)) as ahead:
        assert all(one is other for one, other in zip(ahead, given, strict=True))


def test_an_error_comes_behind_the_batches_before_it():
    given = batches(3)

    def source() -> Iterator[MessageBatch]:
        yield from given
        raise FormatError("line 4")

    with BatchesAhead(source()) as ahead:
        taken = iter(ahead)
        assert all(next(taken) is batch for batch in given)
        with pytest.raises(FormatError, match="line 4"):
            next(taken)


def test_it_reads_on_while_nobody_takes_but_only_so_far():
    made = []
    enough = threading.Event()

    def source() -> Iterator[MessageBatch]:
        for batch in batches(100):
            made.append(batch)
            if len(made) == DEPTH:
                enough.set()
            yield batch

    with BatchesAhead(source()) as ahead:
        taken = iter(ahead)
        next(taken)
        assert enough.wait(PATIENCE)
    assert len(made) == DEPTH


def test_leaving_early_ends_the_thread_and_closes_the_source_there():
    closed_in = []

    def source() -> Iterator[MessageBatch]:
        try:
            yield from batches(100)
        finally:
            closed_in.append(threading.current_thread().name)

    with BatchesAhead(source()) as ahead:
        next(iter(ahead))
    assert closed_in == ["read-ahead"]
    assert "read-ahead" not in [thread.name for thread in threading.enumerate()]


def test_leaving_before_the_first_one_ends_it_too():
    with BatchesAhead(iter(batches(100))):
        pass
    assert "read-ahead" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("suffix", "size", "processors", "is_ahead"),
    [("log", 1, 2, True), ("log", 1 << 30, 2, False), ("log", 1, 1, False), ("parquet", 1, 2, False)],
)
def test_a_thread_reads_large_files_of_formats_that_gain(
    tmp_path, monkeypatch, suffix, size, processors, is_ahead
):
    path = tmp_path / f"a.{suffix}"
    with open_writer(path, suffix, {}) as writer:
        writer.write(MessageBatch())
    path.write_bytes(path.read_bytes() or b"\n")
    monkeypatch.setattr(inputs_module, "_LARGE", size)
    monkeypatch.setattr(inputs_module, "usable_processors", lambda: processors)
    with (
        Interruption() as interruption,
        Inputs([str(path)], interruption, Report(quiet=True), ReadOptions(suffix)) as inputs,
    ):
        assert isinstance(inputs.batches_ahead(), BatchesAhead) == is_ahead


@pytest.mark.skipif(kernels.form() == "pure", reason="interpreted kernels hold the interpreter")
@pytest.mark.parametrize("direction", ["read", "write"])
@pytest.mark.parametrize("form", ["log", "asc", "csv", "json", "trc", "blf"])
def test_others_run_while_a_kernel_works(form, direction):
    options = {"compression_level": 0} if form == "blf" else {}
    log = "".join(f"({number}.000000) can0 123#11223344\n" for number in range(20_000))
    frames = list(open_reader(io.BytesIO(log.encode()), "log").batches())

    def write() -> bytes:
        kept = io.BytesIO()
        writer = open_writer(OutputStream(kept), form, options)
        for batch in frames:
            writer.write(batch)
        writer.flush()
        return kept.getvalue()

    data = write()
    assert len(data) > 20_000

    def read() -> None:
        assert sum(map(len, open_reader(io.BytesIO(data), form).batches())) == 20_000

    begun, over = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        for _ in range(20):
            read() if direction == "read" else write()
        over.set()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # so that a thread lets go of the interpreter by itself alone
    try:
        thread = threading.Thread(target=work)
        thread.start()
        begun.wait()
        was_between = not over.is_set()
        thread.join()
    finally:
        sys.setswitchinterval(before)
    assert was_between
