"""Errors and states of the controller as error frames.

Source: HMS Networks, VCI 3 and 4 headers ``cantype.h``: ``CAN_ERROR_*`` and ``CAN_STATUS_*``.
"""

from __future__ import annotations

from cantools_cli.backends.ixxat import constants
from cantools_cli.frame import error_frames
from cantools_cli.frame.message import Message

_DLC_PLACE = 0x0B  # of a data length code
_WARNING = 0x0C  # the limit of the receive or the transmit counter: which is unknown
_ACTIVE = 0x40

#: code -> cause as ``error_frames`` numbers it, and place
_CAUSES = {
    constants.CAN_ERROR_STUFF: (error_frames.CODE_STUFF, 0),
    constants.CAN_ERROR_FORM: (error_frames.CODE_FORM, 0),
    constants.CAN_ERROR_ACK: (error_frames.CODE_NO_ACK, 0),
    constants.CAN_ERROR_BIT: (error_frames.CODE_BIT, 0),
    constants.CAN_ERROR_CRC: (error_frames.CODE_CRC, 0),
}
#: of vcinpl2 only, where vcinpl numbers other errors 7
_FD_CAUSES = {
    constants.CAN_ERROR_FDB: (error_frames.CODE_BIT, 0),
    constants.CAN_ERROR_DLC: (error_frames.CODE_FORM, _DLC_PLACE),
}


def error_frame(code: int, *, is_fd: bool) -> Message:
    """Return the error frame of a message of the type error; an unknown code is another error."""
    causes = {**_CAUSES, **_FD_CAUSES} if is_fd else _CAUSES
    cause, place = causes.get(code, (error_frames.CODE_OTHER, 0))
    return error_frames.message(*error_frames.from_code(cause, place, transmitting=False))


def state_frame(before: int, status: int) -> Message | None:
    """Return the error frame of a change of the status bits, None if it is not about errors."""
    mask = constants.CAN_STATUS_BUSOFF | constants.CAN_STATUS_ERRLIM
    appeared = status & ~before
    if appeared & constants.CAN_STATUS_BUSOFF:
        return error_frames.message(error_frames.BUS_OFF, bytes(8))
    if appeared & constants.CAN_STATUS_ERRLIM:
        return error_frames.message(error_frames.CONTROLLER, bytes((0, _WARNING, 0, 0, 0, 0, 0, 0)))
    if before & mask and not status & mask:
        return error_frames.message(error_frames.CONTROLLER, bytes((0, _ACTIVE, 0, 0, 0, 0, 0, 0)))
    return None
