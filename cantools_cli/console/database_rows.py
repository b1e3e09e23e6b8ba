"""Messages, signals and differences as rows of tables, and as objects for ``--json``."""

from __future__ import annotations

from typing import Any

from cantools_cli.decoding.differences import Difference
from cantools_cli.decoding.layout import spelled
from cantools_cli.decoding.model import MessageSpec, SignalSpec


def identifier(message: MessageSpec) -> str:
    """Return the identifier in hexadecimal, with 3 or 8 digits."""
    return f"{message.arbitration_id:0{8 if message.is_extended_id else 3}X}"


def message_row(message: MessageSpec) -> dict[str, Any]:
    kind = "J1939" if message.is_j1939 else "FD" if message.is_fd else ""
    cycle = "" if message.cycle_time is None else f"{message.cycle_time * 1000:g} ms"
    return {
        "message": message.name,
        "id": identifier(message),
        "bytes": message.length,
        "kind": kind,
        "signals": len(message.signals),
        "cycle": cycle,
        "senders": ",".join(message.senders),
    }


def signal_row(number: int, signal: SignalSpec) -> dict[str, Any]:
    scale = "" if (signal.factor, signal.shift) == (1, 0) else f"*{signal.factor}"
    if signal.shift:
        scale += f"{signal.shift:+}"
    limits = ""
    if signal.minimum is not None or signal.maximum is not None:
        limits = f"{_shown(signal.minimum)}..{_shown(signal.maximum)}"
    choices = ", ".join(f"{raw} {name}" for raw, name in signal.choices.items())
    return {
        "no": number,
        "signal": signal.name,
        "start": start_bit(signal),
        "bits": signal.size,
        "type": type_of(signal),
        "scale": scale,
        "unit": signal.unit,
        "limits": limits,
        "when": f"{signal.selector} {spelled(signal.selected_by)}" if signal.selector else "",
        "values": choices if len(choices) <= 60 else choices[:57] + "...",
    }


def start_bit(signal: SignalSpec) -> int:
    """Return the start bit as DBC files have it: of the highest bit for big endian, byte * 8 + bit."""
    if signal.is_big_endian:
        return signal.start - signal.start % 8 + 7 - signal.start % 8
    return signal.start


def type_of(signal: SignalSpec) -> str:
    kind = "float" if signal.is_float else "int" if signal.is_signed else "uint"
    return f"{kind} {'big' if signal.is_big_endian else 'little'}"


def message_object(message: MessageSpec) -> dict[str, Any]:
    found: dict[str, Any] = {
        "message": message.name,
        "arbitration_id": message.arbitration_id,
        "is_extended_id": message.is_extended_id,
        "length": message.length,
        "is_fd": message.is_fd,
        "is_j1939": message.is_j1939,
    }
    if message.is_j1939:
        found["pgn"] = message.pgn
    found |= {
        "cycle_time": message.cycle_time,
        "senders": list(message.senders),
        "comment": message.comment,
        "line": message.line or None,
        "signals": [signal_object(signal) for signal in message.signals],
    }
    if message.contained:
        found["contained"] = [message_object(inner) for inner in message.contained.values()]
    return found


def signal_object(signal: SignalSpec) -> dict[str, Any]:
    return {
        "signal": signal.name,
        "start": start_bit(signal),
        "size": signal.size,
        "byte_order": "big_endian" if signal.is_big_endian else "little_endian",
        "type": type_of(signal).split()[0],
        "factor": signal.factor,
        "offset": signal.shift,
        "minimum": signal.minimum,
        "maximum": signal.maximum,
        "unit": signal.unit,
        "choices": {str(raw): name for raw, name in signal.choices.items()},
        "is_selector": signal.is_selector,
        "selector": signal.selector or None,
        "selected_by": [list(limits) for limits in signal.selected_by],
        "start_value": signal.start_value,
        "receivers": list(signal.receivers),
        "spn": signal.spn,
        "comment": signal.comment,
        "line": signal.line or None,
    }


def difference_text(difference: Difference) -> str:
    """Return a line such as ``~ Engine.Speed: factor 0.5 -> 0.25``."""
    name = f"{difference.message}.{difference.signal}" if difference.signal else difference.message
    mark = {"added": "+", "removed": "-"}.get(difference.what, "~")
    if mark != "~":
        return f"{mark} {name}"
    before, after = (_value(difference.what, value) for value in (difference.before, difference.after))
    return f"~ {name}: {_words(difference.what)} {before} -> {after}"


def difference_object(difference: Difference) -> dict[str, Any]:
    found: dict[str, Any] = {
        "message": difference.message,
        "signal": difference.signal or None,
        "change": difference.what,
    }
    if difference.what not in ("added", "removed"):
        found |= {"before": _plain(difference.before), "after": _plain(difference.after)}
    return found


def _words(name: str) -> str:
    """Return the name of an attribute as the table and ``--json`` have it."""
    names = {"arbitration_id": "id", "shift": "offset", "is_big_endian": "big endian", "choices": "values"}
    return names.get(name, name.removeprefix("is_").replace("_", " "))


def _value(name: str, value: Any) -> str:
    if name == "arbitration_id":
        return f"{value:X}"
    if name == "selected_by":
        return spelled(value) or "none"
    if name == "choices":
        return ", ".join(f"{raw} {text}" for raw, text in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return repr(value) if name in ("comment", "unit") else _shown(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return {str(key): text for key, text in value.items()} if hasattr(value, "items") else value


def _shown(value: Any) -> str:
    return "none" if value in (None, "") else str(value)
