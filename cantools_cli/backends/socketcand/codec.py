"""socketcand's protocol: messages in angle brackets over TCP.

::

    < open can0 >                              client: open a bus
    < send 123 3 01 02 AB >                    client: identifier, length (decimal), bytes
    < frame 123 23.424242 1A220344 >           server, raw mode: identifier, seconds, data
    < frame 123 1.000000 11 22 33  >           server, broadcast manager mode
    < error 004 23.424242 >                    server: an error frame, its class alone

An identifier of eight digits is extended, one of fewer digits is standard. There is no newline and no escape.

The daemon does not support CAN FD, and its clients cannot send remote frames. A canx server answers
``< canx fd >`` with ``< ok >``, and then both sides use these messages as well::

    < fdframe 123 1.000000 00112233 1 >        flags after the data: 1 BRS, 2 ESI; omitted if 0
    < sendfd 123 2 00 11 1 >
    < rtr 123 1.000000 4 >                     the DLC
    < sendrtr 123 4 >

Source: socketcand's protocol description (linux-can/socketcand, ``doc/protocol.md``). The second group is
an extension of canx, modelled on the ``fdframe`` proposed there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

_NOT_CLASSIC = bits.FD | bits.XL
DEFAULT_PORT = 29536
#: length of the longest message, a muxfilter of 257 groups
MAX_LENGTH = 8290

#: the latest time in seconds that fits 64 bits of nanoseconds
_LATEST = 9_223_372_035
_MESSAGE = re.compile(rb"<([^<>]*)>")
_HEX = rb"[0-9A-Fa-f]"
_STAMP = rb"(?P<id>%b{1,8}) (?P<seconds>\d{1,10})\.(?P<fraction>\d{1,9})" % _HEX
_BYTES = rb"(?P<data>(?:%b{2})*|(?:%b{2} )+)" % (_HEX, _HEX)
_FRAME = re.compile(rb"frame %b(?: %b)? ?" % (_STAMP, _BYTES))
_FD_FRAME = re.compile(rb"fdframe %b(?: %b)?(?: ?(?P<flags>[0-3]))? ?" % (_STAMP, _BYTES))
_REMOTE_FRAME = re.compile(rb"rtr %b (?P<dlc>[0-8])" % _STAMP)
_ERROR_FRAME = re.compile(rb"error %b(?: %b)? ?" % (_STAMP, _BYTES))
_RECEIVED = {b"frame": _FRAME, b"fdframe": _FD_FRAME, b"rtr": _REMOTE_FRAME, b"error": _ERROR_FRAME}
_DIGITS = frozenset(b"0123456789ABCDEFabcdef")


class SocketcandDecoder:
    """Splits a byte stream into messages; keeps an unfinished message for the next ``feed``.

    Text between messages, messages without blanks inside the brackets and overlong messages are skipped and
    counted.

    Attributes:
        losses: counts of malformed messages.
    """

    def __init__(self, losses: Losses | None = None) -> None:
        self.losses = Losses() if losses is None else losses
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that ``data`` completes, without brackets and the blanks next to them."""
        text = self._rest + data
        end = text.rfind(b">") + 1
        whole, tail = text[:end], text[end:]
        begin = tail.rfind(b"<")
        if begin < 0:
            begin = len(tail)
        self._between(tail[:begin])
        self._rest = tail[begin:]
        if len(self._rest) > MAX_LENGTH:
            self.add_fault(self._rest)
            self._rest = b""
        messages = _MESSAGE.findall(whole)
        if sum(map(len, messages)) + 2 * len(messages) != len(whole):
            self._between(_MESSAGE.sub(b"", whole))
        return [message[1:-1] for message in messages if self._is_spaced(message)]

    def add_fault(self, text: bytes) -> None:
        """Count ``text`` as a malformed message."""
        self.losses.add_fault("malformed messages skipped", FormatError(quoted(text)))

    def _between(self, text: bytes) -> None:
        if text and not text.isspace():
            self.add_fault(text.strip())

    def _is_spaced(self, message: bytes) -> bool:
        if len(message) > 2 and message[:1] == b" " == message[-1:] and len(message) <= MAX_LENGTH:
            return True
        self.add_fault(b"<" + message + b">")
        return False


# --- server to client -------------------------------------------------------------------------------------


def parse_frame(text: bytes) -> Message | None:
    """Return the frame in the message ``text`` of a server, None if it is another kind of message.

    Raises:
        FormatError: the message is a malformed frame.
    """
    kind = text.partition(b" ")[0]
    pattern = _RECEIVED.get(kind)
    if pattern is None:
        return None
    match = pattern.fullmatch(text)
    if match is None:
        if kind == b"error":  # an error message, in reply to a command
            return None
        raise FormatError(f"malformed frame: {quoted(text)}")
    word = int(match["id"], 16)
    message = Message(arbitration_id=word, is_extended_id=len(match["id"]) == 8)
    seconds = int(match["seconds"])
    if kind == b"error":
        message.arbitration_id, message.is_extended_id = word & bits.CAN_EFF_MASK, False
        message.is_error_frame = True
        word &= bits.CAN_EFF_MASK
    if word > (bits.CAN_SFF_MASK if len(match["id"]) < 8 and kind != b"error" else bits.CAN_EFF_MASK):
        raise FormatError(f"identifier out of range: {quoted(text)}")
    if seconds > _LATEST:
        raise FormatError(f"time out of range: {quoted(text)}")
    message.timestamp_ns = seconds * 1_000_000_000 + int(match["fraction"].ljust(9, b"0"))
    if kind == b"rtr":
        message.is_remote_frame, message.dlc = True, int(match["dlc"])
        return message
    _set_data(message, bytearray.fromhex((match["data"] or b"").decode()), text)
    if message.is_fd or kind == b"fdframe":
        _set_flags(message, int(match["flags"] or b"0"), text)
    return message


def _set_data(message: Message, data: bytearray, text: bytes) -> None:
    if message.is_error_frame:
        data = data.ljust(8, b"\0")  # raw mode sends the class alone
    if len(data) > (64 if text.startswith(b"fdframe") else 8):
        raise FormatError(f"too many data bytes: {quoted(text)}")
    message.data, message.dlc = data, len(data)


def _set_flags(message: Message, flags: int, text: bytes) -> None:
    if len(message.data) not in bits.FD_LENGTHS:
        raise FormatError(f"{len(message.data)} is not a CAN FD length: {quoted(text)}")
    message.is_fd = True
    message.bitrate_switch = bool(flags & 1)
    message.error_state_indicator = bool(flags & 2)


def format_raw(batch: MessageBatch, *, extended: bool = False, errors: bool = False) -> tuple[bytes, int]:
    """Return the messages of raw mode for ``batch``, and the number of frames in them.

    CAN XL frames are left out, CAN FD and remote frames unless ``extended``, error frames unless ``errors``.
    """
    data = batch.payload.hex().upper()
    lines: list[str] = []
    begin = 0
    columns = (batch.timestamp_ns, batch.can_id, batch.flags, batch.dlc_code, batch.offset[1:])
    for time, word, flags, code, end in zip(*columns, strict=True):
        text, begin = data[2 * begin : 2 * end], end
        stamp = time_text(time)
        if not word & 0x60000000 and not flags & _NOT_CLASSIC:
            name = f"{word & 0x1FFFFFFF:08X}" if word >> 31 else f"{word:03X}"
            lines.append(f"< frame {name} {stamp} {text} >")
        elif word & bits.CAN_ERR_FLAG:
            if errors:
                lines.append(f"< error {word & bits.CAN_EFF_MASK:03X} {stamp} >")
        elif extended and not flags & bits.XL:
            lines.append(_format_other(word, flags, code, stamp, text))
    return "".join(lines).encode("ascii"), len(lines)


def format_spaced(batch: MessageBatch, row: int, *, extended: bool = False) -> bytes | None:
    """Return the message of broadcast manager mode for a frame, None if the client has no message for it."""
    word, flags = batch.can_id[row], batch.flags[row]
    data = batch.payload[batch.offset[row] : batch.offset[row + 1]].hex(" ").upper()
    stamp = time_text(batch.timestamp_ns[row])
    if word & bits.CAN_ERR_FLAG:
        return f"< error {word:08X} {stamp} {data}  >".encode()
    if flags & bits.XL:
        return None
    if word & bits.CAN_RTR_FLAG or flags & bits.FD:
        text = data.replace(" ", "")
        line = _format_other(word, flags, batch.dlc_code[row], stamp, text)
        return line.encode() if extended else None
    return f"< frame {id_text(word)} {stamp} {data}{'  >' if data else ' >'}".encode()


def _format_other(word: int, flags: int, code: int, stamp: str, text: str) -> str:
    """Return the message of the extension for a remote or a CAN FD frame."""
    if word & bits.CAN_RTR_FLAG:
        return f"< rtr {id_text(word)} {stamp} {min(code, 8)} >"
    marks = flags >> 1 & 3
    return f"< fdframe {id_text(word)} {stamp} {text} {f'{marks} ' if marks else ''}>"


def time_text(timestamp_ns: int) -> str:
    """Return seconds with six decimals, rounded; times before 1970 become 0."""
    seconds, micro = divmod((max(timestamp_ns, 0) + 500) // 1000, 1_000_000)
    return f"{seconds}.{micro:06d}"


def id_text(word: int) -> str:
    """Return the identifier in a SocketCAN identifier word, as 3 or 8 digits."""
    return f"{word & bits.CAN_EFF_MASK:08X}" if word & bits.CAN_EFF_FLAG else f"{word & 0x7FF:03X}"


# --- client to server -------------------------------------------------------------------------------------


def format_send(message: Message, *, extended: bool = False) -> bytes:
    """Return the command that sends ``message``; ``extended`` allows the extension of canx servers.

    Raises:
        ValueError: the protocol has no command for the frame.
    """
    word = message.arbitration_id | (bits.CAN_EFF_FLAG if message.is_extended_id else 0)
    name, data = id_text(word), message.data.hex(" ").upper()
    if message.is_error_frame:
        raise ValueError("socketcand cannot send error frames")
    if message.is_remote_frame or message.is_fd:
        if not extended:
            kind = "CAN FD" if message.is_fd else "remote"
            raise ValueError(f"socketcand cannot send {kind} frames; with fd=true a canx server can")
        if message.is_remote_frame:
            return f"< sendrtr {name} {message.dlc} >".encode()
        marks = message.bitrate_switch | message.error_state_indicator << 1
        tail = f" {marks}" if marks else ""
        return f"< sendfd {name} {len(message.data)}{' ' if data else ''}{data}{tail} >".encode()
    return f"< send {name} {len(message.data)}{' ' if data else ''}{data} >".encode()


def parse_send(tokens: Sequence[bytes]) -> Message:
    """Return the frame of ``send``, ``add`` or ``update``; the first token is the identifier.

    An identifier of eight digits may contain SocketCAN's flag bits, so 40000123 is a remote frame.

    Raises:
        FormatError: invalid identifier, wrong number of data bytes, or a byte that is not hexadecimal.
    """
    _need(tokens, 2, None)
    word, size = parse_id(tokens[0]), decimal(tokens[1], 8)
    if size != len(tokens) - 2:
        raise FormatError(f"{size} bytes announced, {len(tokens) - 2} found")
    message = _message(word)
    data = bytearray(octet(token) for token in tokens[2:])
    message.dlc = size
    if not message.is_remote_frame:
        message.data = data
    return message


def parse_send_fd(tokens: Sequence[bytes]) -> Message:
    """Return the frame of ``sendfd``.

    Raises:
        FormatError: as ``parse_send``.
    """
    _need(tokens, 2, None)
    size = decimal(tokens[1], 64)
    if size not in bits.FD_LENGTHS or len(tokens) - 2 - size not in (0, 1):
        raise FormatError(f"{size} bytes announced, {len(tokens) - 2} found")
    marks = decimal(tokens[-1], 3) if len(tokens) - 2 > size else 0
    message = _message(parse_id(tokens[0]))
    if message.is_remote_frame:
        raise FormatError("CAN FD has no remote frames")
    message.is_fd = True
    message.bitrate_switch, message.error_state_indicator = bool(marks & 1), bool(marks & 2)
    message.data = bytearray(octet(token) for token in tokens[2 : 2 + size])
    message.dlc = size
    return message


def parse_send_remote(tokens: Sequence[bytes]) -> Message:
    """Return the frame of ``sendrtr``.

    Raises:
        FormatError: as ``parse_send``.
    """
    _need(tokens, 2, 2)
    message = _message(parse_id(tokens[0]))
    message.is_remote_frame, message.dlc = True, decimal(tokens[1], 8)
    return message


def parse_interval(tokens: Sequence[bytes]) -> float:
    """Return the interval in seconds of two tokens, seconds and microseconds.

    Raises:
        FormatError: a token is not a number.
    """
    _need(tokens, 2, None)
    return decimal(tokens[0], 1 << 31) + decimal(tokens[1], 1 << 31) / 1_000_000


def parse_id(token: bytes) -> int:
    """Return the identifier word of ``token``; eight digits are an extended identifier with flag bits.

    Raises:
        FormatError: the token is not an identifier.
    """
    if not 0 < len(token) <= 8 or not _DIGITS.issuperset(token):
        raise FormatError(f"invalid identifier {quoted(token)}")
    word = int(token, 16)
    if len(token) == 8:
        return word if word & bits.CAN_ERR_FLAG else word | bits.CAN_EFF_FLAG
    if word > bits.CAN_SFF_MASK:
        raise FormatError(f"identifier above 7FF without 8 digits: {quoted(token)}")
    return word


def octet(token: bytes) -> int:
    """Return the byte of one or two hexadecimal digits.

    Raises:
        FormatError: the token is not a byte.
    """
    if not 0 < len(token) <= 2 or not _DIGITS.issuperset(token):
        raise FormatError(f"invalid byte {quoted(token)}")
    return int(token, 16)


def decimal(token: bytes, limit: int) -> int:
    """Return the decimal number ``token``, at most ``limit``.

    Raises:
        FormatError: the token is not a number, or above the limit.
    """
    if not token.isdigit() or len(token) > 10 or int(token) > limit:
        raise FormatError(f"not a number up to {limit}: {quoted(token)}")
    return int(token)


def _need(tokens: Sequence[bytes], least: int, most: int | None) -> None:
    if len(tokens) < least or (most is not None and len(tokens) > most):
        raise FormatError(f"{len(tokens)} parameters")


def _message(word: int) -> Message:
    if word & bits.CAN_ERR_FLAG:
        raise FormatError("an error frame cannot be sent")
    return Message(
        arbitration_id=word & bits.CAN_EFF_MASK,
        is_extended_id=bool(word & bits.CAN_EFF_FLAG),
        is_remote_frame=bool(word & bits.CAN_RTR_FLAG),
    )
