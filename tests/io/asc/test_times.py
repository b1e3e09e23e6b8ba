"""The times of ASC: dates, offsets and blocks, as many loggers write them."""

from __future__ import annotations

import io
from datetime import datetime, timezone

import pytest

from cantools_cli.io.asc.header import parse_date
from tests.io.asc.asc_text import HEAD, SECONDS, START, notes, read
from tests.named import ASCReader

# (text of the date line, UTC)
DATES = [
    ("Tue Nov 14 10:13:20.123 pm 2023", "2023-11-14T22:13:20.123"),
    ("Tue Nov 14 10:13:20.123 PM 2023", "2023-11-14T22:13:20.123"),
    ("Tue Nov 14 10:13:20.123457 PM 2023", "2023-11-14T22:13:20.123457"),
    ("Tue Nov 14 22:13:20 2023", "2023-11-14T22:13:20"),
    ("Sat Nov  4 22:13:20 2023", "2023-11-04T22:13:20"),
    ("Fri May 29 13:14:48.626 am 2015", "2015-05-29T13:14:48.626"),
    ("Sat Sep 30 15:06:13.191 pm 2017", "2017-09-30T15:06:13.191"),
    ("Sat Sep 30 12:06:13.191 am 2017", "2017-09-30T00:06:13.191"),
    ("Sat Sep 30 12:06:13.191 pm 2017", "2017-09-30T12:06:13.191"),
    ("Sam Sep 30 11:8:34 2017", "2017-09-30T11:08:34"),
    ("Die Okt 3 11:08:34.007 2017", "2017-10-03T11:08:34.007"),
    ("Mi Mär 1 11:08:34.007 2017", "2017-03-01T11:08:34.007"),
    ("Mit Mrz 1 11:08:34.007 2017", "2017-03-01T11:08:34.007"),
    ("Mon Mai 1 11:08:34.007 2017", "2017-05-01T11:08:34.007"),
    ("Fre Dez 1 11:08:34.007 2017", "2017-12-01T11:08:34.007"),
    ("Tue Nov 14 22:13:20.5 2023", "2023-11-14T22:13:20.500"),
]


@pytest.mark.parametrize(("text", "moment"), DATES)
def test_dates_of_all_kinds_of_installations(text, moment):
    expected = datetime.fromisoformat(moment).replace(tzinfo=timezone.utc).timestamp()
    assert parse_date(text, "UTC") == round(expected * 1_000_000) * 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "周二 十一月 14 22:13:20 2023",
        "mar. nov. 14 22:13:20 2023",
        "Tue Nov 31 22:13:20 2023",
        "Tue Nov 1 25:13:20 2023",
        "Tue Nov 1 22:13:20 9999",
    ],
)
def test_a_date_that_is_not_understood_is_told_and_costs_nothing_else(text):
    assert parse_date(text, "UTC") is None
    log = f"date {text}\nbase hex  timestamps absolute\n   1.5 1  1 Rx d 0\n".encode()
    assert [message.timestamp_ns for message in read(log)] == [1_500_000_000]
    assert any("cannot parse" in note for note in notes(log)) == bool(text)
    assert [message.timestamp_ns for message in read(log, start_ns=START)] == [START + 1_500_000_000]


def test_a_date_in_the_code_page_of_the_machine():
    log = "date Mit Mär 1 11:08:34.007 2017\nbase hex  timestamps absolute\n1.0 1  1 Rx d 0\n".encode(
        "cp1252"
    )
    assert read(log)[0].timestamp_ns == 1_488_366_515_007_000_000


def test_a_date_counts_in_the_zone_asked_for():
    assert read(HEAD + b"0.0 1 1 Rx d 0\n", tz="Europe/Berlin")[0].timestamp_ns == START - 3600 * SECONDS


FRAME = b"   1.000000 1  1               Rx   d 0\n"
DATE, TRIGGER = b"date Tue Nov 14 22:13:20.000 2023\n", b"Begin Triggerblock Tue Nov 14 22:14:20.000 2023\n"
BASE = b"base hex  timestamps absolute\n"
HEADERS = [
    (DATE + BASE, 1),
    (DATE, 1),
    (BASE + DATE, 1),
    (DATE + BASE + b"no internal events logged\n", 1),
    (DATE + b"base hex  no internal events logged\n", 1),  # BUSMASTER
    (DATE + BASE + TRIGGER, 61),
    (DATE.upper() + BASE + b"Begin TriggerBlock\n", 1),
    (DATE + BASE + b"Begin TriggerBlock xyz\n", 1),
    (BASE + TRIGGER, 61),
    (b"\xef\xbb\xbf" + DATE + BASE, 1),
    (DATE + b"strange line of a newer version\n" + BASE, 1),
]


@pytest.mark.parametrize(("head", "seconds"), HEADERS)
def test_lines_of_the_head_may_be_missing_or_in_any_order(head, seconds):
    found = read(head + FRAME + b"End TriggerBlock\n")
    assert [message.timestamp_ns - START for message in found] == [seconds * SECONDS]


def test_two_dates_that_differ_are_named_once():
    text = DATE + BASE + TRIGGER + FRAME * 2
    assert notes(text) == [
        'the date is "Tue Nov 14 22:13:20.000 2023"; '
        'the begin of the events, "Tue Nov 14 22:14:20.000 2023", is used'
    ]
    assert notes(text, relative_timestamp=True) == []
    same_clock = DATE.replace(b"22:13:20.000", b"10:13:20.000") + BASE + TRIGGER.replace(b"22:14", b"22:13")
    assert notes(same_clock + FRAME) == []


@pytest.mark.parametrize(("digits", "milliseconds"), [("5", 5), ("50", 50), ("500", 500), ("050", 50)])
def test_python_cans_unpadded_milliseconds(digits, milliseconds):
    trigger = f"Begin Triggerblock Tue Nov 14 22:13:20.{digits} 2023\n".encode()
    shape = DATE + BASE + b"internal events logged\n" + trigger
    start = b" 0.000000 Start of measurement\n"
    assert read(shape + start + FRAME)[0].timestamp_ns == START + SECONDS + milliseconds * 1_000_000
    decimal = int(digits.ljust(3, "0")) * 1_000_000
    assert read(shape + b"  " + start + FRAME)[0].timestamp_ns == START + SECONDS + decimal
    assert read(shape + b"// version 9.0.0\n" + start + FRAME)[0].timestamp_ns == START + SECONDS + decimal


def test_times_of_the_library_are_those_of_the_file():
    source = ASCReader(io.BytesIO(HEAD + FRAME))
    assert [message.timestamp for message in source] == [1.0]


def test_relative_times_add_up_over_all_events():
    text = HEAD.replace(b"absolute", b"relative") + (
        b"   0.500000 1  1 Rx d 0\n   0.250000 CAN 1 Status:active\n//9.0 no event\n   0.000100 1  2 Rx d 0\n"
    )
    assert [message.timestamp_ns - START for message in read(text)] == [500_000_000, 750_100_000]


def test_relative_times_that_are_absolute_are_told():
    text = HEAD.replace(b"absolute", b"relative") + b"1700000000.0 1  1 Rx d 0\n"
    assert notes(text) == ["the relative times add up to more than 10 years; are they absolute?"]


def test_a_later_block_counts_on_unless_its_times_begin_again():
    text = HEAD + FRAME + b"End TriggerBlock\n" + TRIGGER
    assert read(text + b"// comment\n   2.0 1 2 Rx d 0\n")[-1].timestamp_ns == START + 2 * SECONDS
    begun_again = read(text + b"   0.000000 Start of measurement\n   0.5 1 2 Rx d 0\n   0.75 1 2 Rx d 0\n")
    assert [m.timestamp_ns - START for m in begun_again] == [SECONDS, 60_500_000_000, 60_750_000_000]


def test_logs_behind_one_another_have_their_own_dates():
    second = DATE.replace(b"22:13", b"23:13") + b"base dec  timestamps absolute\n1.0 1  10 Rx d 1 10\n"
    found = read(HEAD + FRAME + b"End TriggerBlock\n" + second)
    assert [m.timestamp_ns - START for m in found] == [SECONDS, 3601 * SECONDS]
    assert (found[1].arbitration_id, found[1].data) == (10, b"\x0a")
    offsets = read(HEAD + FRAME + second, relative_timestamp=True)
    assert [m.timestamp_ns for m in offsets] == [SECONDS, 3601 * SECONDS]
