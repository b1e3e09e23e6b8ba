"""Finds the channels of Vector's adapters without the bus class; none is opened."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.vector.channels import get_channel_configs

__all__ = ["channels", "details", "obstacle"]


def obstacle() -> str | None:
    """Return why this computer cannot open a channel, or None."""
    from cantools_cli.backends.vector.library import XL_DRIVER

    return XL_DRIVER.obstacle()


def channels() -> list[str]:
    """Return the CAN channels of all devices, with the settings that distinguish them."""
    return [*details()]


def details() -> dict[str, dict[str, Any]]:
    """Return the state, the name, the serial number and the transceiver of each CAN channel."""
    return {
        f"{config.hw_channel},serial={config.serial_number},channel_index={config.channel_index}": {
            "state": "in use" if config.is_on_bus else "ready",
            "product": config.name,
            "serial": config.serial_number,
            "transceiver": config.transceiver_name,
        }
        for config in get_channel_configs()
        if config.has_can
    }
