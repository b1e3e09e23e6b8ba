"""Log formats: one module per format, or a package for a format of more than two files.

A format has a reader and a writer (``base``), and pure functions on bytes, most of them kernels. ``files``
holds the streams of bytes with their compression, ``formats`` and ``suffixes`` choose a format, ``logger``
and ``player`` are python-can's front ends. This package imports ``frame``, ``kernels`` and the bases of
``bus``, but no backend.

python-can documents the classes, and some modules under other names, as attributes of this package.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; the typing module alone costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ALIASES = {"canutils": "candump.log", "generic": "base"}
_TABLES = {"MESSAGE_READERS": "player", "MESSAGE_WRITERS": "logger"}
_MODULES = ("asc", "blf", "csv", "logger", "mf4", "player", "printer", "sqlite", "trc")


def __getattr__(name: str) -> Any:
    """Import a class or a module at its first use (PEP 562)."""
    from importlib import import_module

    import cantools_cli

    if name in _TABLES:
        return getattr(import_module(f"cantools_cli.io.{_TABLES[name]}"), name)
    if name in _ALIASES or name in _MODULES:
        return import_module(f"cantools_cli.io.{_ALIASES.get(name, name)}")
    home = cantools_cli._MODULE_OF.get(name, "")
    if home.startswith("io.") or home == "streams.sync":
        return getattr(cantools_cli, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def documented(package: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a format's ``package``: it imports documented classes at first use."""

    def load(name: str) -> Any:
        import cantools_cli

        if not f"cantools_cli.{cantools_cli._MODULE_OF.get(name)}".startswith(f"{package}."):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(cantools_cli, name)

    return load
