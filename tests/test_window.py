from __future__ import annotations

import pytest

from cantools_cli.batch import MessageBatch
from cantools_cli.errors import UsageError
from cantools_cli.message import Message
from cantools_cli.window import Moment, Window

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


def test_a_date_without_a_zone_is_in_the_one_given():
    assert Moment.parse("2015-07-10 08:17:32", "Europe/Berlin").nanoseconds == EPOCH


@pytest.mark.parametrize("text", ["", "-5", "soon", "5 parsecs", "@", "2015-13-45", "06:17:32", "5 July"])
def test_moments_that_are_none(text):
    with pytest.raises(UsageError):
        Moment.parse(text, "UTC")


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
def test_what_passes(start, end, kept, cut):
    window = Window(*(None if text is None else Moment.parse(text) for text in (start, end)))
    stamps = [EPOCH + second * S for second in range(4)]
    found = [
        time for part in (stamps[:cut], stamps[cut:]) for time in window.select(batch_at(*part)).timestamp_ns
    ]
    assert found == [EPOCH + second * S for second in kept]


def test_the_end_is_noticed_when_a_whole_batch_is_behind_it():
    window = Window(None, Moment(S))
    window.select(batch_at(0, 5 * S))
    assert not window.is_past
    window.select(batch_at(2 * S, 3 * S))
    assert window.is_past
