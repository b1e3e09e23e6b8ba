from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from tests.kernels.forms import FORMS, load

EXTENDED, REMOTE, FD, BRS, ESI, RAW, MIX = 1, 2, 4, 8, 16, 32, 64
FIXED, INCREMENT, RANDOM, EVEN, ODD = range(5)
ZEROS, ONES = bytes(64), b"\xff" * 64

PLAIN: dict[str, Any] = {
    "number": 0,
    "time": 0,
    "step": 0,
    "rest": 0,
    "extra": 0,
    "per": 1,
    "kinds": 0,
    "id_mode": FIXED,
    "identifier": 0,
    "length_mode": FIXED,
    "length": 0,
    "data_mode": FIXED,
    "pattern": ZEROS,
    "mask": ONES,
}


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("generate", request.param)


def fill(kernel: Any, rows: int, state: Any = (1, 2, 3, 4), **rules: Any) -> MessageBatch:
    """Return a filled batch, its random state left in the channels."""
    words = array("I", state)
    batch = MessageBatch.with_room(rows, 64 * rows)
    kernel.fill(words, *{**PLAIN, **rules}.values(), *batch.columns())
    batch.channels = tuple(words)
    return batch.cut(rows)


def test_random_words_are_those_of_the_published_generator(kernel: Any) -> None:
    # xoshiro128++ from the state 1, 2, 3, 4
    batch = fill(kernel, 2, kinds=FD, length=8, data_mode=RANDOM)
    words = [641, 1573767, 3222811527, 3517856514]
    assert batch.payload == b"".join(word.to_bytes(4, "little") for word in words)


def test_a_seed_is_spread_by_the_published_generator(kernel: Any) -> None:
    # SplitMix64 from 0: e220a8397b1dcdaf, 6e789e6aa1b965f4
    assert kernel.seeded(0) == (0x7B1DCDAF, 0xE220A839, 0xA1B965F4, 0x6E789E6A)
    assert kernel.seeded(-1) == kernel.seeded((1 << 64) - 1)


def test_a_word_is_rotated_as_32_bits(kernel: Any) -> None:
    batch = fill(kernel, 1, state=(0xFFFFFFFF, 0, 0, 0x80000000), kinds=FD, length=4, data_mode=RANDOM)
    total = (0xFFFFFFFF + 0x80000000) & 0xFFFFFFFF
    rotated = (total << 7 | total >> 25) & 0xFFFFFFFF
    assert batch.payload == ((rotated + 0xFFFFFFFF) & 0xFFFFFFFF).to_bytes(4, "little")


def test_times_carry_fractions_of_a_nanosecond(kernel: Any) -> None:
    batch = fill(kernel, 5, time=100, step=333, rest=1, extra=1, per=3)
    assert batch.timestamp_ns.tolist() == [100, 433, 767, 1100, 1433]


def test_counters_start_at_the_number_of_the_first_frame(kernel: Any) -> None:
    batch = fill(kernel, 2, number=0x7FF, id_mode=INCREMENT, length_mode=INCREMENT, data_mode=INCREMENT)
    assert batch.can_id.tolist() == [0x7FF, 0]
    assert batch.dlc_code == bytes([0x7FF % 9, 0x800 % 9])
    assert batch.payload == b"\xff\x07\x00\x00" + b"\x00\x08\x00\x00\x00"


def test_room_is_checked_before_it_is_written(kernel: Any) -> None:
    batch = MessageBatch.with_room(2, 15)
    with pytest.raises(ValueError, match="no room"):
        kernel.fill(array("I", [1, 2, 3, 4]), *{**PLAIN, "length": 8}.values(), *batch.columns())


@pytest.mark.parametrize(
    "rule",
    [{"pattern": bytes(63)}, {"mask": b""}, {"per": 0}, {"length": 16}, {"length": -1}, {"number": -1}],
)
def test_impossible_rules_are_refused(kernel: Any, rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needed|a length code"):
        fill(kernel, 1, **rule)


@pytest.mark.parametrize("column", [1, 2, 3, 4, 5])
def test_columns_of_different_lengths_are_refused(kernel: Any, column: int) -> None:
    columns = list(MessageBatch.with_room(2, 16).columns())
    columns[column] = columns[column][:1]
    with pytest.raises(ValueError, match=r"differ|offsets"):
        kernel.fill(array("I", [1, 2, 3, 4]), *PLAIN.values(), *columns)


@given(
    state=st.lists(st.integers(0, 0xFFFFFFFF), min_size=4, max_size=4),
    rules=st.fixed_dictionaries(
        {
            "number": st.integers(0, 1 << 40),
            "time": st.integers(0, 1 << 61),
            "step": st.integers(0, 1 << 50),
            "rest": st.just(0),
            "extra": st.integers(0, 999),
            "per": st.just(1000),
            "kinds": st.integers(0, 127),
            "id_mode": st.integers(0, 4),
            "identifier": st.integers(0, 0x1FFFFFFF),
            "length_mode": st.integers(0, 2),
            "length": st.integers(0, 15),
            "data_mode": st.integers(0, 2),
            "pattern": st.binary(min_size=64, max_size=64),
            "mask": st.binary(min_size=64, max_size=64),
        }
    ),
)
def test_both_forms_give_the_same_frames(state: list[int], rules: dict[str, Any]) -> None:
    compiled, interpreted = (fill(load("generate", form), 6, state, **rules) for form in FORMS)
    assert compiled.columns() == interpreted.columns()
    assert compiled.channels == interpreted.channels
    for message in compiled.with_channels(lambda channel: "can0"):
        MessageBatch([message])  # which refuses what is no frame
