from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.streams import generator
from cantools_cli.streams.generator import Generator
from tests.kernels.forms import FORMS, load
from tests.strategies import facts


def drawn(count: int, **rules: Any) -> list[Message]:
    return list(Generator(count=count, **{"seed": 1, **rules}))


def test_the_same_seed_gives_the_same_frames_on_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    for form in FORMS:
        monkeypatch.setattr(generator, "kernel", load("generate", form))
        runs.append([facts(message) for message in drawn(200, mix=True, rate=3000, start_ns=5)])
    assert runs[0] == runs[1]


def test_the_frames_of_a_seed_never_change() -> None:
    lines = [f"{message.arbitration_id:03X}#{message.data.hex()}" for message in drawn(4, seed=7)]
    assert lines == ["505#", "60E#1141", "25F#aa6f95", "292#"]


def test_another_seed_gives_other_frames() -> None:
    assert drawn(1, seed=1)[0].data != drawn(1, seed=2)[0].data


def test_the_default_seed_is_random_and_readable() -> None:
    first = Generator(count=50)
    again = Generator(count=50, seed=first.seed)
    assert [facts(message) for message in first] == [facts(message) for message in again]


@pytest.mark.parametrize("rows", [1, 7, 64, 8192])
def test_batches_of_any_size_hold_the_same_frames(rows: int) -> None:
    batches = list(Generator(count=100, seed=3, mix=True, rate=7, start_ns=10**18).batches(rows))
    assert [len(batch) for batch in batches][:-1] == [rows] * (len(batches) - 1)
    one_by_one = [facts(message) for message in drawn(100, seed=3, mix=True, rate=7, start_ns=10**18)]
    assert [facts(message) for batch in batches for message in batch] == one_by_one


def test_without_a_count_there_is_no_end() -> None:
    assert sum(len(batch) for batch in islice(Generator(seed=1).batches(10), 50)) == 500


@pytest.mark.parametrize("count", [0, 1, 8192, 8193])
def test_a_count_limits_the_frames(count: int) -> None:
    assert sum(len(batch) for batch in Generator(count=count, seed=1).batches()) == count


# --- kinds ---

KINDS: list[tuple[dict[str, bool], dict[str, bool]]] = [
    ({}, {}),
    ({"is_extended_id": True}, {"is_extended_id": True}),
    ({"is_remote_frame": True}, {"is_remote_frame": True}),
    ({"is_fd": True}, {"is_fd": True}),
    ({"bitrate_switch": True}, {"is_fd": True, "bitrate_switch": True}),
    ({"error_state_indicator": True}, {"is_fd": True, "error_state_indicator": True}),
    ({"is_extended_id": True, "is_fd": True}, {"is_extended_id": True, "is_fd": True}),
    ({"raw_dlc": True}, {}),
]
FLAGS = (
    "is_extended_id",
    "is_remote_frame",
    "is_fd",
    "bitrate_switch",
    "error_state_indicator",
    "is_error_frame",
)


def kind(message: Message) -> dict[str, bool]:
    return {flag: True for flag in FLAGS if getattr(message, flag)}


@pytest.mark.parametrize(("asked", "given_kind"), KINDS)
def test_all_frames_have_the_requested_kind(asked: dict[str, bool], given_kind: dict[str, bool]) -> None:
    assert all(kind(message) == given_kind for message in drawn(50, **asked))


def test_a_mix_without_flags_has_all_kinds() -> None:
    mixed = Counter(tuple(kind(message)) for message in drawn(2000, mix=True))
    ids, fd_flags = [(), ("is_extended_id",)], [(), ("bitrate_switch",), ("error_state_indicator",)]
    fd_flags.append(("bitrate_switch", "error_state_indicator"))
    wanted = {
        (*i, *rest)
        for i in ids
        for rest in [(), ("is_remote_frame",), *(("is_fd", *flags) for flags in fd_flags)]
    }
    assert set(mixed) == wanted
    assert min(mixed.values()) > 50


@pytest.mark.parametrize(("asked", "given_kind"), KINDS[1:4])
def test_a_mix_has_the_requested_kinds_and_plain_frames(
    asked: dict[str, bool], given_kind: dict[str, bool]
) -> None:
    found = [kind(message) for message in drawn(100, mix=True, **asked)]
    assert {} in found
    assert given_kind in found
    assert all(each in ({}, given_kind) for each in found)


# --- identifiers ---


def ids(count: int, **rules: Any) -> list[int]:
    return [message.arbitration_id for message in drawn(count, **rules)]


def test_random_identifiers_use_all_bits() -> None:
    assert {bit for bit in range(32) for each in ids(200) if each >> bit & 1} == set(range(11))
    assert {bit for bit in range(32) for each in ids(200, is_extended_id=True) if each >> bit & 1} == set(
        range(29)
    )


@pytest.mark.parametrize(("mode", "odd"), [("e", 0), ("o", 1)])
@pytest.mark.parametrize("is_extended_id", [False, True])
def test_even_and_odd_identifiers(mode: str, odd: int, is_extended_id: bool) -> None:
    found = ids(100, identifier=mode, is_extended_id=is_extended_id)
    assert all(each & 1 == odd for each in found)
    assert len(set(found)) > 50


def test_counted_identifiers_wrap_at_7ff() -> None:
    assert ids(0x802, identifier="i") == [*range(0x800), 0, 1]


def test_counted_extended_identifiers_go_on() -> None:
    assert ids(0x802, identifier="i", is_extended_id=True) == list(range(0x802))


@pytest.mark.parametrize(
    ("text", "value"), [("42A", 0x42A), ("0x42a", 0x42A), ("7FF", 0x7FF), ("0", 0), ("E", 14)]
)
def test_a_fixed_identifier(text: str, value: int) -> None:
    assert ids(3, identifier=text) == [value] * 3


def test_a_fixed_extended_identifier() -> None:
    assert ids(2, identifier="1FFFFFFF", is_extended_id=True) == [0x1FFFFFFF] * 2


# --- lengths ---


LENGTHS: list[tuple[dict[str, Any], int]] = [({}, 9), ({"raw_dlc": True}, 16), ({"is_fd": True}, 16)]


def codes(count: int, **rules: Any) -> list[int]:
    return [message.dlc_code for message in drawn(count, **rules)]


@pytest.mark.parametrize(("asked", "limit"), LENGTHS)
def test_random_lengths_are_uniform(asked: dict[str, Any], limit: int) -> None:
    found = Counter(
        code for batch in Generator(count=20000, seed=5, **asked).batches() for code in batch.dlc_code
    )
    assert sorted(found) == list(range(limit))
    assert all(0.85 < found[code] * limit / 20000 < 1.15 for code in found)


@pytest.mark.parametrize(("asked", "limit"), LENGTHS)
def test_counted_lengths_start_over(asked: dict[str, Any], limit: int) -> None:
    assert codes(20, length="i", **asked) == [number % limit for number in range(20)]


@pytest.mark.parametrize("code", range(16))
def test_a_fixed_length_is_a_dlc_code(code: int) -> None:
    (fd,) = drawn(1, length=str(code), is_fd=True)
    (raw,) = drawn(1, length=str(code), raw_dlc=True)
    assert len(fd.data) == bits.FD_LENGTHS[code]
    assert (raw.dlc_code, len(raw.data)) == (code, min(code, 8))


def test_a_mix_clips_the_length_of_classic_frames() -> None:
    assert {
        (message.is_fd, message.dlc_code) for message in drawn(50, mix=True, is_fd=True, length="12")
    } == {
        (True, 12),
        (False, 8),
    }


def test_remote_frames_have_a_length_but_no_data() -> None:
    assert [(message.dlc, len(message.data)) for message in drawn(9, is_remote_frame=True, length="i")] == [
        (length, 0) for length in range(9)
    ]


# --- data ---


def datas(count: int, **rules: Any) -> list[str]:
    return [message.data.hex() for message in drawn(count, **rules)]


def test_random_fd_data_is_random_to_its_end() -> None:
    (data,) = datas(1, is_fd=True, length="15")
    assert len({data[at : at + 16] for at in range(0, 128, 16)}) == 8


def test_counted_data_is_a_little_endian_counter() -> None:
    data = datas(258, data="i", length="3")
    assert data[:2] == ["000000", "010000"]
    assert data[255:] == ["ff0000", "000100", "010100"]


def test_counted_data_has_at_least_one_byte() -> None:
    assert codes(10, data="i", length="i") == [1, 1, 2, 3, 4, 5, 6, 7, 8, 1]
    assert datas(2, data="i", length="0", is_fd=True) == ["00", "01"]


def test_counted_data_fills_eight_bytes_of_a_longer_frame() -> None:
    assert datas(2, data="i", length="9", is_fd=True)[1] == "01" + "00" * 11


FIXED = [
    ({"data": "DEADBEEF"}, "deadbeef"),
    ({"data": "DEADBEEF", "length": "2"}, "dead"),
    ({"data": "DEADBEEF", "length": "6"}, "deadbeef0000"),
    ({"data": "11" * 9, "is_fd": True}, "11" * 9 + "000000"),
    ({"data": "11" * 64, "is_fd": True}, "11" * 64),
]


@pytest.mark.parametrize(("rules", "data"), FIXED)
def test_fixed_data_has_its_own_length_by_default(rules: dict[str, Any], data: str) -> None:
    assert datas(2, **rules) == [data, data]


def test_fixed_data_can_have_a_random_length() -> None:
    assert len({len(data) for data in datas(50, data="DEADBEEF", length="r")}) > 5


@pytest.mark.parametrize("letter", ["x", "X"])
def test_an_x_is_a_random_digit(letter: str) -> None:
    found = datas(200, data=f"1{letter}{letter}2")
    assert {data[0] + data[3] for data in found} == {"12"}
    assert {data[1] for data in found} == {data[2] for data in found} == set("0123456789abcdef")


# --- time ---


def times(count: int, **rules: Any) -> list[int]:
    return [message.timestamp_ns for message in drawn(count, **rules)]


def test_without_a_gap_all_timestamps_are_equal() -> None:
    assert times(2, start_ns=5) == [5, 5]


def test_a_gap_spaces_the_timestamps() -> None:
    assert times(3, start_ns=10**18, gap_ns=3_750_000) == [10**18, 10**18 + 3_750_000, 10**18 + 7_500_000]


@pytest.mark.parametrize("rate", [3, 2.5, 7, 1000.0, 1e9])
def test_a_rate_does_not_drift(rate: float) -> None:
    numerator, denominator = float(rate).as_integer_ratio()
    assert times(100, rate=rate) == [number * 10**9 * denominator // numerator for number in range(100)]


def test_frames_have_the_given_channel() -> None:
    assert {message.channel for message in drawn(2, channel="vcan0")} == {"vcan0"}


# --- refused ---

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"identifier": "800"}, "above 7FF", "extended"),
    ({"identifier": "800", "is_extended_id": True, "mix": True}, "above 7FF", "extended"),
    ({"identifier": "20000000", "is_extended_id": True}, "above 1FFFFFFF", ""),
    ({"identifier": "F" * 99, "is_extended_id": True}, "above 1FFFFFFF", ""),
    ({"identifier": "q"}, "bad identifier", "r (random)"),
    ({"identifier": ""}, "bad identifier", "r (random)"),
    ({"identifier": "1_0"}, "bad identifier", "r (random)"),
    ({"length": "9"}, "above 8", "CAN FD"),
    ({"length": "16", "is_fd": True}, "above 15", "code for 16 bytes is 10"),
    ({"length": "64", "is_fd": True}, "above 15", "code for 64 bytes is 15"),
    ({"length": "9" * 99}, "above 15", ""),
    ({"length": "-1"}, "bad length", "0 to 15"),
    ({"length": "²"}, "bad length", "0 to 15"),
    ({"data": "123"}, "odd number of hex digits", "two digits"),
    ({"data": "1x2"}, "odd number of hex digits", "two digits"),
    ({"data": "1g"}, "bad data", "x for random"),
    ({"data": ""}, "bad data", "x for random"),
    ({"data": "00" * 9}, "frames hold 8", "CAN FD"),
    ({"data": "00" * 65, "is_fd": True}, "frames hold 64", ""),
    ({"is_fd": True, "is_remote_frame": True}, "no remote frames", "mix"),
    ({"is_fd": True, "raw_dlc": True}, "classic frames", "mix"),
    ({"gap_ns": 1, "rate": 1.0}, "gap and a rate", "one"),
    ({"gap_ns": -1}, "negative", ""),
    ({"rate": 0.0}, "not between", ""),
    ({"rate": float("nan")}, "not between", ""),
    ({"rate": 2e9}, "not between", ""),
    ({"count": -1}, "negative", ""),
    ({"start_ns": 1 << 63}, "1970 and 2262", ""),
]


@pytest.mark.parametrize(("rules", "reason", "hint"), REFUSED)
def test_invalid_rules_are_refused(rules: dict[str, Any], reason: str, hint: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        Generator(**rules)
    assert hint in (caught.value.hint or "")


def test_timestamps_stop_before_they_overflow() -> None:
    source = Generator(start_ns=(1 << 63) - 1001, gap_ns=99, seed=1)
    assert [len(source.take(7)), len(source.take(7))] == [7, 3]
    with pytest.raises(UsageError, match="frame 11"):
        source.take(1)


def test_the_last_frame_of_a_count_does_not_overflow() -> None:
    source = Generator(start_ns=0, gap_ns=(1 << 62), seed=1, count=1)
    assert [len(source.take(7)), len(source.take(7))] == [1, 0]


FLAG = st.booleans()


@given(
    rules=st.fixed_dictionaries(
        {
            "mix": FLAG,
            "is_extended_id": FLAG,
            "is_remote_frame": FLAG,
            "is_fd": FLAG,
            "bitrate_switch": FLAG,
            "error_state_indicator": FLAG,
            "raw_dlc": FLAG,
            "seed": st.integers(),
            "start_ns": st.integers(0, 10**18),
            "identifier": st.sampled_from(["r", "e", "o", "i", "7FF", "1FFFFFFF"]),
            "length": st.sampled_from([None, "r", "i", "0", "8", "9", "15"]),
            "data": st.sampled_from(["r", "i", "11", "x1" * 8, "xx" * 64]),
        }
    )
)
def test_every_valid_rule_generates_legal_frames(rules: dict[str, Any]) -> None:
    try:
        source = Generator(count=20, **rules)
    except UsageError:
        return
    batch = source.take(100)
    assert len(batch) == 20
    assert [facts(message) for message in MessageBatch(batch)] == [facts(message) for message in batch]
