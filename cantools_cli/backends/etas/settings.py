"""The settings of a controller, checked before a function of the driver is called, and as BOA takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cantools_cli.backends.etas import constants as n
from cantools_cli.backends.etas import structures as s
from cantools_cli.errors import UsageError, quoted


@dataclass
class ControllerSettings:
    """How a controller is opened; rates in bit/s, sample points in percent, the rest in time quanta."""

    bitrate: int
    sample_point: int
    btl_cycles: int
    sjw: int
    samples: int
    fd: bool
    data_bitrate: int
    data_sample_point: int
    data_btl_cycles: int
    data_sjw: int
    fd_non_iso: bool
    listen_only: bool
    receive_own_messages: bool
    error_frames: bool

    def structure(self, *, has_fd: bool) -> s.Configuration:
        """Return the configuration; ``has_fd`` tells whether the API has CAN FD."""
        result = s.Configuration(
            baudrate=self.bitrate,
            sample_point=self.sample_point,
            samples_per_bit=n.SAMPLES[self.samples],
            btl_cycles=self.btl_cycles,
            sjw=self.sjw,
            sync_edge=n.SINGLE_EDGE,
            physical_media=n.HIGH_SPEED,
            self_reception_mode=self.receive_own_messages,
            bus_participation_mode=n.Participation.PASSIVE if self.listen_only else n.Participation.ACTIVE,
        )
        if self.fd and has_fd:
            result.fd_enabled = 1
            result.fd = s.FdConfiguration(
                data_bit_rate=self.data_bitrate,
                data_sample_point=self.data_sample_point,
                data_btl_cycles=self.data_btl_cycles,
                data_sjw=self.data_sjw,
                flags=n.FD_NON_ISO if self.fd_non_iso else 0,
                can_rx_mode=n.CanRxMode.AS_CAN,
                fd_rx_mode=n.FdRxMode.AS_FD,
                fd_tx_config=n.FdTxConfig.BOTH,
            )
        return result


def percent(name: str, value: float) -> int:
    """Return a sample point as BOA takes it.

    Raises:
        UsageError: it is not a whole number of percent.
    """
    if not (0 < value < 100 and value == round(value)):
        raise UsageError(f"etas: {name} {value:g} is not a whole number of percent from 1 to 99")
    return round(value)


def apply_timing(settings: ControllerSettings, timing: Any) -> None:
    """Replace the settings of bits by those of ``timing``, a BitTiming or a BitTimingFd.

    Raises:
        UsageError: it is neither.
    """
    if hasattr(timing, "nom_bitrate"):
        settings.fd = True
        settings.bitrate, settings.btl_cycles, settings.sjw = timing.nom_bitrate, timing.nbt, timing.nom_sjw
        settings.sample_point = round(timing.nom_sample_point)
        settings.data_bitrate = timing.data_bitrate
        settings.data_btl_cycles, settings.data_sjw = timing.dbt, timing.data_sjw
        settings.data_sample_point = round(timing.data_sample_point)
    elif hasattr(timing, "nof_samples"):
        settings.fd = False
        settings.bitrate, settings.btl_cycles, settings.sjw = timing.bitrate, timing.nbt, timing.sjw
        settings.sample_point, settings.samples = round(timing.sample_point), timing.nof_samples
    else:
        raise UsageError(f"etas: timing {quoted(timing)} is neither a BitTiming nor a BitTimingFd")


def check_ranges(settings: ControllerSettings) -> None:
    """Refuse settings that no controller has, before a function of the driver is called.

    Raises:
        UsageError: one is out of range.
    """
    names = ["bitrate", "btl_cycles", "sjw"]
    if settings.fd:
        names += ["data_bitrate", "data_btl_cycles", "data_sjw"]
    for name in names:
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 32:
            raise UsageError(f"etas: {name} {quoted(value)} is not a number above 0")
    if settings.fd_non_iso and not settings.fd:
        raise UsageError("etas: fd_non_iso needs CAN FD", hint="fd=true enables it")
