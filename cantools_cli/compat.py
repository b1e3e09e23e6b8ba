"""python-can's module paths as aliases: programs written for ``can`` run on canx unchanged.

::

    from cantools_cli import compat
    compat.install()
    import can                                  # this library, and can.Message is cantools_cli.Message
    from can.interfaces.virtual import VirtualBus

or without a change of the program::

    python -m cantools_cli.compat PROGRAM.py ARGUMENTS…
    python -m cantools_cli.compat -m can_remote --interface=virtual --channel=0

``install`` only adds a finder: each module is created on import and looks up its names in the canx modules on
use. ``importlib.metadata`` finds a distribution python-can.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from cantools_cli.errors import CanError
from cantools_cli.python_can.alias import Alias
from cantools_cli.python_can.paths import API_VERSION, PACKAGES, SCRIPTS, homes_of

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder
    from types import CodeType


def install() -> None:
    """Make ``import can`` and its documented submodules import canx; a second call does nothing.

    Raises:
        CanError: another library was imported as ``can`` before.
    """
    imported = sys.modules.get("can")
    if imported is not None and not isinstance(imported, Alias):
        raise CanError(
            f"the module can is already imported, from {getattr(imported, '__file__', None) or 'elsewhere'}",
            hint="call compat.install() before anything imports can",
        )
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def install_where_missing() -> None:
    """Install unless another ``can`` can be imported; for plug-ins, which import ``can``."""
    if "can" in sys.modules:
        return
    from importlib.util import find_spec

    spec = find_spec("can")
    if spec is None or spec.origin is None:  # only a folder of that name
        install()


class _Finder:
    """Finds ``can``, its submodules, and the distribution python-can."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package not in PACKAGES:
            return None
        homes = homes_of(fullname)
        loader: Any = _Loader(homes)  # importlib.abc.Loader, whose import is slow
        return ModuleSpec(fullname, loader, is_package=name not in SCRIPTS) if homes else None

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        name = context.name
        if name is not None and name.lower().replace("_", "-").replace(".", "-") != "python-can":
            return ()
        from cantools_cli.python_can.distribution import PythonCan

        return (PythonCan(API_VERSION),)


class _Loader:
    def __init__(self, homes: tuple[str, ...]) -> None:
        self._homes = homes

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Alias(spec.name, self._homes)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: an alias has no code."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the script, which ``python -m`` runs."""
        return compile(f"from {self._homes[0]} import main; main()", fullname, "exec")


_USAGE = "usage: python -m cantools_cli.compat [-m MODULE | FILE] [ARGUMENT…]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a program, or a module with ``-m``, that imports canx as ``can``."""
    import os
    import runpy
    from importlib.util import find_spec

    given = list(sys.argv[1:] if arguments is None else arguments)
    as_module = given[:1] == ["-m"]
    program = given[as_module:]
    if program[:1] in (["-h"], ["--help"]):
        print(_USAGE)
        return
    if not program or program[0].startswith("-"):
        _end(_USAGE)
    install()
    sys.argv[:] = program
    if as_module:
        if find_spec(program[0].partition(".")[0]) is None:
            _end(f"No module named {program[0]}")
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
        return
    try:
        os.stat(program[0])
    except OSError as error:
        _end(f"can't open file {program[0]!r}: {error.strerror}")
    sys.path[0] = os.path.dirname(os.path.abspath(program[0]))  # as the interpreter does
    runpy.run_path(program[0], run_name="__main__")


def _end(text: str) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    raise SystemExit(2)


if __name__ == "__main__":
    import_module("cantools_cli.compat").main()  # not this second copy of the module
