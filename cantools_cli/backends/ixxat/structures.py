"""The structures of the VCI libraries; those that end with 2 belong to ``vcinpl2``.

All are packed to one byte. A line status of vcinpl2 contains two whole bit timings, 40 bytes in all.

Source: HMS Networks, VCI 3 and 4 headers ``vcitype.h`` and ``cantype.h``.
"""

from __future__ import annotations

from ctypes import POINTER, Structure, Union, c_char, c_int32, c_int64, c_uint8, c_uint16, c_uint32


class _Packed(Structure):
    _pack_ = 1
    _layout_ = "ms"  # the layout of _pack_, which newer versions of Python want to be named


class LUID(_Packed):
    """An identifier that is unique until the next start of the computer."""

    _fields_ = (("LowPart", c_uint32), ("HighPart", c_int32))


class VCIID(Union):
    """The identifier of a device in calls."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("AsLuid", LUID), ("AsInt64", c_int64))


class GUID(_Packed):
    """A globally unique identifier."""

    _fields_ = (("Data1", c_uint32), ("Data2", c_uint16), ("Data3", c_uint16), ("Data4", c_uint8 * 8))


class VCIDEVICEINFO(_Packed):
    """A device, as the enumeration returns it."""

    class UniqueHardwareId(Union):
        """Text such as HW123456, or a GUID."""

        _pack_ = 1
        _layout_ = "ms"
        _fields_ = (("AsChar", c_char * 16), ("AsGuid", GUID))

    _fields_ = (
        ("VciObjectId", VCIID),
        ("DeviceClass", GUID),
        ("DriverMajorVersion", c_uint8),
        ("DriverMinorVersion", c_uint8),
        ("DriverBuildVersion", c_uint16),
        ("HardwareBranchVersion", c_uint8),
        ("HardwareMajorVersion", c_uint8),
        ("HardwareMinorVersion", c_uint8),
        ("HardwareBuildVersion", c_uint8),
        ("UniqueHardwareId", UniqueHardwareId),
        ("Description", c_char * 128),
        ("Manufacturer", c_char * 126),
        ("DriverReleaseVersion", c_uint16),
    )


class VCIDEVICECAPS(_Packed):
    """The controllers of a device; the high byte of a type is the kind of bus."""

    _fields_ = (("BusCtrlCount", c_uint16), ("BusCtrlTypes", c_uint16 * 32))


class CANCAPABILITIES(_Packed):
    """The features and clocks of a controller."""

    _fields_ = (
        ("wCtrlType", c_uint16),
        ("wBusCoupling", c_uint16),
        ("dwFeatures", c_uint32),
        ("dwClockFreq", c_uint32),
        ("dwTscDivisor", c_uint32),
        ("dwCmsDivisor", c_uint32),
        ("dwCmsMaxTicks", c_uint32),
        ("dwDtxDivisor", c_uint32),
        ("dwDtxMaxTicks", c_uint32),
    )


class CANBTP(_Packed):
    """The bit timing of one phase."""

    _fields_ = (
        ("dwMode", c_uint32),
        ("dwBPS", c_uint32),
        ("wTS1", c_uint16),
        ("wTS2", c_uint16),
        ("wSJW", c_uint16),
        ("wTDO", c_uint16),
    )


class CANCAPABILITIES2(_Packed):
    """The features, clocks and limits of a controller."""

    _fields_ = (
        ("wCtrlType", c_uint16),
        ("wBusCoupling", c_uint16),
        ("dwFeatures", c_uint32),
        ("dwCanClkFreq", c_uint32),
        ("sSdrRangeMin", CANBTP),
        ("sSdrRangeMax", CANBTP),
        ("sFdrRangeMin", CANBTP),
        ("sFdrRangeMax", CANBTP),
        ("dwTscClkFreq", c_uint32),
        ("dwTscDivisor", c_uint32),
        ("dwCmsClkFreq", c_uint32),
        ("dwCmsDivisor", c_uint32),
        ("dwCmsMaxTicks", c_uint32),
        ("dwDtxClkFreq", c_uint32),
        ("dwDtxDivisor", c_uint32),
        ("dwDtxMaxTicks", c_uint32),
    )


class CANLINESTATUS(_Packed):
    """The mode and the status of a controller."""

    _fields_ = (
        ("bOpMode", c_uint8),
        ("bBtReg0", c_uint8),
        ("bBtReg1", c_uint8),
        ("bBusLoad", c_uint8),
        ("dwStatus", c_uint32),
    )


class CANLINESTATUS2(_Packed):
    """The mode, the bit timing and the status of a controller."""

    _fields_ = (
        ("bOpMode", c_uint8),
        ("bExMode", c_uint8),
        ("bBusLoad", c_uint8),
        ("bReserved", c_uint8),
        ("sBtpSdr", CANBTP),
        ("sBtpFdr", CANBTP),
        ("dwStatus", c_uint32),
    )


class CANCHANSTATUS(_Packed):
    """The status of a message channel."""

    _fields_ = (
        ("sLineStatus", CANLINESTATUS),
        ("fActivated", c_int32),
        ("fRxOverrun", c_int32),
        ("bRxFifoLoad", c_uint8),
        ("bTxFifoLoad", c_uint8),
    )


class CANCHANSTATUS2(_Packed):
    """The status of a message channel."""

    _fields_ = (
        ("sLineStatus", CANLINESTATUS2),
        ("fActivated", c_uint8),
        ("fRxOverrun", c_uint8),
        ("bRxFifoLoad", c_uint8),
        ("bTxFifoLoad", c_uint8),
    )


class CANSCHEDULERSTATUS(_Packed):
    """The status of the cyclic transmit list."""

    _fields_ = (("bTaskStat", c_uint8), ("abMsgStat", c_uint8 * 16))


class CANSCHEDULERSTATUS2(_Packed):
    """The status of the cyclic transmit list."""

    _fields_ = (("sLineStatus", CANLINESTATUS2), ("bTaskStat", c_uint8), ("abMsgStat", c_uint8 * 16))


class CANMSGINFO(Union):
    """The information word of a message."""

    class Bytes(_Packed):
        """Its bytes."""

        _fields_ = (("bType", c_uint8), ("bAddFlags", c_uint8), ("bFlags", c_uint8), ("bAccept", c_uint8))

    class Bits(Structure):
        """Its fields, the lowest bits first."""

        _fields_ = (
            ("type", c_uint32, 8),
            ("ssm", c_uint32, 1),
            ("hpm", c_uint32, 1),
            ("edl", c_uint32, 1),
            ("fdr", c_uint32, 1),
            ("esi", c_uint32, 1),
            ("res", c_uint32, 3),
            ("dlc", c_uint32, 4),
            ("ovr", c_uint32, 1),
            ("srr", c_uint32, 1),
            ("rtr", c_uint32, 1),
            ("ext", c_uint32, 1),
            ("afc", c_uint32, 8),
        )

    _fields_ = (("Bytes", Bytes), ("Bits", Bits))


class CANMSG(_Packed):
    """A message of vcinpl."""

    _fields_ = (
        ("dwTime", c_uint32),
        ("dwMsgId", c_uint32),
        ("uMsgInfo", CANMSGINFO),
        ("abData", c_uint8 * 8),
    )


class CANMSG2(_Packed):
    """A message of vcinpl2."""

    _fields_ = (
        ("dwTime", c_uint32),
        ("rsvd", c_uint32),
        ("dwMsgId", c_uint32),
        ("uMsgInfo", CANMSGINFO),
        ("abData", c_uint8 * 64),
    )


class CANCYCLICTXMSG(_Packed):
    """An entry of the cyclic transmit list of vcinpl."""

    _fields_ = (
        ("wCycleTime", c_uint16),
        ("bIncrMode", c_uint8),
        ("bByteIndex", c_uint8),
        ("dwMsgId", c_uint32),
        ("uMsgInfo", CANMSGINFO),
        ("abData", c_uint8 * 8),
    )


class CANCYCLICTXMSG2(_Packed):
    """An entry of the cyclic transmit list of vcinpl2."""

    _fields_ = (
        ("wCycleTime", c_uint16),
        ("bIncrMode", c_uint8),
        ("bByteIndex", c_uint8),
        ("dwMsgId", c_uint32),
        ("uMsgInfo", CANMSGINFO),
        ("abData", c_uint8 * 64),
    )


PLUID = POINTER(LUID)
PVCIID = POINTER(VCIID)
PVCIDEVICEINFO = POINTER(VCIDEVICEINFO)
PVCIDEVICECAPS = POINTER(VCIDEVICECAPS)
PCANLINESTATUS = POINTER(CANLINESTATUS)
PCANLINESTATUS2 = POINTER(CANLINESTATUS2)
PCANCHANSTATUS = POINTER(CANCHANSTATUS)
PCANCHANSTATUS2 = POINTER(CANCHANSTATUS2)
PCANSCHEDULERSTATUS = POINTER(CANSCHEDULERSTATUS)
PCANSCHEDULERSTATUS2 = POINTER(CANSCHEDULERSTATUS2)
PCANCAPABILITIES = POINTER(CANCAPABILITIES)
PCANCAPABILITIES2 = POINTER(CANCAPABILITIES2)
PCANMSGINFO = POINTER(CANMSGINFO)
PCANMSG = POINTER(CANMSG)
PCANMSG2 = POINTER(CANMSG2)
PCANBTP = POINTER(CANBTP)
PCANCYCLICTXMSG = POINTER(CANCYCLICTXMSG)
PCANCYCLICTXMSG2 = POINTER(CANCYCLICTXMSG2)
