"""Settings of a bus, checked against the parameters of its class before anything is opened.

A class of canx accepts its own parameters and ``COMMON``, the settings that interfaces share. ``ELSEWHERE``
are the settings of python-can's other interfaces: a program or a shared configuration file may contain
them, and they have no effect. Any other setting is a misspelling. A class of another distribution with
``**kwargs`` accepts every setting, as documented; so does ``RemoteBus``, which passes them to its server.

Source: the python-can manual, "Hardware Interfaces" and "Virtual Interfaces".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.config import TRUTH_WORDS
from cantools_cli.errors import UsageError, quoted

_OURS = "cantools_cli.backends."
_SEGMENTS = ("tseg1", "tseg2", "sjw")

#: settings that many interfaces share, and their types; they have no effect on the other interfaces
COMMON = {
    "bitrate": "rate",
    "data_bitrate": "rate",
    "fd": "bool",
    "timing": "Any",
    "state": "Any",
    "can_filters": "CanFilters | None",
    **dict.fromkeys(("f_clock", "brp", "btr0", "btr1", "nof_samples", *_SEGMENTS), "int"),
    **{f"{phase}_{key}": "int" for phase in ("nom", "data") for key in ("brp", *_SEGMENTS)},
}
#: settings in percent, with or without the sign
PERCENTAGES = ("sample_point", "dsample_point", "data_sample_point")
#: parameters that are rates but not common to several interfaces
_RATES = frozenset({"baudrate", "fd_bitrate", "s7", "ttyBaudrate", "tty_baudrate"})
#: settings of single interfaces of python-can, and its descriptions of detected buses
ELSEWHERE = frozenset(
    {
        *("accept_virtual", "address", "app_name", "auto_reset", "baudrate", "bit_timing", "btr", "bus"),
        *("can_termination", "device", "device_id", "device_number", "dll", "driver_mode", "extended"),
        *("f_clock_mhz", "flags", "frame_type", "host", "hop_limit", "ignore_rx_error_frames", "index"),
        *("listen_only", "local_loopback", "log_errors", "monitor", "no_samp", "operation_mode"),
        *("output_mode", "override_library_name", "poll_interval", "port", "preserve_timestamps", "protocol"),
        *("receive_own_messages", "rtscts", "rx_buffer_entries", "rx_fifo_size", "rx_queue_size", "serial"),
        *("single_handle", "sjw_abr", "sjw_dbr", "sleep_after_open", "ssp_dbr", "tcp_tune", "timeout"),
        *("tseg1_abr", "tseg1_dbr", "tseg2_abr", "tseg2_dbr", "ttyBaudrate", "tx_buffer_entries"),
        *("tx_fifo_size", "unique_hardware_id", "use_system_timestamp"),
        *("device_name", "dongle_channel", "exclusive", "fd_non_iso", "no_init_access", "override_exclusive"),
        *("is_virtual", "supports_fd", "hw_type", "hw_index", "hw_channel", "vector_channel_config"),
        *(*("can_term_available", "brs", "fd_bitrate", "type_filter"), "description"),
        *("channel_condition", "controller_number", "device_features", "device_type"),
    }
)


def checked(
    interface: str | None,
    backend: Any,
    settings: Mapping[str, Any],
    *,
    place: str = "",
    strict: Collection[str] = (),
    place_of: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """Return ``settings`` with the types that ``backend``, the class of ``interface``, declares.

    A setting that is None is left out if its type has no None. Those in ``strict`` must be common or
    ``backend``'s own. An error begins with ``place``, or with the result of ``place_of`` for the setting.
    """
    parameters, takes_any = _parameters(backend)
    is_ours = _is_ours(backend)
    found: dict[str, Any] = {}
    for key, value in settings.items():
        known = key in parameters or takes_any or (is_ours and _is_shared(key, key in strict))
        try:
            if not known:
                hint = _suggestion(key, parameters, interface)
                raise UsageError(f"interface {quoted(interface)} has no setting {quoted(key)}", hint=hint)
            kind = _kind(key, parameters)
            if not is_ours or kind == "Any":
                found[key] = value
            elif value is not None or "None" in kind:
                found[key] = _converted(key, value, kind)
        except UsageError as error:
            where = place_of(key) if place_of else place
            raise UsageError(f"{where}: {error}" if where else str(error), hint=error.hint) from error
    return found


def named(interface: str | None, backend: Any, values: Sequence[Any]) -> dict[str, Any]:
    """Return the positional arguments after the channel as settings of ``backend``."""
    from inspect import Parameter, signature

    names = [
        parameter.name
        for parameter in signature(backend).parameters.values()
        if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD and parameter.name != "channel"
    ]
    if len(values) > len(names):
        text = (
            f"interface {quoted(interface)} takes at most {len(names)} positional settings, not {len(values)}"
        )
        raise UsageError(text, hint=f"in this order: {', '.join(names)}" if names else None)
    return dict(zip(names, values, strict=False))


def refuse_unknown(interface: str, backend: Any, rest: Mapping[str, Any]) -> None:
    """Check ``rest``, the keywords of a canx bus that are not its parameters.

    A detected configuration, which may be given as ``**config``, contains the interface.
    """
    rest = {key: value for key, value in rest.items() if key != "interface"}
    if rest:
        checked(interface, backend, rest)


def _is_ours(backend: Any) -> bool:
    return str(getattr(backend, "__module__", "")).startswith(_OURS)


def _kind(key: str, parameters: Mapping[str, str]) -> str:
    if key in PERCENTAGES and key in parameters:
        return "percent"
    common = COMMON.get(key, "Any")
    if common == "rate" or (key in _RATES and key in parameters):
        return "rate"
    return parameters.get(key, common)


def _is_shared(key: str, is_strict: bool) -> bool:
    return key in COMMON or (not is_strict and key in ELSEWHERE)


def _parameters(backend: Any) -> tuple[dict[str, str], bool]:
    """Return the annotations of the parameters by name, and whether any other setting is taken."""
    from inspect import Parameter, signature

    parameters: dict[str, str] = {}
    takes_any = False
    for parameter in signature(backend).parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            takes_any = getattr(backend, "passes_settings_on", not _is_ours(backend))
        elif parameter.kind is not Parameter.VAR_POSITIONAL:
            parameters[parameter.name] = str(parameter.annotation)
    return parameters, takes_any


def _suggestion(key: str, parameters: Mapping[str, str], interface: str | None) -> str:
    from difflib import get_close_matches

    names = sorted({*parameters} - {"channel", "can_filters", "on_note"})
    near = get_close_matches(key.lower(), [*names, "channel", "interface", *COMMON], 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"settings of {interface}: {', '.join(names)}"


def _converted(key: str, value: Any, annotation: str) -> Any:
    """Return ``value`` converted to the first possible type of ``annotation``."""
    kinds = [kind for kind in annotation.split(" | ") if kind != "None"]
    if value is None:
        return None
    for kind in kinds:
        convert = _CONVERSIONS.get(kind, _object)
        try:
            return convert(value)
        except (ValueError, TypeError, KeyError):
            continue
    expected = " or ".join(_NAMES[kind] for kind in kinds if kind in _NAMES) or "a Python object"
    text = value if isinstance(value, str) else repr(value)
    raise UsageError(f"{key} must be {expected}, not {quoted(text)}")


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str):
        return int(value, 0)
    return int(value) if isinstance(value, float) and value.is_integer() else operator.index(value)


def _rate(value: Any) -> int:
    if isinstance(value, str):
        from cantools_cli.units import bitrate

        return bitrate(value)
    rate = _integer(value)
    if rate <= 0:
        raise ValueError
    return rate


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        return TRUTH_WORDS[value.lower()]
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        from cantools_cli.units import duration

        return duration(value)
    if isinstance(value, bool) or not 0 <= value < math.inf:
        raise ValueError
    return float(value)


def _percent(value: Any) -> float:
    if isinstance(value, str):
        from cantools_cli.units import percentage

        return 100 * percentage(value)
    if isinstance(value, bool) or not 0 < value < 100:
        raise ValueError
    return float(value)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    return str(value)


def _protocol(value: Any) -> CanProtocol:
    return value if isinstance(value, CanProtocol) else CanProtocol[str(value).upper()]


def _object(value: Any) -> Any:
    """Return a value of a type without a text form."""
    if isinstance(value, str | int | float):
        raise TypeError
    return value


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "int": _integer,
    "rate": _rate,
    "bool": _truth,
    "float": _seconds,
    "percent": _percent,
    "str": _text,
    "CanProtocol": _protocol,
}
_NAMES = {
    "int": "an integer",
    "rate": "a bit rate above 0",
    "bool": "true or false",
    "float": "a number of seconds",
    "percent": "a percentage",
    "str": "text",
    "CanProtocol": f"one of {', '.join(CanProtocol.__members__)}",
}
