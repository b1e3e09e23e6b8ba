"""Values to data: exact rounding, all kinds of signals, multiplexers, and what unset signals get."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.decoding.encode import LAST, SELECTS, START, ZERO, fill, frame, put, raw_of, taken
from cantools_cli.decoding.model import MessageSpec, SignalSpec
from cantools_cli.errors import UsageError


@pytest.mark.parametrize(
    ("factor", "shift", "value", "raw"),
    [
        (0.5, 0, "0.25", 0),
        (0.5, 0, "0.75", 2),
        (0.5, 0, "1.25", 2),
        (1, 0, "2.5", 2),
        (1, 0, "3.5", 4),
        (0.1, 0, "0.3", 3),  # 0.3 / 0.1 is below 3 in binary
        (0.1, 0, "0.35", 4),  # cantools, which divides floats: 3
        (0.1, 0, "1234.55", 12346),  # cantools: 12345
        (0.001, -40, "-39.9995", 0),
        (-0.5, 3, "1", 4),
        (2, -40, "60", 50),
    ],
)
def test_a_value_becomes_the_nearest_raw_value_and_the_even_one_of_two(factor, shift, value, raw):
    spec = SignalSpec("S", 0, 16, factor=factor, shift=shift)
    assert raw_of(spec, Fraction(value)) == raw


@pytest.mark.parametrize(("size", "code"), [(16, "<e"), (32, "<f"), (64, "<d")])
def test_a_float_has_the_nearest_number(size, code):
    spec = SignalSpec("F", 0, size, is_float=True)
    assert raw_of(spec, Fraction("0.1")) == struct.unpack(code, struct.pack(code, 0.1))[0]


def test_a_float_is_rounded_once():
    # just above halfway between 1 and the next float of 32 bits; 64 bits round it to exactly halfway
    spec = SignalSpec("F", 0, 32, is_float=True)
    assert raw_of(spec, 1 + Fraction(1, 1 << 24) + Fraction(1, 1 << 80)) == 1 + 2**-23


@pytest.mark.parametrize("size", [16, 32, 64])
def test_a_float_too_large_is_refused_not_infinite(size):
    spec = SignalSpec("F", 0, size, is_float=True)
    with pytest.raises(UsageError, match=f"float of {size} bits, cannot hold"):
        raw_of(spec, Fraction(10) ** 400)


def test_more_than_the_bits_hold_is_refused():
    spec = SignalSpec("S", 0, 8, factor=0.5, shift=-10, unit="V")
    with pytest.raises(UsageError, match=r"8 bits, which hold -10 to 117.5 V"):
        raw_of(spec, Fraction("118"))


@given(st.data(), st.binary(min_size=1, max_size=64), st.booleans(), st.booleans(), st.integers(1, 128))
def test_put_is_the_inverse_of_taken_and_touches_no_other_bit(data, before, is_big_endian, is_signed, size):
    size = min(size, 8 * len(before))
    start = data.draw(st.integers(0, 8 * len(before) - size))
    spec = SignalSpec("S", start, size, is_big_endian, is_signed)
    low, high = spec.raw_limits
    raw = data.draw(st.integers(low, high))
    after = bytearray(before)
    put(spec, raw, after)
    assert taken(spec, after) == raw
    put(spec, taken(spec, before), after)
    assert after == before


MUX = MessageSpec(
    "M",
    0x100,
    False,
    4,
    (
        SignalSpec("A", 8, 8, selector="Mux", selected_by=((1, 1),)),
        SignalSpec("B", 8, 8, selector="Mux", selected_by=((3, 5),), start_value=9),
        SignalSpec("Mux", 0, 8, is_selector=True),
        SignalSpec("Plain", 16, 8, start_value=7),
        SignalSpec("Rest", 24, 4),
    ),
)


def test_unset_signals_have_the_last_value_the_start_value_or_zero():
    filled = fill(MUX, {"Mux": 1})
    assert filled.data.hex() == "01000700"
    assert filled.origins == {"A": ZERO, "Plain": START, "Rest": ZERO}
    filled = fill(MUX, {"Mux": 1}, bytes.fromhex("012233f4"))
    assert filled.data.hex() == "012233f4"  # with the bits of no signal
    assert filled.origins == {"A": LAST, "Plain": LAST, "Rest": LAST}


def test_a_start_value_that_the_bits_cannot_hold_is_not_used():
    signals = (
        SignalSpec("F", 0, 32, is_float=True, start_value=1e39),
        SignalSpec("S", 32, 8, start_value=300),
    )
    filled = fill(MessageSpec("M", 0x100, False, 5, signals), {})
    assert (filled.data.hex(), filled.origins) == ("0000000000", {"F": ZERO, "S": ZERO})


def test_a_short_last_frame_gives_what_it_has():
    assert fill(MUX, {}, b"\1\2").data.hex() == "01020700"


def test_another_selection_does_not_inherit_the_bits_of_the_last():
    filled = fill(MUX, {"Mux": 4}, bytes.fromhex("01223304"))
    assert filled.data.hex() == "04093304"
    assert filled.origins["B"] == START


def test_a_given_signal_sets_its_multiplexer():
    filled = fill(MUX, {"B": 1})
    assert filled.data.hex() == "03010700"
    assert filled.origins["Mux"] == SELECTS
    assert fill(MUX, {"B": 1}, bytes.fromhex("05000000")).data.hex() == "05010000"  # selects it already


def test_signals_of_one_name_have_the_place_that_the_multiplexer_selects():
    message = MessageSpec(
        "M",
        0x100,
        False,
        4,
        (
            SignalSpec("Mux", 0, 8, is_selector=True),
            SignalSpec("V", 8, 8, selector="Mux", selected_by=((0, 0),)),
            SignalSpec("V", 16, 8, selector="Mux", selected_by=((1, 1),)),
            SignalSpec("W", 16, 8, selector="Mux", selected_by=((0, 0),)),
        ),
    )
    assert fill(message, {"Mux": 0, "V": 5, "W": 7}).data.hex() == "00050700"
    assert fill(message, {"Mux": 1, "V": 5}).data.hex() == "01000500"
    assert fill(message, {"V": 5, "W": 7}, bytes.fromhex("01000900")).data.hex() == "00050700"
    assert fill(message, {"Mux": 0, "W": 7}, bytes.fromhex("00050900")).data.hex() == "00050700"
    assert fill(message, {"Mux": 1}, bytes.fromhex("00050900")).data.hex() == "01000500"
    with pytest.raises(UsageError, match='signal "V" is not there with Mux=2'):
        fill(message, {"Mux": 2, "V": 5})


def test_signals_of_different_selections_are_refused():
    with pytest.raises(UsageError, match='"A" and "B" are never in one frame'):
        fill(MUX, {"A": 1, "B": 1})
    with pytest.raises(UsageError, match='"B" is not there with Mux=1') as caught:
        fill(MUX, {"Mux": 1, "B": 1})
    assert caught.value.hint == "Mux=3..5 selects it"


def test_a_nested_multiplexer_is_set_as_well():
    nested = MessageSpec(
        "N",
        1,
        False,
        3,
        (
            SignalSpec("M0", 0, 8, is_selector=True),
            SignalSpec("M1", 8, 8, is_selector=True, selector="M0", selected_by=((2, 2),)),
            SignalSpec("D", 16, 8, selector="M1", selected_by=((6, 9),)),
        ),
    )
    assert fill(nested, {"D": 255}).data.hex() == "0206ff"


def test_a_frame_of_can_fd_is_padded_and_a_classic_one_is_not():
    fd = MessageSpec("F", 0x18FEF100, True, 9, is_fd=True)
    message = frame(fd, bytes(9))
    assert (message.dlc, message.is_fd, message.is_extended_id) == (12, True, True)
    assert frame(MUX, bytes(4)).dlc == 4
    with pytest.raises(UsageError, match="65 bytes, but frames hold 64"):
        frame(fd, bytes(65))
