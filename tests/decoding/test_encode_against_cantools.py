"""Every DBC file among the tests of cantools: canx encodes random raw values to the same bytes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.decoding.encode import fill, physical, raw_of, selects
from cantools_cli.decoding.load import load
from cantools_cli.decoding.model import MessageSpec, Number
from cantools_cli.errors import UsageError
from tests.decoding.test_cantools_files import ENCODING, files

cantools = pytest.importorskip("cantools")

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]

__all__ = ["files"]  # the fixture


def _raws(message: MessageSpec, draw: random.Random) -> dict[str, Number]:
    """Return raw values of the signals in one frame."""
    raws: dict[str, Number] = {}
    for spec in message.ordered:
        if spec.selector in message.by_name and not selects(spec, raws.get(spec.selector, -1)):
            continue
        if spec.is_selector:
            values = [
                low
                for other in message.signals
                if other.selector == spec.name
                for low, _ in other.selected_by
            ]
            raws[spec.name] = draw.choice(values) if values else 0
        elif spec.is_float:
            raws[spec.name] = float(draw.randrange(-1000, 1000))
        else:
            raws[spec.name] = draw.randint(*spec.raw_limits)
    return raws


def _judge(message: MessageSpec, judge: Any, draw: random.Random, found: Counter[str]) -> None:
    raws = _raws(message, draw)
    for name, raw in raws.items():
        assert raw_of(message.by_name[name], physical(message.by_name[name], raw)) == raw
    try:
        wanted = judge.encode(raws, scaling=False, strict=False)
    except Exception:  # it refuses overlapping signals and some selections
        found["refused by cantools"] += 1
        return
    try:
        data = bytes(fill(message, raws).data)
    except UsageError as error:
        found[str(error)] += 1  # cantools cuts the signal off
        return
    assert data == wanted, (message.name, raws)
    found["same"] += 1


def test_raw_values_are_encoded_as_by_cantools(files: Path) -> None:
    draw, found = random.Random(1), Counter[str]()
    for path in sorted(files.glob("dbc/*.dbc")):
        try:
            theirs = cantools.database.load_file(str(path), strict=False, encoding=ENCODING)
            ours = load(str(path), ENCODING)
        except Exception:  # test_cantools_files tells which
            continue
        for message in ours.messages:
            judge = next((other for other in theirs.messages if other.name == message.name), None)
            if judge is None or len(judge.signals) != len(message.signals):
                found["another message"] += 1
                continue
            for _ in range(5):
                _judge(message, judge, draw, found)
    print(found)
    assert found["same"] > 1500
    outside = 'signal "Signal1" is outside of message "Message1"'
    assert set(found) <= {"same", "another message", "refused by cantools", outside}
    assert found[outside] == 5
