"""Zstandard data: read in bounded pieces however it comes, written so that a flush can be read."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.io.files import InputStream, OutputStream

TEXT = b"".join(b"(%d.000000) can0 %03X#%04X\n" % (n, n % 2048, n * 7 % 65536) for n in range(20_000))
#: RFC 8878, 3.1.2: magic number, size, content
SKIPPABLE = b"\x5f\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"


class Dribble:
    """A stream that gives its pieces one at a time, as a pipe does."""

    def __init__(self, data: bytes, step: int) -> None:
        self._pieces = [data[at : at + step] for at in range(0, len(data), step)]

    def read(self, size: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def packed(data: bytes, level: int = 3, **options: bool) -> bytes:
    return zstandard.ZstdCompressor(level=level, **options).compress(data)


def everything(stream: InputStream) -> bytes:
    return b"".join(iter(stream.read, b""))


def noted(data: bytes) -> list[str]:
    stream = InputStream(io.BytesIO(data))
    everything(stream)
    return stream.notes


@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("size", [0, 1, 1 << 17, len(TEXT)])
def test_what_was_compressed_is_read(size: int, checksum: bool) -> None:
    stream = InputStream(io.BytesIO(packed(TEXT[:size], write_checksum=checksum)))
    assert (everything(stream), stream.notes, stream.compression) == (TEXT[:size], [], "zstd")


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.integers(1, 20), st.booleans())
def test_frames_are_one_stream_however_they_are_cut(members: list[bytes], step: int, skips: bool) -> None:
    between = SKIPPABLE if skips else b""
    data = between + between.join(packed(member) for member in members) + between
    stream = InputStream(Dribble(data, step))
    assert (everything(stream), stream.notes) == (b"".join(members), [])


@pytest.mark.parametrize("checksum", [False, True])
def test_every_cut_gives_the_whole_blocks_and_is_said(checksum: bool) -> None:
    data = packed(os.urandom(300) + bytes(300_000), write_checksum=checksum)
    whole = everything(InputStream(io.BytesIO(data)))
    for cut in range(4, len(data)):
        stream = InputStream(io.BytesIO(data[:cut]))
        assert whole.startswith(everything(stream))
        assert stream.notes == ["the zstd data is cut off; the data before the cut was read"]


def test_a_cut_file_gives_most_of_what_is_there() -> None:
    data = packed(TEXT, level=1)
    stream = InputStream(io.BytesIO(data[: len(data) // 2]))
    assert len(everything(stream)) > len(TEXT) // 4


def test_a_wrong_checksum_is_said_after_the_data() -> None:
    data = bytearray(packed(TEXT, write_checksum=True))
    data[-1] ^= 1
    stream = InputStream(io.BytesIO(bytes(data)))
    assert TEXT.startswith(everything(stream))
    assert stream.notes[0].startswith("damaged zstd data: ")


@given(st.binary(max_size=60))
def test_noise_behind_the_magic_number_never_raises(noise: bytes) -> None:
    assert noted(b"\x28\xb5\x2f\xfd" + noise) or noise


def test_what_follows_is_left_out_and_said() -> None:
    assert noted(packed(TEXT) + b"rubbish") == ["7 bytes after the zstd data left out"]
    assert noted(packed(TEXT) + bytes(512)) == []


def test_little_that_unpacks_to_much_comes_in_bounded_pieces() -> None:
    bomb = packed(bytes(200_000_000), 19)
    assert len(bomb) < 20_000
    sizes = [len(piece) for piece in iter(InputStream(io.BytesIO(bomb)).read, b"")]
    assert sum(sizes) == 200_000_000
    assert max(sizes) <= 1 << 20


def test_a_flush_makes_readable_what_was_written(tmp_path: object) -> None:
    path = f"{tmp_path}/x.log.zst"
    stream = OutputStream(path)
    stream.write(TEXT)
    stream.flush()
    with open(path, "rb") as file:
        assert everything(InputStream(file)) == TEXT
    stream.write(b"more")
    stream.close()
    with open(path, "rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == TEXT + b"more"


def test_what_is_appended_is_a_frame_of_its_own(tmp_path: object) -> None:
    path = f"{tmp_path}/x.log.zst"
    for text in (b"old ", b"new"):
        stream = OutputStream(path, append=True)
        stream.write(text)
        stream.close()
    with open(path, "rb") as file:
        assert everything(InputStream(file)) == b"old new"


def test_the_zstd_program_and_canx_read_each_other(tmp_path: object) -> None:
    zstd = shutil.which("zstd")
    if zstd is None:
        pytest.skip("zstd is not installed")
    theirs = subprocess.run([zstd, "-c"], input=TEXT, capture_output=True, check=True).stdout
    assert everything(InputStream(io.BytesIO(theirs))) == TEXT
    stream = OutputStream(f"{tmp_path}/x.zst")
    stream.write(TEXT)
    stream.close()
    assert subprocess.run([zstd, "-dc", stream.name], capture_output=True, check=True).stdout == TEXT


def test_without_the_library_the_error_says_what_to_install(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    for use in (
        lambda: InputStream(io.BytesIO(b"\x28\xb5\x2f\xfd....")),
        lambda: OutputStream(f"{tmp_path}/x.zst"),
    ):
        with pytest.raises(UsageError, match="needs zstandard") as caught:
            use()
        assert str(caught.value.hint).startswith("pip install zstandard")
    assert os.listdir(str(tmp_path)) == []
