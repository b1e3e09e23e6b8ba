"""The ``Bus`` factory and the detection of what could be opened."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import cantools_cli as can
from cantools_cli import plugins
from cantools_cli.backends.virtual.bus import VirtualBus
from cantools_cli.bus import config
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import CanInitializationError, CanInterfaceNotImplementedError, UsageError


class ParrotBus(BusABC):
    """Remembers what it was opened with."""

    def __init__(self, channel: Any = "default", can_filters: Any = None, **kwargs: Any) -> None:
        self.opened_with = {"channel": channel, **kwargs}
        super().__init__(channel, can_filters)

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        return [{"channel": "polly"}, {"channel": "coco", "interface": "wrong"}]


class NeedyBus(ParrotBus):
    def __init__(self, channel: Any, **kwargs: Any) -> None:
        super().__init__(channel, **kwargs)

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        raise NotImplementedError


class SlowBus(ParrotBus):
    may_answer = threading.Event()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        SlowBus.may_answer.wait()
        return []


class BrokenBus(ParrotBus):
    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        raise KeyError("driver")


@pytest.fixture(autouse=True)
def interfaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four interfaces of this file and nothing else, in a home without configuration."""
    targets = {
        **{name: f"{__name__}:{name.title()}Bus" for name in ("parrot", "needy", "slow", "broken")},
        "driverless": "no_such_driver_module:X",
    }
    rows = {name: plugins.Interface(name, target) for name, target in targets.items()}
    monkeypatch.setattr(plugins, "INTERFACES", rows)
    monkeypatch.setattr(plugins, "entry_points_of", lambda kind: {})
    monkeypatch.setattr(config, "config_files", lambda: [str(tmp_path / "can.conf")])
    for name in ("CAN_INTERFACE", "CAN_CHANNEL", "CAN_BITRATE", "CAN_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def opened_with(*args: Any, **kwargs: Any) -> dict[str, Any]:
    bus = Bus(*args, **kwargs)
    assert isinstance(bus, ParrotBus)
    return bus.opened_with


def test_a_bus_is_an_object_of_its_interface() -> None:
    bus: BusABC = Bus("a", "parrot")
    assert type(bus) is ParrotBus


@pytest.mark.parametrize("ignore", [True, False])
def test_keywords_reach_the_interface(ignore: bool) -> None:
    assert opened_with("a", "parrot", ignore_config=ignore, x=1) == {"channel": "a", "x": 1}
    assert opened_with(interface="parrot", channel=0, ignore_config=ignore) == {"channel": 0}


def test_what_is_not_said_comes_from_the_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "can.conf").write_text("[default]\ninterface=parrot\nchannel=a\n[HS]\nchannel=b\nfd=true\n")
    assert opened_with() == {"channel": "a"}
    assert opened_with(config_context="HS") == {"channel": "b", "fd": True}
    assert opened_with("c", config_context="HS", fd=False) == {"channel": "c", "fd": False}
    monkeypatch.setitem(can.rc, "interface", "parrot")
    monkeypatch.setitem(can.rc, "channel", "r")
    assert opened_with() == {"channel": "r"}


def test_configuration_can_be_ignored(tmp_path: Path) -> None:
    (tmp_path / "can.conf").write_text("[default]\ninterface=needy\nchannel=a\nbitrate=5\n")
    assert opened_with(interface="parrot", ignore_config=True) == {"channel": "default"}
    assert opened_with("12", "parrot", ignore_config=True) == {"channel": "12"}


def test_without_a_channel_the_interface_s_default_is_used() -> None:
    assert opened_with(interface="parrot") == {"channel": "default"}
    with pytest.raises(ValueError, match='interface "needy" needs a channel'):
        Bus(interface="needy")


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("name", ["nonsense", None])
def test_an_unknown_interface_is_an_error(name: str | None, ignore: bool) -> None:
    with pytest.raises(CanInterfaceNotImplementedError, match=f'Unknown interface type "{name}"') as caught:
        Bus("a", name, ignore_config=ignore)
    assert "parrot" in (caught.value.hint or "")


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(CanInterfaceNotImplementedError, match='"driverless" needs no_such_driver_module'):
        Bus("a", "driverless")


def test_old_keywords_still_work_and_warn() -> None:
    with pytest.warns(DeprecationWarning, match="'bustype' argument is deprecated"):
        assert isinstance(Bus("a", bustype="parrot"), ParrotBus)
    with pytest.warns(DeprecationWarning, match="'context' argument is deprecated"):
        assert opened_with("a", "parrot", context="default") == {"channel": "a"}


def test_old_and_new_keywords_together_are_refused() -> None:
    with pytest.raises(TypeError, match="both 'bustype'"):
        Bus("a", bustype="parrot", interface="parrot")
    with pytest.raises(TypeError, match="both 'context'"):
        Bus("a", "parrot", context="HS", config_context="HS")
    with pytest.warns(DeprecationWarning, match="bustype"), pytest.raises(TypeError, match="interface"):
        Bus("a", "parrot", bustype="parrot")


def test_valid_interfaces_are_all_names() -> None:
    assert {"parrot", "needy", "slow", "broken", "driverless"} == can.interface.VALID_INTERFACES


def test_detection_gives_keywords_for_bus() -> None:
    found = detect_available_configs("parrot")
    assert found == [{"interface": "parrot", "channel": "polly"}, {"interface": "parrot", "channel": "coco"}]
    assert opened_with(**found[0]) == {"channel": "polly"}


def test_interfaces_that_cannot_detect_contribute_nothing() -> None:
    assert detect_available_configs("needy") == detect_available_configs(["driverless", "needy"]) == []
    assert len(detect_available_configs(["needy", "parrot", "driverless"])) == 2


def test_a_plug_in_that_fails_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "can"):
        assert len(detect_available_configs(["broken", "parrot"])) == 2
    assert "interface broken: detection failed: 'driver'" in caplog.text


def test_detection_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    SlowBus.may_answer.clear()
    try:
        with caplog.at_level(logging.WARNING, "can"):
            assert len(detect_available_configs(timeout=0.5)) == 2
    finally:
        SlowBus.may_answer.set()
    assert "interface slow did not answer within 0.5 seconds" in caplog.text


@pytest.mark.parametrize("name", plugins.DOCUMENTED_INTERFACES)
def test_a_documented_interface_that_is_not_there_has_no_configurations(name: str) -> None:
    assert name not in plugins.INTERFACES  # of this file
    assert detect_available_configs(name) == detect_available_configs(iter([name])) == []


def test_detection_of_an_unknown_interface_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="nonsense"):
        detect_available_configs(["parrot", "nonsense"])


def test_a_bus_that_cannot_be_opened_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: ParrotBus, *args: Any, **kwargs: Any) -> None:
        raise CanInitializationError("cage is closed")

    monkeypatch.setattr(sys.modules[__name__].ParrotBus, "__init__", refuse)
    with pytest.raises(CanInitializationError, match="cage is closed"):
        Bus("a", "parrot")


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> None:
    row = plugins.Interface("virtual", "cantools_cli.backends.virtual.bus:VirtualBus")
    monkeypatch.setitem(plugins.INTERFACES, "virtual", row)


@pytest.mark.usefixtures("virtual")
def test_positional_arguments_after_the_interface_are_its_own() -> None:
    with Bus("positional", "virtual", True, 3, ignore_config=True) as bus:
        assert isinstance(bus, VirtualBus)
        assert bus.receive_own_messages is True
    with pytest.raises(TypeError, match='"receive_own_messages" is given by position and by name'):
        Bus("a", "virtual", True, receive_own_messages=True)
    with pytest.raises(UsageError, match="takes at most 4 positional settings, not 5"):
        Bus("a", "virtual", *range(5))
    with pytest.raises(UsageError, match='receive_own_messages must be true or false, not "HS"'):
        Bus("a", "virtual", "HS")


@pytest.mark.usefixtures("virtual")
def test_positional_arguments_win_over_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "can.conf").write_text("[default]\ninterface=virtual\nreceive_own_messages=false\n")
    with Bus("a", None, True) as bus:
        assert isinstance(bus, VirtualBus)
        assert bus.receive_own_messages is True


def test_a_misspelt_context_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "can.conf").write_text("[default]\ninterface=parrot\nchannel=a\n[HS]\nchannel=b\n")
    with pytest.raises(UsageError, match='no section "HSS" in the configuration') as caught:
        Bus(config_context="HSS")
    assert caught.value.hint == "did you mean HS? sections: default, HS"
    assert config.load_config(context="HSS")["channel"] == "a"  # python-can's function, as it is documented
    assert opened_with(config_context="HSS", ignore_config=True, interface="parrot") == {"channel": "default"}
    monkeypatch.setenv("CAN_CHANNEL_HSS", "c")
    assert opened_with(config_context="HSS") == {"channel": "c"}


@pytest.mark.usefixtures("virtual")
def test_a_misspelt_key_of_a_file_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "can.conf"
    path.write_text("[default]\ninterface=virtual\nchanel=a\n")
    with pytest.raises(UsageError) as caught:
        Bus()
    assert str(caught.value) == f'{path} [default]: interface "virtual" has no setting "chanel"'
    assert caught.value.hint == "did you mean channel?"
