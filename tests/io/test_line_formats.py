"""What holds for every line format that is read only."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli import plugins
from cantools_cli.errors import FormatError
from cantools_cli.io.formats import open_reader
from cantools_cli.io.rows import MAX_ROWS
from tests.io.line_samples import SAMPLES
from tests.pieces import Pieces
from tests.strategies import facts

#: text that no line format takes for a frame, a header or a comment
GARBAGE = b"~~ not a frame ~~\n"

every_format = pytest.mark.parametrize("form", SAMPLES)
Frame = tuple[object, ...]


def read(form: str | None, file: Any, **options: Any) -> tuple[list[Frame], list[str]]:
    if isinstance(file, bytes):
        file = io.BytesIO(file)
    with open_reader(file, form, **{"tz": "UTC", **options}) as reader:
        return [facts(message) for message in reader], reader.notes


@every_format
def test_it_is_recognised_by_its_content_alone(form: str, tmp_path: Path) -> None:
    wanted, _ = read(form, SAMPLES[form])
    assert wanted
    assert read(None, SAMPLES[form])[0] == wanted
    for suffix in (".txt", ".log", ".csv", ".trc", ".asc", plugins.FORMATS[form].suffixes[0]):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(SAMPLES[form])
        with open_reader(path, tz="UTC") as reader:
            assert type(reader) is plugins.reader_class(form)
            assert [facts(message) for message in reader] == wanted


@every_format
def test_the_ends_of_lines_change_nothing(form: str) -> None:
    wanted = read(form, SAMPLES[form])
    for end in (b"\r\n", b"\r"):
        assert read(form, SAMPLES[form].replace(b"\n", end)) == wanted
    assert read(form, b"\xef\xbb\xbf" + SAMPLES[form]) == wanted
    assert read(form, SAMPLES[form] + b"\n\n\0\0\n")[0] == wanted[0]


@every_format
def test_a_pipe_gives_what_a_file_gives(form: str) -> None:
    for size in (1, 7, 100):
        assert read(form, Pieces(SAMPLES[form] * 3, size))[0] == read(form, SAMPLES[form] * 3)[0]


@every_format
def test_a_file_that_is_cut_anywhere_gives_the_frames_before(form: str) -> None:
    text = SAMPLES[form]
    for cut in range(len(text)):
        whole, _ = read(form, text[: text.rfind(b"\n", 0, cut) + 1])
        frames, notes = read(form, text[:cut], on_error="skip")
        assert frames[: len(whole)] == whole
        assert len(frames) - len(whole) <= MAX_ROWS
        if len(frames) > len(whole) and cut < len(text) - 1 and text[cut : cut + 1] != b"\n":
            assert any("cut short" in note for note in notes), (cut, frames[-1])


@every_format
def test_a_malformed_line_is_named_quoted_and_can_be_skipped(form: str) -> None:
    text = SAMPLES[form]
    place = text.count(b"\n") + 1
    with pytest.raises(FormatError) as caught:
        read(form, text + GARBAGE + text)
    assert str(caught.value).startswith(f"-:{place}: ")
    assert GARBAGE.decode().strip() in str(caught.value)
    assert "\n" not in str(caught.value)
    with open_reader(io.BytesIO(text + GARBAGE + text), form, on_error="skip", tz="UTC") as reader:
        assert len(list(reader)) >= 2 * len(read(form, text)[0]) - 1
        assert reader.skipped == 1


@pytest.mark.long
@every_format
def test_memory_is_bounded_by_pieces(form: str) -> None:
    with open_reader(io.BytesIO(SAMPLES[form] * 6000), form, tz="UTC") as reader:
        sizes = [len(batch) for batch in reader.batches()]
    assert sum(sizes) == 6000 * len(read(form, SAMPLES[form])[0])
    assert max(sizes) <= 1 << 14


@every_format
@given(noise=st.binary(max_size=80))
def test_noise_gives_frames_or_a_reason(form: str, noise: bytes) -> None:
    text = SAMPLES[form] + noise + b"\n" + SAMPLES[form]
    wanted = len(read(form, SAMPLES[form])[0])
    frames, _ = read(form, text, on_error="skip")
    assert len(frames) >= 2 * wanted - 1
