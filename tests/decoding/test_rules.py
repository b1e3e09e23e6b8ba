"""Counters and checksums in frames."""

from __future__ import annotations

import pytest

from cantools_cli.decoding.model import MessageSpec, SignalSpec
from cantools_cli.decoding.rules import ALGORITHMS, checksum, parse_rules
from cantools_cli.errors import UsageError

ENGINE = MessageSpec(
    "Engine",
    0x100,
    False,
    4,
    (
        SignalSpec("Check", 0, 8),
        SignalSpec("Alive", 8, 4),
        SignalSpec("Wide", 16, 16, is_big_endian=True),
        SignalSpec("Ratio", 16, 16, is_float=True),
        SignalSpec("Far", 32, 8),
    ),
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crc8-j1850", 0x4B),
        ("crc8-j1850-zero", 0x37),
        ("crc8-autosar", 0xDF),
        ("crc8-smbus", 0xF4),
        ("crc16-ccitt", 0x29B1),
        ("crc16-arc", 0xBB3D),
        ("crc32", 0xCBF43926),
        ("crc32-autosar", 0x1697D06A),
        ("xor", 0x31),
        ("sum", 0xDD),
        ("sum-complement", 0x22),
    ],
)
def test_the_check_values_of_the_catalogue(name, value):
    assert checksum(name, b"123456789", 8) == value


def test_every_algorithm_has_a_check_value():
    tested = test_the_check_values_of_the_catalogue.pytestmark[0].args[1]
    assert {name for name, _ in tested} == set(ALGORITHMS)


def sent(counters: list[str], checksums: list[str], frames: int, first: str = "00000000") -> list[str]:
    rules = parse_rules(counters, checksums, [ENGINE], "car.dbc")
    found = []
    for _ in range(frames):
        data = bytearray.fromhex(first)
        rules.apply(ENGINE, data)
        found.append(data.hex())
    return found


def test_a_counter_wraps_at_its_bits_or_at_its_range():
    assert [text[3] for text in sent(["Engine.Alive"], [], 18, "000e0000")] == [*"ef0123456789abcdef"]
    assert [text[3] for text in sent(["Engine.Alive=1..3"], [], 5)] == [*"12312"]


def test_a_checksum_covers_the_counter_and_all_bytes_but_its_own():
    data = bytes.fromhex(sent(["Engine.Alive"], ["Engine.Check=crc8-j1850"], 2, "ff00aabb")[1])
    assert data[1] == 1
    assert data[0] == checksum("crc8-j1850", data[1:], 8)


def test_a_checksum_of_chosen_bytes_between_others():
    (text,) = sent([], ["Engine.Check=crc8-autosar,bytes=3+1-2,prefix=12,suffix=34 56"], 1, "00010203")
    assert int(text[:2], 16) == checksum("crc8-autosar", bytes.fromhex("120301023456"), 8)


def test_a_checksum_of_16_bits_has_the_order_of_its_signal():
    (text,) = sent([], ["Engine.Wide=crc16-ccitt"], 1, "0102ffff")
    assert int(text[4:], 16) == checksum("crc16-ccitt", b"\1\2", 16)


@pytest.mark.parametrize(
    ("counter", "crc", "error"),
    [
        ("Alive", None, '--counter "Alive" does not name a signal'),
        ("Engin.Alive", None, 'car.dbc has no message "Engin"'),
        ("Engine.Alve", None, 'has no signal "Alve"'),
        ("Engine.Ratio", None, 'signal "Ratio" is a float'),
        ("Engine.Far", None, 'signal "Far" is outside of message "Engine"'),
        ("Engine.Alive=3", None, '"3" is not a range'),
        ("Engine.Alive=0..16", None, "the range is not within 0..15"),
        (None, "Engine.Check", "no algorithm"),
        (None, "Engine.Check=crc8-j1580", 'no algorithm "crc8-j1580"'),
        (None, "Engine.Check=crc16-arc", 'signal "Check" has 8 bits, crc16-arc has 16'),
        (None, "Engine.Alive=xor", 'signal "Alive" has 4 bits, xor has 8'),
        (None, "Engine.Check=xor,bytes=1-4", 'bytes "1-4" are not within 0-3'),
        (None, "Engine.Check=xor,bytes=a", '"a" is not a range of bytes'),
        (None, "Engine.Check=xor,suffix=1", '"1" is not hexadecimal'),
        (None, "Engine.Check=xor,seed=1", 'no setting "seed"'),
    ],
)
def test_a_mistake_is_one_clear_line(counter, crc, error):
    with pytest.raises(UsageError) as caught:
        parse_rules([counter] if counter else [], [crc] if crc else [], [ENGINE], "car.dbc")
    assert error in str(caught.value)
