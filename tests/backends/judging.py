"""python-can's bus and that of canx on the same bytes of an emulated device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cantools_cli.bus.interface import Bus
from tests.emulators.line import Device, plugged

Facts = tuple[object, ...]

_PATIENCE = 20.0
_SILENCE = 0.3  # seconds after which python-can's bus is taken to wait for ever
_MAX_ERRORS = 5


def facts(message: Any) -> Facts:
    """Return what both libraries say about a frame: all but the timestamp and the channel."""
    data = b"" if message.is_remote_frame else bytes(message.data)
    kinds = message.is_extended_id, message.is_remote_frame, message.is_error_frame
    return message.arbitration_id, *kinds, message.dlc, data


def judged(
    interface: str, device: Callable[[], Device], stream: bytes, last: Facts, **settings: Any
) -> tuple[list[Any], list[Any], dict[str, int]]:
    """Return what python-can's bus gives for ``stream``, what canx's gives, and the losses of the latter.

    The lists hold the facts of frames and the names of exceptions; ``last`` is the last frame of the stream,
    and is left out if it arrives. None stands for a wait that ends without a frame.
    """
    import can  # an optional requirement of the tests

    with plugged(device()) as line, can.Bus(line.channel, interface=interface, **settings) as bus:
        line.inject(stream)
        port = next(vars(bus)[name] for name in ("ser", "_ser", "serialPortOrig") if name in vars(bus))
        while port.in_waiting < len(stream):  # what it does depends on that
            pass
        theirs = _taken(bus, last, _SILENCE)
    with (
        plugged(device()) as line,
        Bus(line.channel, interface=interface, ignore_config=True, **settings) as bus,
    ):
        line.inject(stream)
        ours = _taken(bus, last, _PATIENCE)
        return theirs, ours, dict(bus.losses)


def _taken(bus: Any, last: Facts, patience: float) -> list[Any]:
    found: list[Any] = []
    while len(found) < _MAX_ERRORS:
        try:
            message = bus.recv(patience)
        except Exception as error:  # python-can's bus may raise any
            found.append(type(error).__name__)
            continue
        if message is not None and facts(message) == last:
            return found
        found.append(message and facts(message))
        if found[-2:] == [None, None]:
            break
    return found
