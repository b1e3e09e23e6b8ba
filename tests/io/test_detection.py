"""No format takes the files of another: the head of each one's files, against the recognisers of all."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.io.formats import HEAD
from tests.fuzz import seeds
from tests.io.line_samples import N2K_ACTISENSE, N2K_IKONVERT, N2K_PLAIN, N2K_RAW
from tests.io.table_samples import CLX_6

#: candump's screen is read by the reader of its log
_READ_BY = {"screen": "log"}
_MORE = {"clx": (CLX_6,), "n2k": (N2K_RAW, N2K_PLAIN, N2K_IKONVERT, N2K_ACTISENSE)}


@cache
def files(form: str) -> list[bytes]:
    """Return the first bytes of whole files of ``form``."""
    return [file[:HEAD] for file in (seeds.of(form)[0], *_MORE.get(form, ()))]


def takers(head: bytes) -> set[Any]:
    """Return the readers that take a file with this head for theirs; some formats share one."""
    readers = {plugins.reader_class(name) for name in plugins.FORMATS}
    return {reader for reader in readers if reader.recognises(head)}


@pytest.mark.parametrize("form", [*plugins.FORMATS, "screen"])
def test_each_format_recognises_its_own_files_alone(form: str) -> None:
    own = _READ_BY.get(form, form)
    for head in files(form):
        wanted = set() if form == "columns" else {plugins.reader_class(own)}  # whose user says what it is
        assert takers(head) == wanted, head[:200]


@pytest.mark.parametrize("form", [name for name, f in plugins.FORMATS.items() if not f.is_binary])
def test_the_ends_of_lines_change_nothing(form: str) -> None:
    for head in files(form):
        for other in (head.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + head, b"\r\n" + head):
            assert takers(other) <= {plugins.reader_class(form)}, other[:200]


def test_noise_and_prose_are_no_log() -> None:
    draw = random.Random(1)
    letters = b"0123456789ABCDEFabcdefRTX \t\n\r.,:;#()[]-"
    for _ in range(500):
        noise = bytes(draw.choice(letters) for _ in range(200))
        assert takers(noise) == set(), noise
    prose = b"The quick brown fox jumps over the lazy dog.\nTime flies, and 123 more lines follow.\n"
    assert takers(prose) == set()
