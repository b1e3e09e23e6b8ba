"""The ``Bus`` factory: an interface's name and a channel to an open bus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, cast

from cantools_cli import plugins
from cantools_cli.bus import config
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.keywords import deprecated_args_alias
from cantools_cli.errors import CanInterfaceNotImplementedError, UsageError, quoted

VALID_INTERFACES: frozenset[str]


def __getattr__(name: str) -> Any:
    """Look the interfaces of other distributions up when ``VALID_INTERFACES`` is asked for."""
    if name == "VALID_INTERFACES":
        return frozenset(plugins.interface_names())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Bus(BusABC):
    """Opens a bus of any interface: the object returned is of that interface's class.

    ``args`` and further keywords are the interface's own. Settings that are not given come from the
    configuration, in the section ``config_context`` before the default one; with ``ignore_config`` none do.

    Raises:
        CanInterfaceNotImplementedError: the interface is not known, not named, or cannot be loaded.
        CanInitializationError: the bus cannot be opened.
        ValueError: the interface needs a channel and none is named; there is no such context or setting; or
            an argument is out of range.
    """

    @deprecated_args_alias("4.2.0", "5.0.0", bustype="interface", context="config_context")
    def __new__(
        cls,
        channel: Any = None,
        interface: str | None = None,
        *args: Any,
        config_context: str | None = None,
        ignore_config: bool = False,
        **kwargs: Any,
    ) -> Bus:  # to type checkers; in truth another ``BusABC``
        keywords = given = {"interface": interface, "channel": channel, **kwargs}
        if not ignore_config:
            config.check_context(config_context)
            keywords = config.load_config(config=keywords, context=config_context)
        name, channel = keywords["interface"], keywords["channel"]
        backend = plugins.bus_class(name)
        if channel is None and _needs_channel(backend):
            raise UsageError(f"interface {quoted(name)} needs a channel", hint=f"{name}:CHANNEL, or channel=")
        from cantools_cli.bus.settings import checked, named

        by_place = named(name, backend, args)
        twice = [key for key in by_place if key in kwargs]
        if twice:
            raise TypeError(f"{name} bus: {quoted(twice[0])} is given by position and by name")
        settings = {key: value for key, value in keywords.items() if key not in ("interface", "channel")}
        settings = checked(name, backend, {**settings, **by_place}, place_of=_place_of(given, config_context))
        arguments = () if channel is None else (channel,)
        is_class = isinstance(backend, type)
        if issubclass(backend, BusABC) if is_class else name in plugins.INTERFACES:
            return cast("Bus", backend(*arguments, **settings))  # ours, or a mock in its place
        from cantools_cli.bus.foreign import open_foreign

        return cast("Bus", open_foreign(backend, *arguments, **settings))


def _place_of(given: dict[str, Any], context: str | None) -> Callable[[str], str]:
    """Return a function from a setting to the file or variable that it comes from, empty for an argument."""

    def place(key: str) -> str:
        return "" if key in given else config.find_settings(None, given, context).sources.get(key, "")

    return place


def _get_class_for_interface(interface: str) -> Any:
    """Return the bus class of an interface; third parties use this name of python-can's."""
    return plugins.bus_class(interface)


def _needs_channel(backend: Any) -> bool:
    from inspect import Parameter, signature

    channel = signature(backend).parameters.get("channel")
    return channel is not None and channel.default is Parameter.empty


def detect_available_configs(
    interfaces: str | Iterable[str] | None = None, timeout: float = 5.0
) -> list[dict[str, Any]]:
    """Return what could be opened now: keywords for ``Bus``, ``interface`` and ``channel`` among them.

    ``interfaces`` are the names to look at, None means all. One that cannot detect, or that python-can has
    and canx has not, contributes nothing; one that takes longer than ``timeout`` seconds is left out with a
    warning.

    Raises:
        CanInterfaceNotImplementedError: an interface is not known.
    """
    if interfaces is None:
        names = plugins.interface_names()
    else:
        names = [interfaces] if isinstance(interfaces, str) else list(interfaces)
        for name in names:
            if not plugins.is_interface(name) and name not in plugins.DOCUMENTED_INTERFACES:
                plugins.bus_class(name)  # raises, and says what there is
    if len(names) == 1:
        return _detected(names[0])
    return _detected_together(names, timeout)


def _detected_together(names: list[str], timeout: float) -> list[dict[str, Any]]:
    """Ask all interfaces at once, since each may wait for its driver or its hardware."""
    from threading import Thread

    found: dict[str, list[dict[str, Any]]] = {}

    def detect(name: str) -> None:
        found[name] = _detected(name)

    end = time.monotonic() + timeout
    threads = {
        name: Thread(target=detect, args=(name,), name=f"detect {name}", daemon=True) for name in names
    }
    for thread in threads.values():
        thread.start()
    for name, thread in threads.items():
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            _warn("interface %s did not answer within %s seconds", name, timeout)
    return [config for name in names for config in found.get(name, [])]


def _detected(name: str) -> list[dict[str, Any]]:
    try:
        configs = plugins.bus_class(name)._detect_available_configs()
    except (NotImplementedError, CanInterfaceNotImplementedError):
        return []
    except Exception as error:  # a plug-in may fail in any way; the others are still asked
        _warn("interface %s: detection failed: %s", name, error)
        return []
    return [{**config, "interface": name} for config in configs]


def _warn(text: str, *values: object) -> None:
    import logging

    logging.getLogger("can").warning(text, *values)
