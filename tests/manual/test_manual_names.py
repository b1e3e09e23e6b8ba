"""Every documented name is there, and takes what is documented."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import cantools_cli
from cantools_cli import Message, Notifier, Printer, plugins
from cantools_cli.bus.listeners import BufferedReader
from tests.manual.manual_names import ATTRIBUTES, DEVIATIONS, HARDWARE, OF_OBJECTS, SIGNATURES

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def find(path: str) -> Any:
    """Return what ``path`` names below our package; an interface's class comes from the registry."""
    parts = path.split(".")
    if parts[0] == "interfaces":
        found: Any = plugins.bus_class(parts[1])
        assert found.__name__ == parts[2]
        parts = parts[3:]
    else:
        found = cantools_cli
    for part in parts:
        found = getattr(found, part)
    return found


def signature_of(text: str) -> inspect.Signature:
    function: Callable[..., Any] = eval(f"lambda {text}: None", vars(cantools_cli.exceptions))
    return inspect.signature(function)


def shape(signature: inspect.Signature) -> list[tuple[str, object, object]]:
    return [(one.name, one.kind, one.default) for one in signature.parameters.values()]


def positional(signature: inspect.Signature) -> list[tuple[str, object]]:
    return [(name, default) for name, kind, default in shape(signature) if kind in _POSITIONAL]


@pytest.mark.parametrize("name", SIGNATURES)
def test_what_is_documented_is_taken(name: str) -> None:
    ours = inspect.signature(find(name))
    if name in DEVIATIONS:
        assert shape(ours) == shape(signature_of(DEVIATIONS[name][0]))
        return
    documented = signature_of(SIGNATURES[name])
    wanted, taken = positional(documented), positional(ours)
    assert [word for word, _ in taken[: len(wanted)]] == [word for word, _ in wanted]
    for (_, default), (_, given) in zip(wanted, taken, strict=False):
        assert default in (inspect.Parameter.empty, given)  # what has to be given may have a default here
    assert all(default is not inspect.Parameter.empty for _, default in taken[len(wanted) :])
    kinds = {parameter.kind for parameter in ours.parameters.values()}
    for kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        if any(parameter.kind is kind for parameter in documented.parameters.values()):
            assert kind in kinds


@pytest.mark.parametrize("name", DEVIATIONS)
def test_every_deviation_differs_and_says_why(name: str) -> None:
    ours, reason = DEVIATIONS[name]
    assert shape(signature_of(ours)) != shape(signature_of(SIGNATURES[name]))
    assert reason


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_documented_attributes_have_their_values(name: str) -> None:
    value = find(name)
    assert ATTRIBUTES[name] in (..., value)


@pytest.mark.parametrize("name", OF_OBJECTS)
def test_objects_have_their_documented_attributes(name: str) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "BufferedReader": BufferedReader,
        "Message": Message,
        "Notifier": lambda: Notifier([], []),
        "Printer": Printer,
    }
    one = makers[name]()
    assert [attribute for attribute in OF_OBJECTS[name] if not hasattr(one, attribute)] == []
    if name == "Notifier":
        one.stop()


@pytest.mark.parametrize("state", [("ACTIVE", 1), ("PASSIVE", 2), ("ERROR", 3)])
def test_states_have_their_documented_numbers(state: tuple[str, int]) -> None:
    assert cantools_cli.bus.base.BusState[state[0]].value == state[1]


def test_no_hardware_slipped_into_the_table() -> None:
    assert not [name for name in SIGNATURES if name.split(".")[1:2] and name.split(".")[1] in HARDWARE]
