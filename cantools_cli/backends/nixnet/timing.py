"""The bit rates of NI-XNET: plain numbers, or bit timings of a controller of 40 MHz in one number.

Source: NI-XNET Hardware and Software Manual, "Interface:64bit Baud Rate" and "Interface:CAN:64bit FD Baud
Rate".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cantools_cli.errors import UsageError

CLOCK = 40_000_000  #: of the controllers, in Hz
_TICK_NS = 25
_CUSTOM = 0xA0000000
_KEYS = ("brp", "sjw", "tseg1", "tseg2")


class Rates(NamedTuple):
    """The rates of the arbitration and the data phase in bit/s, None for those that stay as they are.

    ``custom`` replaces them if the bits are given by a timing.
    """

    nominal: int | None
    data: int | None
    custom: tuple[int, int | None] | None = None

    @property
    def words(self) -> tuple[int | None, int | None]:
        """The values of the properties."""
        return self.custom or (self.nominal, self.data)

    @classmethod
    def of(cls, timing: Any) -> Rates:
        """Return the rates of a ``BitTiming`` or ``BitTimingFd``.

        Raises:
            UsageError: the timing does not fit the clock of 40 MHz or the fields.
        """
        timing = _with_clock(timing)
        values = dict(timing)
        if not is_fd(timing):
            return cls(timing.bitrate, None, (_arbitration(*(values[key] for key in _KEYS)), None))
        nominal, data = ([values[f"{phase}_{key}"] for key in _KEYS] for phase in ("nom", "data"))
        return cls(timing.nom_bitrate, timing.data_bitrate, (_arbitration(*nominal), _data(*data)))


def is_fd(timing: Any) -> bool:
    return "nom_brp" in dict(timing)


def _with_clock(timing: Any) -> Any:
    if dict(timing).get("f_clock") in (None, CLOCK):
        return timing
    try:
        return timing.recreate_with_f_clock(CLOCK)
    except ValueError as error:
        raise UsageError(f"nixnet: the timing does not fit the clock of 40 MHz: {error}") from error


def _arbitration(brp: int, sjw: int, tseg1: int, tseg2: int) -> int:
    _check("nominal", brp * _TICK_NS, 0xFFFF, sjw, 0x1000, tseg1, 0x100, tseg2, 0x100)
    return _CUSTOM + (brp * _TICK_NS << 32) + (sjw - 1 << 16) + (tseg1 - 1 << 8) + (tseg2 - 1)


def _data(brp: int, sjw: int, tseg1: int, tseg2: int) -> int:
    _check("data", brp * _TICK_NS, 0x7FFF, sjw, 0x10, tseg1, 0x20, tseg2, 0x10)
    return _CUSTOM + (brp * _TICK_NS << 13) + (tseg1 - 1 << 8) + (tseg2 - 1 << 4) + (sjw - 1)


def _check(phase: str, *pairs: int) -> None:
    names = ("quantum in ns", "sjw", "tseg1", "tseg2")
    for name, value, limit in zip(names, pairs[::2], pairs[1::2], strict=True):
        if not 1 <= value <= limit:
            raise UsageError(f"nixnet: {name} {value} of the {phase} bit timing is not in 1 to {limit}")
