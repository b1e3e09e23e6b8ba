"""A documented module path as a view of the canx modules that define its names."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from cantools_cli.python_can import paths

#: all aliases: setting or deleting a name through one makes the others look it up again
_ALIASES: list[Alias] = []


class Alias(ModuleType):
    """A documented module with the names of its homes, the canx modules that back it.

    Setting or deleting a name changes it in the homes, so that ``unittest.mock.patch`` and pytest's
    ``monkeypatch`` replace the object that canx itself uses, and restore it: deleting a name that was set
    restores the original value, as pytest expects. The alias itself keeps names that no home has.
    """

    __path__: list[str]

    def __init__(self, name: str, homes: tuple[str, ...]) -> None:
        super().__init__(name, f"The names of {name}, as canx defines them.")
        vars(self).update(_homes=homes, _found={}, _replaced={}, _removed={}, __path__=[])
        _ALIASES.append(self)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [public for public in dir(self) if not public.startswith("_")]
        if name in paths.OWN_NAMES.get(self.__name__, {}):
            return paths.OWN_NAMES[self.__name__][name]()
        if name not in vars(self)["_removed"] and (not name.startswith("__") or name == "__file__"):
            full = f"{self.__name__}.{name}"
            if paths.homes_of(full):
                return import_module(full)
            for home in self._modules():
                if hasattr(home, _spelled(name)):
                    return self._kept(name, getattr(home, _spelled(name)))
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        _forget(name)
        homes = vars(self)["_removed"].pop(name, None)
        if homes is None:
            homes = [] if isinstance(value, Alias) else self._homes_with(name)
            replaced = vars(self)["_replaced"]
            if homes and value is replaced.setdefault(name, getattr(homes[0], _spelled(name))):
                del replaced[name]
        for home in homes:
            setattr(home, _spelled(name), value)
        if homes:
            vars(self).pop(name, None)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        _forget(name)
        if name in vars(self):
            super().__delattr__(name)
            return
        if name in vars(self)["_replaced"]:
            setattr(self, name, vars(self)["_replaced"][name])
            return
        homes = self._homes_with(name)
        if not homes:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        for home in homes:
            delattr(home, _spelled(name))
        vars(self)["_removed"][name] = homes  # setting the name again restores it there

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *paths.OWN_NAMES.get(self.__name__, {})}
        for home in self._modules():
            names.update(getattr(home, "__all__", None) or vars(home))
        return sorted(names - {*vars(self)["_removed"]})

    def _kept(self, name: str, value: Any) -> Any:
        """Return ``value``; keep a class here, for programs that look it up once per message."""
        if isinstance(value, type):
            vars(self)[name] = vars(self)["_found"][name] = value
        return value

    def _homes_with(self, name: str) -> list[ModuleType]:
        """Return the homes that share the object called ``name``; dunder names belong to the alias alone."""
        if name.startswith("__") or name in vars(self)["_removed"]:
            return []
        spelling = _spelled(name)
        homes = [home for home in self._modules() if hasattr(home, spelling)]  # hasattr loads a lazy name
        return [home for home in homes if vars(home).get(spelling, self) is getattr(homes[0], spelling)]

    def _modules(self) -> Iterator[ModuleType]:
        return map(import_module, vars(self)["_homes"])


def _spelled(name: str) -> str:
    return paths.SPELLINGS.get(name, name)


def _forget(name: str) -> None:
    """Make every alias look up ``name`` in its homes again."""
    for alias in _ALIASES:
        if name in vars(alias)["_found"]:
            del vars(alias)["_found"][name]
            vars(alias).pop(name, None)
