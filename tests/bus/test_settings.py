"""Settings of a bus against what its class declares."""

from __future__ import annotations

from contextlib import suppress
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.backends.cannelloni.bus import CannelloniBus
from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus import config
from cantools_cli.bus.base import BusABC, CanProtocol
from cantools_cli.bus.interface import Bus
from cantools_cli.bus.settings import COMMON, ELSEWHERE, checked
from cantools_cli.errors import UsageError

BUILT_IN = sorted(plugins.INTERFACES)
CHECKED = [name for name in BUILT_IN if name != "remote"]  # which passes everything to its server


class OpenBus(BusABC):
    """A plug-in as the manual shows it."""

    def __init__(self, channel: Any, can_filters: Any = None, level: int = 0, **kwargs: Any) -> None:
        self.settings = {"level": level, **kwargs}
        super().__init__(channel, can_filters)


class ClosedBus(BusABC):
    """A plug-in without ``**kwargs``."""

    def __init__(self, channel: Any, level: int = 0) -> None:
        super().__init__(channel)


@pytest.mark.parametrize("name", CHECKED)
def test_a_misspelt_setting_of_any_interface_is_refused_before_it_opens(name: str) -> None:
    with pytest.raises(UsageError, match=f'^interface "{name}" has no setting "frobnicate"$'):
        Bus("127.0.0.1:1", name, ignore_config=True, frobnicate=1)
    with pytest.raises(UsageError, match="frobnicate"):
        plugins.bus_class(name)("127.0.0.1:1", frobnicate=1)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_parameter_of_a_class_has_a_type_that_can_be_checked(name: str) -> None:
    backend = plugins.bus_class(name)
    common = {"bitrate": "500k", "data_bitrate": 2e6, "fd": "on", "receive_own_messages": False, "brp": "0x1"}
    settings = checked(name, backend, common, strict={"bitrate", "fd", "brp"})
    assert settings["bitrate"] == 500_000 or name == "remote"
    assert settings["fd"] is True or name == "remote"
    assert settings.keys() == common.keys()


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("recieve_own_messages", "receive_own_messages"),
        ("rx_queue", "rx_queue_size"),
        ("chanel", "channel"),
        ("bit_rate", "bitrate"),
        ("Net", "net"),
    ],
)
def test_a_misspelling_has_a_suggestion(key: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked("virtual", VirtualBus, {key: 1})
    assert caught.value.hint == f"did you mean {near}?"


def test_without_anything_near_the_settings_are_listed() -> None:
    with pytest.raises(UsageError) as caught:
        checked("cannelloni", CannelloniBus, {"xyz": 1})
    assert (
        caught.value.hint
        == "settings of cannelloni: bind, listen, local_port, receive_own_messages, transport"
    )


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("rx_queue_size", "0x10", 16),
        ("rx_queue_size", 5.0, 5),
        ("receive_own_messages", "yes", True),
        ("receive_own_messages", 0, False),
        ("net", 5, "5"),
        ("net", None, None),
        ("protocol", "can_fd", CanProtocol.CAN_FD),
        ("protocol", CanProtocol.CAN_XL, CanProtocol.CAN_XL),
        ("can_filters", [{"can_id": 1, "can_mask": 1}], [{"can_id": 1, "can_mask": 1}]),
    ],
)
def test_values_are_brought_into_the_declared_type(key: str, given: object, value: object) -> None:
    assert checked("virtual", VirtualBus, {key: given}) == {key: value}


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("rx_queue_size", "abc", 'an integer, not "abc"'),
        ("rx_queue_size", True, 'an integer, not "True"'),
        ("rx_queue_size", 1.5, 'an integer, not "1.5"'),
        ("rx_queue_size", [], r'an integer, not "\[\]"'),
        ("receive_own_messages", "maybe", 'true or false, not "maybe"'),
        ("receive_own_messages", 2, 'true or false, not "2"'),
        ("fd", "maybe", 'true or false, not "maybe"'),
        ("bitrate", "fast", 'a bit rate above 0, not "fast"'),
        ("bitrate", 0, 'a bit rate above 0, not "0"'),
        ("net", True, 'text, not "True"'),
        ("protocol", "fast", 'one of CAN_20, CAN_FD, CAN_FD_NON_ISO, CAN_XL, not "fast"'),
        ("can_filters", "123:7FF", 'a Python object, not "123:7FF"'),
        ("brp", "x", 'an integer, not "x"'),
    ],
)
def test_a_value_of_another_type_is_refused(key: str, given: object, expected: str) -> None:
    with pytest.raises(UsageError, match=f"^{key} must be {expected}$"):
        checked("virtual", VirtualBus, {key: given})


@pytest.mark.parametrize(
    "value", ["x", "", "-1", -1, 10**30, 0.5, 1e400, float("nan"), b"x", [], {}, object()]
)
@pytest.mark.parametrize("name", CHECKED)
def test_no_value_ends_in_another_error(name: str, value: object) -> None:
    backend = plugins.bus_class(name)
    for key in (*signature(backend).parameters, *COMMON):
        with suppress(UsageError):
            checked(name, backend, {key: value})


@pytest.mark.parametrize(
    ("given", "value"), [("200ms", 0.2), (2, 2.0), ("nan", None), (-1, None), (True, None)]
)
def test_a_number_of_seconds_may_have_a_unit(given: object, value: float | None) -> None:
    backend = plugins.bus_class("virtualcan")
    if value is not None:
        assert checked("virtualcan", backend, {"connect_timeout": given}) == {"connect_timeout": value}
        return
    with pytest.raises(UsageError, match="connect_timeout must be a number of seconds"):
        checked("virtualcan", backend, {"connect_timeout": given})


def test_none_leaves_the_default_where_a_type_has_no_none() -> None:
    assert checked("virtual", VirtualBus, {"rx_queue_size": None, "fd": None}) == {}


def test_settings_of_python_can_s_other_interfaces_pass_unless_they_are_asked_for() -> None:
    everything = dict.fromkeys(
        ELSEWHERE - {"receive_own_messages", "preserve_timestamps", "rx_queue_size"}, 1
    )
    everything |= {"protocol": CanProtocol.CAN_FD}
    assert checked("virtual", VirtualBus, everything).keys() == everything.keys()
    with pytest.raises(UsageError, match=r'^virtual:a: interface "virtual" has no setting .app_name.$'):
        checked("virtual", VirtualBus, {"app_name": "x"}, strict={"app_name"}, place="virtual:a")


def test_a_plug_in_with_kwargs_takes_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugins.INTERFACES, "open", plugins.Interface("open", f"{__name__}:OpenBus"))
    given = {"level": "high", "anything": object(), "fd": 1}
    bus = Bus("a", "open", ignore_config=True, **given)
    assert isinstance(bus, OpenBus)
    assert bus.settings == given


def test_a_plug_in_without_kwargs_is_given_no_other_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugins.INTERFACES, "closed", plugins.Interface("closed", f"{__name__}:ClosedBus"))
    with pytest.raises(UsageError, match='interface "closed" has no setting "lewel"') as caught:
        Bus("a", "closed", ignore_config=True, lewel=1)
    assert caught.value.hint == "did you mean level?"


def test_settings_of_a_remote_server_pass() -> None:
    settings = {"app_name": "x", "anything": 1, "connect_timeout": "1s"}
    expected = {**settings, "connect_timeout": 1.0}
    assert checked("remote", plugins.bus_class("remote"), settings, strict=settings) == expected


@pytest.mark.parametrize("interface", CHECKED)
def test_every_bus_has_the_setting_receive_own_messages(interface: str) -> None:
    assert "receive_own_messages" in signature(plugins.bus_class(interface)).parameters


@pytest.mark.parametrize(
    ("lines", "bitrate"),
    [
        (["bitrate=1000000", "f_clock=8000000", "tseg1=5", "tseg2=2", "sjw=1", "nof_samples=1"], 1_000_000),
        (["brp=1", "tseg1=5", "tseg2=2", "sjw=1", "nof_samples=1"], None),
        (["btr0=0x00", "btr1=0x14"], None),
    ],
)
def test_the_manual_s_files_with_a_bit_timing_open_a_bus(
    lines: list[str], bitrate: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "can.conf"
    path.write_text("\n".join(["[default]", "interface=open", "channel=a", *lines]))
    monkeypatch.setattr(config, "config_files", lambda: [str(path)])
    monkeypatch.setitem(plugins.INTERFACES, "open", plugins.Interface("open", f"{__name__}:OpenBus"))
    bus = Bus()
    assert isinstance(bus, OpenBus)
    timing = bus.settings["timing"]
    assert (timing.brp if bitrate is None else timing.bitrate, timing.tseg1, timing.tseg2) == (
        bitrate or 1,
        5,
        2,
    )
    with Bus(interface="virtual") as virtual:
        assert isinstance(virtual, VirtualBus)


def test_common_settings_are_those_of_the_manual() -> None:
    assert {"bitrate", "data_bitrate", "fd", "timing", "state", "f_clock", "nom_tseg1", "btr0"} <= {*COMMON}


def test_a_class_takes_a_detected_configuration() -> None:
    from cantools_cli.backends.virtual.bus import VirtualBus

    config: dict[str, Any] = {"interface": "virtual", "channel": "detected"}
    with VirtualBus(**config) as bus:
        assert bus.recv(0) is None
