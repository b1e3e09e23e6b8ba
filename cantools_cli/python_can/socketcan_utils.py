"""``can.interfaces.socketcan.utils``, undocumented, but used by drivers and programs."""

from __future__ import annotations

import logging
import os

__all__ = ["error_code_to_str", "find_available_interfaces"]


def find_available_interfaces() -> list[str]:
    """Return the names of the kernel's CAN interfaces that are up; empty if the lookup fails."""
    from cantools_cli.backends.socketcan.link import links

    try:
        return [link.name for link in links() if link.is_up]
    except Exception as error:  # python-can's function does not raise either
        logging.getLogger("can").warning("no CAN interfaces found: %s", error)
        return []


def error_code_to_str(code: int | None) -> str:
    """Return the system's text for an error number, with its name."""
    import errno

    if code is None:
        return "unknown error"
    return f"{os.strerror(code)} [{errno.errorcode.get(code, 'Error Code')} {code}]"
