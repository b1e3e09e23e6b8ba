"""The contents of error frames: SocketCAN's class bits and data, as words and as controllers' codes.

::

    20000088#0000040200000000     protocol-violation{{bit-stuffing-error}{id.28-to-id.21}},bus-error
                                  SJA1000 error code capture 10100010: stuff error, receiving, id.28-21

All of canx uses this form of an error frame: the identifier holds class bits, the 8 data bytes the details.
Formats and backends that have the cause as a code translate it by the functions below.

Sources: the Linux kernel's ``linux/can/error.h``; NXP SJA1000 data sheet, "Error code capture register". The
words are those of can-utils.
"""

from __future__ import annotations

from cantools_cli.frame.message import Channel, Message

TX_TIMEOUT = 0x001
LOST_ARBITRATION = 0x002
CONTROLLER = 0x004
PROTOCOL = 0x008
TRANSCEIVER = 0x010
NO_ACK = 0x020
BUS_OFF = 0x040
BUS_ERROR = 0x080
RESTARTED = 0x100
COUNTERS = 0x200

CLASS_WORDS = {
    TX_TIMEOUT: "tx-timeout",
    LOST_ARBITRATION: "lost-arbitration",
    CONTROLLER: "controller-problem",
    PROTOCOL: "protocol-violation",
    TRANSCEIVER: "transceiver-status",
    NO_ACK: "no-acknowledgement-on-tx",
    BUS_OFF: "bus-off",
    BUS_ERROR: "bus-error",
    RESTARTED: "restarted-after-bus-off",
    COUNTERS: "error-counter-tx-rx",
}

RX_OVERFLOW = 0x01

#: data[1], with class CONTROLLER
CONTROLLER_WORDS = {
    RX_OVERFLOW: "rx-overflow",
    0x02: "tx-overflow",
    0x04: "rx-error-warning",
    0x08: "tx-error-warning",
    0x10: "rx-error-passive",
    0x20: "tx-error-passive",
    0x40: "back-to-error-active",
}

KIND_BIT = 0x01
KIND_FORM = 0x02
KIND_STUFF = 0x04
KIND_DOMINANT = 0x08
KIND_RECESSIVE = 0x10
KIND_OVERLOAD = 0x20
KIND_ACTIVE = 0x40
ON_TX = 0x80

#: data[2], with class PROTOCOL
KIND_WORDS = {
    KIND_BIT: "single-bit-error",
    KIND_FORM: "frame-format-error",
    KIND_STUFF: "bit-stuffing-error",
    KIND_DOMINANT: "tx-dominant-bit-error",
    KIND_RECESSIVE: "tx-recessive-bit-error",
    KIND_OVERLOAD: "bus-overload",
    KIND_ACTIVE: "active-error",
    ON_TX: "error-on-tx",
}

PLACE_CRC = 0x08
PLACE_ACK = 0x19

#: data[3], with class PROTOCOL; the segment of an error code capture has the same numbers
PLACE_WORDS = {
    0x02: "id.28-to-id.21",
    0x03: "start-of-frame",
    0x04: "bit-srtr",
    0x05: "bit-ide",
    0x06: "id.20-to-id.18",
    0x07: "id.17-to-id.13",
    PLACE_CRC: "crc-sequence",
    0x09: "reserved-bit-0",
    0x0A: "data-field",
    0x0B: "data-length-code",
    0x0C: "bit-rtr",
    0x0D: "reserved-bit-1",
    0x0E: "id.4-to-id.0",
    0x0F: "id.12-to-id.5",
    0x11: "active-error-flag",
    0x12: "intermission",
    0x13: "tolerate-dominant-bits",
    0x16: "passive-error-flag",
    0x17: "error-delimiter",
    0x18: "crc-delimiter",
    PLACE_ACK: "acknowledge-slot",
    0x1A: "end-of-frame",
    0x1B: "acknowledge-delimiter",
    0x1C: "overload-flag",
}

# The cause as Vector's BLF and ASC number it in their extended error code.
CODE_BIT, CODE_FORM, CODE_STUFF, CODE_OTHER, CODE_CRC, CODE_ACK_DELIMITER = range(6)
CODE_NO_ACK = 7
CODE_OVERLOAD = 8

_KIND_OF_CODE = {
    CODE_BIT: KIND_BIT,
    CODE_FORM: KIND_FORM,
    CODE_STUFF: KIND_STUFF,
    CODE_OVERLOAD: KIND_OVERLOAD,
}
#: bits 7-6 of an error code capture by SocketCAN's kind; the capture has one code for all bit errors
_ECC_OF_KIND = {
    KIND_BIT: 0,
    KIND_DOMINANT: 0,
    KIND_RECESSIVE: 0,
    KIND_BIT | KIND_DOMINANT: 0,
    KIND_BIT | KIND_RECESSIVE: 0,
    KIND_FORM: 1,
    KIND_STUFF: 2,
    0: 3,
}
_ECC_RECEIVING = 0x20

_CODE_OF_LEC = {1: CODE_STUFF, 2: CODE_FORM, 3: CODE_NO_ACK, 6: CODE_CRC}
_BIT_OF_LEC = {4: KIND_RECESSIVE, 5: KIND_DOMINANT}


def explain(arbitration_id: int, data: bytes | bytearray) -> str:
    """Return the contents of an error frame in can-utils' words, joined by commas.

    ``arbitration_id`` holds the class bits; missing data bytes count as 0.
    """
    detail = bytes(data).ljust(8, b"\0")
    parts = []
    for bit, word in CLASS_WORDS.items():
        if bit == COUNTERS:
            # Drivers fill the counters in long before they set the class of the counters.
            if arbitration_id & bit or detail[6] or detail[7]:
                parts.append(f"{word}{{{{{detail[6]}}}{{{detail[7]}}}}}")
        elif arbitration_id & bit:
            parts.append(word + _details(bit, detail))
    return ",".join(parts)


def message(error_class: int, data: bytes) -> Message:
    """Return the error frame of class bits and 8 data bytes."""
    return Message(arbitration_id=error_class, is_extended_id=False, is_error_frame=True, data=data)


def rx_overflow(timestamp_ns: int, channel: Channel) -> Message:
    """Return the error frame that marks the place of dropped frames."""
    frame = message(CONTROLLER, bytes((0, RX_OVERFLOW, 0, 0, 0, 0, 0, 0)))
    frame.channel = channel
    frame.timestamp_ns = timestamp_ns
    return frame


def from_code(code: int, segment: int, transmitting: bool) -> tuple[int, bytes]:
    """Return (class bits, 8 data bytes) of an error with Vector's number of its cause.

    ``segment`` is the place as in ``PLACE_WORDS``, 0 if unknown.
    """
    place = segment & 0x1F
    if code == CODE_CRC:
        place = place or PLACE_CRC
    kind = _KIND_OF_CODE.get(code, 0) | (ON_TX if transmitting else 0)
    error_class = BUS_ERROR
    if kind or place:
        error_class |= PROTOCOL
    if code in (CODE_ACK_DELIMITER, CODE_NO_ACK):
        error_class |= NO_ACK
    return error_class, bytes((0, 0, kind, place, 0, 0, 0, 0))


def from_ecc(ecc: int) -> tuple[int, bytes]:
    """Return (class bits, 8 data bytes) of an SJA1000 error code capture.

    Bits 7-6 are the kind (bit, form, stuff, other), bit 5 is set while receiving, bits 4-0 are the segment.
    """
    code, segment, transmitting = ecc >> 6 & 3, ecc & 0x1F, not ecc & _ECC_RECEIVING
    if code == CODE_OTHER and segment == PLACE_ACK and transmitting:
        code = CODE_NO_ACK
    return from_code(code, segment, transmitting)


def from_lec(lec: int) -> tuple[int, bytes]:
    """Return (class bits, 8 data bytes) of the last error code of a Bosch C_CAN controller.

    1 stuff, 2 form, 3 missing acknowledgement, 4 recessive bit, 5 dominant bit, 6 CRC; others have no cause.
    """
    if lec in _BIT_OF_LEC:
        return BUS_ERROR | PROTOCOL, bytes((0, 0, _BIT_OF_LEC[lec], 0, 0, 0, 0, 0))
    return from_code(_CODE_OF_LEC.get(lec, CODE_OTHER), 0, False)


def to_ecc(error_class: int, data: bytes | bytearray) -> int | None:
    """Return the SJA1000 error code capture of an error frame, or None if its cause or place is unknown.

    The capture has neither the counters nor the kind of a bit error.
    """
    detail = bytes(data).ljust(8, b"\0")
    kind = detail[2] & ~ON_TX if error_class & PROTOCOL else 0
    place = detail[3] if error_class & PROTOCOL else 0
    transmitting = bool(error_class & PROTOCOL and detail[2] & ON_TX)
    if error_class & NO_ACK and not kind and place in (0, PLACE_ACK):
        place, transmitting = PLACE_ACK, True
    if kind not in _ECC_OF_KIND or not 0 < place <= 0x1F:
        return None
    return _ECC_OF_KIND[kind] << 6 | (0 if transmitting else _ECC_RECEIVING) | place


def _details(bit: int, detail: bytes) -> str:
    if bit == LOST_ARBITRATION:
        return f"{{at bit {detail[0]}}}"
    if bit == CONTROLLER:
        return f"{{{_named(CONTROLLER_WORDS, detail[1])}}}"
    if bit == PROTOCOL:
        return f"{{{{{_named(KIND_WORDS, detail[2])}}}{{{PLACE_WORDS.get(detail[3], 'unspecified')}}}}}"
    return ""


def _named(words: dict[int, str], bits: int) -> str:
    return ",".join(word for bit, word in words.items() if bits & bit)
