"""canopen: a local node and its remote side, each on a network of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

SPEED, NAME, HEARTBEAT = 0x2000, 0x2001, 0x1017


@pytest.fixture
def nodes() -> Iterator[tuple[Any, Any]]:
    """Return the local node 2, and what another network has of it."""
    import canopen

    networks = [canopen.Network(), canopen.Network()]
    for network in networks:
        network.connect(interface="virtual", channel="canopen", ignore_config=True)
    yield networks[0].create_node(2, dictionary()), networks[1].add_node(2, dictionary())
    for network in networks:
        network.disconnect()


def dictionary() -> Any:
    from canopen.objectdictionary import ObjectDictionary, ODVariable, datatypes

    objects = ObjectDictionary()
    for index, name, kind in (
        (SPEED, "Speed", datatypes.UNSIGNED32),
        (NAME, "Name", datatypes.VISIBLE_STRING),
        (HEARTBEAT, "Heartbeat", datatypes.UNSIGNED16),
    ):
        variable = ODVariable(name, index)
        variable.data_type, variable.access_type = kind, "rw"
        variable.default = "" if kind == datatypes.VISIBLE_STRING else 0
        objects.add_object(variable)
    return objects


def test_an_object_is_written_and_read(nodes: tuple[Any, Any]) -> None:
    local, remote = nodes
    remote.sdo[SPEED].raw = 4711
    assert (local.sdo[SPEED].raw, remote.sdo[SPEED].raw) == (4711, 4711)


def test_a_long_object_goes_in_segments(nodes: tuple[Any, Any]) -> None:
    text = "a name that takes many segments"
    _, remote = nodes
    remote.sdo[NAME].raw = text
    assert remote.sdo[NAME].raw == text


def test_a_node_is_started_from_afar(nodes: tuple[Any, Any]) -> None:
    local, remote = nodes
    started = threading.Event()
    command = local.nmt.on_command
    local.network.subscribe(0, lambda *frame: (command(*frame), started.set()))
    remote.nmt.state = "OPERATIONAL"
    assert started.wait(30)
    assert local.nmt.state == "OPERATIONAL"


def test_a_heartbeat_comes_periodically(nodes: tuple[Any, Any]) -> None:
    local, remote = nodes
    local.nmt.state = "PRE-OPERATIONAL"
    local.nmt.start_heartbeat(10)
    try:
        assert remote.nmt.wait_for_heartbeat(30) == "PRE-OPERATIONAL"
        assert remote.nmt.wait_for_heartbeat(30) == "PRE-OPERATIONAL"
    finally:
        local.nmt.stop_heartbeat()
