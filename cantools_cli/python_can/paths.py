"""The documented module paths, and the canx modules that define the names of each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

#: the version of python-can whose interface canx has
API_VERSION = "4.6.1"
#: the packages with documented module paths -> the canx package of each
PACKAGES = {"can": "cantools_cli", "xcomcan": "cantools_cli.xcom", "stucancommon": "cantools_cli.xcom"}
#: the scripts of python-can, which can also be imported
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
    "interfaces.ixxat.canlib_vcinpl": ("backends.ixxat.canlib_vcinpl",),
    "interfaces.ixxat.canlib_vcinpl2": ("backends.ixxat.canlib_vcinpl2",),
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
#: documented spellings of classes that are named otherwise in canx
SPELLINGS = {"slcanBus": "SlcanBus", "robotellBus": "RobotellBus", "SeedBus": "SeeedBus"}
#: the modules of the vendor's Xcom-CAN client, and of the package that defines its time-out
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
    # the library is loaded when a bus is opened
    "can.interfaces.vector.canlib": {"xldriver": lambda: None},
    # msgpack is a requirement of canx
    "can.interfaces.udp_multicast.utils": {"is_msgpack_installed": lambda: lambda raise_exception=True: True},
}


@cache
def homes_of(fullname: str) -> tuple[str, ...]:
    """Return the canx modules that back a documented module; empty if there are none."""
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
    package, _, path = name.partition(".")
    if package != "interfaces":
        return ()
    from cantools_cli.plugins import DOCUMENTED_INTERFACES, INTERFACES

    by_path = {path: name for name, paths in DOCUMENTED_INTERFACES.items() for path in paths or (name,)}
    row = INTERFACES.get(by_path.get(path, path))
    if row is None:
        return ()
    homes = (row.target.partition(":")[0], *row.modules)
    return tuple(home.removeprefix("cantools_cli.") for home in homes)
