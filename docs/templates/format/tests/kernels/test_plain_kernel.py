"""The kernel of plain, in both of its forms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.forms import FORMS, compiled, interpreted, load, parsed

ROWS = 8
PARTS = st.sampled_from([b"1", b"9" * 16, b" ", b"123", b"1FFFFFFF", b"AB", b"\n", b"\xff", b"G"])


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("plain", request.param)


def answer(kernel: Any, text: bytes) -> tuple[int, int, int]:
    return parsed(kernel, text, rows=ROWS)[0]


def test_lines_fill_rows(kernel: Any) -> None:
    assert answer(kernel, b"1 123 DEADBEEF\n2 00000123\n") == (26, 2, kernel.DONE)


@pytest.mark.parametrize("line", [b"x 123", b"1 1234", b"1 123 D", b"1 800", b"1 123 11 22", b"1 20000000"])
def test_an_unusual_line_is_left_at_its_start(kernel: Any, line: bytes) -> None:
    assert answer(kernel, b"1 123\n" + line + b"\n") == (6, 1, kernel.STRANGE)


def test_a_full_batch_stops_the_kernel(kernel: Any) -> None:
    assert answer(kernel, b"1 123\n" * (ROWS + 1)) == (6 * ROWS, ROWS, kernel.FULL)


@given(st.lists(PARTS))
def test_both_forms_agree_on_any_text(parts: list[bytes]) -> None:
    text = b"".join(parts) + b"\n"
    assert parsed(compiled("plain"), text, rows=ROWS) == parsed(interpreted("plain"), text, rows=ROWS)
