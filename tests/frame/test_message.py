"""Message: what python-can documents of it, with python-can as the oracle."""

from __future__ import annotations

import copy
import math
import pickle
import re
from typing import Any

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.message import Message, timestamp_to_ns
from tests.strategies import CHANNELS, messages

FIELDS = (
    *("timestamp", "arbitration_id", "is_extended_id", "is_remote_frame", "is_error_frame", "channel"),
    *("dlc", "data", "is_fd", "is_rx", "bitrate_switch", "error_state_indicator"),
)

# keywords, what str() gives
SHOWN: list[tuple[dict[str, Any], str]] = [
    ({}, "Timestamp:        0.000000    ID: 00000000    X Rx                DL:  0"),
    (
        {"data": [1, 2, 3, 4, 5]},
        "Timestamp:        0.000000    ID: 00000000    X Rx                DL:  5    01 02 03 04 05",
    ),
    (
        {"arbitration_id": 100, "is_extended_id": False},
        "Timestamp:        0.000000    ID:      064    S Rx                DL:  0",
    ),
    ({"is_error_frame": True}, "Timestamp:        0.000000    ID: 00000000    X Rx E              DL:  0"),
    (
        {"is_remote_frame": True, "dlc": 4},
        "Timestamp:        0.000000    ID: 00000000    X Rx   R            DL:  4",
    ),
    (
        {"is_remote_frame": True, "is_error_frame": True},
        "Timestamp:        0.000000    ID: 00000000    X Rx E R            DL:  0",
    ),
    (
        {"is_fd": True, "bitrate_switch": True, "error_state_indicator": True, "data": range(12)},
        "Timestamp:        0.000000    ID: 00000000    X Rx     F BS EI    DL: 12"
        "    00 01 02 03 04 05 06 07 08 09 0a 0b",
    ),
    (
        {"is_fd": True, "bitrate_switch": True, "is_rx": False, "data": b"abc"},
        "Timestamp:        0.000000    ID: 00000000    X Tx     F BS       DL:  3    61 62 63"
        "                    'abc'",
    ),
    (
        {"is_fd": True, "error_state_indicator": True, "data": b"abc"},
        "Timestamp:        0.000000    ID: 00000000    X Rx     F    EI    DL:  3    61 62 63"
        "                    'abc'",
    ),
    (
        {"data": b"hello", "channel": "vcan0"},
        "Timestamp:        0.000000    ID: 00000000    X Rx                DL:  5    68 65 6c 6c 6f"
        "              'hello'    Channel: vcan0",
    ),
    (
        {"channel": 3},
        "Timestamp:        0.000000    ID: 00000000    X Rx                DL:  0"
        "                                Channel: 3",
    ),
    (
        {"channel": 0, "data": b"A"},
        "Timestamp:        0.000000    ID: 00000000    X Rx                DL:  1    41"
        "                          'A'    Channel: 0",
    ),
    (
        {"timestamp": 1700000000.1234567, "arbitration_id": 0x1FFFFFFF},
        "Timestamp: 1700000000.123457    ID: 1fffffff    X Rx                DL:  0",
    ),
    (
        {"arbitration_id": 0x12345, "is_extended_id": False},
        "Timestamp:        0.000000    ID:    12345    S Rx                DL:  0",
    ),
    (
        {"dlc": 5, "data": [0, 1]},
        "Timestamp:        0.000000    ID: 00000000    X Rx                DL:  5    00 01",
    ),
]

# keywords, the text of the ValueError; the first rule that is broken wins
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"timestamp": -1.0, "dlc": -1}, "the timestamp may not be negative"),
    ({"timestamp": -math.inf}, "the timestamp may not be negative"),
    ({"timestamp": math.inf}, "the timestamp may not be infinite"),
    ({"timestamp": math.nan}, "the timestamp may not be NaN"),
    (
        {"is_remote_frame": True, "is_error_frame": True, "is_fd": True},
        "a message cannot be a remote and an error frame at the same time",
    ),
    ({"is_remote_frame": True, "is_fd": True}, "CAN FD does not support remote frames"),
    ({"arbitration_id": -1}, "arbitration IDs may not be negative"),
    ({"arbitration_id": 1 << 29}, "Extended arbitration IDs must be less than 2^29"),
    ({"arbitration_id": 1 << 11, "is_extended_id": False}, "Normal arbitration IDs must be less than 2^11"),
    ({"dlc": -1}, "DLC may not be negative"),
    ({"is_fd": True, "dlc": 65}, "DLC was 65 but it should be <= 64 for CAN FD frames"),
    ({"dlc": 9}, "DLC was 9 but it should be <= 8 for normal CAN frames"),
    ({"is_remote_frame": True, "dlc": 9}, "DLC was 9 but it should be <= 8 for normal CAN frames"),
    ({"dlc": 3, "data": [1]}, "the DLC and the length of the data must match up for non remote frames"),
    ({"bitrate_switch": True}, "bitrate switch is only allowed for CAN FD frames"),
    ({"error_state_indicator": True}, "error state indicator is only allowed for CAN FD frames"),
]

ANYTHING = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": st.floats(-1, 2e9) | st.sampled_from([math.inf, math.nan]),
        "arbitration_id": st.integers(-2, 1 << 30),
        "is_extended_id": st.booleans(),
        "is_remote_frame": st.booleans(),
        "is_error_frame": st.booleans(),
        "channel": CHANNELS,
        "dlc": st.none() | st.integers(-1, 70),
        "data": st.none() | st.binary(max_size=70) | st.lists(st.integers(0, 255), max_size=9),
        "is_fd": st.booleans(),
        "is_rx": st.booleans(),
        "bitrate_switch": st.booleans(),
        "error_state_indicator": st.booleans(),
    },
)


@pytest.mark.parametrize(("keywords", "shown"), SHOWN)
def test_shown_as_documented(keywords: dict[str, Any], shown: str) -> None:
    assert str(Message(**keywords)) == shown == str(can.Message(**keywords))
    assert f"{Message(**keywords)}" == shown


@given(ANYTHING)
def test_shown_as_python_can_shows_it(keywords: dict[str, Any]) -> None:
    ours, theirs = Message(**keywords), can.Message(**keywords)
    assert str(ours) == str(theirs)
    assert repr(ours) == repr(theirs)
    assert len(ours) == len(theirs) if ours.dlc >= 0 else True
    assert bytes(ours) == bytes(theirs)
    assert [getattr(ours, name) for name in FIELDS[1:]] == [getattr(theirs, name) for name in FIELDS[1:]]


@pytest.mark.parametrize(("keywords", "text"), REFUSED)
def test_what_contradicts_itself_is_refused(keywords: dict[str, Any], text: str) -> None:
    Message(**keywords)
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        Message(**keywords, check=True)


@given(ANYTHING)
def test_check_says_what_python_can_says(keywords: dict[str, Any]) -> None:
    def verdict(kind: Any) -> str:
        try:
            kind(**keywords, check=True)
        except ValueError as error:
            return str(error)
        return ""

    assert verdict(Message) == verdict(can.Message)


def test_error_frames_may_have_data_and_be_fd() -> None:
    Message(is_error_frame=True, is_fd=True, data=bytes(8), check=True)


def test_defaults_and_argument_order_are_the_documented_ones() -> None:
    assert [getattr(Message(), name) for name in FIELDS] == [getattr(can.Message(), name) for name in FIELDS]
    values = [1.5, 2, False, False, True, "can0", 3, b"abc", True, False, True, True]
    message = Message(*values)  # type: ignore[arg-type]  # in the order of FIELDS
    assert [getattr(message, name) for name in FIELDS] == values


def test_data_is_copied_unless_it_is_a_bytearray() -> None:
    kept = bytearray(b"ab")
    assert Message(data=kept).data is kept
    for given_data in (b"ab", memoryview(b"ab"), [97, 98], (97, 98), iter([97, 98])):
        assert Message(data=given_data).data == kept
    assert Message(data=3).data == bytes(3)
    assert Message(data=b"ab", is_remote_frame=True).data == b""


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (-1, ValueError, "negative count"),
        ([256], ValueError, "range"),
        ("abc", TypeError, "cannot make data from 'abc' of type str"),
        ([1.5], TypeError, r"cannot make data from \[1.5\] of type list"),
    ],
)
def test_what_is_no_data_is_refused(data: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Message(data=data)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(TypeError):
        Message(extended_id=True)  # type: ignore[call-arg]  # what is tested
    with pytest.raises(AttributeError):
        Message().priority = 1  # type: ignore[attr-defined]  # what is tested


def test_messages_are_true_and_compared_by_identity() -> None:
    message, twin = Message(), Message()
    assert message
    assert message != twin
    assert len({message, twin, message}) == 2


def test_only_the_empty_format_is_known() -> None:
    with pytest.raises(ValueError, match="non-empty format_specs are not supported"):
        f"{Message():>20}"


@given(messages(channels=CHANNELS))
def test_copies_keep_everything(message: Message) -> None:
    shallow, deep, pickled = copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))
    assert shallow.data is message.data
    assert deep.data is not message.data
    for twin in (shallow, deep, pickled):
        assert twin.equals(message, timestamp_delta=0)
        assert (twin.timestamp_ns, twin.dlc_code) == (message.timestamp_ns, message.dlc_code)


def test_a_copy_of_a_subclass_stays_one() -> None:
    class Marked(Message):
        pass

    assert type(copy.copy(Marked())) is type(copy.deepcopy(Marked())) is Marked


@pytest.mark.parametrize("name", FIELDS[1:])
def test_any_difference_counts(name: str) -> None:
    message, other = Message(data=b"a"), Message(data=b"a")
    assert message.equals(other)
    setattr(other, name, {"channel": "x", "data": bytearray(b"b")}.get(name, not getattr(message, name)))
    assert not message.equals(other)
    loose = name in ("channel", "is_rx")
    assert message.equals(other, check_channel=False, check_direction=False) is loose
    assert message.equals(other, 1e-6, False) is (
        name == "is_rx"
    )  # the manual's third argument: the direction


def test_times_are_equal_within_the_delta() -> None:
    message, other = Message(1.0), Message(1.5)
    assert not message.equals(other)
    assert message.equals(other, timestamp_delta=0.5)
    assert message.equals(other, timestamp_delta=None)
    assert message.equals(other, None)
    nowhen = Message(math.nan)
    assert nowhen.equals(nowhen)
    assert not nowhen.equals(Message(math.nan))
    with pytest.raises(AttributeError):
        message.equals(1)  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize(
    ("seconds", "nanoseconds"),
    [
        (0.0, 0),
        (-0.0, 0),
        (1700000000.123456, 1700000000123456000),
        (0.1, 100_000_000),
        (1e-9, 1),
        (1e-10, 0),
        (-1.5, -1_500_000_000),
        (-0.25, -250_000_000),
        (1e16, 10**25),
        (3, 3_000_000_000),
    ],
)
def test_seconds_become_the_nanoseconds_they_show(seconds: float, nanoseconds: int) -> None:
    assert timestamp_to_ns(seconds) == nanoseconds


@pytest.mark.parametrize("seconds", [math.inf, -math.inf, math.nan])
def test_times_without_nanoseconds_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="has no nanoseconds"):
        timestamp_to_ns(seconds)


@given(st.integers(0, 1 << 62))
def test_nanoseconds_are_exact_and_seconds_the_nearest_double(nanoseconds: int) -> None:
    message = Message()
    message.timestamp_ns = nanoseconds
    assert message.timestamp == nanoseconds / 1e9 or abs(message.timestamp - nanoseconds / 1e9) < 1e-6
    assert message.timestamp_ns == nanoseconds
    message.timestamp = 2.5
    assert message.timestamp_ns == 2_500_000_000


@pytest.mark.parametrize(
    ("keywords", "code"),
    [
        ({"data": bytes(8)}, 8),
        ({"is_fd": True, "data": bytes(64)}, 15),
        ({"is_fd": True, "data": bytes(12)}, 9),
        ({"is_remote_frame": True, "dlc": 5}, 5),
    ],
)
def test_the_code_follows_from_the_length(keywords: dict[str, Any], code: int) -> None:
    assert Message(**keywords).dlc_code == code


def test_a_raw_code_belongs_to_eight_bytes_of_a_classic_frame() -> None:
    message = Message(data=bytes(8))
    message.dlc_code = 13
    assert (message.dlc, message.dlc_code) == (8, 13)
    message.dlc = 4
    assert message.dlc_code == 4
    message.dlc, message.is_fd = 8, True
    assert message.dlc_code == 8
