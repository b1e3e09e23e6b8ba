"""The bits of a message, drawn in rows of bytes.

::

    byte    7    6    5    4    3    2    1    0
       0    1    1    1    1    1    1    1    1
       1   1*    1    1    1    1    1    1    1
       2    .    .    .    .    .   2*    2    2

A number is that of a signal in its message, from 1; ``*`` marks its highest bit, ``#`` bits of several
signals.
"""

from __future__ import annotations

from collections.abc import Iterator

from cantools_cli.decoding.checks import exclude_each_other, places
from cantools_cli.decoding.model import MessageSpec, SignalSpec

_MAX_BYTES = 64


def drawings(message: MessageSpec) -> Iterator[tuple[str, list[str]]]:
    """Yield a drawing for each set of signals that a multiplexer selects; it includes the others.

    The first part is the condition, such as ``Mode 1, 3-5``; "" if there is no multiplexer.
    """
    groups: dict[tuple[str, tuple[tuple[int, int], ...]], list[SignalSpec]] = {}
    for signal in message.signals:
        if signal.selector:
            groups.setdefault((signal.selector, signal.selected_by), []).append(signal)
    if not groups:
        yield "", drawing(message, list(message.signals))
    for (selector, ranges), selected in groups.items():
        shown = [
            signal
            for signal in message.signals
            if signal in selected or not signal.selector or signal.name in _above(message, selector)
        ]
        shown = [
            one for one in shown if not any(exclude_each_other(message, one, other) for other in selected)
        ]
        yield f"{selector} {spelled(ranges)}", drawing(message, shown)


def drawing(message: MessageSpec, signals: list[SignalSpec]) -> list[str]:
    """Return the lines of a drawing of ``signals``, at most 64 bytes of it."""
    numbers = {signal.name: number for number, signal in enumerate(message.signals, 1)}
    cells: dict[int, str] = {}
    for signal in signals:
        bits = places(signal)
        for bit in bits:
            mark = "*" if bit == bits[-1] else ""
            cells[bit] = "#" if bit in cells else f"{numbers[signal.name]}{mark}"
    end = max([message.length, *(signal.end for signal in signals)])
    lines = ["byte" + "".join(f"{bit:5}" for bit in range(7, -1, -1))]
    for byte in range(min(end, _MAX_BYTES)):
        row = "".join(f"{cells.get(8 * byte + bit, '.'):>5}" for bit in range(7, -1, -1))
        outside = "   outside" if byte >= message.length else ""
        lines.append(f"{byte:4}{row}{outside}")
    if end > _MAX_BYTES:
        lines.append(f"... {end} bytes")
    return lines


def spelled(ranges: tuple[tuple[int, int], ...]) -> str:
    """Return ranges of values as in ``1, 3-5``."""
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def _above(message: MessageSpec, selector: str) -> set[str]:
    """Return the names of ``selector`` and of those that select it in turn."""
    names: set[str] = set()
    while selector and selector not in names:
        names.add(selector)
        found = message.by_name.get(selector)
        selector = found.selector if found is not None else ""
    return names
