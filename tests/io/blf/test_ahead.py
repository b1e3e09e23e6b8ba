"""Containers that are inflated ahead of their reader, in threads: nothing but the speed may differ."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.blf import containers
from cantools_cli.io.blf import reader as blf
from cantools_cli.io.blf.ahead import InflateAhead
from tests.io.blf.blf_bytes import classic, container, head
from tests.kernels.forms import needs_compiled
from tests.named import BLFReader

TIMEOUT = 30
COUNT = 40
IDENTIFIERS = 12


def parts(count: int = COUNT) -> list[bytes]:
    """Return containers that objects straddle, each of its own size."""
    source = random.Random(4)
    inner = b"".join(classic(number % 2048, number) for number in range(count * IDENTIFIERS))
    cuts = sorted(source.sample(range(1, len(inner)), count - 1))
    return [container(inner[a:b]) for a, b in zip([0, *cuts], [*cuts, len(inner)], strict=True)]


PARTS = parts()


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blf, "usable_processors", lambda: 3)


def inflating_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "blf-inflate"]


def outcome(path: Path, processors: int, on_error: str) -> tuple[list[int], str, list[str], int]:
    """Return all there is to say of reading ``path``: the frames, the error, the notes, faults skipped."""
    found: list[int] = []
    error = ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blf, "usable_processors", lambda: processors)
        reader = BLFReader(path, on_error=on_error)
        try:
            for batch in reader.batches():
                found += batch.timestamp_ns
        except FormatError as fault:
            error = str(fault)
        reader.stop()
    assert not inflating_threads()
    return found, error, reader.notes, reader.skipped


def same(path: Path) -> tuple[list[int], str, list[str], int]:
    """Return the outcome, skipping faults, where it does not depend on threads."""
    for on_error in ("stop", "skip"):
        assert outcome(path, 3, on_error) == outcome(path, 1, on_error)
    return outcome(path, 3, "skip")


def test_frames_come_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(head() + b"".join(PARTS))
    found, error, notes, _ = same(path)
    assert [time - found[0] for time in found] == [*range(COUNT * IDENTIFIERS)]
    assert (error, notes) == ("", [])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_damage_is_found_where_it_is(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = bytearray(head() + b"".join(PARTS))
    for at in data.draw(st.lists(st.integers(144, len(whole) - 1), max_size=4)):
        whole[at] ^= 1 << data.draw(st.integers(0, 7))
    size = data.draw(st.just(len(whole)) | st.integers(144, len(whole)))
    path = tmp_path_factory.mktemp("damage") / "a.blf"
    path.write_bytes(whole[:size])
    same(path)


@pytest.mark.parametrize("junk", [b"\xff" * 5, b"LOBJ" * 9, b"x" * 5000, bytes(400)])
@pytest.mark.parametrize("place", [9, 20, COUNT])
def test_what_is_between_containers_is_passed_over(tmp_path: Path, junk: bytes, place: int) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(head() + b"".join(PARTS[:place]) + junk + b"".join(PARTS[place:]))
    found, *_ = same(path)
    assert len(found) >= COUNT * IDENTIFIERS - 2


def test_large_stored_and_empty_containers_are_left_to_the_reader(tmp_path: Path) -> None:
    large = b"".join(classic(number % 2048) for number in range(7000))
    others = [container(large), container(large, stored=True), container(b""), container(large, claims=5)]
    content = head()
    for number in range(COUNT):
        content += container(classic(number)) + others[number % len(others)]
    path = tmp_path / "a.blf"
    path.write_bytes(content)
    assert len(same(path)[0]) == COUNT + 7000 * COUNT * 3 // 4


@pytest.mark.usefixtures("threads")
def test_a_small_file_starts_no_thread(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(head() + b"".join(parts(containers.ALONE)))
    with BLFReader(path) as reader:
        for _ in reader.batches():
            assert not inflating_threads()


@pytest.fixture
def begun(threads: None, tmp_path: Path) -> tuple[BLFReader, Iterator[MessageBatch]]:
    """Return a reader, and its frames, whose threads are running."""
    path = tmp_path / "a.blf"
    path.write_bytes(head() + b"".join(PARTS))
    reader = BLFReader(path)
    batches = reader.batches()
    while not inflating_threads():
        next(batches)
    return reader, batches


def test_no_thread_outlives_its_reader(begun: tuple[BLFReader, Iterator[MessageBatch]]) -> None:
    begun[0].stop()
    assert not inflating_threads()


def test_no_thread_outlives_frames_that_nobody_takes(tmp_path: Path, threads: None) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(head() + b"".join(PARTS))
    with BLFReader(path) as reader:
        for number, _ in enumerate(reader):
            if number == COUNT * IDENTIFIERS - 20:
                assert inflating_threads()
                break
        assert not inflating_threads()


def test_an_interpreter_ends_in_the_middle_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(head() + b"".join(PARTS))
    script = (
        "import sys, threading\n"
        "from cantools_cli.io.blf import reader as blf\n"
        "blf.usable_processors = lambda: 3\n"
        "frames = blf.BLFReader(sys.argv[1]).batches()\n"
        "while threading.active_count() < 4: next(frames)\n"
    )
    command = [sys.executable, "-X", "dev", "-W", "ignore::ResourceWarning", "-c", script, str(path)]
    done = subprocess.run(command, timeout=TIMEOUT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@needs_compiled
@pytest.mark.usefixtures("threads")
def test_memory_stays_bounded(tmp_path: Path) -> None:
    filling = container(b"".join(classic(number % 2048) for number in range(5000)))
    path = tmp_path / "a.blf"
    path.write_bytes(head() + filling * 200)  # 48 MB unpacked
    tracemalloc.start()
    try:
        with BLFReader(path) as reader:
            assert sum(map(len, reader.batches())) == 200 * 5000
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_what_was_put_for_other_places_is_dropped() -> None:
    ahead = InflateAhead(lambda packed, size: bytes(packed) * size, 2)
    try:
        for position in (10, 20, 30, 40):
            assert ahead.has_room
            ahead.put(position, memoryview(b"%d " % position), 2)
        assert not ahead.has_room
        assert ahead.take(5) == b""
        assert ahead.take(20) == b"20 20 "
        assert ahead.take(20) == b""
        assert ahead.take(35) == b""
        assert ahead.take(40) == b"40 40 "
    finally:
        ahead.close()
    assert not inflating_threads()
    assert not ahead.has_room


def test_what_takes_too_much_memory_is_left_to_the_reader() -> None:
    def inflate(packed: memoryview, size: int) -> bytes:
        if size == 1:
            raise MemoryError
        return bytes(packed)

    ahead = InflateAhead(inflate, 2)
    try:
        for position, size in ((1, 1), (2, 1), (3, 1), (4, 2)):
            ahead.put(position, memoryview(b"data"), size)
        assert [ahead.take(position) for position in (1, 2, 3, 4)] == [b"", b"", b"", b"data"]
    finally:
        ahead.close()
