"""The lines of slcan adapters, without input and output.

::

    t1232DEAD  T...  r1234  R...      frames in both directions; d D b B are CAN FD: see kernels/slcan.py
    CR, z, Z                          the last command was accepted; z and Z: a frame was
    BEL                               it was refused; no CR follows
    V1013  NA123  F00                 answers: version, serial number, status flags
    e1c                               a bus error: the number of letters, then a letter per cause
    sw098033                          the state (a w p b), then the receive and the transmit error counter

Sources: Lawicel, "CANUSB Manual" and "CAN232 Manual"; the Linux kernel's ``slcan`` (e and s); CANable's
firmware (CAN FD); Nakakiyo092's firmware (8 digits of microseconds, the digit of ESI).
"""

from __future__ import annotations

import re
from array import array
from collections import deque
from collections.abc import Callable, Sequence

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError, FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame import error_frames as errors
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.kernels import slcan as kernel

OK = b"\r"  #: an answer: the command was accepted
REFUSED = b"\a"  #: an answer: it was refused
MALFORMED = "malformed lines skipped"

MAX_LINE = 160  #: bytes before the end of a line; the longest frame has 147

_END = re.compile(rb"[\r\n\a]")
_FRAME = re.compile(
    rb"(?P<kind>[trdb])(?P<base>[0-7][0-9A-Fa-f]{2})(?P<code>[0-9A-Fa-f]?)(?P<rest>[0-9A-Fa-f]*)"
    rb"|(?P<KIND>[TRDBx])(?P<extended>[01][0-9A-Fa-f]{7})(?P<CODE>[0-9A-Fa-f]?)(?P<REST>[0-9A-Fa-f]*)"
)
_ERROR = re.compile(rb"e([1-9])([abBcfoOs]{1,9})")
_STATE = re.compile(rb"s([awpb])([0-9]{3})([0-9]{3})")
_FLAGS = re.compile(rb"F([0-9A-Fa-f]{2})")
#: answers with a text, and commands that a line returns as an echo
_TALK = re.compile(
    rb"[Vv].+|N.+|A|#.?|[OLlCVvNFPE]|O[NSIE]|[SsYyXZQMmWU][0-9A-Fa-f,]+"
    rb"|.*(?:github|://|WeAct|\+Board|Error Register).*"
)

#: bits of the status flags, and the class bits and the detail of data[1] they stand for
_STATUS = (
    (0x01, errors.CONTROLLER, errors.RX_OVERFLOW),
    (0x02, errors.CONTROLLER, 0x02),
    (0x04, errors.CONTROLLER, 0x0C),
    (0x08, errors.CONTROLLER, errors.RX_OVERFLOW),
    (0x20, errors.CONTROLLER, 0x30),
    (0x40, errors.LOST_ARBITRATION, 0),
    (0x80, errors.BUS_ERROR, 0),
)
TX_FULL = 0x02  #: the status flag of a full transmit queue
_LASTING = 0x24  # flags of a state; the others are events, which reading clears

#: letters of a bus error: a class bit, data[1], data[2], data[3]
_CAUSES = {
    "a": (errors.NO_ACK, 0, 0, errors.PLACE_ACK),
    "b": (0, 0, errors.KIND_DOMINANT, 0),
    "B": (0, 0, errors.KIND_RECESSIVE, 0),
    "c": (0, 0, 0, errors.PLACE_CRC),
    "f": (0, 0, errors.KIND_FORM, 0),
    "o": (errors.CONTROLLER, errors.RX_OVERFLOW, 0, 0),
    "O": (errors.CONTROLLER, 0x02, 0, 0),
    "s": (0, 0, errors.KIND_STUFF, 0),
}


# --- to the adapter -----------------------------------------------------------------------------------


def encode(batch: MessageBatch, fd: bool) -> list[bytes]:
    """Return one line per frame of ``batch``.

    Raises:
        CanOperationError: the batch contains an error or CAN XL frame, or without ``fd`` a CAN FD frame;
            nothing was sent.
    """
    lines = []
    payload = batch.payload.hex().upper()
    rows = zip(batch.can_id, batch.flags, batch.dlc_code, batch.offset, batch.offset[1:], strict=False)
    for can_id, flags, code, begin, end in rows:
        if can_id & bits.CAN_ERR_FLAG or flags & bits.XL:
            kind = "CAN XL" if flags & bits.XL else "error"
            raise CanOperationError(f"slcan adapters do not send {kind} frames", sent=0)
        if flags & bits.FD and not fd:
            raise CanOperationError(
                "the bus was opened without CAN FD", hint="fd=true, if the adapter supports it", sent=0
            )
        letter = "t"
        if flags & bits.FD:
            letter = "b" if flags & bits.BRS else "d"
        else:
            code = min(code, 8)
            if can_id & bits.CAN_RTR_FLAG:
                letter = "r"
        if can_id & bits.CAN_EFF_FLAG:
            head = f"{letter.upper()}{can_id & bits.CAN_EFF_MASK:08X}"
        else:
            head = f"{letter}{can_id & bits.CAN_SFF_MASK:03X}"
        lines.append(f"{head}{code:X}{payload[2 * begin : 2 * end]}\r".encode())
    return lines


# --- from the adapter ---------------------------------------------------------------------------------


def status_frame(flags: int) -> Message:
    """Return the error frame of status flags, which are the answer to ``F``."""
    kinds = detail = 0
    for bit, kind, more in _STATUS:
        if flags & bit:
            kinds |= kind
            detail |= more
    if not kinds:
        kinds, detail = errors.CONTROLLER, 0x40  # back to error active
    return errors.message(kinds, bytes((0, detail, 0, 0, 0, 0, 0, 0)))


def _error_frame(letters: str) -> Message:
    """Return the error frame of a line ``e``, with the classes that Linux gives it."""
    kinds, data = errors.BUS_ERROR | errors.PROTOCOL, bytearray(8)
    for letter in letters:
        kind, controller, protocol, place = _CAUSES[letter]
        kinds |= kind
        data[1] = controller or data[1]
        data[2] |= protocol
        data[3] = place or data[3]
    return errors.message(kinds, bytes(data))


def _state_frame(state: str, rx_errors: int, tx_errors: int) -> Message:
    """Return the error frame of a line ``s``."""
    if state == "b":
        return errors.message(errors.BUS_OFF, bytes(8))
    receiving = rx_errors >= tx_errors
    transmitting = tx_errors >= rx_errors
    detail = 0x40
    if state == "w":
        detail = 0x04 * receiving | 0x08 * transmitting
    elif state == "p":
        detail = 0x10 * receiving | 0x20 * transmitting
    counters = min(tx_errors, 255), min(rx_errors, 255)
    return errors.message(errors.CONTROLLER | errors.COUNTERS, bytes((0, detail, 0, 0, 0, 0, *counters)))


class SlcanDecoder:
    """Turns a byte stream into batches and answers; keeps an unfinished line for the next ``feed``.

    ``times(digits, counts, time_ns)`` returns the times of frames with a counter of ``digits`` digits.

    Attributes:
        losses: counts malformed lines; a bus may replace it.
        answers: ``OK``, ``REFUSED`` and the text of other answers, the oldest first. The
            bus takes them after each ``feed``.
        state: ``a``, ``w``, ``p`` or ``b``: error active, warning, passive or bus off.
    """

    def __init__(
        self,
        losses: Losses,
        times: Callable[[int, Sequence[int], int], Sequence[int]],
        channel: str | None = None,
    ) -> None:
        self.losses = losses
        self.answers: deque[bytes] = deque()
        self.state = "a"
        self._times = times
        self._channels = (channel,)
        self._rest = b""
        self._is_skipping = False  # the rest of a line that is too long
        self._digits = 0  # of the counter of the last frame
        self._flags = 0  # the last status flags
        self._stamped = 0  # rows of the current batch whose times are final

    def feed(self, data: bytes, time_ns: int) -> MessageBatch:
        """Return the frames that ``data`` completes; those without a counter get the time ``time_ns``."""
        text = self._rest + data
        at = 0
        if self._is_skipping:
            end = _END.search(text)
            if end is None:
                self._rest = b""
                return MessageBatch(channels=self._channels)
            if end[0] == REFUSED:
                self.answers.append(REFUSED)
            at = end.end()
            self._is_skipping = False
        end_at = max(text.rfind(b"\r"), text.rfind(b"\n"), text.rfind(b"\a")) + 1
        batch = self._lines(text, at, end_at, time_ns)
        self._rest = text[max(at, end_at) :]
        if len(self._rest) > MAX_LINE:
            self._add_fault(self._rest)
            self._rest = b""
            self._is_skipping = True
        return batch

    def finish(self) -> None:
        """Count the unfinished line of a stream that has ended."""
        if self._rest:
            self._add_fault(self._rest)
            self._rest = b""

    def _lines(self, text: bytes, at: int, end: int, time_ns: int) -> MessageBatch:
        """Return the frames of the complete lines ``text[at:end]``."""
        # the shortest line of a frame is F01 and CR, which stands for 8 bytes of data
        size = max(0, end - at)
        batch = MessageBatch.with_room(size // 4 + 1, 2 * size + 64, self._channels)
        row = self._stamped = 0
        while at < end:
            at, row, reason = kernel.parse(text, at, end, self._digits, time_ns, row, *batch.columns())
            if reason == kernel.DONE:
                break
            stop = _END.search(text, at)
            assert stop is not None  # text[end - 1] is one
            message = self._line(text[at : stop.start()], stop[0], batch, row, time_ns)
            if message is not None:
                batch.put(row, message)
                row += 1
            at = stop.end()
        self._stamp(batch, row, time_ns)
        return batch.cut(row)

    def _line(self, line: bytes, end: bytes, batch: MessageBatch, row: int, time_ns: int) -> Message | None:
        """Return the frame of a line that the kernel left, or None; note its answer or its fault."""
        if end == REFUSED:
            if line:
                self._add_fault(line)
            self.answers.append(REFUSED)
            return None
        if not line:
            if end == OK:
                self.answers.append(OK)
            return None
        if len(line) > MAX_LINE:
            self._add_fault(line)
            return None
        if (flags := _FLAGS.fullmatch(line)) is not None:
            self.answers.append(line)
            message = self._status(int(flags[1], 16))
        else:
            message = self._error(line)
        if flags is not None and message is None:
            return None
        if message is not None:
            self._stamp(batch, row, time_ns)
            self._stamped = row + 1
            message.timestamp_ns = time_ns
        elif (match := _FRAME.fullmatch(line)) is not None:
            message = self._rare(match, batch, row, time_ns)
        elif line in (b"z", b"Z"):
            self.answers.append(OK)
        elif line[:1] in b"zZ" and _FRAME.fullmatch(line, 1) is not None:
            pass  # Nakakiyo's report that a frame was on the bus, in addition to its acknowledgement
        elif _TALK.fullmatch(line) is not None:
            self.answers.append(line)
        else:
            self._add_fault(line)
        if message is not None:
            message.channel = self._channels[0]
        return message

    def _rare(self, match: re.Match[bytes], batch: MessageBatch, row: int, time_ns: int) -> Message | None:
        """Return the frame of a line in a rare form, or None; the kernel then expects the same counter."""
        found = _parts(match, self._digits)
        if found is None:
            self._add_fault(match[0])
            return None
        message, digits, count = found
        if digits != self._digits:
            self._stamp(batch, row, time_ns)
            self._digits = digits
        message.timestamp_ns = count if digits else time_ns
        return message

    def _status(self, flags: int) -> Message | None:
        """Return the error frame of status flags, None if they report nothing new."""
        before, self._flags = self._flags, flags
        if not flags & ~_LASTING and flags & _LASTING == before & _LASTING:
            return None
        self.state = "p" if flags & 0x20 else "w" if flags & 0x04 else "a"
        return status_frame(flags)

    def _error(self, line: bytes) -> Message | None:
        """Return the error frame that ``line`` stands for, or None."""
        if (match := _ERROR.fullmatch(line)) is not None and len(match[2]) == int(match[1]):
            return _error_frame(match[2].decode())
        if (match := _STATE.fullmatch(line)) is not None:
            self.state = match[1].decode()
            return _state_frame(self.state, int(match[2]), int(match[3]))
        return None

    # --- times ----------------------------------------------------------------------------------------

    def _stamp(self, batch: MessageBatch, row: int, time_ns: int) -> None:
        """Replace the counters of the rows up to ``row`` by times."""
        first, self._stamped = self._stamped, row
        if self._digits and row > first:
            counts = batch.timestamp_ns[first:row]
            batch.timestamp_ns[first:row] = array("q", self._times(self._digits, counts, time_ns))

    def _add_fault(self, line: bytes) -> None:
        self.losses.add_fault(MALFORMED, FormatError(f"not a line of an slcan adapter: {quoted(line)}"))


def _parts(match: re.Match[bytes], usual: int) -> tuple[Message, int, int] | None:
    """Return (frame, digits of its counter, counter) of a frame in a rare form, None if it is malformed.

    ``usual`` is the number of digits of other frames' counters. A remote frame may lack its length, or have
    digits as if it had data, as CANable's firmware sends them.
    """
    letter = (match["kind"] or match["KIND"]).lower()
    text = match["code"] if match["kind"] else match["CODE"]
    rest = match["rest"] if match["kind"] else match["REST"]
    is_remote, is_fd = letter == b"r", letter in b"db"
    if not text and not is_remote:
        return None
    code = int(text or b"0", 16)
    size = bits.FD_LENGTHS[code] if is_fd else min(code, 8)
    data = b""
    if not is_remote:
        if len(rest) < 2 * size:
            return None
        data, rest = bytes.fromhex(rest[: 2 * size].decode()), rest[2 * size :]
    elif len(rest) != usual and len(rest) - 2 * size in (0, 4, 8):
        rest = rest[2 * size :]
    esi = 0
    if is_fd and len(rest) in (1, 5, 9):
        esi, rest = int(rest[:1], 16), rest[1:]
        if esi > 1:
            return None
    if len(rest) not in (0, 4, 8):
        return None
    message = Message(
        arbitration_id=int(match["base"] or match["extended"], 16),
        is_extended_id=match["base"] is None,
        is_remote_frame=is_remote,
        is_fd=is_fd,
        bitrate_switch=letter == b"b",
        error_state_indicator=bool(esi),
        data=data,
        dlc=size if is_remote else None,
    )
    if code > 8 and not is_fd and not is_remote:
        message.dlc_code = code
    return message, len(rest), int(rest or b"0", 16)
