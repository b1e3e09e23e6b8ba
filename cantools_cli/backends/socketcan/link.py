"""Properties of the kernel's CAN interfaces: bit rate, state, error counters.

``ip -json -details -statistics link`` reports them. If there is no such command, or it is too old to write
JSON about CAN, ``/sys/class/net`` has a few of them.

Source: iproute2, ``ip-link(8)`` and the output of ``ip`` 6.1; Linux ``linux/can/netlink.h``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cantools_cli.backends.socketcan import sysfs
from cantools_cli.bus.base import BusState
from cantools_cli.errors import FormatError

#: MTU of an interface for CAN FD
FD_MTU = 72

_IP = ("ip", "-json", "-details", "-statistics", "link", "show")
_IP_SECONDS = 5.0
_IFF_UP = 1

_STATES = {
    "ERROR-ACTIVE": BusState.ACTIVE,
    "ERROR-WARNING": BusState.ACTIVE,
    "ERROR-PASSIVE": BusState.PASSIVE,
    "BUS-OFF": BusState.ERROR,
    "STOPPED": BusState.ERROR,
    "SLEEPING": BusState.ERROR,
}


@dataclass
class NetworkLink:
    """A CAN interface of the kernel; attributes that are unknown or do not apply are None or "".

    Attributes:
        kind: can, vcan, vxcan or slcan; can has a controller with bit timing and state.
        mtu: size of the largest record: 16 classic, 72 CAN FD.
        controller_state: the kernel's name of the state, such as ERROR-ACTIVE.
        bitrate, data_bitrate: in bit/s.
        sample_point, data_sample_point: fraction of the bit time, 0 to 1.
        modes: the modes that are set, such as LISTEN-ONLY and LOOPBACK.
        tx_errors, rx_errors: the error counters of the controller.
        restart_ms: milliseconds from bus-off to the automatic restart, 0 for none.
        counts: counts of events: restarts, bus_error, arbitration_lost, error_warning, error_passive,
            bus_off.
    """

    name: str
    kind: str = ""
    is_up: bool = True
    mtu: int | None = None
    tx_queue_length: int | None = None
    controller: str = ""
    controller_state: str = ""
    bitrate: int | None = None
    sample_point: float | None = None
    data_bitrate: int | None = None
    data_sample_point: float | None = None
    modes: tuple[str, ...] = ()
    tx_errors: int | None = None
    rx_errors: int | None = None
    restart_ms: int | None = None
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_fd(self) -> bool:
        """Whether the interface carries CAN FD frames."""
        return self.mtu is not None and self.mtu >= FD_MTU

    @property
    def state(self) -> BusState:
        """The state of the controller; ACTIVE without a controller, ERROR if it takes no part in the bus."""
        return _STATES.get(self.controller_state, BusState.ACTIVE)


def links() -> list[NetworkLink]:
    """Return all CAN interfaces."""
    reported = _asked()
    if reported is not None:
        return reported
    return [link for name in sysfs.channels() if (link := _from_folder(name)) is not None]


def link(name: str) -> NetworkLink | None:
    """Return the CAN interface ``name``, None if it does not exist."""
    reported = _asked("dev", name)
    if reported is not None:
        return next((link for link in reported if link.name == name), None)
    return _from_folder(name)


def is_up(name: str) -> bool | None:
    """Return whether the interface is up, None if it does not exist; reads one file."""
    flags = sysfs.number(name, "flags")
    return None if flags is None else bool(flags & _IFF_UP)


def mtu(name: str) -> int | None:
    """Return the MTU of the interface, the size of its largest record; None if it is unknown."""
    return sysfs.number(name, "mtu")


def parse(text: str) -> list[NetworkLink]:
    """Return the CAN interfaces in the output of ``ip -json -details -statistics link show``.

    Raises:
        FormatError: the text is not such output.
    """
    import json

    try:
        entries = json.loads(text or "[]")
        return [_link(entry) for entry in entries if entry.get("link_type") == "can"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FormatError(f"not the output of ip -json: {error}", source="ip") from error


def _link(entry: dict[str, Any]) -> NetworkLink:
    info = entry.get("linkinfo", {})
    data = info.get("info_data", {})
    counters = data.get("berr_counter", {})
    timing = data.get("bittiming", {})
    data_timing = data.get("data_bittiming", {})
    return NetworkLink(
        name=str(entry["ifname"]),
        kind=info.get("info_kind", ""),
        is_up="UP" in entry.get("flags", ()),
        mtu=entry.get("mtu"),
        tx_queue_length=entry.get("txqlen"),
        controller=data.get("bittiming_const", {}).get("name", ""),
        controller_state=data.get("state", ""),
        bitrate=timing.get("bitrate"),
        sample_point=_share(timing.get("sample_point")),
        data_bitrate=data_timing.get("bitrate"),
        data_sample_point=_share(data_timing.get("sample_point")),
        modes=tuple(data.get("ctrlmode", ())),
        tx_errors=counters.get("tx"),
        rx_errors=counters.get("rx"),
        restart_ms=data.get("restart_ms"),
        counts=dict(info.get("info_xstats", {})),
    )


def _share(value: str | float | None) -> float | None:
    """Return a sample point, a string in current releases of ip and a number in older ones."""
    return None if value is None else float(value)


def _asked(*words: str) -> list[NetworkLink] | None:
    """Return the interfaces that ``ip`` reports, None if it fails."""
    import subprocess

    try:
        printed = subprocess.check_output(
            (*_IP, *words),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            timeout=_IP_SECONDS,
        )
        return parse(printed)
    except (OSError, subprocess.SubprocessError, FormatError):
        return None


def _from_folder(name: str) -> NetworkLink | None:
    if name not in sysfs.channels():
        return None
    return NetworkLink(
        name, is_up=bool(is_up(name)), mtu=mtu(name), tx_queue_length=sysfs.number(name, "tx_queue_len")
    )
