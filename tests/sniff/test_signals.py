"""Signals of a database in the rows of the table."""

from __future__ import annotations

from cantools_cli.decoding.databases import Databases
from cantools_cli.decoding.model import Database, MessageSpec, SignalSpec
from cantools_cli.decoding.signal_tests import DatabaseSignals
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.sniff.columns import COLUMNS
from cantools_cli.sniff.signals import SignalDecoder
from cantools_cli.sniff.table import Table
from cantools_cli.sniff.view import View, parse_filter

SPEED = MessageSpec("Engine", 0x100, False, 1, (SignalSpec("Speed", 0, 8, factor=2, unit="rpm"),))
DATABASES = Databases.of(Database("car.dbc", (SPEED,)))


def test_the_filter_prompt_takes_signals() -> None:
    table = Table()
    table.decoder = SignalDecoder(DATABASES)
    identifiers = ((0x100, "can0", b"\5"), (0x100, "can1", b"\6"), (0x200, "can0", b"\7"))
    table.feed(
        MessageBatch(
            Message(arbitration_id=key, is_extended_id=False, channel=channel, data=data)
            for key, channel, data in identifiers
        )
    )
    texts = [COLUMNS["values"].text(row, None) for row in table.rows]
    assert texts == ["Engine(Speed: 10 rpm)", "Engine(Speed: 12 rpm)", ""]
    view = View(signals=DatabaseSignals(DATABASES))
    view.chosen = parse_filter("Engine.Speed gt 10", view.signals)
    assert [row.channel for row in view.rows(table.rows)] == ["can1"]
