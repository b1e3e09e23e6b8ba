"""The functions of ``vcinpl`` and ``vcinpl2``, which share most names but not all signatures.

Source: HMS Networks, VCI 3 and 4 headers ``vcinpl.h`` and ``vcinpl2.h``.
"""

from __future__ import annotations

from ctypes import POINTER, c_char_p, c_int32, c_uint8, c_uint16, c_uint32, c_void_p
from typing import Any

from cantools_cli.backends.ixxat.structures import (
    CANBTP,
    CANCAPABILITIES,
    CANCAPABILITIES2,
    CANCHANSTATUS,
    CANCHANSTATUS2,
    CANCYCLICTXMSG,
    CANCYCLICTXMSG2,
    CANLINESTATUS,
    CANLINESTATUS2,
    CANMSG,
    CANMSG2,
    CANSCHEDULERSTATUS,
    CANSCHEDULERSTATUS2,
    GUID,
    VCIDEVICECAPS,
    VCIDEVICEINFO,
    VCIID,
)

Prototypes = dict[str, tuple[Any, ...]]

_HRESULT = c_uint32  # a signed one would make errors negative
_HANDLE = c_void_p
_OUT = POINTER(c_void_p)
_BOOL = c_int32
_NUMBER = POINTER(c_uint32)

#: functions that old libraries lack
OPTIONAL = frozenset(
    {
        *("vciFormatError", "vciFormatErrorA", "vciGetVersionEx", "vciEnumDeviceWaitEvent"),
        *("canChannelPeekMsgMult", "canChannelPostMsgMult"),
        *("canChannelReadMsgMult", "canChannelSendMsgMult"),
    }
)


def _common(msg: Any, caps: Any, line: Any, channel: Any, cyclic: Any, scheduler: Any) -> Prototypes:
    """Return the functions with the same parameters in both libraries, for the structures of one."""
    message, messages = POINTER(msg), POINTER(msg)
    arguments: Prototypes = {
        "vciInitialize": (),
        "vciEnumDeviceOpen": (_OUT,),
        "vciEnumDeviceClose": (_HANDLE,),
        "vciEnumDeviceReset": (_HANDLE,),
        "vciEnumDeviceNext": (_HANDLE, POINTER(VCIDEVICEINFO)),
        "vciEnumDeviceWaitEvent": (_HANDLE, c_uint32),
        "vciFindDeviceByHwid": (POINTER(GUID), POINTER(VCIID)),
        "vciDeviceOpen": (POINTER(VCIID), _OUT),
        "vciDeviceClose": (_HANDLE,),
        "vciDeviceGetInfo": (_HANDLE, POINTER(VCIDEVICEINFO)),
        "vciDeviceGetCaps": (_HANDLE, POINTER(VCIDEVICECAPS)),
        "canControlOpen": (_HANDLE, c_uint32, _OUT),
        "canControlClose": (_HANDLE,),
        "canControlReset": (_HANDLE,),
        "canControlStart": (_HANDLE, _BOOL),
        "canControlGetCaps": (_HANDLE, POINTER(caps)),
        "canControlGetStatus": (_HANDLE, POINTER(line)),
        "canControlSetAccFilter": (_HANDLE, _BOOL, c_uint32, c_uint32),
        "canControlAddFilterIds": (_HANDLE, _BOOL, c_uint32, c_uint32),
        "canControlRemFilterIds": (_HANDLE, _BOOL, c_uint32, c_uint32),
        "canChannelOpen": (_HANDLE, c_uint32, _BOOL, _OUT),
        "canChannelClose": (_HANDLE,),
        "canChannelGetCaps": (_HANDLE, POINTER(caps)),
        "canChannelGetStatus": (_HANDLE, POINTER(channel)),
        "canChannelActivate": (_HANDLE, _BOOL),
        "canChannelPeekMessage": (_HANDLE, message),
        "canChannelPostMessage": (_HANDLE, message),
        "canChannelReadMessage": (_HANDLE, c_uint32, message),
        "canChannelSendMessage": (_HANDLE, c_uint32, message),
        "canChannelWaitRxEvent": (_HANDLE, c_uint32),
        "canChannelWaitTxEvent": (_HANDLE, c_uint32),
        "canChannelPeekMsgMult": (_HANDLE, messages, c_uint32, _NUMBER),
        "canChannelPostMsgMult": (_HANDLE, messages, c_uint32, _NUMBER),
        "canChannelReadMsgMult": (_HANDLE, c_uint32, messages, c_uint32, _NUMBER),
        "canChannelSendMsgMult": (_HANDLE, c_uint32, messages, c_uint32, _NUMBER),
        "canSchedulerOpen": (_HANDLE, c_uint32, _OUT),
        "canSchedulerClose": (_HANDLE,),
        "canSchedulerReset": (_HANDLE,),
        "canSchedulerGetCaps": (_HANDLE, POINTER(caps)),
        "canSchedulerGetStatus": (_HANDLE, POINTER(scheduler)),
        "canSchedulerActivate": (_HANDLE, _BOOL),
        "canSchedulerAddMessage": (_HANDLE, POINTER(cyclic), _NUMBER),
        "canSchedulerRemMessage": (_HANDLE, c_uint32),
        "canSchedulerStartMessage": (_HANDLE, c_uint32, c_uint16),
        "canSchedulerStopMessage": (_HANDLE, c_uint32),
    }
    found: Prototypes = {name: (_HRESULT, *types) for name, types in arguments.items()}
    for name in ("vciFormatError", "vciFormatErrorA"):
        found[name] = (None, _HRESULT, c_char_p, c_uint32)
    return found


_FIFOS = (c_uint16, c_uint16, c_uint16, c_uint16)
_IDS = (_HANDLE, _BOOL, c_uint32, c_uint32)
_BYTES, _TIMINGS = POINTER(c_uint8), POINTER(CANBTP)

VCINPL: Prototypes = {
    **_common(CANMSG, CANCAPABILITIES, CANLINESTATUS, CANCHANSTATUS, CANCYCLICTXMSG, CANSCHEDULERSTATUS),
    "vciGetVersion": (_HRESULT, _NUMBER, _NUMBER),
    "canControlInitialize": (_HRESULT, _HANDLE, c_uint8, c_uint8, c_uint8),
    "canControlDetectBitrate": (
        *(_HRESULT, _HANDLE, c_uint16, c_uint32),
        *(_BYTES, _BYTES, POINTER(c_int32)),
    ),
    "canChannelInitialize": (_HRESULT, _HANDLE, *_FIFOS),
}

VCINPL2: Prototypes = {
    **_common(
        CANMSG2, CANCAPABILITIES2, CANLINESTATUS2, CANCHANSTATUS2, CANCYCLICTXMSG2, CANSCHEDULERSTATUS2
    ),
    "vciGetVersion": (_HRESULT, _NUMBER, _NUMBER, _NUMBER, _NUMBER),
    "vciGetVersionEx": (_HRESULT, _NUMBER, _NUMBER, _NUMBER, _NUMBER),
    "canControlInitialize": (
        *(_HRESULT, _HANDLE, c_uint8, c_uint8, c_uint8, c_uint8),
        *(c_uint32, c_uint32, _TIMINGS, _TIMINGS),
    ),
    "canControlDetectBitrate": (
        *(_HRESULT, _HANDLE, c_uint8, c_uint8, c_uint16, c_uint32),
        *(_TIMINGS, _TIMINGS, _NUMBER),
    ),
    "canControlGetFilterMode": (_HRESULT, _HANDLE, _BOOL, _BYTES),
    "canControlSetFilterMode": (_HRESULT, _HANDLE, _BOOL, c_uint8, _BYTES),
    "canChannelInitialize": (_HRESULT, _HANDLE, *_FIFOS, c_uint32, c_uint8),
    "canChannelGetFilterMode": (_HRESULT, _HANDLE, _BOOL, _BYTES),
    "canChannelSetFilterMode": (_HRESULT, _HANDLE, _BOOL, c_uint8, _BYTES),
    "canChannelSetAccFilter": (_HRESULT, *_IDS),
    "canChannelAddFilterIds": (_HRESULT, *_IDS),
    "canChannelRemFilterIds": (_HRESULT, *_IDS),
    "canChannelGetControl": (_HRESULT, _HANDLE, _OUT),
    "canSchedulerGetControl": (_HRESULT, _HANDLE, _OUT),
}
