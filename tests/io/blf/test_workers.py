from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.blf import reader as blf
from cantools_cli.io.blf import workers
from cantools_cli.io.blf.workers import ALONE, ContainerPacker
from cantools_cli.io.blf.writer import BLFWriter
from tests.named import BLFReader

TIMEOUT = 30


@pytest.fixture
def written() -> list[tuple[bytes, int, int]]:
    return []


@pytest.fixture
def packer(written: list[tuple[bytes, int, int]]) -> Iterator[ContainerPacker]:
    packer = ContainerPacker(1, lambda *container: written.append(container), 3)
    yield packer
    packer.close()


def fill(packer: ContainerPacker, count: int) -> None:
    for number in range(count):
        packer.pack(memoryview(b"%06d" % number), number)


def test_containers_are_handed_on_in_order(packer, written):
    fill(packer, 200)
    packer.finish()
    assert [objects for _, _, objects in written] == list(range(200))
    assert packer.waiting == 0


def test_a_slow_container_holds_those_behind_it_back(packer, written, monkeypatch):
    go, real = threading.Event(), workers.pack_container

    def pack(data: bytes, level: int) -> bytes:
        assert data != b"000009" or go.wait(TIMEOUT)
        return real(data, level)

    monkeypatch.setattr(workers, "pack_container", pack)
    fill(packer, 12)
    assert [objects for _, _, objects in written] == list(range(9))
    assert packer.waiting == 3 * 6
    go.set()
    packer.finish()
    assert [objects for _, _, objects in written] == list(range(12))


def test_a_small_file_starts_no_thread(packer, written):
    fill(packer, ALONE)
    assert len(written) == ALONE
    assert packer._pool is None


def test_what_cannot_be_written_is_an_error_of_whoever_writes(monkeypatch):
    def full(data: bytes, size: int, objects: int) -> None:
        if objects > ALONE:
            raise OSError(28, "No space left on device")

    packer = ContainerPacker(1, full, 3)
    with pytest.raises(OSError, match="No space"):
        fill(packer, 100)
    packer.close()


@pytest.mark.parametrize("threads", [1, 3])
def test_files_are_the_same_with_and_without_threads(threads, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(blf, "usable_processors", lambda: threads)
    monkeypatch.setattr(BLFWriter, "max_container_size", 4096)
    batch = MessageBatch(
        [Message(timestamp=number, arbitration_id=number, data=b"12345678") for number in range(5000)]
    )
    with BLFWriter(tmp_path / "a.blf", compression_level=1) as writer:
        writer.write(batch)
        writer.flush()
        flushed = (tmp_path / "a.blf").read_bytes()
        writer.write(batch)
    with BLFReader(io.BytesIO(flushed)) as reader:
        assert sum(map(len, reader.batches())) == 5000
    with BLFReader(tmp_path / "a.blf") as reader:
        identifiers = [identifier for one in reader.batches() for identifier in one.can_id]
    assert identifiers == [*batch.can_id, *batch.can_id]
