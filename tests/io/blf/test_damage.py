"""BLF files that are cut off, damaged, or lie about themselves."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.io.blf import inflate
from cantools_cli.io.blf.inflate import ContainerInflater
from tests.io.blf.blf_bytes import classic, container, head, lobj, read_lenient, read_up_to_fault
from tests.named import BLFReader

TEXT = lobj(65, "00" * 19) + bytes(3)
INNER = b"".join(classic(number) + (TEXT if number % 3 == 0 else b"") for number in range(12))
#: three containers, stored and compressed, with objects that straddle them
PARTS = [container(INNER[:250]), container(INNER[250:500], stored=True), container(INNER[500:])]
FILE = head() + b"".join(PARTS)
IDS = list(range(12))


@pytest.fixture(autouse=True, params=["at once", "step by step"], scope="module")
def inflating(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run every test with and without the library that inflates whole containers."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "step by step":
            patch.setattr(inflate, "libdeflate", lambda: None)
        else:
            assert inflate.libdeflate() is not None
        yield


class Trickle(io.RawIOBase):
    """A live source, which gives its bytes a few at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__()
        self.given = 0
        self._data = data
        self._step = step

    def read(self, size: int = -1) -> bytes:
        data = self._data[self.given : self.given + self._step]
        self.given += len(data)
        return data


@pytest.mark.parametrize("size", range(1, len(FILE) + 1))
def test_a_cut_file_gives_what_is_complete_before_the_cut(size: int) -> None:
    found, reader = read_lenient(FILE[:size])
    assert found == IDS[: len(found)]
    assert reader.skipped == 0
    whole_containers = sum(len(head() + b"".join(PARTS[:n])) <= size for n in (1, 2, 3))
    assert len(found) >= (0, 4, 7, 12)[whole_containers]
    is_between = size in (144, *(144 + len(b"".join(PARTS[:n])) for n in (1, 2, 3)))
    if not is_between and size < len(FILE) - 3:
        assert reader.notes


def test_an_empty_file_is_no_blf_file() -> None:
    with pytest.raises(FormatError, match="byte 0: empty"):
        list(BLFReader(io.BytesIO(b"")))


def test_a_cut_container_gives_the_frames_in_front_of_the_cut() -> None:
    inner = b"".join(classic(number) for number in range(2000))
    found, reader = read_lenient((head() + container(inner))[:-100])
    assert 1000 < len(found) < 2000
    assert reader.notes == [
        f"-: ends inside the container at byte 144; {len(found)} frames recovered from it"
    ]


@pytest.mark.parametrize("step", [1, 7, 100])
def test_bytes_may_come_in_any_pieces(step: int) -> None:
    found = [message.arbitration_id for message in BLFReader(Trickle(FILE, step))]
    assert found == IDS


def test_frames_come_as_soon_as_their_container_is_complete() -> None:
    source = Trickle(FILE, 1)
    batches = BLFReader(source).batches()
    count = 0
    while count < 4:
        count += len(next(batches))
    assert source.given <= 144 + len(PARTS[0])


@pytest.mark.parametrize("junk", [b"\xff" * 7, b"LOBJ" * 9, b"LOBJ\x20\0\1\0" + bytes(8), b"x" * 5000])
def test_bytes_that_are_no_object_are_skipped_and_counted(junk: bytes) -> None:
    inside = head() + container(classic(1) + junk + classic(2)) + container(classic(3))
    outside = head() + container(classic(1)) + junk + container(classic(2)) + container(classic(3))
    for content in (inside, outside):
        found, reader = read_lenient(content)
        assert (found, reader.skipped) == ([1, 2, 3], 1)
        assert reader.first_fault is not None
        assert any("bytes that belong to no object were skipped" in note for note in reader.notes)
        assert read_up_to_fault(content)[0] == [1]


def test_junk_at_the_end_is_a_fault() -> None:
    for content in (FILE + b"\xff" * 9, head() + container(classic(1) + b"\xff" * 9)):
        assert read_lenient(content)[1].skipped == 1


def test_zeros_between_and_behind_objects_are_padding() -> None:
    content = head() + bytes(50) + container(classic(1) + bytes(99) + classic(2) + bytes(40)) + bytes(5000)
    found, reader = read_lenient(content)
    assert (found, reader.skipped, reader.notes) == ([1, 2], 0, [])


def test_payload_that_looks_like_an_object_is_not_taken_for_one() -> None:
    trap = lobj(1, struct.pack("<HBBL", 1, 0, 8, 5) + b"LOBJ\x20\0\1\0")
    assert read_lenient(head() + container(trap + classic(1)))[0] == [5, 1]


def test_a_damaged_container_gives_what_comes_before_the_damage() -> None:
    inner = b"".join(classic(number, number * 7919) for number in range(1, 1500))
    broken = bytearray(container(inner))
    broken[len(broken) // 2] ^= 0xFF
    found, reader = read_lenient(head() + container(classic(0)) + bytes(broken) + container(classic(2000)))
    assert found[:200] == list(range(200))
    assert found[-1] == 2000
    assert reader.skipped


def test_a_wrong_checksum_is_a_fault_after_the_frames() -> None:
    broken = bytearray(container(classic(1) + classic(2)))
    size = int.from_bytes(broken[8:12], "little")
    broken[size - 1] ^= 1
    content = head() + bytes(broken) + container(classic(3))
    found, error = read_up_to_fault(content)
    assert found == [1, 2]
    assert "damaged" in str(error)
    assert read_lenient(content)[0] == [1, 2, 3]


@pytest.mark.parametrize(
    ("offset", "value"),
    [(4, 0), (8, 0), (8, 20), (16, 1), (16, 7), (24, 0x50000000), (32, 0)],
    ids=["headerSize", "size 0", "short", "method 1", "method 7", "claim", "no zlib"],
)
def test_a_container_that_makes_no_sense_costs_only_itself(offset: int, value: int) -> None:
    broken = bytearray(container(classic(2)))
    struct.pack_into("<H" if offset in (4, 16, 32) else "<L", broken, offset, value)
    content = head() + container(classic(1)) + bytes(broken) + container(classic(3))
    found, reader = read_lenient(content)
    assert (found, reader.skipped) == ([1, 3], 1)
    found, error = read_up_to_fault(content)
    assert found == [1]
    assert error is not None
    assert error.position == 144 + len(container(classic(1)))


@pytest.mark.parametrize("claims", [0, 1, 48, 1 << 29])
def test_the_size_that_a_container_claims_is_not_relied_on(claims: int) -> None:
    found, reader = read_lenient(head() + container(classic(1), claims=claims))
    assert (found, reader.skipped) == ([1], 0)
    assert bool(reader.notes) == (claims != 48)


@pytest.mark.parametrize("size", [0, 55, 0x7FFFFFFF])
def test_a_head_of_impossible_size_is_a_fault(size: int) -> None:
    content = FILE[:4] + struct.pack("<L", size) + FILE[8:]
    assert "file header" in str(read_up_to_fault(content)[1])
    assert read_lenient(content)[0] == IDS


def test_a_longer_head_is_taken() -> None:
    content = FILE[:4] + struct.pack("<L", 200) + FILE[8:144] + bytes(56) + FILE[144:]
    assert read_lenient(content)[0] == IDS


def test_what_the_head_says_of_sizes_is_not_relied_on() -> None:
    for size in (0, 144, 1 << 60):
        content = FILE[:16] + struct.pack("<QQL", size, size, size & 0xFFFF) + FILE[36:]
        assert read_lenient(content)[0] == IDS


def _peak(content: bytes) -> tuple[int, int]:
    """Return (frames, most bytes of memory at one time) of reading ``content``."""
    tracemalloc.start()
    try:
        reader = BLFReader(io.BytesIO(content), on_error="skip")
        frames = sum(len(batch) for batch in reader.batches())
        return frames, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_follow_what_a_container_unpacks_to() -> None:
    zeros = zlib.compressobj()
    bomb = b"".join(zeros.compress(bytes(1 << 20)) for _ in range(48)) + zeros.flush()
    start = struct.pack("<4sHHLLHHLLL", b"LOBJ", 16, 1, 32 + len(bomb), 10, 2, 0, 0, 48 << 20, 0)
    bomb = start + bomb + bytes((32 + len(bomb)) % 4)
    frames, peak = _peak(head() + container(classic(1)) + bomb + container(classic(2)))
    assert frames == 2
    assert peak < 8 << 20


@pytest.mark.parametrize("kind", [1, 4, 10])
def test_memory_does_not_follow_the_size_that_an_object_claims(kind: int) -> None:
    liar = lobj(kind, b"", size=0xFFFFFF00) + bytes(1 << 16)
    for content in (head() + container(liar) * 200, head() + liar * 200):
        assert _peak(content)[1] < 8 << 20


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 7)), min_size=1, max_size=4))
def test_flipped_bits_never_crash_and_keep_what_comes_before(flips: list[tuple[int, int]]) -> None:
    content = bytearray(FILE)
    for at, bit in flips:
        content[at] ^= 1 << bit
    found, error = read_up_to_fault(bytes(content))
    if min(flips)[0] >= 144 + len(PARTS[0]):
        assert found[:4] == IDS[:4]
    if min(flips)[0] >= 4:
        reader = BLFReader(io.BytesIO(bytes(content)), on_error="skip")
        assert len([*reader]) >= len(found)
        assert bool(reader.skipped) == (error is not None)


FRAGMENTS = [b"LOBJ", b"\x20\0\1\0", b"\x30\0\0\0", b"\1\0\0\0", bytes(4), classic(1)[16:], classic(2)]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=60)))
def test_noise_is_read_to_its_end(pieces: list[bytes]) -> None:
    noise = b"".join(pieces)
    for content in (head() + noise, head() + container(noise, stored=True)):
        reader = BLFReader(io.BytesIO(content), on_error="skip")
        assert sum(len(batch) for batch in reader.batches()) <= len(noise) // 40 + 1


@pytest.mark.parametrize("bit", range(32))
def test_a_container_with_a_wrong_size_costs_no_other(bit: int) -> None:
    parts = [container(b"".join(classic(n) for n in range(first, first + 4))) for first in (0, 4, 8, 12)]
    data = bytearray(head() + b"".join(parts))
    data[144 + len(parts[0]) + 8 + bit // 8] ^= 1 << bit % 8
    found, reader = read_lenient(bytes(data))
    assert found[:4] == [*range(4)]
    assert found[-8:] == [*range(8, 16)]
    assert reader.skipped or reader.notes


def test_a_file_cut_between_containers_says_so() -> None:
    data = bytearray(FILE)
    data[16:24] = len(FILE).to_bytes(8, "little")
    assert read_lenient(bytes(data))[1].notes == []
    cut = len(FILE) - len(PARTS[2])
    notes = read_lenient(bytes(data[:cut]))[1].notes
    assert any(f"ends {len(PARTS[2])} bytes short of the size in its header" in note for note in notes)


@pytest.mark.parametrize("size", [1, 7, 32, 1000])
def test_what_comes_before_damage_is_the_same_in_whatever_pieces_it_came(size: int) -> None:
    draw = random.Random(1)
    data = bytes(draw.choice(b"abcdef") for _ in range(3000))
    packed = bytearray(zlib.compress(data, 9))
    packed[600:] = bytes(draw.randrange(256) for _ in packed[600:])

    def salvaged(step: int) -> bytes:
        inflater = ContainerInflater()
        fed = (bytes(packed[at : at + step]) for at in range(0, len(packed), step))
        return b"".join(piece for part in fed if not inflater.is_done for piece in inflater.feed(part))

    found = salvaged(size)
    assert found == salvaged(1)
    assert len(found) > 1000
