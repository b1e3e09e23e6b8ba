"""The research data sets of HCRL: car hacking, survival analysis, and those that follow them; read only.

::

    1478198376.389427,0316,8,05,21,68,09,21,21,00,6f,R      seconds, hex, length, that many bytes, label
    1478198379.128627,0002,2,00,00,R                        R is a normal frame, T an injected one

Two tables of the same origin have a header: ``Timestamp,Arbitration_ID,DLC,Data,Class,SubClass`` is read as
csv, and the text form ``Timestamp: 1479121434.850202  ID: 0350 ...`` as txt.

Identifiers above 7FF have 29 bits. All frames are received ones on ``can0``. Empty columns at the end, as
spreadsheets leave them, are dropped.

Loses: the labels; how many were T is noted.

Source: Hacking and Countermeasure Research Lab, "Car-Hacking Dataset", attributes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.io.columns.places import Places, Spec
from cantools_cli.io.columns.reader import ColumnsReader, Row, is_comment

_ROW = re.compile(
    rb"\s*[0-9]+\.[0-9]+\s*,\s*[0-9a-fA-F]{3,8}\s*,\s*([0-8])\s*,((?:\s*[0-9a-fA-F]{2}\s*,)*)\s*[RT]\s*,*\s*"
)
_LABELS = {b"R": False, b"T": True}  #: whether a frame was injected


class HcrlReader(ColumnsReader):
    """Reads the comma separated values of HCRL's data sets."""

    is_ambiguous = False  # the label is the last column
    SPECS: ClassVar[dict[str, Spec]] = {"time": 0, "identifier": 1, "dlc": 2, "data": "3:"}
    SEPARATOR = b","
    _injected = 0

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").splitlines() if not is_comment(line)]
        if lines and lines[0].lstrip(b' "').lower().startswith(b"timestamp"):
            del lines[0]
        match = _ROW.fullmatch(lines[0]) if lines else None
        return match is not None and match[2].count(b",") == int(match[1])

    def _note_end(self) -> None:
        super()._note_end()
        if self._injected:
            self.note_file(f"labels are not kept; frames labelled T (injected): {self._injected}")

    def _can_id(self, fields: list[bytes], places: Places) -> int:
        """Return the identifier, whose zeros at the start do not mean 29 bits."""
        can_id = super()._can_id(fields, places)
        return can_id if can_id & bits.CAN_EFF_MASK > bits.CAN_SFF_MASK else can_id & bits.CAN_SFF_MASK

    def _row(self, fields: list[bytes]) -> Row:
        label = fields.pop()
        while fields and not label.strip():
            label = fields.pop()
        if len(fields) < 3:
            raise FormatError(f"{len(fields) + 1} columns, not 4 or more")
        is_injected = _LABELS.get(label)
        if is_injected is None:
            is_injected = _LABELS.get(label.strip())
        if is_injected is None:
            raise FormatError(f"label {quoted(label)} is not R or T")
        row = super()._row(fields)
        if len(fields) - 3 != row[4]:
            raise FormatError(f"the length is {row[4]}, but there are {len(fields) - 3} data bytes")
        self._injected += is_injected
        return row

    def _ends_openly(self, fields: Sequence[bytes]) -> bool:
        return False
