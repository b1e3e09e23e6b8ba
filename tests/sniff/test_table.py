"""The table of a live view: its rows after some frames."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.kernels import sniff as kernel
from cantools_cli.sniff import table as table_module
from cantools_cli.sniff.columns import COLUMNS
from cantools_cli.sniff.table import LIMIT, Table
from tests.kernels.forms import compiled, interpreted
from tests.sniff.frames import SECOND, log
from tests.strategies import ALL_KINDS, messages


def fed(make_table, *lines, now_ns=None):
    table = make_table()
    table.feed(log(*lines), now_ns)
    return table


def test_a_row_is_an_identifier_of_a_kind_on_a_channel(make_table):
    table = fed(
        make_table,
        *("1.0 can0 123#11", "1.1 can1 123#11", "1.2 can0 00000123#11", "1.3 can0 123#R"),
        *("1.4 can0 20000004#0001000000000000", "1.5 can0 20000080#0000000000000000", "1.6 can0 123##111"),
    )
    assert [(row.channel, row.arbitration_id, row.is_extended_id, row.count) for row in table.rows] == [
        ("can0", 0x123, False, 3),
        ("can1", 0x123, False, 1),
        ("can0", 0x123, True, 1),
        ("can0", 0x004, False, 1),
        ("can0", 0x080, False, 1),
    ]
    assert [row.is_error_frame for row in table.rows] == [False, False, False, True, True]
    assert (table.frames, table.errors, table.crowded) == (7, 2, 0)


def test_periods_with_extremes_mean_and_jitter(make_table):
    (row,) = fed(make_table, "1.0 can0 123#", "1.1 can0 123#", "1.3 can0 123#", "1.35 can0 123#").rows
    assert (row.period_ns, row.shortest_ns, row.longest_ns) == (50_000_000, 50_000_000, 200_000_000)
    # RFC 3550: J += (|D| - J) / 16 for D of 100 and 150 ms, kept to a sixteenth of a nanosecond
    assert row.jitter_ns == (100_000_000 + 150_000_000 - (100_000_000 + 8 >> 4)) // 16
    assert 90_000_000 < row.mean_ns < 120_000_000
    assert row.rate() == pytest.approx(3 / 0.35)


def test_the_time_is_from_the_first_frame_of_the_table(make_table):
    table = fed(make_table, "1.5 can0 123#11", "2.0 can0 124#11", "3.75 can0 123#11")
    assert [COLUMNS["time"].text(row, None) for row in table.rows] == ["2.250000", "0.500000"]
    assert [COLUMNS["time"].key(row, None) for row in table.rows] == [2_250_000_000, 500_000_000]


def test_a_single_frame_has_no_period(make_table):
    (row,) = fed(make_table, "1.0 can0 123#11").rows
    assert (row.period_ns, row.shortest_ns, row.jitter_ns, row.rate(), row.rate(10)) == (
        *(None, None, None),
        *(0.0, 0.0),
    )


def test_a_clock_that_goes_back_makes_no_negative_period(make_table):
    (row,) = fed(make_table, "5.0 can0 123#", "1.0 can0 123#", "2.0 can0 123#").rows
    assert (row.shortest_ns, row.longest_ns) == (0, SECOND)


def test_the_recent_rate_falls_during_silence(make_table):
    (row,) = fed(make_table, "0.0 can0 123#", "0.1 can0 123#", "0.2 can0 123#").rows
    assert row.rate(200_000_000) == pytest.approx(10)
    assert row.rate(2_200_000_000) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("lines", "changed"),
    [
        (["1.0 can0 123#1122"], [None, None]),
        (["1.0 can0 123#1122", "1.5 can0 123#1122"], [None, None]),
        (["1.0 can0 123#1122", "1.5 can0 123#1123"], [None, 1.5]),
        (["1.0 can0 123#1122", "1.5 can0 123#3322", "2.0 can0 123#3321"], [1.5, 2.0]),
        (["1.0 can0 123#11", "1.5 can0 123#1122"], [None, 1.5]),
        (["1.0 can0 123#1122", "1.5 can0 123#11"], [None]),
        (["1.0 can0 123#1122", "1.5 can0 123#R8", "2.0 can0 123#1122"], [None, None]),
        (["1.0 can0 123#R8", "1.5 can0 123#1122"], [None, None]),
    ],
)
def test_each_byte_knows_when_it_changed(make_table, lines, changed):
    (row,) = fed(make_table, *lines).rows
    expected = [kernel.NEVER if at is None else int(at * SECOND) for at in changed]
    assert row.changed_ns() == expected


def test_changes_are_dated_by_the_time_of_the_view(make_table):
    table = fed(make_table, "1.0 can0 123#11", "1.5 can0 123#12", now_ns=77 * SECOND)
    (row,) = table.rows
    assert row.ages_ns(80 * SECOND) == [3 * SECOND]


def test_changes_of_notched_bits_are_ignored(make_table):
    table = fed(make_table, "1.0 can0 123#0000", "1.1 can0 123#0100", "1.2 can0 123#0300")
    (row,) = table.rows
    table.notch(int(1.2 * SECOND))
    assert (row.notch_plane[:2], row.changed_ns()) == (b"\x03\x00", [kernel.NEVER] * 2)
    table.feed(log("1.3 can0 123#0200", "1.4 can0 123#0101"))
    assert row.changed_ns() == [kernel.NEVER, int(1.4 * SECOND)]
    table.feed(log("1.5 can0 123#8001"))
    assert row.changed_ns()[0] == int(1.5 * SECOND)
    assert row.recent_bits[0] == 0x80
    table.unnotch()
    table.feed(log("1.6 can0 123#8101"))
    assert row.changed_ns()[0] == int(1.6 * SECOND)


def test_old_changes_are_not_notched(make_table):
    table = fed(make_table, "1.0 can0 123#00", "1.1 can0 123#01")
    table.notch(3 * SECOND)
    assert not any(table.rows[0].notch_plane)


def test_extremes_and_bits_of_each_byte(make_table):
    (row,) = fed(make_table, "1 can0 123#0580", "2 can0 123#0280", "3 can0 123#0780").rows
    assert (row.lowest, row.highest, row.changed_bits) == (b"\x02\x80", b"\x07\x80", b"\x07\x00")


def test_an_error_frame_has_a_meaning(make_table):
    (row,) = fed(make_table, "1.0 can0 20000004#0001000000000000").rows
    assert row.meaning == "controller-problem{rx-overflow}"


def test_flags_and_length_are_those_of_the_last_frame(make_table):
    (row,) = fed(make_table, "1.0 can0 123##311", "1.1 can0 123#R5").rows
    assert (row.length, row.is_remote_frame, row.flags, row.data) == (5, True, 0, b"\x11")


def test_the_table_grows(make_table):
    table = fed(make_table, *(f"{n} can0 {n:03X}#{n & 255:02X}" for n in range(300)))
    assert [(row.arbitration_id, row.data) for row in table.rows] == [
        (n, bytes([n & 255])) for n in range(300)
    ]


def test_identifiers_over_the_limit_are_counted():
    table = Table()
    for step in range(3):
        batch = MessageBatch(Message(arbitration_id=n) for n in range(step * 2000, step * 2000 + 2000))
        table.feed(batch)
    assert (len(table.rows), table.frames, table.crowded) == (LIMIT, 6000, 6000 - LIMIT)


def test_the_memory_is_bounded():
    table = Table()
    batch = MessageBatch(Message(arbitration_id=n % 5, data=bytes([n & 255])) for n in range(1000))
    table.feed(batch)
    sizes = _sizes(table)
    for _ in range(20):
        table.feed(batch)
    assert sizes == _sizes(table)


def _sizes(table):
    return [len(one) for one in (table.figures, table.changed, table.octets, table.past, table.past_ns)]


def test_the_last_frames_are_kept_in_order(make_table):
    table = fed(make_table, *(f"{n}.0 can0 123#{n:02X}" for n in range(250)), "250.0 can0 123#R3")
    past = table.rows[0].past()
    assert len(past) == kernel.PAST
    assert [one.data for one in past[:-1]] == [bytes([n]) for n in range(151, 250)]
    assert past[-1] == (250 * SECOND, 3, True, b"")


def test_clear_resets_rows_and_totals(make_table):
    table = fed(make_table, "1.0 can0 123#11", "1.1 can0 123#12")
    table.clear()
    assert (table.rows, table.frames, table.first_ns) == ([], 0, None)
    table.feed(log("2.0 can0 123#22"))
    assert (table.rows[0].count, table.rows[0].changed_ns()) == (1, [kernel.NEVER])


def test_numbers_and_names_are_different_channels():
    table = Table()
    table.feed(MessageBatch([Message(channel=0), Message(channel="0"), Message(channel=None)]))
    assert [row.channel for row in table.rows] == [0, "0", None]


def _key(message):
    wide = message.is_extended_id and not message.is_error_frame and not message.is_xl
    return (message.channel, message.arbitration_id, wide, message.is_error_frame, message.is_xl)


@given(st.lists(messages(kinds=ALL_KINDS), max_size=30), st.integers(1, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_frame_is_in_exactly_one_row(drawn, cut):
    table = Table()
    for first in range(0, len(drawn), cut):
        table.feed(MessageBatch(drawn[first : first + cut]))
    by_key = defaultdict(list)
    for message in drawn:
        by_key[_key(message)].append(message)
    rows = {
        (row.channel, row.arbitration_id, row.is_extended_id, row.is_error_frame, row.is_xl): row
        for row in table.rows
    }
    assert list(rows) == list(by_key)
    assert table.frames == len(drawn)
    for key, row in rows.items():
        last, data = by_key[key][-1], [m for m in by_key[key] if not m.is_remote_frame]
        assert row.count == len(by_key[key])
        assert row.length == last.dlc
        assert row.last_ns == last.timestamp_ns
        assert row.data == (bytes(data[-1].data)[:64] if data else b"")
        assert bool(row.flags & bits.FD) == last.is_fd
        assert [one.data for one in row.past()] == [bytes(m.data)[:64] for m in by_key[key][-100:]]
        if not row.is_xl:
            kept = row.message()
            assert (kept.arbitration_id, kept.is_remote_frame, kept.is_fd) == (
                *(last.arbitration_id, last.is_remote_frame),
                last.is_fd,
            )


@given(st.lists(messages(kinds=ALL_KINDS), max_size=40), st.sampled_from([None, 0, 5 * SECOND]))
def test_both_forms_give_the_same_results(drawn, now_ns):
    states = []
    for form in (compiled("sniff"), interpreted("sniff")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(table_module, "kernel", form)
            table = Table()
            table.feed(MessageBatch(drawn), now_ns)
            table.feed(MessageBatch(drawn[::-1]), now_ns)
        columns = (table.slots, table.figures, table.changed, table.octets, table.past, table.totals)
        states.append([bytes(column) for column in columns])
    assert states[0] == states[1]


def test_columns_of_wrong_size_are_refused(make_table):
    table = make_table()
    table.changed = table.changed[:10]
    with pytest.raises(ValueError, match="fit together"):
        table.feed(log("1.0 can0 123#11"))


def test_a_restarted_table_keeps_ignored_bits(make_table):
    lines = ["1.0 can0 123#0000", "1.1 can0 123#0100", "1.2 can0 456#00"]
    table = fed(make_table, *lines)
    table.notch(int(1.2 * SECOND))
    table.restart()
    table.restart()
    assert (table.rows, table.frames) == ([], 0)
    table.feed(log(*lines))
    (row, _) = table.rows
    assert (row.notch_plane[:2], row.changed_ns()) == (b"\x01\x00", [kernel.NEVER] * 2)
    table.feed(log("1.3 can0 123#0001"))
    assert row.changed_ns() == [kernel.NEVER, int(1.3 * SECOND)]


def test_clear_and_unnotch_stop_ignoring_bits(make_table):
    for forget in (Table.clear, Table.unnotch):
        table = fed(make_table, "1.0 can0 123#00", "1.1 can0 123#01")
        table.notch(int(1.1 * SECOND))
        table.restart()
        forget(table)
        table.feed(log("1.2 can0 123#00", "1.3 can0 123#01"))
        assert table.rows[0].changed_ns() == [int(1.3 * SECOND)]
