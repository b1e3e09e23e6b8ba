"""python-can's documented utilities."""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

import can.util
import pytest

from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bus.base import BusState
from cantools_cli.errors import CanInitializationError, CanInterfaceNotImplementedError
from cantools_cli.python_can import util


@pytest.mark.parametrize("channel", ["can0", "CAN12", 3, None, "0x10", "vcan", "a1b", "can 5 ", "", [0, 1]])
def test_the_number_of_a_channel_is_python_can_s(channel: Any) -> None:
    assert util.channel2int(channel) == can.util.channel2int(channel)


@pytest.mark.parametrize("code", range(16))
def test_length_codes_are_python_can_s(code: int) -> None:
    assert util.dlc2len(code) == can.util.dlc2len(code)
    assert util.len2dlc(util.dlc2len(code)) == code


def test_an_old_keyword_works_and_warns() -> None:
    @util.deprecated_args_alias(old="new", useless=None)
    def function(new: int) -> int:
        """Say what it does."""
        return new

    with pytest.warns(DeprecationWarning, match="'old' argument is deprecated. Use 'new' instead"):
        assert function(old=3) == 3  # type: ignore[call-arg]  # the decorator accepts it
    with pytest.warns(DeprecationWarning, match="'useless' argument is deprecated.$"):
        assert function(new=4, useless=5) == 4  # type: ignore[call-arg]  # the decorator accepts it
    assert function.__doc__ == "Say what it does."


def test_an_old_keyword_beside_the_new_one_is_refused() -> None:
    @util.deprecated_args_alias("4.2.0", "5.0.0", old="new")
    def function(new: int) -> int:
        return new

    with pytest.raises(TypeError, match=r"received both 'old' \(deprecated\) and 'new'"):
        function(old=3, new=4)  # type: ignore[call-arg]  # the decorator accepts it
    with pytest.warns(DeprecationWarning, match="since version 4.2.0, and will be removed in version 5.0.0"):
        function(old=3)  # type: ignore[call-arg]  # the decorator accepts it


def test_a_new_keyword_does_not_warn() -> None:
    @util.deprecated_args_alias(old="new")
    def function(new: int) -> int:
        return new

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert function(3) == function(new=3) == 3


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("critical", 50),
        ("error", 40),
        ("WARNING", 30),
        ("info", 20),
        ("debug", 10),
        ("subdebug", 9),
        (None, 10),
    ],
)
def test_logging_levels_have_names(name: str | None, level: int) -> None:
    logger = logging.getLogger("can")
    before = logger.level
    try:
        util.set_logging_level(name)
        assert logger.level == level
    finally:
        logger.setLevel(before)


def test_both_clocks_are_read_at_one_moment() -> None:
    before = time.time(), time.perf_counter()
    wall, counter = util.time_perfcounter_correlation()
    assert before[0] <= wall <= time.time()
    assert before[1] <= counter <= time.perf_counter()
    assert util.time_perfcouter_correlation is util.time_perfcounter_correlation


def test_a_coarse_clock_is_read_when_it_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([5.0, 5.0, 5.0, 5.015])
    monkeypatch.setattr(time, "get_clock_info", lambda name: type("Info", (), {"resolution": 0.015}))
    monkeypatch.setattr(time, "time", lambda: next(ticks))
    assert util.time_perfcounter_correlation()[0] == 5.015


TIMING = {"f_clock": 8_000_000, "brp": 1, "tseg1": 5, "tseg2": 2, "sjw": 1, "nof_samples": 1}


@pytest.mark.parametrize(
    "clocks", [[8_000_000], [16_000_000], [3_000_000, 20_000_000, 16_000_000], [3_000_000]]
)
def test_a_timing_is_fitted_to_a_clock_as_python_can_does(clocks: list[int]) -> None:
    def fitted(check: Any, kind: Any) -> tuple[object, list[str]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                timing = dict(check(kind(**TIMING), clocks))
            except (CanInitializationError, can.CanInitializationError) as error:
                return str(error), []
            return timing, [str(warning.message) for warning in caught]

    ours = fitted(util.check_or_adjust_timing_clock, BitTiming)
    assert ours == fitted(can.util.check_or_adjust_timing_clock, can.BitTiming)


def test_an_adjusted_clock_is_told() -> None:
    with pytest.warns(UserWarning, match="from 8000000 to 16000000"):
        assert util.check_or_adjust_timing_clock(BitTiming(**TIMING), iter([16_000_000])).brp == 2


#: configuration, and what differs in the result
CONFIGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"interface": "virtual"}, {"channel": None}),
    ({"interface": "virtual", "port": "12", "fd": "no"}, {"channel": None, "port": 12, "fd": False}),
    ({"interface": "virtual", "channel": 1, "state": "PASSIVE"}, {"state": BusState.PASSIVE}),
    ({"interface": "virtual", "channel": 1, **TIMING}, {"timing": BitTiming(**TIMING)}),
]


@pytest.mark.parametrize(("config", "changed"), CONFIGS)
def test_a_configuration_gets_its_documented_types(config: dict[str, Any], changed: dict[str, Any]) -> None:
    before = dict(config)
    assert util._create_bus_config(config) == {**config, **changed}
    assert config == before


@pytest.mark.parametrize("config", [{"interface": "nothing"}, {"channel": "can0"}])
def test_a_configuration_needs_an_interface(config: dict[str, Any]) -> None:
    with pytest.raises(CanInterfaceNotImplementedError, match="Unknown interface type"):
        util._create_bus_config(config)
