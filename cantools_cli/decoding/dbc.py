r"""The reader of DBC files.

::

    BO_ 2364540158 EEC1: 8 Engine
     SG_ Speed m1 : 24|16@1+ (0.125,0) [0|8031.875] "rpm" Dash
    VAL_ 2364540158 Gear 0 "Neutral" 1 "First" ;

A statement begins with its keyword at the start of a line. An entry that cannot be read, or that names a
message or signal which does not exist, is left out and reported; the rest of the file is read.

Source: Vector, "DBC File Format Documentation", version 1.0.1; Vector, "DBC attributes for J1939".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, NamedTuple

from cantools_cli.decoding.model import Database, MessageSpec, Number, SignalSpec
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame.bits import CAN_EFF_FLAG, CAN_EFF_MASK, CAN_SFF_MASK

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_STRING = r'"(?:[^"\\]|\\.|\\(?="\s*(?:;|$)))*"'
_NAME = r"[^\s:|@,;()\[\]\"]+"
_KEYWORD = re.compile(
    r"[ \t]*(VERSION|NS_|BS_|BU_|BO_TX_BU_|BO_|SG_MUL_VAL_|SG_|VAL_TABLE_|VAL_|CM_|BA_DEF_DEF_REL_"
    r"|BA_DEF_DEF_|BA_DEF_SGTYPE_|BA_DEF_REL_|BA_DEF_|BA_SGTYPE_|BA_REL_|BA_|SIG_VALTYPE_|SIG_TYPE_REF_|SIG_GROUP_"
    r"|SIGTYPE_VALTYPE_|SGTYPE_VAL_|SGTYPE_|EV_DATA_|ENVVAR_DATA_|EV_|CAT_DEF_|CAT_|FILTER)(?![A-Za-z0-9_])"
)
_MESSAGE = re.compile(rf"BO_\s+(\d+)\s+({_NAME})\s*:\s*(\d+)(?:\s+({_NAME}))?\s*;?\s*")
_SIGNAL = re.compile(
    rf"SG_\s+({_NAME})(?:\s+(M|m\d+M?))?\s*:\s*(\d+)\s*\|\s*(\d+)\s*@\s*([01])\s*([-+])"
    rf"\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)\s*\[\s*({_NUMBER})\s*\|\s*({_NUMBER})\s*\]"
    rf"\s*({_STRING})\s*(.*?)\s*;?\s*",
    re.DOTALL,
)
_VALUES = re.compile(rf"VAL_\s+(\d+)\s+({_NAME})\s+(.*?)\s*;?\s*", re.DOTALL)
_TABLE = re.compile(rf"VAL_TABLE_\s+({_NAME})\s+(.*?)\s*;?\s*", re.DOTALL)
_CHOICE = re.compile(rf"({_NUMBER}|0[xX][0-9a-fA-F]+)\s*({_STRING})\s*")
_KIND = re.compile(rf"SIG_VALTYPE_\s+(\d+)\s+({_NAME})\s*:?\s*(\d)\s*;?\s*")
_RANGES = re.compile(rf"SG_MUL_VAL_\s+(\d+)\s+({_NAME})\s+({_NAME})\s+(.*?)\s*;?\s*", re.DOTALL)
_COMMENT = re.compile(rf"CM_\s+(?:(BO_|SG_|BU_|EV_)\s+)?(?:(\d+)\s+)?(?:({_NAME})\s+)?({_STRING})\s*;?\s*")
_DEFINITION = re.compile(
    rf"BA_DEF_\s+(?:(?:BO_|SG_|BU_|EV_)\s+)?({_STRING})\s+(\w+)\s*(.*?)\s*;?\s*", re.DOTALL
)
_DEFAULT = re.compile(rf"BA_DEF_DEF_\s+({_STRING})\s+({_STRING}|{_NUMBER})\s*;?\s*")
_ATTRIBUTE = re.compile(
    rf"BA_\s+({_STRING})\s+(?:(BO_|SG_|BU_|EV_)\s+)?(?:(\d+)\s+)?(?:({_NAME})\s+)?({_STRING}|{_NUMBER})\s*;?\s*"
)
_SENDERS = re.compile(r"BO_TX_BU_\s+(\d+)\s*:\s*(.*?)\s*;?\s*", re.DOTALL)

#: the message that holds the signals which belong to none
_INDEPENDENT = 0xC0000000
_NOBODY = "Vector__XXX"
_J1939, _FD = {"J1939PG"}, {"StandardCAN_FD", "ExtendedCAN_FD"}
_FORMATS = {0: "StandardCAN", 1: "ExtendedCAN", 3: "J1939PG", 14: "StandardCAN_FD", 15: "ExtendedCAN_FD"}
_MAX_CLASSIC = 8
_MAX_BYTES = 2048  # of a CAN XL frame
_FLOAT_SIZES = (16, 32, 64)


class _Statement(NamedTuple):
    keyword: str
    text: str
    line: int


def read(data: bytes, source: str, encoding: str | None = None) -> Database:
    """Return the database of a DBC file.

    ``encoding`` is that of names and units; without it, UTF-8 if the file is valid UTF-8, else Windows-1252.

    Raises:
        FormatError: the file has no message that can be read, but an entry that cannot.
        UsageError: there is no such encoding.
    """
    reader = _Reader(source)
    for statement in _statements(_decoded(data, encoding)):
        try:
            reader.take(statement)
        except ValueError as error:
            reader.fault(str(getattr(error, "reason", error)), statement.line)
    database = reader.database()
    if not database.messages and database.faults:
        raise database.faults[0]
    return database


def _decoded(data: bytes, encoding: str | None) -> str:
    if encoding is None:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            encoding = "cp1252"
    try:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    except LookupError as error:
        raise UsageError(
            f"no encoding {quoted(encoding)}", hint="as in utf-8, cp1252, gbk, shift_jis"
        ) from error


def _statements(text: str) -> Iterator[_Statement]:
    """Yield the statements: each begins with a keyword at the start of a line outside of strings."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    keyword, begin, is_inside = "", 0, False
    kept: list[str] = []
    for number, line in enumerate(lines, 1):
        match = None if is_inside else _KEYWORD.match(line)
        if match is not None and not (keyword == "NS_" and not line[match.end() :].strip(" :\t")):
            if keyword:
                yield _Statement(keyword, "\n".join(kept).strip(), begin)
            keyword, begin, kept = match[1], number, []
        kept.append(line)
        is_inside ^= len(re.findall(r'(?<!\\)"', line)) % 2 == 1
    if keyword:
        yield _Statement(keyword, "\n".join(kept).strip(), begin)


@dataclass
class _Draft:
    """A message while its file is read."""

    spec: MessageSpec
    signals: dict[str, SignalSpec] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    of_signals: dict[str, dict[str, Any]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)  # multiplexing: M, m1 or m1M


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._drafts: dict[int, _Draft] = {}
        self._last: _Draft | None = None
        self._faults: list[FormatError] = []
        self._tables: dict[str, dict[int, str]] = {}
        self._defaults: dict[str, Any] = {}
        self._enumerations: dict[str, list[str]] = {}
        self._attributes: dict[str, Any] = {}
        self._nodes: tuple[str, ...] = ()
        self._version = ""
        self._takers = {
            "VERSION": self._take_version,
            "BU_": self._take_nodes,
            "BO_": self._take_message,
            "SG_": self._take_signal,
            "BO_TX_BU_": self._take_senders,
            "VAL_": self._take_values,
            "VAL_TABLE_": self._take_table,
            "SIG_VALTYPE_": self._take_kind,
            "SG_MUL_VAL_": self._take_ranges,
            "CM_": self._take_comment,
            "BA_DEF_": self._take_definition,
            "BA_DEF_DEF_": self._take_default,
            "BA_": self._take_attribute,
        }

    def fault(self, reason: str, line: int) -> None:
        self._faults.append(FormatError(reason, source=self._source, position=line))

    def take(self, statement: _Statement) -> None:
        """Read one statement.

        Raises:
            ValueError: it is malformed, or names what does not exist.
        """
        taker = self._takers.get(statement.keyword)
        if taker is not None:
            taker(statement)

    # --- statements -----------------------------------------------------------------------------------

    def _take_version(self, statement: _Statement) -> None:
        match = re.search(_STRING, statement.text)
        self._version = _text(match[0]) if match else ""

    def _take_nodes(self, statement: _Statement) -> None:
        self._nodes = tuple(statement.text.partition(":")[2].split())

    def _take_message(self, statement: _Statement) -> None:
        self._last = None  # the signals of a malformed message belong to none
        number, name, length, sender = _matched(_MESSAGE, statement, "message").groups()
        key = int(number)
        if key == _INDEPENDENT:
            self._last = _Draft(MessageSpec(name, 0, True, 0))
            return
        is_extended = bool(key & CAN_EFF_FLAG)
        identifier = key & ~CAN_EFF_FLAG
        if identifier > (CAN_EFF_MASK if is_extended else CAN_SFF_MASK):
            kind = "an extended" if is_extended else "a base"
            raise ValueError(f"message {quoted(name)}: {number} is not {kind} identifier")
        spec = MessageSpec(name, identifier, is_extended, int(length), line=statement.line)
        spec = replace(spec, senders=() if sender in (None, _NOBODY) else (sender,))
        if key in self._drafts:
            first = self._drafts.pop(key).spec
            text = f"message {quoted(name)} has the identifier of {quoted(first.name)}, line {first.line}"
            self.fault(f"{text}, which is left out", statement.line)
        self._last = self._drafts[key] = _Draft(spec)

    def _take_signal(self, statement: _Statement) -> None:
        match = _matched(_SIGNAL, statement, "signal")
        if self._last is None:
            raise ValueError(f"signal {quoted(match[1])} belongs to no message")
        name, mark, start, size, order, sign, factor, shift, low, high, unit, receivers = match.groups()
        is_big_endian = order == "0"
        place = int(start)
        low_number, high_number = _number(low), _number(high)
        has_limits = not low_number == high_number == 0
        signal = SignalSpec(
            name,
            8 * (place // 8) + 7 - place % 8 if is_big_endian else place,
            int(size),
            is_big_endian,
            sign == "-",
            factor=_number(factor),
            shift=_number(shift),
            minimum=low_number if has_limits else None,
            maximum=high_number if has_limits else None,
            unit=_text(unit),
            is_selector=mark is not None and mark.endswith("M"),
            receivers=tuple(node for node in re.split(r"[\s,]+", receivers) if node not in ("", _NOBODY)),
            line=statement.line,
        )
        if not signal.size:
            raise ValueError(f"signal {quoted(name)} has no bits")
        if signal.end > _MAX_BYTES:
            raise ValueError(f"signal {quoted(name)} ends in byte {signal.end - 1}, which no frame has")
        if signal.factor == 0:
            self.fault(f"signal {quoted(name)} has the factor 0, taken as 1", statement.line)
            signal = replace(signal, factor=1)
        if name in self._last.signals:
            raise ValueError(
                f"signal {quoted(name)} is there twice in message {quoted(self._last.spec.name)}"
            )
        self._last.signals[name] = signal
        if mark is not None:
            self._last.marks[name] = mark

    def _take_senders(self, statement: _Statement) -> None:
        match = _matched(_SENDERS, statement, "list of senders")
        draft = self._draft(match[1])
        more = [node for node in re.split(r"[\s,]+", match[2]) if node and node not in draft.spec.senders]
        draft.spec = replace(draft.spec, senders=(*draft.spec.senders, *more))

    def _take_values(self, statement: _Statement) -> None:
        match = _VALUES.fullmatch(statement.text)
        if match is None:
            if re.match(rf"VAL_\s+{_NAME}\s", statement.text):
                return  # of an environment variable
            raise ValueError(f"malformed value table: {quoted(statement.text)}")
        draft, signal = self._signal(match[1], match[2])
        choices = self._tables.get(match[3].strip())
        if choices is None:
            choices = _choices(match[3])
        draft.signals[signal.name] = replace(signal, choices=choices)

    def _take_table(self, statement: _Statement) -> None:
        match = _matched(_TABLE, statement, "value table")
        self._tables[match[1]] = _choices(match[2])

    def _take_kind(self, statement: _Statement) -> None:
        number, name, kind = _matched(_KIND, statement, "signal type").groups()
        draft, signal = self._signal(number, name)
        if kind in "12":
            draft.signals[name] = replace(signal, is_float=True)

    def _take_ranges(self, statement: _Statement) -> None:
        number, name, selector, text = _matched(_RANGES, statement, "multiplexing").groups()
        draft, signal = self._signal(number, name)
        self._signal(number, selector)
        ranges = []
        for part in filter(None, re.split(r"[\s,]+", text)):
            low, _, high = part.partition("-")
            ranges.append((int(low), int(high or low)))
        draft.signals[name] = replace(signal, selector=selector, selected_by=tuple(ranges))

    def _take_comment(self, statement: _Statement) -> None:
        kind, number, name, text = _matched(_COMMENT, statement, "comment").groups()
        if kind == "BO_" and number:
            draft = self._draft(number)
            draft.spec = replace(draft.spec, comment=_text(text))
        elif kind == "SG_" and number and name:
            draft, signal = self._signal(number, name)
            draft.signals[name] = replace(signal, comment=_text(text))

    def _take_definition(self, statement: _Statement) -> None:
        name, kind, rest = _matched(_DEFINITION, statement, "attribute definition").groups()
        if kind == "ENUM":
            self._enumerations[_text(name)] = [_text(value) for value in re.findall(_STRING, rest)]

    def _take_default(self, statement: _Statement) -> None:
        name, value = _matched(_DEFAULT, statement, "attribute default").groups()
        self._defaults[_text(name)] = _value(value)

    def _take_attribute(self, statement: _Statement) -> None:
        name, kind, number, owner, value = _matched(_ATTRIBUTE, statement, "attribute").groups()
        if kind == "BO_" and number:
            self._draft(number).attributes[_text(name)] = _value(value)
        elif kind == "SG_" and number and owner:
            draft, _ = self._signal(number, owner)
            draft.of_signals.setdefault(owner, {})[_text(name)] = _value(value)
        elif kind is None:
            self._attributes[_text(name)] = _value(value)

    def _draft(self, number: str) -> _Draft:
        draft = self._drafts.get(int(number))
        if draft is None:
            if int(number) == _INDEPENDENT:
                return _Draft(MessageSpec("", 0, True, 0))
            raise ValueError(f"an entry is about message {number}, which does not exist")
        return draft

    def _signal(self, number: str, name: str) -> tuple[_Draft, SignalSpec]:
        draft = self._draft(number)
        if name not in draft.signals:
            if int(number) == _INDEPENDENT:
                return draft, SignalSpec(name, 0, 1)
            raise ValueError(f"message {quoted(draft.spec.name)} has no signal {quoted(name)}")
        return draft, draft.signals[name]

    # --- the end --------------------------------------------------------------------------------------

    def database(self) -> Database:
        messages = tuple(self._finished(draft) for draft in self._drafts.values())
        faults = tuple(sorted(self._faults, key=lambda fault: fault.position or 0))
        return Database(self._source, messages, faults, self._nodes, self._version)

    def _finished(self, draft: _Draft) -> MessageSpec:
        form = self._frame_format(draft)
        cycle = draft.attributes.get("GenMsgCycleTime", self._defaults.get("GenMsgCycleTime"))
        name = draft.attributes.get("SystemMessageLongSymbol") or draft.spec.name
        return replace(
            draft.spec,
            name=str(name),
            signals=tuple(self._finished_signals(draft)),
            is_fd=form in _FD or (draft.spec.length > _MAX_CLASSIC and form not in _J1939),
            is_j1939=form in _J1939 and draft.spec.is_extended_id,
            cycle_time=float(cycle) / 1000 if isinstance(cycle, int | float) and cycle > 0 else None,
        )

    def _frame_format(self, draft: _Draft) -> str:
        """Return the kind of frame: by the message, the default of its attribute, or the file's protocol."""
        value = draft.attributes.get("VFrameFormat", self._defaults.get("VFrameFormat"))
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int | float):
            names = self._enumerations.get("VFrameFormat", [])
            if 0 <= value < len(names):
                return names[int(value)]
            return _FORMATS.get(int(value), "")
        protocol = self._attributes.get("ProtocolType", self._defaults.get("ProtocolType"))
        return "J1939PG" if protocol == "J1939" else ""

    def _finished_signals(self, draft: _Draft) -> Iterator[SignalSpec]:
        selectors = [name for name, signal in draft.signals.items() if signal.is_selector]
        plain = [name for name in selectors if draft.marks.get(name) == "M"] or selectors
        renamed = {
            name: str(values.get("SystemSignalLongSymbol") or name)
            for name, values in draft.of_signals.items()
        }
        for name, signal in draft.signals.items():
            mark = draft.marks.get(name, "")
            values = draft.of_signals.get(name, {})
            if mark.startswith("m") and not signal.selector:
                if not plain:
                    text = f"signal {quoted(name)} is multiplexed, but its message has no multiplexer"
                    self.fault(f"{text}; it is always decoded", signal.line)
                else:
                    number = int(mark[1:].rstrip("M"))
                    signal = replace(signal, selector=plain[0], selected_by=((number, number),))
            if signal.is_float and signal.size not in _FLOAT_SIZES:
                self.fault(f"signal {quoted(name)} is a float of {signal.size} bits; left out", signal.line)
                continue
            start = values.get("GenSigStartValue", self._defaults.get("GenSigStartValue"))
            spn = values.get("SPN")
            yield replace(
                signal,
                name=renamed.get(name, name),
                selector=renamed.get(signal.selector, signal.selector),
                start_value=start if isinstance(start, int | float) else None,
                spn=int(spn) if isinstance(spn, int | float) and spn else None,
            )


def _matched(pattern: re.Pattern[str], statement: _Statement, kind: str) -> re.Match[str]:
    match = pattern.fullmatch(statement.text)
    if match is None:
        raise ValueError(f"malformed {kind}: {quoted(' '.join(statement.text.split()))}")
    return match


def _choices(text: str) -> dict[int, str]:
    """Return the names of raw values; the last of two for one value counts."""
    found: dict[int, str] = {}
    place = 0
    while place < len(text):
        match = _CHOICE.match(text, place)
        if match is None:
            raise ValueError(f"malformed value table: {quoted(text[place:])}")
        number = match[1]
        found[int(number, 16) if number[:2].lower() == "0x" else int(_number(number))] = _text(match[2])
        place = match.end()
    return found


def _number(text: str) -> Number:
    """Return a number, an integer if it is whole and exact."""
    try:
        return int(text)
    except ValueError:
        value = float(text)
        if not isfinite(value):
            raise ValueError(f"{quoted(text)} is too large") from None
        return int(value) if value.is_integer() and abs(value) < 1 << 53 else value


def _value(text: str) -> Any:
    return _text(text) if text.startswith('"') else _number(text)


def _text(text: str) -> str:
    return text[1:-1].replace('\\"', '"')
