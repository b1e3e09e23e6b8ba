"""The Python packages of vendors, which are imported when a bus is opened or buses are looked for."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from cantools_cli.errors import CanInterfaceNotImplementedError, reason_of


class MissingPackageError(CanInterfaceNotImplementedError, ImportError):
    """A vendor's Python package is not installed, or cannot be imported: an ImportError as well."""


def imported(interface: str, module: str, distribution: str) -> ModuleType:
    """Return the module of a vendor's package.

    Raises:
        MissingPackageError: ``distribution``, which contains it, is not installed or cannot be imported.
    """
    try:
        return import_module(module)
    except Exception as error:  # a package that loads a library on import may raise any
        if isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]:
            text = f"{interface}: the package {distribution} is not installed"
        else:
            text = f"{interface}: the package {distribution} cannot be imported: {reason_of(error)}"
        raise MissingPackageError(text, hint=f"pip install 'canx[{interface}]'") from error


def missing(interface: str, module: str, distribution: str) -> str | None:
    """Return why there is no such package, None if it is installed; it is not imported."""
    from importlib.util import find_spec

    if find_spec(module) is not None:
        return None
    return f"the package {distribution} is not installed; pip install 'canx[{interface}]'"
