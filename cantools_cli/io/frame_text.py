"""One frame as text, in the form of cansend and of candump's log.

::

    123#DEADBEEF            11-bit identifier, 4 bytes; dots may separate bytes
    00000123#               29-bit identifier: marked by 8 digits, not by its value
    123#R  123#R4           remote frame that requests 0 or 4 bytes
    123#1122334455667788_B  8 bytes sent with the raw DLC 11; R8_B likewise
    123##1DEADBEEF          CAN FD; the digit's bits are 1 BRS, 2 ESI, 4 FDF (ignored)
    20000080#0000000000000000   error frame of class 0x080
    45123#81:01:12345678#11223344   CAN XL: VCID 45, priority 123, flags (80 always, 1 SEC, 2 RRS), SDU type,
                            acceptance field; all fields have these widths

Source: can-utils, ``lib.h``; canx is stricter: it neither cuts data nor masks identifiers.
"""

from __future__ import annotations

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import IS_XL, MAX_DATA, RRS, SEC, XlMessage

#: digits before the first #, and those of the fields after it: flags, SDU type, acceptance field
_XL_ID, _XL_WIDTHS = 5, (2, 2, 8)
_XL_NAMES = ("flags", "the SDU type", "the acceptance field")
_KINDS = {8: "a classic", 64: "a CAN FD", MAX_DATA: "a CAN XL"}
_HEX = frozenset("0123456789abcdefABCDEF")


def parse_frame(text: str, *, pad: bool = True) -> tuple[Message, str | None]:
    """Return the frame spelt ``text``, and a warning if its data had to be padded.

    Raises:
        FormatError: ``text`` is malformed; the message quotes it with the position. Without ``pad`` also a
            CAN FD length that has no DLC code.
    """
    try:
        return _parse(text, pad)
    except FormatError as error:
        raise FormatError(f"{error.reason}, in {quoted(text)}", hint=error.hint) from None


def _parse(text: str, pad: bool) -> tuple[Message, str | None]:
    head, mark, rest = text.partition("#")
    if not mark:
        raise FormatError("no #: a frame is written ID#DATA, such as 123#DEADBEEF")
    if len(head) == _XL_ID and (":" in rest or "#" in rest):
        return _xl(text, head, rest), None
    identifier, is_extended, is_error = _identifier(text, head)
    message = Message(arbitration_id=identifier, is_extended_id=is_extended, is_error_frame=is_error)
    at = len(head) + 1
    if rest.startswith("#"):
        return message, _fd(text, at + 1, message, pad)
    if rest[:1] in ("R", "r"):
        _remote(text, at + 1, message)
        return message, None
    data, at = _data(text, at, 8)
    message.data, message.dlc = data, len(data)
    _end(text, at, message, "8 data bytes")
    return message, None


def format_frame(message: Message, *, plain: bool = False) -> str:
    """Return ``message`` as candump logs it; ``plain`` leaves out a raw DLC."""
    identifier = message.arbitration_id
    if isinstance(message, XlMessage):
        head = f"{message.vcid:02X}{identifier:03X}#{IS_XL | message.bits:02X}:{message.sdt:02X}"
        return f"{head}:{message.acceptance_field:08X}#{message.data.hex().upper()}"
    if message.is_error_frame:
        head = f"{identifier | bits.CAN_ERR_FLAG:08X}#"
    else:
        head = f"{identifier:08X}#" if message.is_extended_id else f"{identifier:03X}#"
    if message.is_fd:
        return (
            f"{head}#{message.bitrate_switch + 2 * message.error_state_indicator}{message.data.hex().upper()}"
        )
    body = f"R{message.dlc or ''}" if message.is_remote_frame else message.data.hex().upper()
    raw = f"_{message.dlc_code:X}" if message.dlc_code > 8 and not plain else ""
    return head + body + raw


def _identifier(text: str, head: str) -> tuple[int, bool, bool]:
    """Return (arbitration id, extended, error frame)."""
    if len(head) not in (3, 8):
        if not head or set(head) - _HEX:
            raise FormatError("the identifier before # is not hexadecimal")
        wanted = 3 if len(head) < 3 else 8
        raise FormatError(
            f"{len(head)} identifier digits, not 3 (11-bit) or 8 (29-bit)",
            hint=f"pad with zeros: {head:0>{wanted}}#" if len(head) < 8 else None,
        )
    if set(head) - _HEX:
        raise FormatError("the identifier before # is not hexadecimal")
    value = int(head, 16)
    if len(head) == 3:
        if value > bits.CAN_SFF_MASK:
            raise FormatError(
                f"identifier {head} is above 7FF, the largest 11-bit identifier",
                hint=f"29-bit: {head:0>8}#",
            )
        return value, False, False
    if value & ~(bits.CAN_EFF_MASK | bits.CAN_ERR_FLAG):
        raise FormatError(f"identifier {head} is above 1FFFFFFF, the largest 29-bit identifier")
    is_error = bool(value & bits.CAN_ERR_FLAG)
    return value & bits.CAN_EFF_MASK, not is_error, is_error


def _fd(text: str, at: int, message: Message, pad: bool) -> str | None:
    if message.is_error_frame:
        raise FormatError("an error frame cannot be CAN FD")
    if text[at : at + 1] not in _HEX or not text[at : at + 1]:
        raise FormatError(
            f"no flags digit after ## at position {at + 1}", hint="0 no flags, 1 BRS, 2 ESI, 3 both"
        )
    flags = int(text[at], 16)
    data, at = _data(text, at + 1, 64)
    if at < len(text):
        raise FormatError(f"{quoted(text[at:])} at position {at + 1}, after the data")
    message.is_fd = True
    message.bitrate_switch = bool(flags & 1)
    message.error_state_indicator = bool(flags & 2)
    size = bits.dlc2len(bits.len2dlc(len(data)))
    warning = None
    if size != len(data):
        problem = f"{len(data)} is not a CAN FD length"
        if not pad:
            raise FormatError(problem, hint=f"pad to {size} bytes")
        warning = f"{quoted(text)}: {problem}, padded with zeros to {size}"
    message.data, message.dlc = data.ljust(size, b"\0"), size
    return warning


def _xl(text: str, head: str, rest: str) -> XlMessage:
    """Parse the fields after ``head#`` of a CAN XL frame."""
    fields, mark, _ = rest.partition("#")
    words = fields.split(":")
    if not mark or len(words) != len(_XL_WIDTHS):
        raise FormatError("malformed CAN XL fields", hint="45123#80:01:12345678#11223344")
    if set(head) - _HEX:
        raise FormatError("VCID and priority before # are not hexadecimal")
    for name, word, width in zip(_XL_NAMES, words, _XL_WIDTHS, strict=True):
        if len(word) != width or set(word) - _HEX:
            raise FormatError(f"{quoted(word)} for {name}, not {width} hex digits")
    flags, sdt, field = (int(word, 16) for word in words)
    priority = int(head[2:], 16)
    if priority > bits.CAN_SFF_MASK:
        raise FormatError(f"priority {head[2:]} is above 7FF, the largest 11-bit priority")
    if flags & ~(IS_XL | SEC | RRS):
        raise FormatError(f"unknown flags {words[0]}", hint="80 none, 81 SEC, 82 RRS, 83 both")
    data, at = _data(text, len(head) + len(fields) + 2, MAX_DATA)
    if at < len(text):
        raise FormatError(f"{quoted(text[at:])} at position {at + 1}, after the data")
    if not data:
        raise FormatError(f"no data, but a CAN XL frame holds 1 to {MAX_DATA} bytes")
    return XlMessage(
        arbitration_id=priority,
        data=data,
        vcid=int(head[:2], 16),
        sdt=sdt,
        sec=bool(flags & SEC),
        rrs=bool(flags & RRS),
        acceptance_field=field,
    )


def _remote(text: str, at: int, message: Message) -> None:
    if message.is_error_frame:
        raise FormatError("an error frame cannot be a remote frame")
    message.is_remote_frame = True
    if "0" <= text[at : at + 1] <= "9":  # isdigit() also takes superscripts
        message.dlc = int(text[at])
        if message.dlc > 8:
            raise FormatError("a remote frame requests at most 8 bytes", hint="R8_9 to R8_F give the raw DLC")
        at += 1
    _end(text, at, message, "R8")


def _data(text: str, at: int, most: int) -> tuple[bytearray, int]:
    """Read bytes of two digits, with dots allowed around them; return them and their end."""
    data = bytearray()
    dot = False
    while at < len(text):
        character = text[at]
        if character == ".":
            if dot:
                raise FormatError(f"two dots at position {at + 1}")
            dot = True
            at += 1
            continue
        if character not in _HEX:
            if character == "_":
                break
            raise FormatError(f"bad data byte {quoted(text[at : at + 2])} at position {at + 1}")
        pair = text[at : at + 2]
        if len(pair) < 2 or pair[1] not in _HEX:
            if len(pair) == 2 and pair[1] not in "._":
                raise FormatError(f"bad data byte {quoted(pair)} at position {at + 1}")
            raise FormatError(f"odd number of hex digits, half a byte at position {at + 1}")
        if len(data) >= most:
            kind = _KINDS[most]
            raise FormatError(
                f"too many data bytes: {kind} frame holds {most}",
                hint="CAN FD is written ID##0DATA" if most == 8 else None,
            )
        data.append(int(pair, 16))
        dot = False
        at += 2
    return data, at


def _end(text: str, at: int, message: Message, wanted: str) -> None:
    """Parse the end of a frame: nothing, or a raw DLC."""
    if at == len(text):
        return
    if text[at] != "_":
        raise FormatError(f"{quoted(text[at:])} at position {at + 1}, after the frame")
    raw = text[at + 1 :]
    if len(raw) != 1 or raw.upper() not in "9ABCDEF":
        raise FormatError(f"the raw DLC after _ is {quoted(raw)}, not 9 to F")
    if message.dlc != 8:
        raise FormatError(f"a raw DLC goes with {wanted} only")
    message.dlc_code = int(raw, 16)
