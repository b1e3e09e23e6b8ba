"""Traffic of a database: cycle times, limits, multiplexers, names, rules."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import isfinite

import pytest

from cantools_cli.decoding.encode import taken
from cantools_cli.decoding.model import MessageSpec, SignalSpec
from cantools_cli.decoding.rules import Rules, parse_rules
from cantools_cli.decoding.traffic import Traffic

FAST = MessageSpec(
    "Fast",
    0x100,
    False,
    8,
    (
        SignalSpec("Speed", 0, 16, factor=0.125, minimum=10, maximum=100),
        SignalSpec("Down", 16, 8, is_signed=True, factor=-2, minimum=-20, maximum=30),
        SignalSpec("Gear", 24, 4, choices={0: "N", 3: "T", 99: "beyond"}),
        SignalSpec("Ratio", 32, 32, is_float=True, minimum=-1, maximum=1),
        SignalSpec("Outside", 60, 8),
    ),
    cycle_time=0.01,
)
MUX = MessageSpec(
    "Mux",
    0x18FEF100,
    True,
    3,
    (
        SignalSpec("M", 0, 8, is_selector=True),
        SignalSpec("A", 8, 8, selector="M", selected_by=((2, 4),), minimum=5, maximum=6),
        SignalSpec("B", 16, 8, selector="M", selected_by=((9, 9),), minimum=7, maximum=8),
    ),
    cycle_time=0.1,
)
SLOW = MessageSpec("Slow", 0x7, False, 1, (SignalSpec("X", 0, 8),))
ALL = [("can0", FAST), ("can0", MUX), ("can1", SLOW)]


def traffic(rules: Rules | None = None, **more: int) -> Traffic:
    return Traffic(ALL, rules or Rules(), gap_ns=500_000_000, **{"seed": 1, **more})


@pytest.mark.parametrize("size", [16, 32, 64])
def test_limits_beyond_the_floats_of_a_signal_are_cut(size):
    wide = SignalSpec("F", 0, size, is_float=True, minimum=-1.79e308, maximum=1.79e308, factor=0.5)
    message = MessageSpec("M", 0x100, False, 8, (wide,), cycle_time=0.5)
    frames = Traffic([("can0", message)], Rules(), gap_ns=1, seed=1, count=200).take(200)
    assert len(frames) == 200
    assert all(isfinite(taken(wide, frame.data)) for frame in frames)


def test_each_message_has_its_cycle_time_or_the_gap():
    batch = [message for part in traffic(duration_ns=10_000_000_000).batches() for message in part]
    counts = Counter(message.arbitration_id for message in batch)
    assert abs(counts[0x100] - 1000) <= 1
    assert abs(counts[0x18FEF100] - 100) <= 1
    assert abs(counts[0x7] - 20) <= 1
    times = [message.timestamp_ns for message in batch]
    assert times == sorted(times)
    assert times[0] == 0
    fast = [message.timestamp_ns for message in batch if message.arbitration_id == 0x100]
    assert {later - earlier for earlier, later in pairwise(fast)} == {10_000_000}
    assert {message.channel for message in batch if message.arbitration_id == 7} == {"can1"}


def test_values_stay_within_their_limits_and_move():
    found: dict[str, set[float]] = {}
    for message in traffic().take(3000):
        known = {0x100: FAST, 0x18FEF100: MUX}.get(message.arbitration_id)
        for spec in known.signals[:4] if known else ():
            found.setdefault(spec.name, set()).add(spec.value(taken(spec, bytes(message.data))))
    assert 10 <= min(found["Speed"]) < max(found["Speed"]) <= 100
    assert -20 <= min(found["Down"]) < max(found["Down"]) <= 30
    assert -1 <= min(found["Ratio"]) < max(found["Ratio"]) <= 1
    assert found["Gear"] == {0, 3}


def test_a_multiplexer_takes_turns_and_only_its_signals_are_there():
    frames = [bytes(m.data) for m in traffic().take(500) if m.is_extended_id]
    assert [data[0] for data in frames[:4]] == [2, 9, 2, 9]
    assert all((data[1] in (5, 6) and not data[2]) or (data[2] in (7, 8) and not data[1]) for data in frames)


def test_equal_seeds_give_equal_frames_in_any_steps():
    one, other = traffic(count=100), traffic(count=100)
    frames = [str(message) for part in one.batches(7) for message in part]
    assert frames == [str(message) for message in other.take(1000)]
    assert frames != [str(message) for message in traffic(count=100, seed=2).take(1000)]
    assert one.is_done


def test_due_is_what_take_gives_until_then():
    source = traffic()
    for elapsed in range(0, 3_000_000_000, 77_000_000):
        due = source.due(elapsed)
        batch = source.take(due)
        assert len(batch) == due
        assert all(time <= elapsed for time in batch.timestamp_ns)
        assert source.next_ns() > elapsed


def test_rules_hold():
    specs = [message for _, message in ALL]
    source = traffic(parse_rules(["Fast.Speed=1..3"], [], specs, "x"), count=20)
    values = [message.data[0] for message in source.take(20) if message.arbitration_id == 0x100]
    assert values[:4] == [1, 2, 3, 1]


def test_a_message_that_fits_into_no_frame_is_left_out():
    long = MessageSpec("Long", 1, False, 39)
    source = Traffic([("can0", long), ("can0", SLOW)], Rules(), gap_ns=1_000_000)
    assert source.too_long == [long]
    assert {message.arbitration_id for message in source.take(5)} == {7}
    assert Traffic([("can0", long)], Rules(), gap_ns=1).is_done
