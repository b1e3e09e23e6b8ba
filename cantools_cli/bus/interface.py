"""The ``Bus`` factory, which opens a bus by the name of its interface and its channel."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, cast

from cantools_cli import plugins
from cantools_cli.bus import config
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.keywords import deprecated_args_alias
from cantools_cli.errors import CanInterfaceNotImplementedError, UsageError, quoted

VALID_INTERFACES: frozenset[str]


def __getattr__(name: str) -> Any:
    """Look up the interfaces of all distributions on the first use of ``VALID_INTERFACES``."""
    if name == "VALID_INTERFACES":
        return frozenset(plugins.interface_names())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Bus(BusABC):
    """Opens a bus of any interface; the result is an instance of the interface's class.

    ``args`` and further keywords are those of the interface. Missing settings come from the configuration,
    first from the section ``config_context``, then from the default one, unless ``ignore_config`` is set.

    Raises:
        CanInterfaceNotImplementedError: the interface is unknown, not named, or cannot be loaded.
        CanInitializationError: the bus cannot be opened.
        ValueError: the interface needs a channel, the context or a setting is unknown, or an argument is out
            of range.
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
    ) -> Bus:  # for type checkers; at runtime another ``BusABC``
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

        def place_of(key: str) -> str:
            """Return the file or variable of a setting, or "" for an argument."""
            found = {} if key in given else config.find_settings(None, given, config_context).sources
            return found.get(key, "")

        settings = checked(name, backend, {**settings, **by_place}, place_of=place_of)
        arguments = () if channel is None else (channel,)
        is_class = isinstance(backend, type)
        if issubclass(backend, BusABC) if is_class else name in plugins.INTERFACES:
            return cast("Bus", backend(*arguments, **settings))  # a canx bus, or a mock
        from cantools_cli.bus.foreign import open_foreign

        return cast("Bus", open_foreign(backend, *arguments, **settings))


def _get_class_for_interface(interface: str) -> Any:
    """Return the bus class of an interface; third parties call this undocumented name."""
    return plugins.bus_class(interface)


def _needs_channel(backend: Any) -> bool:
    from inspect import Parameter, signature

    channel = signature(backend).parameters.get("channel")
    return channel is not None and channel.default is Parameter.empty


def detect_available_configs(
    interfaces: str | Iterable[str] | None = None, timeout: float = 5.0
) -> list[dict[str, Any]]:
    """Return the buses that can be opened now, as keywords for ``Bus`` with ``interface`` and ``channel``.

    ``interfaces`` are the names of the interfaces to ask; None means all. Interfaces without detection, and
    those of python-can that canx lacks, return nothing; a warning names one that takes longer than
    ``timeout`` seconds.

    Raises:
        CanInterfaceNotImplementedError: an interface is unknown.
    """
    if interfaces is None:
        names = plugins.interface_names()
    else:
        names = [interfaces] if isinstance(interfaces, str) else list(interfaces)
        for name in names:
            if not plugins.is_interface(name) and name not in plugins.DOCUMENTED_INTERFACES:
                plugins.bus_class(name)  # raises, with the known names
    if len(names) == 1:
        return _detected(names[0])
    return _detected_together(names, timeout)


def _detected_together(names: list[str], timeout: float) -> list[dict[str, Any]]:
    """Ask all interfaces at once: each may wait for its driver or hardware."""
    from threading import Thread

    configs: dict[str, list[dict[str, Any]]] = {}

    def detect(name: str) -> None:
        configs[name] = _detected(name)

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
    return [config for name in names for config in configs.get(name, [])]


def _detected(name: str) -> list[dict[str, Any]]:
    try:
        configs = plugins.bus_class(name)._detect_available_configs()
    except (NotImplementedError, CanInterfaceNotImplementedError):
        return []
    except Exception as error:  # a plug-in may fail in any way; ask the others
        _warn("interface %s: detection failed: %s", name, error)
        return []
    return [{**config, "interface": name} for config in configs]


def _warn(text: str, *values: object) -> None:
    import logging

    logging.getLogger("can").warning(text, *values)
