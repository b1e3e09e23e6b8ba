"""The vocabulary of ``--where``: tests of one word, fields, comparisons, and other spellings of words."""

from __future__ import annotations

from cantools_cli.filtering.filters import NOTHING, IdTest
from cantools_cli.filtering.predicates import ByteColumn, Changed, Predicate, Words
from cantools_cli.frame.bits import BRS, CAN_EFF_FLAG, CAN_RTR_FLAG, ESI, FD, TX, XL


def _flag(bit: int) -> ByteColumn:
    return ByteColumn("flags", bit, bit, bit)


#: tests that consist of one word
WORDS: dict[str, Predicate] = {
    "data": Words(IdTest(CAN_RTR_FLAG, 0, 0), errors=False),
    "remote": Words(IdTest(CAN_RTR_FLAG, CAN_RTR_FLAG, CAN_RTR_FLAG), errors=False),
    "error": Words(NOTHING, errors=True),
    "base": Words(IdTest(CAN_EFF_FLAG, 0, 0), errors=True, is_open=True),
    "extended": Words(IdTest(CAN_EFF_FLAG, CAN_EFF_FLAG, CAN_EFF_FLAG), errors=True, is_open=True),
    "fd": _flag(FD),
    "brs": _flag(BRS),
    "esi": _flag(ESI),
    "xl": _flag(XL),
    "tx": _flag(TX),
    "rx": ByteColumn("flags", TX, 0, 0),
    "changed": Changed(),
}
FIELDS = (
    *("id", "length", "dlc", "dlc_code", "channel", "time", "timestamp", "gap", "period", "message"),
    *("data", "data[N]", "data[N:M]", "Message.Signal"),
)
_SYMBOLS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
COMPARISONS = {name: name for name in _SYMBOLS.values()} | _SYMBOLS
#: each word with its spellings in other languages and tools
SPELLINGS = {
    "and": "&& &",
    "or": "|| | ,",
    "not": "! ~",
    "eq": "= is equals",
    "ne": "<> ~=",
    "le": "=<",
    "ge": "=>",
    "id": "can_id arbitration_id identifier",
    "data": "payload",
    "base": "standard std sff 11bit",
    "extended": "ext eff xtd is_extended_id 29bit",
    "remote": "rtr is_remote_frame",
    "error": "err is_error_frame",
    "fd": "canfd is_fd",
    "brs": "bitrate_switch",
    "esi": "error_state_indicator",
    "rx": "is_rx received recv",
    "tx": "sent send",
    "length": "len size",
    "channel": "ch bus interface",
    "timestamp": "ts date",
    "every": "nth",
    "gap": "delta interval pause since_last",
    "period": "cycle cycle_time",
    "contains": "has includes",
}
