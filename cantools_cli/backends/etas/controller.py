"""A CAN controller of BOA: opening it, its queues and their filters."""

from __future__ import annotations

import ctypes as c
import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from cantools_cli.backends.etas import constants as n
from cantools_cli.backends.etas import structures as s
from cantools_cli.backends.etas.library import Checker
from cantools_cli.backends.etas.settings import ControllerSettings
from cantools_cli.backends.transport.library import Functions
from cantools_cli.backends.transport.library_bus import release_all
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError
from cantools_cli.filtering.can_filter import CanFilter, CanFilters
from cantools_cli.frame import bits

ELEMENTS = 128  #: read at once
_VERSIONS = (4, 3, 2, 1, 0)  # of API 1, the newest first
_RETRY = (n.Result.VERSION_NOT_SUPPORTED, n.Result.NO_INTERFACE)
_FILTERS_REFUSED = (n.Result.FILTER_REFUSED, n.Result.FILTER_REFUSED_2, n.Result.NO_RESOURCES)
_WITH_FD, _WITH_FLAGS = 3, 4  # the minor versions that brought CAN FD, and filters with flags

#: settings that other nodes notice; the driver may adapt the others as it likes
_IMPORTANT = {
    *("baudrate", "sample_point", "self_reception_mode", "bus_participation_mode", "fd_enabled"),
    *("data_bit_rate", "data_sample_point", "fd_tx_config"),
}

#: value and mask of the identifier, value and mask of the flags
Filter = tuple[int, int, int, int]


class Elements:
    """Room for elements of a queue, in the form that the functions of an API take.

    Attributes:
        argument: the array of pointers to elements, or of elements before API 1.3.
        count: set by the function that reads.
    """

    def __init__(self, number: int, *, has_pointers: bool) -> None:
        kind: Any = s.MessageEx if has_pointers else s.OldMessage
        self.number = number
        self.size = c.sizeof(kind)
        self.count = c.c_uint32()
        self._room = (kind * number)()
        self.argument = self._room
        if has_pointers:
            self.argument = (c.POINTER(kind) * number)(*(c.pointer(element) for element in self._room))
        self.address = c.addressof(self._room)

    def taken(self) -> bytes:
        """Return the elements that were read."""
        return c.string_at(self.address, self.count.value * self.size)

    def put(self, element: bytes) -> None:
        """Set the first element."""
        c.memmove(self.address, element, self.size)


class BoaController:
    """An open controller with a queue for each direction.

    ``name`` begins errors.

    Raises:
        CanInitializationError: a step of opening failed; the earlier ones are undone.

    Attributes:
        minor: the minor version of API 1 that the driver has.
        frequency: ticks of the timer per second.
        rates: the nominal bit rate that is in use, and that of the data phase, None without CAN FD.
    """

    def __init__(
        self, uri: str, settings: ControllerSettings, csi: Functions, oci: Functions, name: str
    ) -> None:
        self._csi, self._oci = csi, oci
        self._settings = settings
        self._steps: list[Callable[[], object]] = []  # to undo, the last one first
        self._check = Checker(name, oci.OCI_GetError)
        self._filters: set[Filter] = set()
        try:
            self._create(uri, name)
            self._open()
            self._rx = self._queue("Rx", s.RxQueueConfiguration(self_reception_mode=self._own()))
            self._request_events()
            self._tx = self._queue("Tx", s.TxQueueConfiguration())
            self.frequency = self._timer_frequency(name)
        except BaseException:
            self._undo()
            raise

    @property
    def has_fd(self) -> bool:
        """Whether CAN FD frames can be sent and received."""
        return self._settings.fd and self.minor >= _WITH_FD

    # --- opening --------------------------------------------------------------------------------------

    def opened(self) -> None:
        """Raise CanOperationError instead of CanInitializationError from now on."""
        self._check.kind = CanOperationError

    def _create(self, uri: str, name: str) -> None:
        self._tree = c.POINTER(s.Tree)()
        code = self._csi.CSI_CreateProtocolTree(b"", s.NodeRange(0, n.NODE_MAX), c.byref(self._tree))
        self._check("CSI_CreateProtocolTree", code)
        self._undo_by("CSI_DestroyProtocolTree", lambda: self._csi.CSI_DestroyProtocolTree(self._tree))
        handle = c.c_int32(n.NO_VALUE)
        encoded = uri.encode("utf-8")
        for minor in _VERSIONS:
            version = s.Version(1, minor, 0, 0)
            code = self._oci.OCI_CreateCANControllerNoSearch(encoded, version, self._tree, c.byref(handle))
            if code not in _RETRY:
                break
        self._check("OCI_CreateCANControllerNoSearch", code)
        self.minor = self._usable(minor)
        self._handle = self._check.handle = handle.value
        self._undo_by("OCI_DestroyCANController", self._destroy)
        self._has_flags = self.minor >= _WITH_FLAGS
        has_pointers = self.has_pointers = self.minor >= _WITH_FD
        self._read = self._oci.OCI_ReadCANDataEx if has_pointers else self._oci.OCI_ReadCANData
        self._write = self._oci.OCI_WriteCANDataEx if has_pointers else self._oci.OCI_WriteCANData
        self._check_usable(name)

    def _destroy(self) -> int:
        self._check.handle = None  # texts of errors need a controller
        return int(self._oci.OCI_DestroyCANController(self._handle))

    def _check_usable(self, name: str) -> None:
        """Refuse what this version of the driver, or the controller, cannot do.

        Raises:
            CanInitializationError: a function is missing, or CAN FD.
        """
        api = f"API 1.{self.minor}"
        if self._read is None or self._write is None:
            raise CanInitializationError(f"{name}: BOA has {api}, but no functions to read and write")
        if self._settings.fd_non_iso and not self._has_flags:
            raise CanInitializationError(f"{name}: BOA is too old for fd_non_iso, with {api}")
        if self._settings.fd and not self.has_pointers:
            self._check.log("warning", f"BOA is too old for CAN FD, with {api}; the bus is classic")
        get = self._oci.OCI_GetCANControllerCapabilities
        if self.has_fd and get is not None:
            room = c.create_string_buffer(2 * c.sizeof(s.Capabilities))  # newer drivers may write more
            if not get(self._handle, room) and not s.Capabilities.from_buffer(room).fd_support:
                raise CanInitializationError(
                    f"{name}: the controller has no CAN FD", hint="fd=false opens a classic bus"
                )

    def _usable(self, minor: int) -> int:
        """Return the minor version, lower if the library lacks functions of it."""
        oci = self._oci
        if oci.OCI_AddCANFrameFilterEx is None or oci.OCI_RemoveCANFrameFilterEx is None:
            minor = min(minor, _WITH_FLAGS - 1)
        if oci.OCI_ReadCANDataEx is None or oci.OCI_WriteCANDataEx is None:
            minor = min(minor, _WITH_FD - 1)
        return minor

    def _open(self) -> None:
        wanted = self._settings.structure(has_fd=self.minor >= _WITH_FD)
        properties = s.Properties(n.CONTROLLER_RUNNING)
        code = self._oci.OCI_OpenCANController(self._handle, wanted, properties)
        if code != n.Result.WARN_PARAM_ADAPTED:  # which is in the log with the parameters
            self._check("OCI_OpenCANController", code)
        self._undo_by("OCI_CloseCANController", lambda: self._oci.OCI_CloseCANController(self._handle))
        used = self._adapted(wanted) if code == n.Result.WARN_PARAM_ADAPTED else wanted
        self.rates = (used.baudrate, used.fd.data_bit_rate if used.fd_enabled else None)

    def _adapted(self, wanted: s.Configuration) -> s.Configuration:
        """Return the configuration in use, and log how it differs from ``wanted``."""
        used = s.Configuration()
        read = self._oci.OCI_GetCANConfiguration
        if read is None or read(self._handle, used):
            self._check.log("warning", "the driver adapted some settings, and does not return which")
            return wanted
        pairs = [(wanted, used, name) for name, _ in s.Configuration._fields_ if name != "fd"]
        pairs += [(wanted.fd, used.fd, name) for name, _ in s.FdConfiguration._fields_]
        changed = [
            (name, getattr(before, name), getattr(after, name))
            for before, after, name in pairs
            if getattr(before, name) != getattr(after, name)
        ]
        text = ", ".join(f"{name} {before} became {after}" for name, before, after in changed)
        level = "warning" if any(name in _IMPORTANT for name, *_ in changed) else "info"
        self._check.log(level, f"the driver adapted the settings: {text or 'none that it returns'}")
        return used

    def _timer_frequency(self, name: str) -> int:
        capabilities = s.TimerCapabilities()
        code = self._oci.OCI_GetTimerCapabilities(self._handle, capabilities)
        self._check("OCI_GetTimerCapabilities", code)
        if not capabilities.tick_frequency:
            raise CanInitializationError(f"{name}: OCI_GetTimerCapabilities: the timer stands still")
        return int(capabilities.tick_frequency)

    def _own(self) -> int:
        return int(self._settings.receive_own_messages)

    def _queue(self, direction: str, configuration: c.Structure) -> int:
        handle = c.c_int32(n.NO_VALUE)
        create = getattr(self._oci, f"OCI_CreateCAN{direction}Queue")
        destroy = getattr(self._oci, f"OCI_DestroyCAN{direction}Queue")
        code = create(self._handle, configuration, c.byref(handle))
        self._check(f"OCI_CreateCAN{direction}Queue", code)
        self._undo_by(f"OCI_DestroyCAN{direction}Queue", lambda: destroy(handle.value))
        return handle.value

    def _request_events(self) -> None:
        """Let the queue receive error frames and bus events, if the driver can."""
        if self._settings.error_frames:
            for name in ("OCI_AddCANErrorFrameFilter", "OCI_AddCANBusEventFilter"):
                add = getattr(self._oci, name)
                if add is not None:
                    kinds = (s.EventFilter * 1)(s.EventFilter(n.ALL_KINDS, 0, n.IN_BAND))
                    code = add(self._rx, kinds, 1)
                    if code != n.Result.NOT_SUPPORTED:
                        self._check(name, code)

    # --- filters --------------------------------------------------------------------------------------

    def set_filters(self, filters: CanFilters | None) -> None:
        """Receive frames that pass one of ``filters``; more frames if the driver cannot have them."""
        wanted = {self._filter(entry) for entry in filters or ({"can_id": 0, "can_mask": 0},)}
        new = wanted - self._filters
        if new:
            code = self._change("Add", new)
            if code in _FILTERS_REFUSED:
                wanted = {self._filter({"can_id": 0, "can_mask": 0})}
                new = wanted - self._filters
                code = self._change("Add", new) if new else 0
            self._check(self._filter_function("Add"), code)
        gone = self._filters - wanted
        self._filters = wanted
        if gone:
            self._check(self._filter_function("Remove"), self._change("Remove", gone))

    def _filter(self, entry: CanFilter) -> Filter:
        """Return the form of the driver; without flags the bus itself checks kinds and own frames."""
        extended = entry.get("extended")
        mask = entry["can_mask"] & (bits.CAN_SFF_MASK if extended is False else bits.CAN_EFF_MASK)
        if not self._has_flags:
            return entry["can_id"], mask, 0, 0
        flags = n.MessageFlag.EXTENDED if extended else n.MessageFlag(0)
        flags_mask = n.MessageFlag(0) if extended is None else n.MessageFlag.EXTENDED
        if not self._settings.receive_own_messages:
            flags_mask |= n.MessageFlag.SELF_RECEPTION
        return entry["can_id"], mask, int(flags), int(flags_mask)

    def _filter_function(self, action: str) -> str:
        return f"OCI_{action}CANFrameFilter{'Ex' if self._has_flags else ''}"

    def _change(self, action: str, filters: Iterable[Filter]) -> int:
        """Add or remove filters, and return the result code."""
        function = getattr(self._oci, self._filter_function(action))
        if function is None:
            return int(n.Result.NOT_SUPPORTED)
        ordered = sorted(filters)
        if not self._has_flags:
            plain = (s.RxFilter * len(ordered))(*(s.RxFilter(value, mask) for value, mask, *_ in ordered))
            return int(function(self._rx, plain, len(plain)))
        room = (s.RxFilterEx * len(ordered))(*(s.RxFilterEx(a, b, 0, d, e) for a, b, d, e in ordered))
        pointers = (c.POINTER(s.RxFilterEx) * len(ordered))(*(c.pointer(entry) for entry in room))
        return int(function(self._rx, pointers, len(pointers)))

    # --- use ------------------------------------------------------------------------------------------

    def ticks(self, seconds: float) -> int:
        """Return a time-out in ticks, rounded up."""
        return math.ceil(seconds * self.frequency)

    def read(self, elements: Elements, seconds: float) -> None:
        """Read queued elements, waiting up to ``seconds`` for the first one.

        Raises:
            CanOperationError: the driver failed; ``error_code`` is its code.
        """
        elements.count.value = 0
        count = c.byref(elements.count)
        code = self._read(self._rx, self.ticks(seconds), elements.argument, elements.number, count, None)
        if code:
            self._check(self._read.__name__, code)

    def write(self, elements: Elements, seconds: float) -> bool:
        """Write the first element, and return False if the queue was full for ``seconds``.

        Raises:
            CanOperationError: the driver failed; ``error_code`` is its code.
        """
        code = self._write(self._tx, self.ticks(seconds), elements.argument, 1, None)
        if code == n.Result.QUEUE_FULL:
            return False
        if code:
            self._check(self._write.__name__, code)
        return True

    def flush(self) -> None:
        """Discard the frames that wait for sending."""
        self._check("OCI_ResetQueue", self._oci.OCI_ResetQueue(self._tx))

    def timer(self) -> int:
        """Return the controller's timer in ticks."""
        value = c.c_int64()
        self._check("OCI_GetTimerValue", self._oci.OCI_GetTimerValue(self._handle, c.byref(value)))
        return value.value

    def state(self) -> n.ControllerState:
        """Return the state of the controller."""
        status = s.ControllerStatus()
        code = self._oci.OCI_GetCANControllerStatus(self._handle, status)
        self._check("OCI_GetCANControllerStatus", code)
        return n.ControllerState(status.state_code)

    def error(self, function: str, code: int) -> CanOperationError:
        """Return the error of a result code that an element reports."""
        return self._check.operation_error(function, code)

    # --- closing --------------------------------------------------------------------------------------

    def _undo_by(self, function: str, call: Callable[[], int]) -> None:
        self._steps.append(lambda: self._check(function, call()))

    def _undo(self) -> None:
        """Undo the steps of a failed opening, whose error counts."""
        with suppress(CanError):
            self.close()

    def close(self) -> None:
        """Destroy the queues, the controller and the tree, in reverse order; a second call does nothing.

        Raises:
            CanOperationError: the first error of a step; the others are still done.
        """
        steps, self._steps = self._steps, []
        release_all(*reversed(steps))
