"""Open USB-CANmodules. A program opens a module once, so the buses on its two channels share it.

The library calls callbacks in a thread of its own, where no function of it may be called: they only set
events. They exist as long as the process, since the library may still be calling one while it is closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from ctypes import byref, c_uint8
from typing import Any

from cantools_cli.backends.systec.constants import (
    ANY_MODULE,
    INVALID_HANDLE,
    CbEvent,
    ReturnCode,
    has_two_channels,
)
from cantools_cli.backends.systec.exceptions import explanation, ucan_exception
from cantools_cli.backends.systec.structures import (
    CallbackFktEx,
    ConnectControlFktEx,
    HardwareInfoEx,
    InitCanParam,
)
from cantools_cli.backends.transport.library import Functions
from cantools_cli.backends.transport.library_bus import release_all
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError

#: results from here on report something that was carried out
WARNING = 0x80
#: functions whose warnings belong to their work
_WARNING_OFTEN = frozenset({"UcanReadCanMsgEx", "UcanWriteCanMsgEx"})
_BOTH = 0xFF  #: the channel of an event for all channels
_LOST = frozenset({CbEvent.EVENT_DISCONNECT, CbEvent.EVENT_FATALDISCON})

_lock = threading.Lock()  # for opening and closing; the callbacks take none
_modules: list[Module] = []


class ChannelEvents:
    """What the callbacks have reported about a channel.

    Attributes:
        arrived: set when frames may be queued, the status has changed, or the module is lost.
        status_changed: whether the status has to be read.
    """

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.status_changed = False


class Module:
    """An open module.

    Attributes:
        number, serial, product: of the device; from the first open channel on.
        handle: the library's, below 255.
        lock: held during each call for this module, since the library is not meant for two at a time.
        channels: the events of the open channels.
        is_lost: whether the module was disconnected; its handle must not be used any more.
    """

    def __init__(self, functions: Functions, handle: int) -> None:
        self.functions = functions
        self.handle = handle
        self.lock = threading.RLock()
        self.channels: dict[int, ChannelEvents] = {}
        self.is_lost = False
        self.number, self.serial, self.product = ANY_MODULE, 0, 0
        self._initialised: set[int] = set()

    def fits(self, functions: Functions, number: int, serial: int | None) -> bool:
        """Return whether a bus that asks for a module means this one."""
        if functions is not self.functions or self.is_lost:
            return False
        if serial is not None:
            return serial == self.serial
        return number in (ANY_MODULE, self.number)

    def call(self, name: str, *arguments: Any) -> int:
        """Call a function for this module; return a warning, which is logged, or SUCCESSFUL.

        Raises:
            CanOperationError: the function failed, the library lacks it, or the module is lost.
        """
        if self.is_lost:
            code = int(ReturnCode.ERR_DISCONECT)
            raise CanOperationError(f"{name}: {explanation(code)}", code)
        function = getattr(self.functions, name)
        if function is None:
            raise CanOperationError(f"the library has no function {name}")
        with self.lock:
            code = int(function(self.handle, *arguments))
        if 0 < code < WARNING:
            raise CanOperationError(f"{name}: {explanation(code)}", code) from ucan_exception(name, code)
        if code and name not in _WARNING_OFTEN:
            import logging

            logging.getLogger("can").warning("systec: %s: %s", name, explanation(code))
        return code

    def lose(self) -> None:
        """Note that the module is gone, and end the waits for both channels."""
        self.is_lost = True
        for events in [*self.channels.values()]:
            events.arrived.set()

    def init_can(self, channel: int, parameters: InitCanParam) -> None:
        self.call("UcanInitCanEx2", channel, byref(parameters))
        self._initialised.add(channel)

    def deinit_can(self, channel: int) -> None:
        if channel in self._initialised and not self.is_lost:
            self._initialised.discard(channel)
            self.call("UcanDeinitCanEx", channel)

    def identify(self) -> None:
        """Ask the module for its number, its serial number and its product."""
        info = HardwareInfoEx()
        self.call("UcanGetHardwareInfoEx2", byref(info), None, None)
        self.number, self.serial, self.product = info.m_bDeviceNr, info.m_dwSerialNr, info.m_dwProductCode


def opened(
    functions: Functions, number: int, serial: int | None, channel: int, prepare: Callable[[Module], None]
) -> Module:
    """Return the module with this number or serial number, for one of its channels.

    ``prepare`` initialises the channel. ``closed`` must be called for each channel.

    Raises:
        CanError: the library cannot open the module, its channel is open, or ``prepare`` raised it.
    """
    with _lock:
        module = _known(functions, number, serial, channel)
        if module is None:
            _connect(functions)
            try:
                module = Module(functions, _init_hardware(functions, number, serial))
            except BaseException:
                _disconnect(functions)
                raise
            _modules.append(module)
        module.channels[channel] = ChannelEvents()
        try:
            prepare(module)
        except BaseException:
            with suppress(CanError):  # the first failure is the one to report
                _close(module, channel)
            raise
        return module


def closed(module: Module, channel: int) -> None:
    """Close a channel, and the module with the last one.

    Raises:
        CanOperationError: the library reports a failure; everything is closed nevertheless.
    """
    with _lock:
        _close(module, channel)


def _close(module: Module, channel: int) -> None:
    steps: list[Callable[[], object]] = [lambda: module.deinit_can(channel)]
    if {*module.channels} == {channel}:
        _modules.remove(module)
        if not module.is_lost:
            steps.append(lambda: module.call("UcanDeinitHardware"))
        steps.append(lambda: _disconnect(module.functions))
    try:
        release_all(*steps)
    finally:
        del module.channels[channel]


def _known(functions: Functions, number: int, serial: int | None, channel: int) -> Module | None:
    """Return an open module for the request, None if one has to be opened.

    Raises:
        CanInitializationError: the channel is open already, or the open module does not have it.
    """
    candidates = [module for module in _modules if module.fits(functions, number, serial)]
    for module in candidates:
        if channel not in module.channels and (channel == 0 or has_two_channels(module.product)):
            return module
    if candidates and (serial is not None or number != ANY_MODULE):
        problem = "is already open" if channel in candidates[0].channels else "does not exist"
        raise CanInitializationError(f"channel {channel} of module {candidates[0].number} {problem}")
    return None


def _init_hardware(functions: Functions, number: int, serial: int | None) -> int:
    handle = c_uint8(INVALID_HANDLE)
    callback = _callbacks(functions)[0]
    name, function = "UcanInitHardwareEx", functions.UcanInitHardwareEx
    if serial is not None:
        name, function = "UcanInitHardwareEx2", functions.UcanInitHardwareEx2
        if function is None:
            raise CanInitializationError(f"the library has no function {name}", hint="use device_number")
    code = int(function(byref(handle), number if serial is None else serial, callback, None))
    if 0 < code < WARNING:
        raise CanInitializationError(f"{name}: {explanation(code)}", code) from ucan_exception(name, code)
    return handle.value


# --- callbacks --------------------------------------------------------------------------------------------

_thunks: dict[str, tuple[Any, Any]] = {}  # by the path of the library
_connected: dict[str, int] = {}  # how many modules need the callback of connections


def _callbacks(functions: Functions) -> tuple[Any, Any]:
    """Return the callback of modules and that of connections."""
    if functions.path not in _thunks:

        def on_event(handle: int, event: int, channel: int, _: object) -> None:
            _notify(functions, handle, event, channel)

        def on_connection(event: int, parameter: int | None, _: object) -> None:
            # CONNECT and DISCONNECT have no handle: the parameter is 0, which is a valid one
            if event == CbEvent.EVENT_FATALDISCON:
                _notify(functions, parameter or 0, event, _BOTH)

        _thunks[functions.path] = CallbackFktEx(on_event), ConnectControlFktEx(on_connection)
    return _thunks[functions.path]


def _notify(functions: Functions, handle: int, event: int, channel: int) -> None:
    for module in _found(functions, handle):
        if event in _LOST:
            module.lose()
        elif event in (CbEvent.EVENT_RECEIVE, CbEvent.EVENT_STATUS):
            for number, events in [*module.channels.items()]:
                if channel in (number, _BOTH):
                    events.status_changed |= event == CbEvent.EVENT_STATUS
                    events.arrived.set()


def _found(functions: Functions, handle: int) -> Sequence[Module]:
    return [module for module in [*_modules] if module.handle == handle and module.functions is functions]


def _connect(functions: Functions) -> None:
    """Register the callback of connections with the first module."""
    count = _connected.get(functions.path, 0)
    if not count:
        name = "UcanInitHwConnectControlEx"
        code = int(functions.UcanInitHwConnectControlEx(_callbacks(functions)[1], None))
        if 0 < code < WARNING:
            raise CanInitializationError(f"{name}: {explanation(code)}", code) from ucan_exception(name, code)
    _connected[functions.path] = count + 1


def _disconnect(functions: Functions) -> None:
    _connected[functions.path] -= 1
    if not _connected[functions.path]:
        name = "UcanDeinitHwConnectControl"
        code = int(functions.UcanDeinitHwConnectControl())
        if 0 < code < WARNING:
            raise CanOperationError(f"{name}: {explanation(code)}", code) from ucan_exception(name, code)


def named(error: CanError, name: str, kind: type[CanError]) -> CanError:
    """Return ``error`` as another kind, its text after the name of the bus."""
    text = str(error).removesuffix(f" [Error Code {error.error_code}]").removeprefix(f"{name}: ")
    result = kind(f"{name}: {text}", error.error_code, hint=error.hint, sent=error.sent)
    result.__cause__ = error.__cause__ or error
    return result
