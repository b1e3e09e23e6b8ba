from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.filtering.filters import FrameFilter, conjunction
from cantools_cli.filtering.selection import Selection
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import messages

FRAMES = [
    Message(arbitration_id=identifier, is_extended_id=extended, is_remote_frame=remote, is_error_frame=error)
    for identifier in (0x080, 0x123, 0x124, 0x1FF, 0x500)
    for extended, remote, error in (
        (False, False, False),
        (False, True, False),
        (True, False, False),
        (True, True, False),
        (False, False, True),
    )
]
TOKENS = st.sampled_from(
    ["123", "00000123", "100-1FF", "0:40000000", "124~7F0", "0:80000000", "j", "#80", "#180", "#0"]
)


def test_an_empty_selection_returns_the_batch_itself() -> None:
    selection, batch = Selection.parse(None), MessageBatch(FRAMES)
    assert selection.passes_everything
    assert selection.select(batch) is batch
    assert selection.frame_filter() is None


def test_filters_are_applied_before_the_expression() -> None:
    selection = Selection(FrameFilter.parse(["100-1FF,#0"]), None, where="every 2 and not remote")
    assert not selection.passes_everything
    passed = selection.select(MessageBatch(FRAMES))
    assert [message.arbitration_id for message in passed] == [0x123, 0x124, 0x1FF]


def test_warnings_of_filters_and_expression_come_together() -> None:
    selection = Selection.parse(["1~1,2~2"], "data[0] & 10 eq 0")
    assert ["~" in line for line in selection.warnings] == [True, False]


@pytest.mark.parametrize(("tokens", "where"), [(["12"], None), (None, "id eq 12"), (["123"], "")])
def test_invalid_filters_and_expressions_are_refused_immediately(
    tokens: list[str] | None, where: str | None
) -> None:
    with pytest.raises(UsageError):
        Selection.parse(tokens, where)


@pytest.mark.parametrize(
    "tokens",
    [
        ["123", "0:40000000"],
        ["0:40000000", "123"],
        ["123,124,00000123", "0:40000000"],
        ["100-1FF,00000100-000001FF", "0:40000000", "#80"],
        ["100-1FF", "124~7FF"],
        ["0:80000000", "0:40000000", "123:7FF"],
        ["#80", "#180"],
        ["#180", "#80", "123,j,0:40000000"],
        ["#0", "#80"],
    ],
)
def test_mergeable_filters_become_one_exact_filter(tokens: list[str]) -> None:
    filters = [FrameFilter.parse([token]) for token in tokens]
    together = conjunction(filters)
    assert together is not None
    for message in FRAMES:
        assert together.matches(message) == all(one.matches(message) for one in filters)


@given(st.lists(st.lists(TOKENS, max_size=3), max_size=4), st.lists(messages(), max_size=6))
def test_a_conjunction_passes_every_frame_that_all_filters_pass(
    tokens: list[list[str]], frames: list[Message]
) -> None:
    filters = [FrameFilter.parse(group) for group in tokens]
    together = conjunction(filters) or FrameFilter()
    for message in [*FRAMES, *frames]:
        assert together.matches(message) or not all(one.matches(message) for one in filters)


def test_again_has_no_memory_of_the_first_stream() -> None:
    selection = Selection(FrameFilter.parse(["100-1FF"]), where="every 2")
    batch = MessageBatch(Message(arbitration_id=n, is_extended_id=False) for n in (1, 0x101, 0x102, 0x103))
    first, second, again = (
        [message.arbitration_id for message in one.select(batch)]
        for one in (selection, selection, selection.again())
    )
    assert again == first
    assert again != second
