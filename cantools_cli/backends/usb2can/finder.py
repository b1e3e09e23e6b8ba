"""Finds the serial numbers of connected USB2CAN adapters on Windows.

Windows Management Instrumentation knows them: by COM if ``pywin32`` is installed, else by PowerShell. The
registry is the last resort, since it also lists adapters that were connected earlier.

Source: device identifiers of Windows, ``USB\\VID_0483&PID_1234\\ED000200``, whose last part is the serial
number; that of a part of a composite device contains ``&``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["find_serial_devices"]

_NAME = "USB2CAN"
_REGISTRY_KEY = r"SYSTEM\CurrentControlSet\Enum\USB\VID_0483&PID_1234"
_POWERSHELL_SECONDS = 5
_QUERY = f"Get-CimInstance Win32_PnPEntity -Filter \"Name LIKE '%{_NAME}%'\" | ForEach-Object DeviceID"
_SERIAL = re.compile("[0-9A-Za-z]{8}")


def by_com() -> list[str]:
    """Return the identifiers of the devices, empty without ``pywin32``."""
    try:
        com: Any = import_module("pythoncom")
        client: Any = import_module("win32com.client")
    except ImportError:
        return []
    com.CoInitialize()
    try:
        service = client.GetObject("winmgmts:")
        devices = [service.Get(link.Dependent) for link in service.InstancesOf("Win32_USBControllerDevice")]
        return [device.DeviceID for device in devices if _NAME in (device.Name or "")]
    except com.com_error as error:
        _debug("WMI failed: %s", error)
        return []
    finally:
        com.CoUninitialize()


def by_powershell() -> list[str]:
    """Return the identifiers of the devices, empty without PowerShell."""
    command = ("powershell", "-NoProfile", "-NonInteractive", "-Command", _QUERY)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_POWERSHELL_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        _debug("PowerShell failed: %s", error)
        return []
    return done.stdout.split()


def by_registry() -> list[str]:
    """Return the serial numbers in the registry."""
    found: list[str] = []
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _REGISTRY_KEY) as key:
                found = [winreg.EnumKey(key, index) for index in range(winreg.QueryInfoKey(key)[0])]
        except OSError as error:
            _debug("no adapter in the registry: %s", error)
    return found


#: the first of these that finds a device is used
SOURCES: list[Callable[[], list[str]]] = (
    [by_com, by_powershell, by_registry] if sys.platform == "win32" else []
)


def find_serial_devices(serial_matcher: str = "") -> list[str]:
    """Return the serial numbers of the connected adapters that contain ``serial_matcher``."""
    for source in SOURCES:
        serials = [serial for serial in map(_serial, source()) if serial is not None]
        if serials:
            return [serial for serial in dict.fromkeys(serials) if serial_matcher in serial]
    return []


def _serial(device_id: str) -> str | None:
    """Return the serial number in the identifier of a device, None if it is not that of an adapter."""
    last = device_id.rpartition("\\")[2]
    return last if _SERIAL.fullmatch(last) else None


def _debug(text: str, *values: object) -> None:
    import logging

    logging.getLogger("can.usb2can").debug(text, *values)
