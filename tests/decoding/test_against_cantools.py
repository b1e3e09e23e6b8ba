"""Random databases and random frames: canx decodes like cantools, and like a model that reads bit by bit.

What cantools refuses, it alone does: a value of a multiplexer that selects nothing. The model judges these.
"""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cantools_cli.decoding.encode import fill
from tests.decoding.dbc_strategies import DrawnMessage, databases, dbc_text, payloads
from tests.decoding.judge import by_cantools, by_canx, differences, read

cantools = pytest.importorskip("cantools")

UNKNOWN_SELECTION = "expected multiplexer id"


def check(messages: list[DrawnMessage], frames: list[tuple[int, bytes]]) -> None:
    text = dbc_text(messages)
    ours = read(text)
    theirs = cantools.database.load_string(text, "dbc")
    assert not ours.faults
    by_number = {message.key: message for message in ours.messages}
    for index, data in frames:
        drawn = messages[index]
        found = by_canx(ours, by_number[drawn.number], [data])[0]
        assert not differences(found, drawn.values(data)), (text, data.hex())
        judge = theirs.get_message_by_name(drawn.name)
        try:
            wanted = by_cantools(judge, data)
        except cantools.database.DecodeError as error:
            if UNKNOWN_SELECTION not in str(error):
                raise
        else:
            assert not differences(found, wanted), (text, data.hex())


@settings(max_examples=40)
@given(data=st.data(), messages=databases())
def test_random_frames_of_random_databases(data: st.DataObject, messages: list[DrawnMessage]) -> None:
    indices = data.draw(st.lists(st.integers(0, len(messages) - 1), min_size=1, max_size=8))
    check(messages, [(index, data.draw(payloads(messages[index].length))) for index in indices])


@pytest.mark.long
@settings(max_examples=400)
@given(data=st.data(), messages=databases())
def test_many_random_frames_of_random_databases(data: st.DataObject, messages: list[DrawnMessage]) -> None:
    indices = data.draw(st.lists(st.integers(0, len(messages) - 1), min_size=1, max_size=8))
    check(messages, [(index, data.draw(payloads(messages[index].length))) for index in indices])


@settings(max_examples=40)
@given(data=st.data(), drawn=databases().map(lambda messages: messages[0]))
def test_random_values_are_encoded_as_by_cantools(data: st.DataObject, drawn: DrawnMessage) -> None:
    payload = data.draw(st.binary(min_size=drawn.length, max_size=drawn.length))
    raws = {signal.name: signal.raw_value(payload) for signal in drawn.present(payload)}
    assume(not any(math.isnan(raw) for raw in raws.values()))  # their bits are not kept
    text = dbc_text([drawn])
    found = fill(read(text).messages[0], raws)
    judge = cantools.database.load_string(text, "dbc").messages[0]
    try:
        wanted = judge.encode(raws, scaling=False, strict=False)
    except cantools.database.EncodeError as error:
        if "multiplexer" not in str(error):
            raise
    else:
        assert (bytes(found.data), found.origins) == (wanted, {}), (text, raws)
    assert {signal.name: signal.raw_value(found.data) for signal in drawn.present(found.data)} == raws


@given(
    octets=st.integers(0, (1 << 64) - 1),
    factor=st.sampled_from(["0.1", "1e-9", "1.0000001", "3"]),
    shift=st.sampled_from(["0", "0.5"]),
    sign=st.sampled_from("+-"),
)
def test_64_bits_are_rounded_once(octets: int, factor: str, shift: str, sign: str) -> None:
    text = f'BO_ 1 M: 8 ECU\n SG_ S : 0|64@1{sign} ({factor},{shift}) [0|0] "" ECU\n'
    data = struct.pack("<Q", octets)
    database = read(text)
    raw = octets - (1 << 64) if sign == "-" and octets >> 63 else octets
    number = float(factor) if "." in factor or "e" in factor else int(factor)
    wanted = raw * number + (float(shift) if shift != "0" else 0)
    assert by_canx(database, database.messages[0], [data]) == [{"S": wanted}]


def test_an_unsigned_value_that_a_second_rounding_would_change() -> None:
    text = 'BO_ 1 M: 8 ECU\n SG_ S : 0|64@1+ (0.5,0) [0|0] "" ECU\n'
    database = read(text)
    data = struct.pack("<Q", (1 << 63) + 1025)
    assert by_canx(database, database.messages[0], [data]) == [{"S": ((1 << 63) + 2048) / 2}]
