"""The structures of CANlib. Its ``long`` is that of the computer: 4 bytes on Windows, 8 on 64-bit Linux.

Source: Kvaser's ``canlib.h`` 5.49.
"""

from __future__ import annotations

import ctypes


class BusStatistics(ctypes.Structure):
    """The result of ``KvaserBus.get_stats``; frames are counted since the channel went on bus."""

    _fields_ = [
        (f"m_{name}", ctypes.c_ulong)
        for name in ("stdData", "stdRemote", "extData", "extRemote", "errFrame", "busLoad", "overruns")
    ]

    @property
    def std_data(self) -> int:
        """Number of received data frames with 11-bit identifiers."""
        return int(self.m_stdData)

    @property
    def std_remote(self) -> int:
        """Number of received remote frames with 11-bit identifiers."""
        return int(self.m_stdRemote)

    @property
    def ext_data(self) -> int:
        """Number of received data frames with 29-bit identifiers."""
        return int(self.m_extData)

    @property
    def ext_remote(self) -> int:
        """Number of received remote frames with 29-bit identifiers."""
        return int(self.m_extRemote)

    @property
    def err_frame(self) -> int:
        """Number of error frames."""
        return int(self.m_errFrame)

    @property
    def bus_load(self) -> int:
        """The bus load in hundredths of a percent, 0 to 10000."""
        return int(self.m_busLoad)

    @property
    def overruns(self) -> int:
        """Number of overruns."""
        return int(self.m_overruns)

    def __str__(self) -> str:
        counts = ("std_data", "std_remote", "ext_data", "ext_remote", "err_frame")
        words = [f"{name}: {getattr(self, name)}" for name in counts]
        return ", ".join((*words, f"bus_load: {self.bus_load / 100:.1f}%", f"overruns: {self.overruns}"))


class BusParamsTq(ctypes.Structure):
    """A bit timing in time quanta, of canSetBusParamsTq."""

    _fields_ = [(name, ctypes.c_int) for name in ("tq", "phase1", "phase2", "sjw", "prop", "prescaler")]


class Received(ctypes.Structure):
    """What canRead fills, in the layout that ``codec.RECORD`` unpacks."""

    _fields_ = [
        ("identifier", ctypes.c_long),
        ("length", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("time", ctypes.c_ulong),
        ("data", ctypes.c_ubyte * 64),
    ]
