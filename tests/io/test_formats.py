"""Which reader and writer a file gets."""

from __future__ import annotations

import io

import pytest

from cantools_cli import Message
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.io.formats import format_for_output, open_reader, open_writer, parse_format
from cantools_cli.plugins import FORMATS, writable

MESSAGE = Message(timestamp=1.5, arbitration_id=0x123, is_extended_id=False, data=b"\1\2", channel="can0")


@pytest.fixture(params=writable())
def written(request, tmp_path):
    path = tmp_path / f"x{FORMATS[request.param].suffixes[0]}"
    options = {"tz": "UTC"} if "tz" in FORMATS[request.param].writer_options else {}
    with open_writer(path, request.param, options) as writer:
        writer.on_message_received(MESSAGE)
    return request.param, path


def test_every_format_is_recognised_by_its_content_alone(written):
    form, path = written
    nameless = io.BytesIO(path.read_bytes())
    if form == "db":  # which SQLite opens by its name
        nameless = path.rename(path.with_suffix(""))
    with open_reader(nameless, tz="UTC", as_command=True) as reader:
        (message,) = reader
    assert message.equals(MESSAGE, check_channel=False)
    assert type(reader).__module__ == FORMATS[form].reader.partition(":")[0]


def test_the_content_beats_a_wrong_suffix(written, tmp_path):
    form, path = written
    other = tmp_path / ("y.asc" if form != "asc" else "y.csv")
    other.write_bytes(path.read_bytes())
    with open_reader(other, tz="UTC", as_command=True) as reader:
        assert len(list(reader)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("blf", ("blf", {})),
        ("BLF,level=6", ("blf", {"compression_level": 6})),
        ("log,ns", ("log", {"ns": True})),
        ("log,ns=no,compat=wireshark", ("log", {"ns": False, "compat": "wireshark"})),
        (".jsonl", ("json", {})),
    ],
)
def test_options_ride_on_the_name(text, expected):
    assert parse_format(text, writing=True) == expected


@pytest.mark.parametrize(("text", "words"), [("abc", "unknown format"), ("blf,speed=1", 'no option "speed"')])
def test_what_is_not_known_is_said(text, words):
    with pytest.raises(UsageError, match=words) as error:
        parse_format(text, writing=True)
    assert error.value.hint


@pytest.mark.parametrize(("path", "form"), [("a.log", "log"), ("a.b.ASC.gz", "asc"), ("x.ndjson", "json")])
def test_a_suffix_means_a_format(path, form):
    assert format_for_output(path) == form


@pytest.mark.parametrize("path", ["a.xyz", "a", "a.blf.gz", "dir.log/a"])
def test_a_suffix_that_means_none_is_refused(path):
    with pytest.raises(UsageError):
        format_for_output(path)


def test_garbage_is_not_taken_for_a_log():
    with pytest.raises(FormatError, match="not a log that canx recognises"):
        open_reader(io.BytesIO(b"\x7fELF" + bytes(100)))
