"""Options that commands share: each is a parameter for typer, and a field of an object for the command."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated

import typer

from cantools_cli.console.bundles import spelled, unbundled


@dataclass
class Colours:
    sky: Annotated[str, typer.Option("--sky", "-s")] = "blue"
    hidden: int = 7
    grass: Annotated[str | None, typer.Option("--grass")] = None


@dataclass
class MoreColours(Colours):
    hidden: Annotated[int, typer.Option("--hidden")] = 8
    sea: Annotated[bool, typer.Option("--sea")] = False


def paint(wall: str, *, colours: Colours, coats: int = 2) -> tuple[str, Colours, int]:
    """Paint a wall."""
    return wall, colours, coats


def paint_more(*, colours: MoreColours) -> MoreColours:
    return colours


def test_a_bundle_becomes_its_options_in_its_place():
    command = unbundled(paint)
    parameters = inspect.signature(command).parameters
    assert list(parameters) == ["wall", "sky", "grass", "coats"]
    assert parameters["sky"].default == "blue"
    assert command.__doc__ == "Paint a wall."


def test_a_command_gets_one_object_for_a_bundle():
    wall, colours, coats = unbundled(paint)(wall="north", sky="grey", grass="green", coats=1)
    assert (wall, coats) == ("north", 1)
    assert colours == Colours("grey", 7, "green")


def test_a_subclass_adds_options_and_makes_one_of_a_field():
    command = unbundled(paint_more)
    assert list(inspect.signature(command).parameters) == ["sky", "hidden", "grass", "sea"]
    assert command(sky="red", hidden=1, grass=None, sea=True) == MoreColours("red", 1, None, True)


def test_options_are_spelled_as_on_the_command_line():
    assert spelled(Colours("grey")) == {"--sky": "grey", "--grass": None}
