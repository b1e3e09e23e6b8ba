"""What adapters of the slcan family have in common and where they differ.

Sources: Lawicel, "CANUSB Manual" and "CAN232 Manual"; the firmware of CANable, CANable 2, WeAct Studio's
USB2CANFD, Nakakiyo092 and Elmue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.errors import UsageError

#: the presets of the bit rate, without that of S7, and the digit of each
PRESETS = {
    10_000: "0",
    20_000: "1",
    50_000: "2",
    100_000: "3",
    125_000: "4",
    250_000: "5",
    500_000: "6",
    1_000_000: "8",
    83_300: "9",
    83_333: "9",
}
_LAWICEL_CLOCK = 8_000_000
_MEGA = 1_000_000


@dataclass(frozen=True)
class Dialect:
    """How a kind of adapter differs.

    Attributes:
        acknowledges: whether it answers commands and frames with CR or BEL.
        s7: the bit rate of S7; 0 if that preset is wrong in the firmware.
        presets: bit rates that others do not have.
        data_rates: the data bit rates of CAN FD, and the digit of each; empty without CAN FD.
        may_have_fd: whether it is asked for CAN FD nevertheless.
        normal: the commands that open the bus.
        listen: those that open it listen-only; empty if the firmware cannot stay silent.
        timing: the form of a custom bit timing: ``registers``, a key of ``_FORMS``, or none.
        custom: the command before the text of the setting ``btr``.
        has_status: whether ``F`` returns the status flags.
        has_filter: whether it has the acceptance filter of an SJA1000.
    """

    name: str
    acknowledges: bool = True
    s7: int = 800_000
    presets: dict[int, str] = field(default_factory=dict)
    data_rates: dict[int, str] = field(default_factory=dict)
    may_have_fd: bool = False
    normal: tuple[bytes, ...] = (b"O",)
    listen: tuple[bytes, ...] = (b"L",)
    timing: str = ""
    custom: str = "s"
    has_status: bool = False
    has_filter: bool = False


#: custom bit timings: the clock, the letters of both phases, and prescaler, segments and jump width
_FORMS = {
    "hex": (160_000_000, "sy", "{:02X}{:02X}{:02X}{:02X}"),
    "decimal": (160_000_000, "sy", "{},{},{},{}"),
    "weact": (60_000_000, "SY", "{:02X}{:02X}{:02X}"),  # the firmware chooses the jump width
}
_NAKAKIYO_RATES = {500_000: "0", **{rate * _MEGA: str(rate) for rate in (1, 2, 4, 5, 8)}}

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("lawicel", timing="registers", has_status=True, has_filter=True, may_have_fd=True),
        Dialect("silent", acknowledges=False, timing="registers"),
        Dialect("canable", acknowledges=False, s7=750_000, listen=()),
        Dialect(
            "canable2",
            acknowledges=False,
            s7=0,
            data_rates={2 * _MEGA: "2", 5 * _MEGA: "5"},
            listen=(),
        ),
        Dialect(
            "weact",
            presets={75_000: "A", 62_500: "B", 33_300: "C", 33_333: "C", 5_000: "D"},
            data_rates={rate * _MEGA: str(rate) for rate in range(1, 6)},
            normal=(b"M0", b"O"),  # M1 stays in force when the channel is closed
            listen=(b"M1", b"O"),
            custom="S",
            timing="weact",
        ),
        Dialect("nakakiyo", data_rates=_NAKAKIYO_RATES, timing="hex", has_status=True),
        Dialect("elmue", data_rates=_NAKAKIYO_RATES, listen=(b"OS",), timing="decimal"),
    )
}


def recognised(answer: bytes) -> Dialect | None:
    """Return the dialect of the adapter that answers ``V`` with ``answer``, None if it is not an adapter."""
    text = answer.decode("ascii", "replace")
    if answer in (b"V", b"C"):  # the line returns what is sent
        return DIALECTS["silent"]
    if text.startswith("WeAct Studio"):
        return DIALECTS["weact"]
    if text.startswith("+Board"):
        return DIALECTS["elmue"]
    if text[:1] in "Vv" and text.isascii() and text[1:].isalnum():
        return DIALECTS["lawicel"]
    lower = text.lower()
    if "nakakiyo" in lower:
        return DIALECTS["nakakiyo"]
    if "canable2" in lower or "canable-2" in lower:
        return DIALECTS["canable2"]
    if "canable" in lower or "github" in lower or "://" in lower:
        return DIALECTS["canable"]
    return None


def preset_command(dialect: Dialect, bitrate: int, s7: int | None = None) -> bytes:
    """Return the command that sets ``bitrate``; ``s7`` overrides the bit rate of S7.

    Raises:
        UsageError: the adapter has no such bit rate.
    """
    seventh = dialect.s7 if s7 is None else s7
    rates = PRESETS | dialect.presets | ({seventh: "7"} if seventh else {})
    if bitrate in rates:
        return f"S{rates[bitrate]}".encode()
    if bitrate in (750_000, 800_000):
        if not seventh:
            raise UsageError(
                "bitrate: S7 of this firmware sets about 1.43 Mbit/s, whatever it claims",
                hint=f"s7={bitrate} if a later firmware has corrected that",
            )
        raise UsageError(
            f"bitrate: S7 of {dialect.name} adapters is {seventh} bit/s, not {bitrate}",
            hint=f"s7={bitrate} if this adapter's is {bitrate}",
        )
    raise UsageError(
        f"bitrate: {dialect.name} adapters have no preset for {bitrate} bit/s",
        hint=f"one of {', '.join(map(str, sorted(rates)))}" + ("; or btr=" if dialect.timing else ""),
    )


def data_rate_command(dialect: Dialect, rate: int) -> bytes:
    """Return the command that sets the data bit rate of CAN FD.

    Raises:
        UsageError: the adapter has no such data bit rate.
    """
    rates = dialect.data_rates or _NAKAKIYO_RATES  # of another one that accepts the command
    if rate not in rates:
        raise UsageError(
            f"data_bitrate: {dialect.name} adapters have no preset for {rate} bit/s",
            hint=f"one of {', '.join(map(str, sorted(rates)))}",
        )
    return f"Y{rates[rate]}".encode()


def timing_commands(dialect: Dialect, timing: BitTiming | BitTimingFd, s7: int | None) -> list[bytes]:
    """Return the commands that set a bit timing; presets for an adapter that has nothing else.

    Raises:
        UsageError: the adapter's clock does not allow it, or there is no preset for its bit rates.
    """
    if dialect.timing == "registers" and isinstance(timing, BitTiming):
        classic = _at_clock(timing, _LAWICEL_CLOCK)
        return [f"s{classic.btr0:02X}{classic.btr1:02X}".encode()]
    if dialect.timing in _FORMS:
        clock, letters, form = _FORMS[dialect.timing]
        if dialect.timing == "hex" and timing.f_clock == _FORMS["weact"][0]:
            clock = timing.f_clock  # the same firmware on WeAct's hardware
        timing = _at_clock(timing, clock)
        if isinstance(timing, BitTiming):
            phases = [(timing.brp, timing.tseg1, timing.tseg2, timing.sjw)]
        else:
            phases = [
                (timing.nom_brp, timing.nom_tseg1, timing.nom_tseg2, timing.nom_sjw),
                (timing.data_brp, timing.data_tseg1, timing.data_tseg2, timing.data_sjw),
            ]
        return [
            (letter + form.format(*phase)).encode() for letter, phase in zip(letters, phases, strict=False)
        ]
    if isinstance(timing, BitTiming):
        return [preset_command(dialect, timing.bitrate, s7)]
    return [
        preset_command(dialect, timing.nom_bitrate, s7),
        data_rate_command(dialect, timing.data_bitrate),
    ]


def _at_clock(timing: BitTiming | BitTimingFd, clock: int) -> Any:
    try:
        return timing if timing.f_clock == clock else timing.recreate_with_f_clock(clock)
    except ValueError as error:
        text = (
            f"timing: the adapter's clock has {clock // _MEGA} MHz, not {timing.f_clock / _MEGA:g}: {error}"
        )
        raise UsageError(text) from error
