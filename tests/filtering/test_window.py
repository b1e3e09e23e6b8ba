from __future__ import annotations

import pytest

from cantools_cli.errors import UsageError
from cantools_cli.filtering.window import Moment, Window, shift_ns, shifted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

S = 1_000_000_000
EPOCH = 1_436_509_052 * S


def batch_at(*stamps: int) -> MessageBatch:
    batch = MessageBatch()
    for stamp in stamps:
        message = Message()
        message.timestamp_ns = stamp
        batch.append(message)
    return batch


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90", Moment(90 * S)),
        ("1.5s", Moment(3 * S // 2)),
        ("200ms", Moment(S // 5)),
        ("10m", Moment(600 * S)),
        ("0", Moment(0)),
        ("@1436509052.25", Moment(EPOCH + S // 4, is_absolute=True)),
        ("2015-07-10T06:17:32Z", Moment(EPOCH, is_absolute=True)),
        ("2015-07-10 08:17:32.000001+02:00", Moment(EPOCH + 1000, is_absolute=True)),
        ("2015-07-10 06:17:32", Moment(EPOCH, is_absolute=True)),
    ],
)
def test_moments(text, moment):
    assert Moment.parse(text, "UTC") == moment


def test_a_date_without_a_zone_is_in_the_given_zone():
    assert Moment.parse("2015-07-10 08:17:32", "Europe/Berlin").nanoseconds == EPOCH


@pytest.mark.parametrize("text", ["", "-5", "soon", "5 parsecs", "@", "2015-13-45", "06:17:32", "5 July"])
def test_invalid_moments_are_refused(text):
    with pytest.raises(UsageError):
        Moment.parse(text, "UTC")


@pytest.mark.parametrize("text", ["06:17:32", "5 July", "July 2015", "2015 06:17", "Friday", "01/02/03"])
def test_an_incomplete_date_is_refused(text):
    with pytest.raises(UsageError, match="needs year, month and day"):
        Moment.parse(text, "UTC")


@pytest.mark.filterwarnings("error")
def test_an_unknown_zone_is_refused():
    with pytest.raises(UsageError, match="unknown time zone") as caught:
        Moment.parse("2015-07-10 06:17:32 XYZ", "UTC")
    assert "+02:00" in caught.value.hint


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        (None, None, [0, 1, 2, 3]),
        ("1", None, [1, 2, 3]),
        (None, "2", [0, 1]),
        ("1", "3", [1, 2]),
        ("@1436509053", "@1436509055", [1, 2]),
        ("9", None, []),
        ("2", "1", []),
    ],
)
@pytest.mark.parametrize("cut", range(5))
def test_frames_in_the_window_pass(start, end, kept, cut):
    window = Window(*(None if text is None else Moment.parse(text) for text in (start, end)))
    stamps = [EPOCH + second * S for second in range(4)]
    found = [
        time for part in (stamps[:cut], stamps[cut:]) for time in window.select(batch_at(*part)).timestamp_ns
    ]
    assert found == [EPOCH + second * S for second in kept]


def test_is_past_is_set_by_a_batch_after_the_end():
    window = Window(None, Moment(S))
    window.select(batch_at(0, 5 * S))
    assert not window.is_past
    window.select(batch_at(2 * S, 3 * S))
    assert window.is_past


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("1", S), ("+1h", 3600 * S), ("-2.5s", -5 * S // 2), (" -250ms ", -S // 4), ("-0", 0)],
)
def test_shifts_have_a_sign(text, nanoseconds):
    assert shift_ns(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "-", "--1", "+-1", "soon"])
def test_invalid_shifts_are_refused(text):
    with pytest.raises(UsageError):
        shift_ns(text)


def test_a_shift_moves_every_frame():
    assert [*shifted(batch_at(EPOCH, 0, -5), -S).timestamp_ns] == [EPOCH - S, -S, -5 - S]


def test_a_shift_out_of_range_is_refused():
    with pytest.raises(UsageError, match="2262"):
        shifted(batch_at(0, (1 << 63) - S), 2 * S)
