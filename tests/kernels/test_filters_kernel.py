from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.forms import FORMS, load

EXTENDED, REMOTE, ERROR = 0x80000000, 0x40000000, 0x20000000

Test = tuple[int, int, int, int]
WORD = st.integers(0, 0xFFFFFFFF)
# words that often agree, beside any
CAN_ID = st.builds(lambda flags, low: flags << 29 | low, st.integers(0, 7), st.integers(0, 15)) | WORD
TEST = st.tuples(WORD | st.sampled_from([0, 0x7FF, 0x9FFFFFFF]), CAN_ID, CAN_ID, st.integers(0, 1))


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("filters", request.param)


def run(
    kernel: Any, can_id: list[int], tests: list[Test], join: bool = False, error_mask: int = 0
) -> list[int]:
    rows = array("I", bytes(4 * len(can_id)))
    words = array("I", [word for test in tests for word in test])
    count = kernel.select(array("I", can_id), words, join, error_mask, rows)
    return rows[:count].tolist()


def model(can_id: list[int], tests: list[Test], join: bool, error_mask: int) -> list[int]:
    def passes(word: int) -> bool:
        if word & ERROR:
            return bool(word & error_mask)
        verdicts = [(low <= word & mask <= high) != bool(inverted) for mask, low, high, inverted in tests]
        return all(verdicts) if join or not verdicts else any(verdicts)

    return [row for row, word in enumerate(can_id) if passes(word)]


def test_a_mask_chooses_rows(kernel: Any) -> None:
    assert run(kernel, [0x123, 0x124, EXTENDED | 0x123], [(0x7FF, 0x123, 0x123, 0)]) == [0, 2]


def test_an_inverted_mask_chooses_the_others(kernel: Any) -> None:
    assert run(kernel, [0x3FF, 0x400, 0x40F, 0x410], [(0x7F0, 0x400, 0x400, 1)]) == [0, 3]


def test_a_range_includes_its_ends(kernel: Any) -> None:
    assert run(kernel, [0xFF, 0x100, 0x180, 0x1FF, 0x200], [(0x9FFFFFFF, 0x100, 0x1FF, 0)]) == [1, 2, 3]


def test_the_highest_words_compare_unsigned(kernel: Any) -> None:
    ids = [0, 0x7FFFFFFF & ~ERROR, 0x80000000, 0xDFFFFFFF]
    assert run(kernel, ids, [(0xFFFFFFFF, 0x80000000, 0xFFFFFFFF, 0)]) == [2, 3]


def test_without_tests_all_data_passes_and_errors_by_class(kernel: Any) -> None:
    ids = [1, ERROR | 4, ERROR | 8, EXTENDED]
    assert run(kernel, ids, [], error_mask=4) == [0, 1, 3]
    assert run(kernel, ids, [], join=True, error_mask=4) == [0, 1, 3]


def test_one_of_several_tests_suffices_unless_joined(kernel: Any) -> None:
    tests = [(0x7FF, 0x100, 0x200, 0), (0x7FF, 0x180, 0x280, 0)]
    assert run(kernel, [0x100, 0x180, 0x280, 0x300], tests) == [0, 1, 2]
    assert run(kernel, [0x100, 0x180, 0x280, 0x300], tests, join=True) == [1]


def test_room_and_shape_are_checked_before_the_loop(kernel: Any) -> None:
    with pytest.raises(ValueError, match="room"):
        kernel.select(array("I", [1, 2]), array("I"), False, 0, array("I", [0]))
    with pytest.raises(ValueError, match="four"):
        kernel.select(array("I", [1]), array("I", [0, 0]), False, 0, array("I", [0]))


@pytest.mark.parametrize("form", FORMS)
@given(
    can_id=st.lists(CAN_ID, max_size=20),
    tests=st.lists(TEST, max_size=4),
    join=st.booleans(),
    error_mask=WORD,
)
def test_both_forms_agree_with_a_plain_model(
    form: str, can_id: list[int], tests: list[Test], join: bool, error_mask: int
) -> None:
    assert run(load("filters", form), can_id, tests, join, error_mask) == model(
        can_id, tests, join, error_mask
    )
