"""The documented module paths, and the canx modules that define the names of each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

#: the version of python-can whose interface this is
API_VERSION = "4.6.1"
#: the packages whose module paths are offered, and the canx package of each
PACKAGES = {"can": "cantools_cli", "xcomcan": "cantools_cli.xcom", "stucancommon": "cantools_cli.xcom"}
#: python-can's scripts, which are run as well as imported
SCRIPTS = frozenset({"bridge", "logconvert", "logger", "player", "viewer"})

#: documented module, without ``can.`` -> the canx modules that define its names
_HOMES = {
    **{script: (f"python_can.{script}",) for script in SCRIPTS},
    "bit_timing": ("bit_timing.classic", "bit_timing.fd"),
    "broadcastmanager": ("periodic.tasks",),
    "bus": ("bus.base",),
    "cli": ("python_can.cli",),
    "ctypesutil": ("python_can.ctypesutil",),
    "exceptions": ("errors",),
    "interface": ("bus.interface",),
    "interfaces": ("python_can.interfaces", "bus.interface", "plugins"),
    "io": ("io", ""),
    "io.asc": ("io.asc.reader", "io.asc.writer"),
    "io.blf": ("io.blf.reader", "io.blf.writer", "python_can.internals"),
    "io.canutils": ("io.candump.log",),
    "io.csv": ("io.csv",),
    "io.generic": ("io.base",),
    "io.logger": ("io.logger",),
    "io.mf4": ("io.mf4.reader", "io.mf4.writer"),
    "io.player": ("io.player", "streams.sync"),
    "io.printer": ("io.printer",),
    "io.sqlite": ("io.sqlite.reader", "io.sqlite.writer"),
    "io.trc": ("io.trc.reader", "io.trc.writer"),
    "listener": ("bus.listeners", "bus.async_reader"),
    "message": ("frame.message",),
    "notifier": ("bus.notifier",),
    "thread_safe_bus": ("bus.thread_safe",),
    "typechecking": ("python_can.typechecking",),
    "util": ("python_can.util", "bus.config"),
}
#: folders of interfaces whose name differs from the interface's
_INTERFACE_FOLDERS = {"ics_neovi": "neovi"}
#: modules inside the folder of an interface; their names are those of the interface
_INNER_MODULES = {
    "ics_neovi": ("neovi_bus",),
    "ixxat": ("canlib", "canlib_vcinpl", "canlib_vcinpl2", "exceptions", "structures"),
    "kvaser": ("canlib", "constants", "structures"),
    "neousys": ("neousys",),
    "pcan": ("basic", "pcan"),
    "seeedstudio": ("seeedstudio",),
    "serial": ("serial_can",),
    "socketcan": ("constants", "socketcan", "utils"),
    "socketcand": ("socketcand",),
    "systec": ("ucan", "ucanbus", "constants", "exceptions", "structures"),
    "udp_multicast": ("bus", "utils"),
    "usb2can": ("usb2canInterface", "usb2canabstractionlayer", "serial_selector"),
    "vector": ("canlib", "exceptions", "xldefine"),
}
#: further modules of ours with names of an interface
_MORE_OF_INTERFACE = {
    "socketcan": ("backends.socketcan.bcm", "python_can.socketcan_bcm"),
    "socketcand": ("python_can.internals",),
}
#: classes whose documented spelling is another
SPELLINGS = {"slcanBus": "SlcanBus", "robotellBus": "RobotellBus"}
#: the modules of the vendor's Xcom-CAN client, and of the package that its time-out comes from
_XCOM: dict[str, dict[str, tuple[str, ...]]] = {
    "xcomcan": {"addresses": ("addresses",), "client": ("client",), "node": ("node", "codec")},
    "stucancommon": {"node": ("node",)},
}


def _log() -> Any:
    import logging

    return logging.getLogger("can")


#: names that only an alias has
OWN_NAMES: dict[str, dict[str, Callable[[], Any]]] = {
    "can": {"__version__": lambda: API_VERSION, "log": _log},
    # msgpack is a requirement of canx
    "can.interfaces.udp_multicast.utils": {"is_msgpack_installed": lambda: lambda raise_exception=True: True},
}


@cache
def homes_of(fullname: str) -> tuple[str, ...]:
    """Return the canx modules behind a documented module; empty if canx has none or it is not documented."""
    from importlib.util import find_spec

    package, _, name = fullname.partition(".")
    if package not in PACKAGES:
        return ()
    if not name:
        return (PACKAGES[package],)
    if package in _XCOM:
        homes = _XCOM[package].get(name, ())
    else:
        homes = _HOMES.get(name) or _interface_homes(name)
    full = [f"{PACKAGES[package]}.{home}".rstrip(".") for home in homes]
    return tuple(home for home in full if find_spec(home) is not None)


def _interface_homes(name: str) -> tuple[str, ...]:
    package, _, rest = name.partition(".")
    folder, _, inner = rest.partition(".")
    if package != "interfaces" or (inner and inner not in _INNER_MODULES.get(folder, ())):
        return ()
    from cantools_cli.plugins import INTERFACES

    interface = _INTERFACE_FOLDERS.get(folder, folder)
    target = INTERFACES.get(interface)
    if target is None:
        return ()
    module = target.partition(":")[0].removeprefix("cantools_cli.")
    if inner == "utils" and interface == "socketcan":
        return ("python_can.socketcan_utils", module)
    return (module, *_MORE_OF_INTERFACE.get(interface, ()))
