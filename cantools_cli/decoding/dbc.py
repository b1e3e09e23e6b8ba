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
from typing import Any

from cantools_cli.decoding import dbc_text as text
from cantools_cli.decoding.dbc_text import Statement, matched, text_of
from cantools_cli.decoding.model import Database, MessageSpec, Number, SignalSpec
from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame.bits import CAN_EFF_FLAG, CAN_EFF_MASK, CAN_SFF_MASK

#: the message that holds the signals which belong to none
_INDEPENDENT = 0xC0000000
_NOBODY = "Vector__XXX"
_J1939, _FD = {"J1939PG"}, {"StandardCAN_FD", "ExtendedCAN_FD"}
_FORMATS = {0: "StandardCAN", 1: "ExtendedCAN", 3: "J1939PG", 14: "StandardCAN_FD", 15: "ExtendedCAN_FD"}
_MAX_CLASSIC = 8
_MAX_BYTES = 2048  # of a CAN XL frame
_FLOAT_SIZES = (16, 32, 64)
#: two signals of one name, each selected by a value, are one signal if these are equal
_SHARED = ("size", "is_signed", "factor", "shift")


def read(data: bytes, source: str, encoding: str | None = None) -> Database:
    """Return the database of a DBC file.

    ``encoding`` is that of names and units; without it, UTF-8 if the file is valid UTF-8, else Windows-1252.

    Raises:
        FormatError: the file has no message that can be read, but an entry that cannot.
        UsageError: there is no such encoding.
    """
    reader = _Reader(source)
    for statement in text.statements(text.decoded(data, encoding)):
        try:
            reader.take(statement)
        except ValueError as error:
            reader.fault(str(getattr(error, "reason", error)), statement.line)
    database = reader.database()
    if not database.messages and database.faults:
        raise database.faults[0]
    return database


@dataclass
class _SignalDraft:
    """A signal while its file is read.

    Attributes:
        fields: of the ``SignalSpec``.
        mark: its multiplexing: M, m1 or m1M, or "".
    """

    fields: dict[str, Any]
    mark: str
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.fields["name"])


@dataclass
class _Draft:
    """A message while its file is read; one that is left out takes its entries, but is not kept."""

    spec: MessageSpec
    signals: list[_SignalDraft] = field(default_factory=list)
    by_name: dict[str, list[_SignalDraft]] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    is_left_out: bool = False


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._drafts: dict[int, _Draft] = {}
        self._left_out: dict[int, _Draft] = {_INDEPENDENT: _left_out()}
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

    def take(self, statement: Statement) -> None:
        """Read one statement.

        Raises:
            ValueError: it is malformed, or names what does not exist.
        """
        taker = self._takers.get(statement.keyword)
        if taker is not None:
            taker(statement)

    # --- statements -----------------------------------------------------------------------------------

    def _take_version(self, statement: Statement) -> None:
        match = re.search(text.STRING, statement.text)
        self._version = text_of(match[0]) if match else ""

    def _take_nodes(self, statement: Statement) -> None:
        self._nodes = tuple(statement.text.partition(":")[2].split())

    def _take_message(self, statement: Statement) -> None:
        self._last = _left_out()  # takes the signals of a malformed message
        match = matched(text.MESSAGE, statement, "message")
        number, name, length, sender = match.groups()
        key = int(number)
        if key == _INDEPENDENT:
            return
        is_extended = bool(key & CAN_EFF_FLAG)
        identifier = key & ~CAN_EFF_FLAG
        if identifier > (CAN_EFF_MASK if is_extended else CAN_SFF_MASK):
            self._left_out[key] = self._last
            kind = "an extended" if is_extended else "a base"
            more = "" if key > CAN_EFF_MASK else f"; an extended one is written {key | CAN_EFF_FLAG}"
            raise ValueError(f"message {quoted(name)} is left out: {number} is not {kind} identifier{more}")
        senders = () if sender in (None, _NOBODY) else (sender,)
        spec = MessageSpec(name, identifier, is_extended, int(length), senders=senders, line=statement.line)
        if key in self._drafts:
            first = self._drafts.pop(key).spec
            reason = f"message {quoted(name)} has the identifier of {quoted(first.name)}, line {first.line}"
            self.fault(f"{reason}, which is left out", statement.line)
        self._last = self._drafts[key] = _Draft(spec)

    def _take_signal(self, statement: Statement) -> None:
        if self._last is not None and self._last.is_left_out:
            return
        match = matched(text.SIGNAL, statement, "signal")
        name, mark, start, size, order, sign, factor, shift, low, high, unit, receivers = match.groups()
        if self._last is None:
            raise ValueError(f"signal {quoted(name)} belongs to no message")
        is_big_endian = order == "0"
        place, bits = int(start), int(size)
        first = 8 * (place // 8) + 7 - place % 8 if is_big_endian else place
        if not bits:
            raise ValueError(f"signal {quoted(name)} has no bits")
        if first + bits > 8 * _MAX_BYTES:
            byte = (first + bits - 1) // 8
            raise ValueError(f"signal {quoted(name)} ends in byte {byte}, which no frame has")
        minimum, maximum = text.number_of(low), text.number_of(high)
        has_limits = not minimum == maximum == 0
        scale = _coefficient(factor)
        draft = _SignalDraft(
            {
                "name": name,
                "start": first,
                "size": bits,
                "is_big_endian": is_big_endian,
                "is_signed": sign == "-",
                "factor": scale or 1,
                "shift": _coefficient(shift),
                "minimum": minimum if has_limits else None,
                "maximum": maximum if has_limits else None,
                "unit": text_of(unit),
                "is_selector": mark is not None and mark.endswith("M"),
                "receivers": tuple(node for node in _names(receivers) if node != _NOBODY),
                "line": statement.line,
            },
            mark or "",
        )
        if scale == 0:
            self.fault(f"signal {quoted(name)} has the factor 0, taken as 1", statement.line)
        self._add(self._last, draft)

    def _add(self, message: _Draft, signal: _SignalDraft) -> None:
        others = message.by_name.setdefault(signal.name, [])
        for other in others:
            marks = {signal.mark, other.mark}
            if len(marks) == 1 or any(not mark.startswith("m") or mark.endswith("M") for mark in marks):
                reason = f"signal {quoted(signal.name)} is there twice in message {quoted(message.spec.name)}"
                raise ValueError(f"{reason}, first in line {other.fields['line']}")
        others.append(signal)
        message.signals.append(signal)

    def _take_senders(self, statement: Statement) -> None:
        match = matched(text.SENDERS, statement, "list of senders")
        draft = self._draft(match[1])
        more = [node for node in _names(match[2]) if node not in draft.spec.senders]
        draft.spec = replace(draft.spec, senders=(*draft.spec.senders, *more))

    def _take_values(self, statement: Statement) -> None:
        match = text.VALUES.fullmatch(statement.text)
        if match is None:
            if re.match(rf"VAL_\s+{text.NAME}\s", statement.text):
                return  # of an environment variable
            raise ValueError(f"malformed value table: {quoted(statement.text)}")
        signals = self._signals(match[1], match[2])
        choices = self._tables.get(match[3].rstrip("; \t\n"))
        if choices is None:
            choices = text.choices(match[3])
        for signal in signals:
            signal.fields["choices"] = choices

    def _take_table(self, statement: Statement) -> None:
        match = matched(text.TABLE, statement, "value table")
        self._tables[match[1]] = text.choices(match[2])

    def _take_kind(self, statement: Statement) -> None:
        number, name, kind = matched(text.KIND, statement, "signal type").groups()
        for signal in self._signals(number, name):
            signal.fields["is_float"] = kind in "12"

    def _take_ranges(self, statement: Statement) -> None:
        number, name, selector, parts = matched(text.RANGES, statement, "multiplexing").groups()
        signals = self._signals(number, name)
        self._signals(number, selector)
        ranges = []
        for part in _names(parts):
            low, _, high = part.partition("-")
            if not (low.isdecimal() and (high or low).isdecimal()):
                raise ValueError(f"malformed multiplexing: {quoted(parts)}")
            ranges.append((int(low), int(high or low)))
        if len(signals) > 1:  # the value in the mark of each says which one is meant
            signals = [one for one in signals if any(low <= _selection(one) <= high for low, high in ranges)]
        for signal in signals:
            signal.fields |= {"selector": selector, "selected_by": tuple(ranges)}

    def _take_comment(self, statement: Statement) -> None:
        kind, number, name, comment = matched(text.COMMENT, statement, "comment").groups()
        if kind == "BO_" and number:
            draft = self._draft(number)
            draft.spec = replace(draft.spec, comment=text_of(comment))
        elif kind == "SG_" and number and name:
            for signal in self._signals(number, name):
                signal.fields["comment"] = text_of(comment)

    def _take_definition(self, statement: Statement) -> None:
        name, kind, rest = matched(text.DEFINITION, statement, "attribute definition").groups()
        if kind == "ENUM":
            self._enumerations[text_of(name)] = [text_of(value) for value in re.findall(text.STRING, rest)]

    def _take_default(self, statement: Statement) -> None:
        name, value = matched(text.DEFAULT, statement, "attribute default").groups()
        self._defaults[text_of(name)] = text.value_of(value)

    def _take_attribute(self, statement: Statement) -> None:
        name, kind, number, owner, value = matched(text.ATTRIBUTE, statement, "attribute").groups()
        if kind == "BO_" and number:
            self._draft(number).attributes[text_of(name)] = text.value_of(value)
        elif kind == "SG_" and number and owner:
            for signal in self._signals(number, owner):
                signal.attributes[text_of(name)] = text.value_of(value)
        elif kind is None:
            self._attributes[text_of(name)] = text.value_of(value)

    def _draft(self, number: str) -> _Draft:
        key = int(number)
        draft = self._drafts.get(key) or self._left_out.get(key)
        if draft is None:
            raise ValueError(f"an entry is about message {number}, which does not exist")
        return draft

    def _signals(self, number: str, name: str) -> list[_SignalDraft]:
        """Return the signals of this name: none if their message is left out."""
        draft = self._draft(number)
        if name not in draft.by_name and not draft.is_left_out:
            raise ValueError(f"message {quoted(draft.spec.name)} has no signal {quoted(name)}")
        return draft.by_name.get(name, [])

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
        selectors = [signal for signal in draft.signals if signal.fields["is_selector"]]
        plain = [signal.name for signal in selectors if signal.mark == "M"]
        plain = plain or [signal.name for signal in selectors]
        renamed = {signal.name: _long_name(signal) for signal in draft.signals}
        default = self._defaults.get("GenSigStartValue")
        firsts: dict[str, _SignalDraft] = {}
        for signal in draft.signals:
            fields, name, line = signal.fields, signal.name, signal.fields["line"]
            if signal.mark.startswith("m") and "selector" not in fields:
                if not plain:
                    reason = f"signal {quoted(name)} is multiplexed, but its message has no multiplexer"
                    self.fault(f"{reason}; it is always decoded", line)
                else:
                    number = _selection(signal)
                    fields |= {"selector": plain[0], "selected_by": ((number, number),)}
            if fields.get("is_float") and fields["size"] not in _FLOAT_SIZES:
                self.fault(f"signal {quoted(name)} is a float of {fields['size']} bits; left out", line)
                continue
            first = firsts.setdefault(name, signal)
            shown = renamed[name]
            if any(fields[key] != first.fields[key] for key in _SHARED):
                shown += f"_{signal.mark}"
                reason = f"signal {quoted(name)} differs from that of line {first.fields['line']}"
                self.fault(f"{reason}, so it is called {quoted(shown)}", line)
            start, spn = signal.attributes.get("GenSigStartValue", default), signal.attributes.get("SPN")
            if fields.get("selector"):
                fields["selector"] = renamed.get(fields["selector"], fields["selector"])
            fields |= {
                "name": shown,
                "start_value": start if isinstance(start, int | float) else None,
                "spn": int(spn) if isinstance(spn, int | float) and spn else None,
            }
            yield SignalSpec(**fields)


def _left_out() -> _Draft:
    return _Draft(MessageSpec("", 0, True, 0), is_left_out=True)


def _coefficient(number: str) -> Number:
    """Return a factor or shift: a float above 64 bits, so that values that no float holds are infinite."""
    value = text.number_of(number)
    return float(value) if abs(value) > 1 << 64 else value


def _long_name(signal: _SignalDraft) -> str:
    return str(signal.attributes.get("SystemSignalLongSymbol") or signal.name)


def _selection(signal: _SignalDraft) -> int:
    """Return the number in a mark such as m1 or m1M."""
    return int(signal.mark.strip("mM") or 0)


def _names(parts: str) -> list[str]:
    """Return words that blanks or commas separate; a semicolon ends them."""
    return parts.partition(";")[0].replace(",", " ").split()
