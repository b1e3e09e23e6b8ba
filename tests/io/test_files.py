"""Where bytes come from and go to, whatever kind of file it is."""

from __future__ import annotations

import gzip
import io
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.io.files import InputStream, OutputStream

TEXT = b"(1.0) can0 123#\n" * 1000


class Dribble:
    """A stream that gives its pieces one at a time, as a pipe does."""

    def __init__(self, *pieces):
        self._pieces = list(pieces)

    def read(self, size):
        return self._pieces.pop(0) if self._pieces else b""


def everything(stream):
    return b"".join(iter(stream.read, b""))


@pytest.mark.parametrize("data", [b"", b"a", TEXT])
def test_plain_bytes_pass_as_they_are(data):
    assert everything(InputStream(io.BytesIO(data))) == data


def test_a_path_is_opened_and_its_size_known(tmp_path):
    path = tmp_path / "x.log"
    path.write_bytes(TEXT)
    stream = InputStream(path)
    assert (stream.name, stream.size) == (str(path), len(TEXT))
    assert everything(stream) == TEXT
    assert stream.consumed == len(TEXT)
    stream.close()


def test_text_streams_give_bytes():
    assert everything(InputStream(io.StringIO("Märchen"))) == "Märchen".encode()
    assert everything(InputStream(io.TextIOWrapper(io.BytesIO(b"abc")))) == b"abc"


def test_a_peek_takes_nothing():
    stream = InputStream(Dribble(b"ab", b"cd", b"e"))
    assert stream.peek(3) == b"abc"
    assert everything(stream) == b"abcde"


def test_a_read_returns_what_is_there_first():
    stream = InputStream(Dribble(b"x" * 100, b"second"))
    assert [stream.read(), stream.read(), stream.read()] == [b"x" * 100, b"second", b""]


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.integers(1, 20))
def test_gzip_members_are_one_stream_however_they_are_cut(members, step):
    packed = b"".join(gzip.compress(member) for member in members)
    pieces = [packed[at : at + step] for at in range(0, len(packed), step)]
    assert everything(InputStream(Dribble(*pieces))) == b"".join(members)


@pytest.mark.parametrize("cut", range(20, 100, 7))
def test_a_cut_gzip_gives_what_inflates_and_says_so(cut):
    packed = gzip.compress(bytes(range(256)) * 40)
    stream = InputStream(io.BytesIO(packed[:cut]))
    assert (bytes(range(256)) * 40).startswith(everything(stream))
    assert stream.notes == ["the gzip data is cut off; the data before the cut was read"]


def test_a_wrong_checksum_is_said_after_the_data():
    packed = bytearray(gzip.compress(TEXT))
    packed[-5] ^= 1
    stream = InputStream(io.BytesIO(bytes(packed)))
    everything(stream)
    assert stream.notes[0].startswith("damaged gzip data")


def test_what_follows_a_gzip_is_left_out_and_said():
    stream = InputStream(io.BytesIO(gzip.compress(TEXT) + b"rubbish"))
    assert everything(stream) == TEXT
    assert stream.notes == ["7 bytes after the gzip data left out"]
    padded = InputStream(io.BytesIO(gzip.compress(TEXT) + bytes(512)))
    assert (everything(padded), padded.notes) == (TEXT, [])


def test_a_small_gzip_that_inflates_to_much_comes_in_bounded_pieces():
    bomb = gzip.compress(bytes(50_000_000), 9)
    stream = InputStream(io.BytesIO(bomb))
    sizes = [len(piece) for piece in iter(stream.read, b"")]
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 1 << 20


def test_other_compressions_are_named():
    with pytest.raises(UsageError, match="lz4 compression is not supported"):
        InputStream(io.BytesIO(b"\x04\x22\x4d\x18 rest"))


def test_a_written_gzip_is_readable_up_to_the_last_flush(tmp_path):
    path = tmp_path / "x.gz"
    stream = OutputStream(path)
    stream.write(TEXT)
    stream.flush()
    assert zlib.decompressobj(wbits=31).decompress(path.read_bytes()) == TEXT
    stream.write(b"more")
    stream.close()
    assert gzip.decompress(path.read_bytes()) == TEXT + b"more"


def test_output_counts_patches_and_leaves_a_given_stream_open():
    file = io.BytesIO()
    stream = OutputStream(file)
    stream.write(b"0123456789")
    stream.patch(2, b"ab")
    stream.write(b"!")
    stream.close()
    assert (file.getvalue(), stream.written, file.closed) == (b"01ab456789!", 11, False)


def test_text_that_begins_like_compressed_data_is_text():
    for text in (b"Begin", b"(1.0) can0 123#", b"P*M and so on", b"S"):
        assert everything(InputStream(Dribble(*[text[at : at + 1] for at in range(len(text))]))) == text


def test_output_to_a_text_stream():
    file = io.StringIO()
    stream = OutputStream(file)
    stream.write("é".encode())
    stream.close()
    assert file.getvalue() == "é"


def test_append_goes_on_behind_what_is_there(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old ")
    stream = OutputStream(path, append=True)
    stream.write(b"new")
    stream.close()
    assert path.read_bytes() == b"old new"


@pytest.mark.parametrize("step", [1 << 20, 1000, 7])
def test_what_is_before_damage_in_a_gzip_is_read(step):
    content = random.Random(1).randbytes(3000)
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    packed = deflate.compress(content) + deflate.flush(zlib.Z_FULL_FLUSH)
    packed += b"\xff" * 4000  # a block of a type that there is not
    stream = InputStream(Dribble(*(packed[at : at + step] for at in range(0, len(packed), step))))
    assert everything(stream) == content
    assert [note.partition(":")[0] for note in stream.notes] == ["damaged gzip data"]
