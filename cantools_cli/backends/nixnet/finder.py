"""Finds the CAN interfaces of NI-XNET without the bus class, and without opening them."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.nixnet.library import load, obstacle

__all__ = ["channels", "configs", "details", "obstacle"]


def configs() -> list[dict[str, Any]]:
    """Return the configuration of each interface; none without the library, or if it fails."""
    found = []
    try:
        package: Any = load()
        with package.system.System() as system:
            for interface in system.intf_refs_can:
                found.append(
                    {
                        "interface": "nixnet",
                        "channel": str(interface),
                        "can_term_available": interface.can_term_cap is package.constants.CanTermCap.YES,
                        "supports_fd": interface.can_tcvr_cap is package.constants.CanTcvrCap.HS,
                    }
                )
    except Exception as error:  # there is no driver, or no device that answers
        import logging

        logging.getLogger("can.nixnet").debug("nixnet: no interfaces found: %s", error)
        return []
    return found


def channels() -> list[str]:
    """Return the names of the interfaces."""
    return [config["channel"] for config in configs()]


def details() -> dict[str, dict[str, Any]]:
    """Return what each interface has."""
    return {
        config["channel"]: {
            "state": "ready",
            "product": "NI-XNET interface"
            + (", CAN FD" if config["supports_fd"] else "")
            + (", terminating resistor" if config["can_term_available"] else ""),
        }
        for config in configs()
    }
