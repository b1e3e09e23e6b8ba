"""Intrepid's module ``ics``, and the devices that it finds."""

from __future__ import annotations

import operator
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from cantools_cli.backends.transport.package import MissingPackageError, imported, missing
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanInitializationError, UsageError, quoted

DISTRIBUTION = "python-ics"
VARIABLE = "CANX_NEOVI_LIBRARY"

#: serial numbers between these are shown in base 36
_BASE36 = (int("0A0000", 36), int("ZZZZZZ", 36))
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HIGHEST_NETWORK = 0xFFFF
_OPEN_TRIES, _OPEN_PAUSE = 3, 0.5  # the neoVI server may still be closing the device for the program before
_LOCK_PATIENCE = 10.0  # seconds

_overridden: dict[Any, str] = {}  # module -> its library


def load(path: str | None = None) -> Any:
    """Return the module, with the library at ``path`` or that of the environment variable.

    A library that is in use is not loaded again, which would close its devices.

    Raises:
        MissingPackageError: the module is not installed, or cannot load the library.
    """
    ics: Any = imported("neovi", "ics", DISTRIBUTION)
    path = path or os.environ.get(VARIABLE)
    if path and _overridden.get(ics) != path:
        try:
            ics.override_library_name(path)
        except ics.RuntimeError as error:
            _overridden.pop(ics, None)
            raise MissingPackageError(
                f"neovi: cannot load {quoted(path)}: {text_of(error)}",
                hint=f"the setting library and {VARIABLE} name the file",
            ) from error
        _overridden[ics] = path
    return ics


def obstacle() -> str | None:
    """Return why buses cannot be opened here, None if they can."""
    return missing("neovi", "ics", DISTRIBUTION)


def text_of(error: Exception) -> str:
    """Return the text of an error of the module, on one line and without its prefix."""
    return " ".join(str(error).removeprefix("Error: ").split())


def serial_of(device: Any) -> str:
    """Return the serial number as it is printed on the device."""
    serial = device.SerialNumber & 0xFFFFFFFF  # the module may have it as a signed number
    if not _BASE36[0] < serial < _BASE36[1]:
        return str(serial)
    text = ""
    while serial:
        serial, digit = divmod(serial, 36)
        text = _DIGITS[digit] + text
    return text


def found(ics: Any, type_filter: int | None, serial: str | None) -> Any:
    """Return the first device of a type and with a serial number, each None for any.

    Raises:
        CanInitializationError: there is no such device.
    """
    try:
        devices = ics.find_devices() if type_filter is None else ics.find_devices([type_filter])
    except ics.RuntimeError as error:
        raise CanInitializationError(f"neovi: {text_of(error)}") from error
    for device in devices:
        if serial is None or serial.upper() in (serial_of(device), str(device.SerialNumber & 0xFFFFFFFF)):
            return device
    wanted = [] if type_filter is None else [f"with type {type_filter}"]
    wanted += [] if serial is None else [f"with serial {quoted(serial)}"]
    text = " ".join(("neovi: no device", *wanted, "found"))
    others = ", ".join(f"{device.Name} {serial_of(device)}" for device in devices)
    raise CanInitializationError(text, hint=f"found: {others}" if others else "is it connected?")


def networks(ics: Any, channel: Any) -> tuple[int, ...]:
    """Return the numbers of the networks that ``channel`` names.

    Raises:
        UsageError: one of them is neither a number nor a name.
    """
    if isinstance(channel, str):
        parts: Sequence[Any] = [part.strip() for part in channel.split(",")]
    else:
        parts = channel if isinstance(channel, Sequence) else [channel]
    numbers = tuple(dict.fromkeys(network(ics, part) for part in parts))
    if not numbers:
        raise UsageError("neovi: no channel is given", hint="such as neovi:HSCAN")
    return numbers


def network(ics: Any, name: Any) -> int:
    """Return the number of the network ``name``, a number or a name such as HSCAN.

    Raises:
        UsageError: it is neither.
    """
    try:
        number = _number(name) if isinstance(name, str) else operator.index(name)
    except (ValueError, TypeError):
        number = getattr(ics, f"NETID_{str(name).upper()}", -1)
    if isinstance(number, int) and 0 <= number <= _HIGHEST_NETWORK:
        return number
    raise UsageError(
        f"neovi: channel {quoted(name)} is neither a number nor the name of a network",
        hint="such as HSCAN, MSCAN, HSCAN2",
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else int(text, 0)


def open_device(ics: Any, device: Any, name: str) -> None:
    """Open ``device``, while no other program of this user opens one: the neoVI server mixes them up.

    Raises:
        CanInitializationError: the device is in use, or does not answer.
    """
    for left in reversed(range(_OPEN_TRIES)):
        try:
            with _turn():
                ics.open_device(device)
            return
        except ics.RuntimeError as error:
            if not left:
                text = f"{name}: {text_of(error)}"
                raise CanInitializationError(text, hint="is it open in another program?") from error
        time.sleep(_OPEN_PAUSE)


@contextmanager
def _turn() -> Iterator[None]:
    """Hold the lock file that python-can has as well; without it if there can be none."""
    import tempfile

    path = os.path.join(tempfile.gettempdir(), "neovi.lock")
    file = None
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):  # the file may be that of another user
        with suppress(OSError):
            file = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o666)
            break
    if file is None:
        yield
        return
    try:
        deadline = Deadline(_LOCK_PATIENCE)
        while not _locked(file):
            if deadline.passed:
                raise CanInitializationError(
                    f"neovi: another program has been opening a device for {_LOCK_PATIENCE:g} s",
                    hint=f"if none does, delete {path}",
                )
            deadline.pause()
        yield
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    """Take the lock on ``file`` if it is free."""
    try:
        import fcntl
    except ImportError:  # on Windows
        import msvcrt

        lock: Any = msvcrt
        try:
            lock.locking(file, lock.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
