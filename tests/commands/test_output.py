"""The output's format and its options: resolved and checked once."""

from __future__ import annotations

import pytest

from cantools_cli.console import output as output_module
from cantools_cli.console.output import FileOptions, FormatOptions, Output, OutputFormat, Rotation
from cantools_cli.console.report import Report
from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message


def test_the_format_comes_from_to_then_json_then_the_suffix_then_log():
    assert OutputFormat.resolve("a.asc", "csv").name == "csv"
    assert OutputFormat.resolve("a.asc", as_json=True).name == "json"
    assert OutputFormat.resolve("a.asc.gz").name == "asc"
    assert OutputFormat.resolve("-").name == OutputFormat.resolve(None).name == "log"


def test_options_of_one_format_are_its_writer_options():
    form = OutputFormat.resolve("a.trc", special=FormatOptions(trc_version="1.3"), tz="UTC")
    assert form.options == {"version": "1.3", "tz": "UTC"}
    assert OutputFormat.resolve(None, special=FormatOptions(ns=True)).options["ns"] is True


@pytest.mark.parametrize(
    ("path", "to", "special", "words"),
    [
        ("a.asc", None, FormatOptions(trc_version="1.3"), "--trc-version is for trc files"),
        ("a.trc", "trc,version=2.0", FormatOptions(trc_version="1.3"), "contradict each other"),
        ("a.blf", "blf,level=99", None, "level"),
    ],
)
def test_a_wrong_option_is_refused(path, to, special, words):
    with pytest.raises(UsageError, match=words):
        OutputFormat.resolve(path, to, special=special)


@pytest.mark.parametrize(
    "options",
    [{"force": True}, {"append": True}, {"rotation": Rotation(max_bytes=1)}],
)
def test_options_about_files_need_a_file(options):
    with pytest.raises(UsageError, match="needs a file"):
        Output("-", OutputFormat.resolve("-"), **options)


def test_a_format_that_cannot_be_continued_is_refused_before_anything_is_opened(tmp_path):
    path = str(tmp_path / "a.arrow")
    with pytest.raises(UsageError, match="cannot be continued"):
        Output.of_files(path, OutputFormat.resolve(path), FileOptions(append=True))
    assert list(tmp_path.iterdir()) == []


def test_the_files_of_a_rotation_resolve_no_format_again(tmp_path, monkeypatch):
    path = str(tmp_path / "a.asc")
    target = Output.of_files(path, OutputFormat.resolve(path, "asc,tz=UTC"), FileOptions(max_time="1s"))
    for name in ("parse_format", "format_for_output", "check_writer"):
        monkeypatch.setattr(output_module, name, None)
    with target.open(Report(quiet=True)) as sink:
        for seconds in range(4):
            message = Message(timestamp=float(seconds), arbitration_id=0x123, channel="can0")
            sink.write(MessageBatch([message]))
    assert len(list(tmp_path.iterdir())) > 1
