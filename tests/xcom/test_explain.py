"""Xcom-CAN frames as text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.message import Message
from cantools_cli.xcom.explain import explain
from tests.strategies import messages
from tests.xcom.golden import EXCHANGES, NOTIFICATIONS


def frame(text: str) -> Message:
    number, _, data = text.partition("#")
    return Message(arbitration_id=int(number, 16), data=bytes.fromhex(data))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("03280040#050600", "request 0->xt1 read parameter 1286 AC Output voltage [flash]"),
        ("0000CA40#05060043660000", "reply xt1->0 read parameter 1286 AC Output voltage [flash]: 230 Vac"),
        ("03280080#05060443678000", "request 0->xt1 write parameter 1286 AC Output voltage [ram]: 231.5 Vac"),
        ("0000CA80#05060443678000", "reply xt1->0 write parameter 1286 AC Output voltage [ram]: 231.5 Vac"),
        (
            "0000CA81#050600000028",
            "error xt1->0 write parameter 1286 AC Output voltage: DATA_TOO_BIG (0x28)",
        ),
        ("03280000#0BB8", "request 0->xt1 read info 3000 Battery voltage"),
        ("0000CA00#0BC240800000", "reply xt1->0 read info 3010 Battery cycle phase: 4 (Floating)"),
        ("0000CA00#FFFF40800000", "reply xt1->0 read info 65535: 4"),
        ("03200080#05060443660000", "request 0->xt write parameter 1286 AC Output voltage [ram]: 230 Vac"),
        ("0FA0CAC0#001000000000", "message xt1->all Warning (016): Fan error detected"),
        ("0FA0CAC0#0010DEADBEEF", "message xt1->all Warning (016): Fan error detected, value 3735928559"),
        ("0FA0CAC0#FFFF00000000", "message xt1->all (65535): unknown message"),
        ("0004B200#1B9342AE0000", "reply bsp->0 read info 7059 "),
    ],
)
def test_frames_in_words(text: str, words: str) -> None:
    assert str(explain(frame(text))).startswith(words)


@pytest.mark.parametrize("name", EXCHANGES)
def test_requests_and_replies_are_told_apart(name: str) -> None:
    one = EXCHANGES[name]
    found = explain(frame("#".join(one.request)))
    assert found is not None
    assert found.what == "request"
    found = explain(frame("#".join(one.reply)))
    assert found is not None
    assert found.what == ("reply" if one.error is None else "error")
    assert (found.content.value, found.content.error_code) == (one.value, one.error)
    assert json.loads(json.dumps(found.as_json()))["number"] == one.number


@pytest.mark.parametrize(
    "text",
    [
        "18FEF100#0102030405060708",  # J1939
        "03280100#0BB8",
        "03280000#0BB800",
        "03280001#0BB8",
        "0000CA02#0BB8424F4000",
        "0000CA00#0BB8",
        "0000CA00#0BB8424F400000",
        "0330CA00#0BB8",
        "00080000#0BB8",
        "0000CB41#0BB800000022",  # an error of service 5
        "0FA0CAC0#0010",
        "0FA0CAC1#001000000000",
        "032800C0#001000000000",
    ],
)
def test_other_frames_are_ignored(text: str) -> None:
    assert explain(frame(text)) is None


def test_lenient_accepts_reserved_bits_and_extra_bytes() -> None:
    assert explain(frame("0000CA02#0BB8424F4000"), lenient=True) is not None
    assert explain(frame("0000CA00#0BB8424F400000"), lenient=True) is not None


def test_messages_say_who_sent_them() -> None:
    for number, data, _, source, message, value in NOTIFICATIONS:
        found = explain(frame(f"{number}#{data}"))
        assert found is not None
        assert (found.identifier.source, found.content.object_id) == (source, message)
        assert found.as_json()["value"] == value


@given(messages(), st.booleans())
def test_every_frame_can_be_explained_or_is_none(message: Message, lenient: bool) -> None:
    found = explain(message, lenient=lenient)
    if found is not None:
        assert str(found)
        json.dumps(found.as_json(), allow_nan=False)


@given(st.integers(0, 0x1FFFFFFF), st.binary(max_size=8))
def test_every_extended_frame_as_well(number: int, data: bytes) -> None:
    found = explain(Message(arbitration_id=number, data=data), lenient=True)
    if found is not None:
        assert str(found)
        json.dumps(found.as_json(), allow_nan=False)
