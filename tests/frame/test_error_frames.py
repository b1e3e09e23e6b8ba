from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame import error_frames

# What candump -e prints of these frames.
WORDS = [
    (0x001, "0000000000000000", "tx-timeout"),
    (0x002, "0B00000000000000", "lost-arbitration{at bit 11}"),
    (0x004, "0001000000000000", "controller-problem{rx-overflow}"),
    (0x004, "0004000000000060", "controller-problem{rx-error-warning},error-counter-tx-rx{{0}{96}}"),
    (0x004, "0008000000006000", "controller-problem{tx-error-warning},error-counter-tx-rx{{96}{0}}"),
    (0x004, "0020000000008000", "controller-problem{tx-error-passive},error-counter-tx-rx{{128}{0}}"),
    (0x004, "0040000000000000", "controller-problem{back-to-error-active}"),
    (
        0x00C,
        "0030141E00008888",
        "controller-problem{rx-error-passive,tx-error-passive},protocol-violation{{bit-stuffing-error,"
        "tx-recessive-bit-error}{unspecified}},error-counter-tx-rx{{136}{136}}",
    ),
    (0x008, "0000040A00000000", "protocol-violation{{bit-stuffing-error}{data-field}}"),
    (0x008, "0000900A00000000", "protocol-violation{{tx-recessive-bit-error,error-on-tx}{data-field}}"),
    (0x008, "0000080F00000000", "protocol-violation{{tx-dominant-bit-error}{id.12-to-id.5}}"),
    (0x088, "0000801900000000", "protocol-violation{{error-on-tx}{acknowledge-slot}},bus-error"),
    (
        0x0A8,
        "0000801900000000",
        "protocol-violation{{error-on-tx}{acknowledge-slot}},no-acknowledgement-on-tx,bus-error",
    ),
    (0x088, "0000021800000000", "protocol-violation{{frame-format-error}{crc-delimiter}},bus-error"),
    (0x008, "0000201200000000", "protocol-violation{{bus-overload}{intermission}}"),
    (0x010, "0000000004000000", "transceiver-status"),
    (0x020, "0000000000000000", "no-acknowledgement-on-tx"),
    (0x040, "0000000000000000", "bus-off"),
    (0x100, "0000000000000000", "restarted-after-bus-off"),
    (0x200, "0000000000007F10", "error-counter-tx-rx{{127}{16}}"),
    (0x200, "", "error-counter-tx-rx{{0}{0}}"),
]


@pytest.mark.parametrize(("error_class", "data", "words"), WORDS)
def test_an_error_frame_is_explained_in_the_words_of_can_utils(error_class, data, words):
    assert error_frames.explain(error_class, bytes.fromhex(data)) == words


# (error code capture, class bits, data[2], data[3])
CAPTURES = [
    (0b10100010, 0x088, 0x04, 0x02),  # stuff, receiving, id.28-21
    (0b10000010, 0x088, 0x84, 0x02),  # the same while transmitting
    (0b00101010, 0x088, 0x01, 0x0A),  # bit error in the data
    (0b01111000, 0x088, 0x02, 0x18),  # form error in the CRC delimiter
    (0b11101000, 0x088, 0x00, 0x08),  # CRC error
    (0b11011001, 0x0A8, 0x80, 0x19),  # no acknowledge
    (0b11111001, 0x088, 0x00, 0x19),  # a receiver cannot miss an acknowledge
]


@pytest.mark.parametrize(("ecc", "error_class", "kind", "place"), CAPTURES)
def test_an_error_code_capture_is_translated_both_ways(ecc, error_class, kind, place):
    data = bytes((0, 0, kind, place, 0, 0, 0, 0))
    assert error_frames.from_ecc(ecc) == (error_class, data)
    assert error_frames.to_ecc(error_class, data) == ecc


@pytest.mark.parametrize(
    ("lec", "error_class", "kind", "place"),
    [
        (0, 0x080, 0x00, 0x00),
        (1, 0x088, 0x04, 0x00),  # stuff error
        (2, 0x088, 0x02, 0x00),  # form error
        (3, 0x0A0, 0x00, 0x00),  # no acknowledgement
        (4, 0x088, 0x10, 0x00),  # a recessive bit could not be sent
        (5, 0x088, 0x08, 0x00),  # a dominant bit could not be sent
        (6, 0x088, 0x00, 0x08),  # CRC error
        (7, 0x080, 0x00, 0x00),
    ],
)
def test_a_last_error_code_is_translated(lec, error_class, kind, place):
    assert error_frames.from_lec(lec) == (error_class, bytes((0, 0, kind, place, 0, 0, 0, 0)))


@given(st.integers(0, 255).filter(lambda ecc: ecc & 0x1F))
def test_every_error_code_capture_with_a_place_survives(ecc):
    assert error_frames.to_ecc(*error_frames.from_ecc(ecc)) == ecc


@pytest.mark.parametrize(
    ("error_class", "data"),
    [
        (0x080, "0000000000000000"),  # nothing known
        (0x004, "0004000000000060"),  # no bus error
        (0x040, ""),
        (0x088, "0000040000000000"),  # no place
        (0x088, "000004FF00000000"),  # no such place
        (0x088, "0000140200000000"),  # two causes
        (0x088, "0000201200000000"),  # overload
        (0x080, "0000040200000000"),  # data that its class does not announce
    ],
)
def test_an_error_without_one_cause_and_place_has_no_error_code_capture(error_class, data):
    assert error_frames.to_ecc(error_class, bytes.fromhex(data)) is None


def test_a_missing_acknowledge_has_its_place_by_its_nature():
    assert error_frames.to_ecc(0x020, bytes(8)) == error_frames.to_ecc(0x0A0, b"") == 0b11011001


# (code, segment, transmitting), (class bits, data[2], data[3])
CODES = [
    ((0, 0x0A, False), (0x088, 0x01, 0x0A)),
    ((1, 0x18, True), (0x088, 0x82, 0x18)),
    ((2, 0x02, False), (0x088, 0x04, 0x02)),
    ((3, 0, False), (0x080, 0, 0)),
    ((4, 0, False), (0x088, 0, 0x08)),
    ((5, 0, False), (0x0A0, 0, 0)),
    ((7, 0x19, True), (0x0A8, 0x80, 0x19)),
    ((8, 0, False), (0x088, 0x20, 0)),
    ((6, 0, False), (0x080, 0, 0)),  # not assigned
]


@pytest.mark.parametrize(("arguments", "expected"), CODES)
def test_a_cause_by_number_becomes_an_error_frame(arguments, expected):
    error_class, kind, place = expected
    assert error_frames.from_code(*arguments) == (error_class, bytes((0, 0, kind, place, 0, 0, 0, 0)))
