"""Kernels that write leave CAN XL rows to the caller, in both forms."""

from __future__ import annotations

from array import array

import pytest

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from tests.kernels.forms import FORMS, load

BATCH = MessageBatch(
    [
        Message(arbitration_id=1, is_extended_id=False),
        XlMessage(0.0, 1, b"\x11"),
        Message(arbitration_id=2, is_extended_id=False),
    ]
)
#: what each takes behind the columns
REST = {
    "asc": (array("H", [1]), 0, 0),
    "blf": (array("H", [0]), 0, 1 << 62),
    "candump": (b"can0", array("I", [4]), 6, 0),
    "jsonl": (b'"can0"', array("I", [6])),
    "wire": (0, False, 1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", REST)
def test_writing_stops_before_a_can_xl_row(name: str, form: str) -> None:
    kernel = load(name, form)
    out = bytearray(1 << 16)
    assert kernel.format(0, *BATCH.columns(), *REST[name], out)[0] == 1
    assert kernel.format(1, *BATCH.columns(), *REST[name], out)[0] == 1
    assert kernel.format(2, *BATCH.columns(), *REST[name], out)[0] == 3


@pytest.mark.parametrize("form", FORMS)
def test_a_datagram_of_can_xl_is_left_to_the_caller(form: str) -> None:
    kernel = load("wire", form)
    batch = MessageBatch.with_room(4, 64)
    out = bytearray(1 << 12)
    _, size = kernel.format(2, *BATCH.columns(), 0, False, 1, out)
    text = bytes(out[:size])
    other = bytearray(text)
    other[1] = kernel.XL_KIND
    at, rows, reason = kernel.parse(text + bytes(other), 0, 2 * size, 0, 0, *batch.columns())
    assert (at, rows, reason) == (size, 1, kernel.XL)
