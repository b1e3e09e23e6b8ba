"""Finds Intrepid's devices without the bus class, and without opening them."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.neovi.devices import load, obstacle, serial_of

__all__ = ["channels", "configs", "details", "devices", "obstacle"]

_FIRST_NETWORK = 1  # HSCAN


def devices() -> list[Any]:
    """Return the connected devices; none without the package, or if its library fails."""
    try:
        return [*load().find_devices()]
    except Exception as error:  # those of the module are its own
        import logging

        logging.getLogger("can.ics_neovi").debug("neovi: no devices found: %s", error)
        return []


def configs() -> list[dict[str, Any]]:
    """Return a configuration for each device: its first network."""
    place = {"interface": "neovi", "channel": _FIRST_NETWORK}
    return [{**place, "serial": serial_of(found), "device_name": found.Name} for found in devices()]


def channels() -> list[str]:
    """Return no channels: the search may take a moment, and the networks of a device are unknown."""
    return []


def details() -> dict[str, dict[str, Any]]:
    """Return the product and the serial number of each device."""
    return {
        f"{_FIRST_NETWORK},serial={serial_of(found)}": {
            "state": "in use" if found.NumberOfClients else "ready",
            "product": found.Name,
            "serial": serial_of(found),
        }
        for found in devices()
    }
