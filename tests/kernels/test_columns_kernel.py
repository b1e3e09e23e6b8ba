from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame import bits
from tests.kernels.forms import FORMS, load


@pytest.mark.parametrize("form", FORMS)
@given(rows=st.lists(st.tuples(st.integers(0, 255), st.integers(0, 15), st.sampled_from([0, 1, 65535]))))
def test_rows_are_counted(form: str, rows: list[tuple[int, int, int]]) -> None:
    kernel: Any = load("columns", form)
    flags, codes = bytes(row[0] for row in rows), bytes(row[1] for row in rows)
    channel = array("H", [row[2] for row in rows])
    for mask in (1, 8, 255):
        assert kernel.count_bits(flags, mask) == sum(1 for flag in flags if flag & mask)
    for entry in (0, 65535, 7):
        assert kernel.count_entries(channel, entry) == channel.count(entry)
    raw = sum(1 for flag, code, _ in rows if code > 8 and not flag & bits.FD)
    assert kernel.count_raw_dlc(codes, flags) == raw
    for above in (-1, 8, 12):
        found = array("I", bytes(4 * len(rows)))
        count = kernel.rows_without_fd(codes, flags, above, found)
        wanted = [row for row, code in enumerate(codes) if code <= above or not flags[row] & bits.FD]
        assert list(found[:count]) == wanted
