"""Finding devices by reading a user info that every device of a family has.

Devices are numbered without gaps, so a family ends with the first address that is reported as not found, or
after two addresses without any reply.

Source: Studer Innotec, appendix V1.6.42, for the user infos, including version and serial number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cantools_cli.xcom.addresses import BSP_DEVICE_ID, FAMILIES, Device
from cantools_cli.xcom.client import StuCanPublicClient
from cantools_cli.xcom.codec import ERROR_CODES
from cantools_cli.xcom.node import ShortReplyError, StuCanPublicError, Timeout
from cantools_cli.xcom.objects import IDENTITY, PROBES, lookup
from cantools_cli.xcom.values import label

#: families to scan, in this order; those that share an address are adjacent
SCANNED = ("xt", "vt", "vs", "bsp", "bms")
_SILENT_IN_A_ROW = 2
_NO_SUCH_OBJECT = ERROR_CODES["OBJECT_ID_NOT_FOUND"]
_NO_SUCH_DEVICE = ERROR_CODES["DEVICE_NOT_FOUND"]


@dataclass(frozen=True)
class Found:
    """A device that answered; None marks properties it did not report."""

    device: Device
    model: str | None = None  #: name of the type, else its number
    version: str | None = None  #: software version, such as ``1.6.42``
    serial: int | None = None  #: serial number, called FID by Studer


def scan(
    client: StuCanPublicClient,
    families: Iterable[str] = SCANNED,
    timeout: float | None = 1.0,
    *,
    identify: bool = True,
) -> Iterator[Found]:
    """Yield devices as they answer."""
    found_at_bsp = False
    for family in families:
        if family == "bms" and found_at_bsp:
            continue
        silent = 0
        for number in range(1, FAMILIES[family].units + 1):
            device = Device(FAMILIES[family].group + number, family)
            answered = _is_there(client, device, timeout)
            if answered is False:
                break
            if answered is None:
                silent += 1
                if silent == _SILENT_IN_A_ROW:
                    break
                continue
            silent = 0
            found_at_bsp = found_at_bsp or device.address == BSP_DEVICE_ID
            yield _identified(client, device, timeout) if identify else Found(device)


def _is_there(client: StuCanPublicClient, device: Device, timeout: float | None) -> bool | None:
    """Return whether the device exists; None without a reply."""
    assert device.family is not None
    try:
        client.read_user_info(device.address, PROBES[device.family], timeout)
    except Timeout:
        return None
    except StuCanPublicError as error:
        # BSP and BMS share an address; a missing object means that it is the other one
        is_other = error.error_code == _NO_SUCH_OBJECT and device.address == BSP_DEVICE_ID
        return error.error_code != _NO_SUCH_DEVICE and not is_other
    except ShortReplyError:
        return True
    return True


def _identified(client: StuCanPublicClient, device: Device, timeout: float | None) -> Found:
    assert device.family is not None
    kind, version, serial = IDENTITY[device.family]

    def ask(number: int) -> float | None:
        try:
            return client.read_user_info(device.address, number, timeout)
        except (StuCanPublicError, Timeout, ShortReplyError):
            return None

    model = ask(kind)
    high, low = ask(version[0]), ask(version[1]) if version[1] != version[0] else None
    upper, lower = ask(serial[0]), ask(serial[1])
    return Found(
        device,
        _model(device.family, kind, model) if model is not None else None,
        None if high is None or low is None else f"{int(high) >> 8}.{int(low) >> 8}.{int(low) & 0xFF}",
        None if upper is None or lower is None else int(upper) << 16 | int(lower),
    )


_MODELS = {
    3124: {1: "XTH", 256: "XTM", 512: "XTS"},
    7034: {10241: "BSP"},
    15074: {12801: "VS-120", 13057: "VS-70"},
}


def _model(family: str, number: int, value: float) -> str:
    known = _MODELS.get(number, {}).get(int(value)) or label(lookup("info", number, family), value)
    return known or f"{value:g}"
