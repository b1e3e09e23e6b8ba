"""An open device: its message channel, and its controller unless another program owns that.

Source: HMS Networks, VCI C-API Programmers Manual 1.5, "Accessing the CAN controller".
"""

from __future__ import annotations

import time
from ctypes import byref, c_void_p
from typing import Any

from cantools_cli.backends.ixxat import constants, timing
from cantools_cli.backends.ixxat.exceptions import VCIDeviceNotFoundError
from cantools_cli.backends.ixxat.library import Vci, devices, hardware_id
from cantools_cli.backends.ixxat.options import Options
from cantools_cli.backends.ixxat.structures import VCIDEVICEINFO
from cantools_cli.errors import CanInitializationError, UsageError, quoted
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits

_MAX_LISTED = 4  # devices in a hint
_INVERTED = bits.CAN_ERR_FLAG  # in the identifier of a filter that passes the others


class Controller:
    """A channel of a device. Closed handles are None, so that ``close`` closes whatever is open.

    Attributes:
        device, channel, control: the handles; ``control`` is None if another program owns the controller.
        caps: the features of the controller.
        listen_only: whether the controller is silent.
        is_fast: whether frames may switch the bit rate.
    """

    def __init__(self, vci: Vci, number: int, options: Options) -> None:
        self._vci = vci
        self._number = number
        self._options = options
        self.device = c_void_p()
        self.channel = c_void_p()
        self.control = c_void_p()
        self.caps: Any = vci.types.capabilities()
        self.listen_only = False
        self.is_fast = False
        self.description = ""
        self._is_active = False  # the channel
        self._has_filters = False  # whether vcinpl was told any

    def open(self, wanted_id: str | None) -> None:
        """Open the device with this hardware identifier, None for the first, and its channel.

        Raises:
            VCIDeviceNotFoundError: there is no such device.
            CanInitializationError: the driver refuses a call; what is open stays open.
        """
        vci, options = self._vci, self._options
        info = self._found(wanted_id)
        self.description = (
            f"{info.Description.decode('utf-8', 'replace').strip()} {hardware_id(info)}".strip()
        )
        self.device = vci.opened("vciDeviceOpen", byref(info.VciObjectId))
        self.channel = self._opened_channel()
        fifos = (options.rx_fifo_size, 1, options.tx_fifo_size, 1)  # with an event for each message
        more = (0, constants.CAN_FILTER_PASS) if vci.is_fd else ()
        vci.call("canChannelInitialize", self.channel, *fifos, *more)
        vci.call("canChannelActivate", self.channel, constants.TRUE)
        self._is_active = True
        control = c_void_p()
        result = vci.functions.canControlOpen(self.device, self._number, byref(control))
        if result == constants.VCI_E_ACCESSDENIED:  # another program owns it: share its bus
            vci.call("canChannelGetCaps", self.channel, byref(self.caps))
        else:
            vci.check("canControlOpen", result)
            self.control = control
            vci.call("canControlGetCaps", self.control, byref(self.caps))
        if vci.is_fd and not self.caps.dwFeatures & constants.CAN_FEATURE_EXTDATA:
            raise CanInitializationError(f"{vci.name}: the controller has no CAN FD")
        self.is_fast = vci.is_fd and bool(self.caps.dwFeatures & constants.CAN_FEATURE_FASTDATA)

    def _found(self, wanted_id: str | None) -> VCIDEVICEINFO:
        found = devices(self._vci)
        for info in found:
            if wanted_id is None or _plain(hardware_id(info)) == _plain(wanted_id):
                return info
        name = self._vci.name
        if not found:
            hint = "is it plugged in, and its driver installed?"
            raise VCIDeviceNotFoundError(f"{name}: no IXXAT device is connected", hint=hint)
        known = ", ".join(map(hardware_id, found[:_MAX_LISTED]))
        raise VCIDeviceNotFoundError(
            f"{name}: no IXXAT device {quoted(wanted_id)} is connected", hint=f"connected: {known}"
        )

    def _opened_channel(self) -> c_void_p:
        channel = c_void_p()
        arguments = (self.device, self._number, constants.FALSE, byref(channel))  # not exclusively
        result = self._vci.functions.canChannelOpen(*arguments)
        if result in (constants.VCI_E_INVALID_INDEX, constants.VCI_E_INVALIDARG):
            hint = f"the device has no channel {self._number}; the first is 0"
            raise self._vci.failure("canChannelOpen", result, hint)
        self._vci.check("canChannelOpen", result)
        return channel

    @property
    def is_owner(self) -> bool:
        """Whether this bus sets the bit rate, starts and stops the controller."""
        return bool(self.control)

    @property
    def ticks(self) -> tuple[int, int]:
        """The clock of the tick counter in Hz, and its divisor."""
        clock = self.caps.dwTscClkFreq if self._vci.is_fd else self.caps.dwClockFreq
        return clock or 1, self.caps.dwTscDivisor or 1

    # --- starting -------------------------------------------------------------------------------------

    def configure(self, *, listen_only: bool, filters: CanFilters | None) -> None:
        """Set the mode, the bit timing and the filters of the stopped controller.

        Raises:
            CanInitializationError: the driver refuses a call.
            UsageError: the controller cannot listen only, or cannot reach the bit rate.
        """
        mode = self.op_mode(listen_only)
        wanted = filters if self.caps.dwFeatures & constants.CAN_FEATURE_IDFILTER else None
        if any(entry["can_id"] & _INVERTED for entry in wanted or ()):
            wanted = None  # the list cannot exclude identifiers: the software filter does
        if not self._initialized(mode, wanted):
            self._initialized(mode, None)  # the list of identifiers is full: the software filter remains
        self.listen_only = listen_only

    def op_mode(self, listen_only: bool) -> int:
        """Return the operating mode.

        Raises:
            UsageError: the controller cannot listen only.
        """
        features = self.caps.dwFeatures
        mode = constants.CAN_OPMODE_STANDARD
        if self._options.extended:
            both = features & constants.CAN_FEATURE_STDANDEXT or not features & constants.CAN_FEATURE_STDOREXT
            mode = constants.CAN_OPMODE_EXTENDED | (mode if both else 0)
        if features & constants.CAN_FEATURE_ERRFRAME:
            mode |= constants.CAN_OPMODE_ERRFRAME
        if listen_only:
            if not features & constants.CAN_FEATURE_LISTONLY:
                raise UsageError(f"{self._vci.name}: the controller cannot listen only")
            mode |= constants.CAN_OPMODE_LISTONLY
        return mode

    def _initialized(self, mode: int, filters: CanFilters | None) -> bool:
        """Initialize the controller; return whether it accepted all filters."""
        vci, options = self._vci, self._options
        if not vci.is_fd:
            btr = timing.registers(options.bitrate, options.timing)
            vci.call("canControlInitialize", self.control, mode, *btr)
            none = (constants.CAN_ACC_CODE_NONE, constants.CAN_ACC_MASK_NONE)
            every = (constants.CAN_ACC_CODE_ALL, constants.CAN_ACC_MASK_ALL)
            if filters or self._has_filters:
                self._has_filters = True
                for is_extended in (constants.FALSE, constants.TRUE):
                    accepted = none if filters else every
                    vci.call("canControlSetAccFilter", self.control, is_extended, *accepted)
        else:
            extended_mode = constants.CAN_EXMODE_EXTDATA | (
                constants.CAN_EXMODE_FASTDATA if self.is_fast else 0
            )
            kind = constants.CAN_FILTER_INCL if filters else constants.CAN_FILTER_PASS
            size = constants.FILTER_IDS if filters else 0
            phases = map(byref, self._phases())
            arguments = (mode, extended_mode, kind, kind, size, size, *phases)
            vci.call("canControlInitialize", self.control, *arguments)
        add = vci.functions.canControlAddFilterIds
        return all(add(self.control, *entry) == constants.VCI_OK for entry in filter_entries(filters or ()))

    def _phases(self) -> tuple[Any, Any]:
        if self._options.timing is None:
            return self._options.phases()
        return timing.raw_phases(self._options.timing, self.caps)

    def start(self) -> int:
        """Start the controller, and return when it did on the monotonic clock.

        Raises:
            CanInitializationError: the driver refuses it.
        """
        before = time.monotonic_ns()
        self._vci.call("canControlStart", self.control, constants.TRUE)
        return (before + time.monotonic_ns()) // 2

    def stop(self) -> None:
        """Stop the controller; frames that wait in it are not sent."""
        self._vci.call("canControlStart", self.control, constants.FALSE)

    def reset(self) -> None:
        """Reset the controller, which ends bus-off."""
        self._vci.call("canControlReset", self.control)

    # --- state ----------------------------------------------------------------------------------------

    def line_status(self) -> Any:
        """Return the status of the line, from the channel if another program owns the controller."""
        if self.is_owner:
            status = self._vci.types.line_status()
            self._vci.call("canControlGetStatus", self.control, byref(status))
            return status
        return self.channel_status().sLineStatus

    def channel_status(self) -> Any:
        status = self._vci.types.channel_status()
        self._vci.call("canChannelGetStatus", self.channel, byref(status))
        return status

    # --- closing --------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close what is open, whatever fails: the device may be gone."""
        functions = self._vci.functions
        if self.channel:
            if self._is_active:
                functions.canChannelActivate(self.channel, constants.FALSE)
            functions.canChannelClose(self.channel)
        if self.control:
            functions.canControlStart(self.control, constants.FALSE)
            functions.canControlReset(self.control)
            functions.canControlClose(self.control)
        if self.device:
            functions.vciDeviceClose(self.device)
        self.channel, self.control, self.device = c_void_p(), c_void_p(), c_void_p()


def _plain(identifier: str) -> str:
    return identifier.strip().strip("{}").lower()


def filter_entries(filters: CanFilters) -> list[tuple[int, int, int]]:
    """Return (is extended, code, mask) of the filters as the hardware has them.

    Bit 0 of both is the remote bit, which the mask leaves out, so that data and remote frames pass.
    """
    found: list[tuple[int, int, int]] = []
    for entry in filters:
        identifier, mask = entry["can_id"] & bits.CAN_EFF_MASK, entry["can_mask"] & bits.CAN_EFF_MASK
        extended = entry.get("extended")
        for is_extended in (False, True) if extended is None else (extended,):
            limit = bits.CAN_EFF_MASK if is_extended else bits.CAN_SFF_MASK
            if identifier & mask & ~limit == 0:
                found.append((int(is_extended), (identifier & limit) << 1, (mask & limit) << 1))
    return found
