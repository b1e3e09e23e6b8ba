"""python-can's documented utilities."""

from __future__ import annotations

import logging
import time
import warnings

import can.util
import pytest

from cantools_cli import util


@pytest.mark.parametrize("channel", ["can0", "CAN12", 3, None, "0x10", "vcan", "a1b", "can 5 ", ""])
def test_the_number_of_a_channel_is_python_can_s(channel: str | int | None) -> None:
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
        assert function(old=3) == 3  # type: ignore[call-arg]
    with pytest.warns(DeprecationWarning, match="'useless' argument is deprecated.$"):
        assert function(new=4, useless=5) == 4  # type: ignore[call-arg]
    assert function.__doc__ == "Say what it does."


def test_an_old_keyword_beside_the_new_one_is_refused() -> None:
    @util.deprecated_args_alias("4.2.0", "5.0.0", old="new")
    def function(new: int) -> int:
        return new

    with pytest.raises(TypeError, match=r"received both 'old' \(deprecated\) and 'new'"):
        function(old=3, new=4)  # type: ignore[call-arg]
    with pytest.warns(DeprecationWarning, match="since version 4.2.0, and will be removed in version 5.0.0"):
        function(old=3)  # type: ignore[call-arg]


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
