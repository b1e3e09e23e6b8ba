"""python-can's module paths as aliases of ours: what was written for ``can`` runs on canx, unchanged.

::

    from cantools_cli import compat
    compat.install()
    import can                                  # this library, and can.Message is cantools_cli.Message
    from can.interfaces.virtual import VirtualBus

or from outside, where the program does not know of it::

    python -m cantools_cli.compat PROGRAM.py ARGUMENTS…
    python -m cantools_cli.compat -m can_remote --interface=virtual --channel=0

``install`` only puts a finder in front of the others: each module is made when it is imported, and looks
its names up in ours when they are asked for. To ``importlib.metadata`` there is a distribution python-can.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cantools_cli.errors import CanError

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder

#: the version of python-can whose interface this is
API_VERSION = "4.6.1"

#: documented module, without ``can.`` -> those of ours that define its names
_HOMES = {
    "bit_timing": ("timing",),
    "broadcastmanager": ("cyclic",),
    "bus": ("bus",),
    "ctypesutil": ("ctypesutil",),
    "exceptions": ("errors",),
    "interface": ("interface",),
    "interfaces": ("interface", "plugins"),
    "io": ("io", ""),
    "io.asc": ("io.asc",),
    "io.blf": ("io.blf",),
    "io.canutils": ("io.candump",),
    "io.csv": ("io.csv",),
    "io.generic": ("io.base",),
    "io.logger": ("io.logger",),
    "io.mf4": ("io.mf4",),
    "io.player": ("io.player", "sync"),
    "io.printer": ("io.printer",),
    "io.sqlite": ("io.sqlite",),
    "io.trc": ("io.trc",),
    "listener": ("listeners", "async_reader"),
    "message": ("message",),
    "notifier": ("notifier",),
    "thread_safe_bus": ("thread_safe_bus",),
    "typechecking": ("typechecking",),
    "util": ("util",),
}
#: folders of interfaces that are not called like the interface
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
#: a second module of ours with names of an interface
_MORE_OF_INTERFACE = {"socketcan": ("backends.socketcan_bcm",)}
#: classes whose documented spelling is another
_SPELLINGS = {"slcanBus": "SlcanBus", "robotellBus": "RobotellBus"}


def install() -> None:
    """Make ``import can`` and all documented modules below it give this library; a second call does nothing.

    Raises:
        CanError: ``can`` was imported before, and is another library.
    """
    imported = sys.modules.get("can")
    if imported is not None and not isinstance(imported, _Alias):
        raise CanError(
            f"the module can is imported already, from {getattr(imported, '__file__', None) or 'elsewhere'}",
            hint="call compat.install() before anything imports can",
        )
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def install_where_missing() -> None:
    """Install, unless there is a ``can`` that can be imported: for plug-ins, which expect one."""
    if "can" in sys.modules:
        return
    from importlib.util import find_spec

    found = find_spec("can")
    if found is None or found.origin is None:  # nothing but a folder of that name
        install()


class _Alias(ModuleType):
    """A documented module: its names are those of ours, its attributes may be set there through it."""

    __path__: list[str]

    def __init__(self, name: str, homes: tuple[str, ...]) -> None:
        super().__init__(name, f"python-can's {name}, as canx has it.")
        vars(self).update(_homes=homes, __path__=[])

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [public for public in dir(self) if not public.startswith("_")]
        if self.__name__ == "can" and name in _TOP_LEVEL:
            return _TOP_LEVEL[name]()
        if name.startswith("__") and name != "__file__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if _homes_of(f"{self.__name__}.{name}"):
            return import_module(f"{self.__name__}.{name}")
        for spelling in filter(None, (name, _SPELLINGS.get(name))):
            for home in self._modules():
                if hasattr(home, spelling):
                    value = getattr(home, spelling)
                    if isinstance(value, type):
                        vars(self)[name] = value  # what is asked for once a message
                    return value
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__name__ == "can" and name == "rc":
            settings = {**value}
            _rc().clear()  # there is one, which others hold as well
            _rc().update(settings)
            return
        for home in self._modules() if not name.startswith("__") else ():
            if name in vars(home):
                setattr(home, name, value)
                vars(self).pop(name, None)
                return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        names: set[str] = set()
        for home in self._modules():
            names.update(getattr(home, "__all__", None) or vars(home))
        return sorted({*names, *super().__dir__(), *(_TOP_LEVEL if self.__name__ == "can" else ())})

    def _modules(self) -> Iterator[ModuleType]:
        return map(import_module, vars(self)["_homes"])


class _Finder:
    """Finds ``can`` and what is below it, and the distribution python-can."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "can" and not fullname.startswith("can."):
            return None
        homes = _homes_of(fullname)
        loader: Any = _Loader(homes)  # importlib.abc.Loader, whose import costs more than all of this
        return ModuleSpec(fullname, loader, is_package=True) if homes else None

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        name = context.name
        if name is not None and name.lower().replace("_", "-").replace(".", "-") != "python-can":
            return ()
        from cantools_cli.compat_distribution import PythonCan

        return (PythonCan(API_VERSION),)


class _Loader:
    def __init__(self, homes: tuple[str, ...]) -> None:
        self._homes = homes

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Alias(spec.name, self._homes)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: an alias has no code."""


@cache
def _homes_of(fullname: str) -> tuple[str, ...]:
    """Return our modules behind a documented one; none where it is not documented, or has none of ours."""
    from importlib.util import find_spec

    if fullname == "can":
        return ("cantools_cli",)
    name = fullname.removeprefix("can.")
    homes = _HOMES.get(name) or _interface_homes(name)
    full = [f"cantools_cli.{home}".rstrip(".") for home in homes]
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
    return (module, *_MORE_OF_INTERFACE.get(interface, ()))


def _rc() -> dict[str, Any]:
    from cantools_cli.config import rc

    return rc


def _log() -> Any:
    import logging

    return logging.getLogger("can")


_TOP_LEVEL = {"__version__": lambda: API_VERSION, "log": _log, "rc": _rc}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a program, or with ``-m`` a module, to which ``can`` is this library."""
    import runpy

    given = list(sys.argv[1:] if arguments is None else arguments)
    as_module = given[:1] == ["-m"]
    program = given[as_module:]
    if not program:
        raise SystemExit("usage: python -m cantools_cli.compat [-m MODULE | FILE] [ARGUMENT…]")
    install()
    sys.argv[:] = program
    if as_module:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        import os

        sys.path[0] = os.path.dirname(os.path.abspath(program[0]))  # as the interpreter does
        runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    import_module("cantools_cli.compat").main()  # not this copy of it, whose aliases nobody else knows
