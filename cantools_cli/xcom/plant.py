"""A simulated solar installation: the measurements of its devices in the course of a day.

The sun shines from six to eighteen, with some clouds; the load peaks in the morning and in the evening; the
battery takes the rest, and the mains help while it is low. The caller advances the time. Equal seeds and
times give equal values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

DAY = 86_400.0
STEP = 60.0  # maximum integration step in seconds
CAPACITY_AH = 400.0
_NOON = 5.5  # kW of the panels at noon
_LOW, _ENOUGH = 40.0, 60.0  # % of charge at which the mains are switched on and off


def _start(text: str) -> dict[int, float]:
    return {int(number): float(value) for number, _, value in (pair.partition("=") for pair in text.split())}


#: initial user infos, exact in single precision so that tests can compare bytes
START = {
    "xt": _start(
        "3000=51.8125 3001=22 3005=12.5 3007=87 3010=4 3011=231 3012=3.25 3017=32 3020=1 3021=230 "
        "3022=4.5 3028=2 3030=1 3049=1 3076=2.5 3078=1.25 3080=4.5 3081=3.75 3082=7.25 3083=5.5 "
        "3084=50 3085=50 3089=1 3124=1 3125=8000 3126=230 3127=48 3130=256 3131=1578 3136=1 3137=1.25 "
        "3138=1.3125 3139=1.0625 3156=4660 3157=22136"
    ),
    "vt": _start(
        "11000=51.875 11001=20.5 11002=96 11003=11.25 11004=1.0625 11005=22 11007=3.5 11011=6.25 "
        "11015=1 11016=8 11038=3 11047=9729 11050=256 11051=1578 11069=1"
    ),
    "vs": _start(
        "15000=51.875 15001=30.25 15002=3 15004=612 15010=1.5 15013=3 15017=4.75 15027=8.5 "
        "15074=13057 15077=256 15078=1578 15108=1"
    ),
    "bsp": _start(
        "7000=51.8125 7001=-12.5 7002=87 7003=-647.65625 7004=-1440 7005=24 7007=18.5 7008=42.25 "
        "7029=22.5 7034=10241 7035=48 7037=256 7038=1578"
    ),
    "bms": _start(
        "7000=51.8125 7001=-12.5 7002=87 7003=-647.65625 7029=22.5 7053=1 7054=1 7055=400 7057=98 "
        "7058=87 7061=57.5 7062=44 7063=120 7064=160 7065=80 7067=2 7068=10"
    ),
    "rcc": _start(""),
}
#: user infos that always equal a parameter of the device
FOLLOWED = {3021: 1286, 3017: 1107, 3085: 1112}


class Plant:
    """The energy flow between sun, battery, mains and load.

    ``seconds_of_day`` is the start time.
    """

    def __init__(self, seconds_of_day: float = 12 * 3600.0, seed: int = 1) -> None:
        self.time = seconds_of_day % DAY
        self.soc = 87.0
        self.mains = False
        self.current = 0.0  # A into the battery
        self.pv = 0.0  # kW
        self.load = 0.0  # kW
        self._phase = (seed * 2.399963) % math.tau  # the golden angle: different for all small seeds
        self.today = dict.fromkeys(("pv", "load", "mains", "discharge", "charged_ah", "discharged_ah"), 0.0)
        self.yesterday = dict(self.today, pv=14.75, load=7.25, mains=4.5, discharge=2.5)
        self._balance(0.0)

    @property
    def voltage(self) -> float:
        return 48.0 + 4.5 * self.soc / 100 + 0.012 * self.current

    @property
    def sun(self) -> float:
        """Irradiation from 0 to 1."""
        height = math.sin(math.pi * (self.time / 3600 - 6) / 12)
        cloud = 0.86 + 0.1 * math.sin(self.time / 911 + self._phase) + 0.04 * math.sin(self.time / 137)
        return max(0.0, height) * cloud

    def advance(self, seconds: float) -> None:
        """Simulate ``seconds`` of time."""
        left = max(0.0, seconds)
        while left > 0:
            step = min(left, max(STEP, seconds / 2000))  # larger steps bound the work for long times
            left -= step
            self._balance(step)

    def _balance(self, seconds: float) -> None:
        hour = self.time / 3600
        ripple = 0.12 * (1 + math.sin(self.time / 41 + self._phase))
        self.load = 0.45 + 1.3 * _peak(hour, 7.5, 1.2) + 2.2 * _peak(hour, 19.0, 1.8) + ripple
        full = self.soc >= 99.5
        self.pv = min(_NOON * self.sun, self.load) if full else _NOON * self.sun
        self.mains = self.soc < (_ENOUGH if self.mains else _LOW)
        from_mains = max(0.0, self.load + 1.0 - self.pv) if self.mains else 0.0
        self.current = (self.pv + from_mains - self.load) * 1000 / 50
        hours = seconds / 3600
        self.soc = min(100.0, max(5.0, self.soc + 100 * self.current * hours / CAPACITY_AH))
        self.today["pv"] += self.pv * hours
        self.today["load"] += self.load * hours
        self.today["mains"] += from_mains * hours
        direction = "charged_ah" if self.current > 0 else "discharged_ah"
        self.today[direction] += abs(self.current) * hours
        if self.current < 0:
            self.today["discharge"] -= self.current * self.voltage * hours / 1000
        self.time += seconds
        if self.time >= DAY:
            self.time %= DAY
            self.yesterday, self.today = self.today, dict.fromkeys(self.today, 0.0)

    def infos(self, family: str, share: float, ram: Mapping[int, float]) -> dict[int, float]:
        """Return the user infos of a device that contributes ``share`` of its family's power."""
        makes = {"xt": self._xtender, "vt": self._variotrack, "vs": self._variostring, "bsp": self._battery}
        make = makes.get("bsp" if family == "bms" else family)
        return {} if make is None else make(share, ram)

    def _xtender(self, share: float, ram: Mapping[int, float]) -> dict[int, float]:
        output = self.load * share
        volts = ram.get(1286, 230.0)
        mains = max(0.0, (self.load + 1.0 - self.pv) * share) if self.mains else 0.0
        return {
            3000: _grid(self.voltage, 64),
            3001: _grid(22 + 6 * self.sun, 8),
            3005: _grid(mains * 1000 / 50 - (0 if self.mains else output * 1000 / 50), 16),
            3007: _grid(self.soc, 2),
            3010: 4 if self.soc > 97 else 2 if self.soc > 90 else 1,
            3011: _grid(231 + 1.5 * math.sin(self.time / 613), 4) if self.mains else 0,
            3012: _grid(mains * 1000 / 231, 16),
            3020: 1 if self.mains else 0,
            3022: _grid(output * 1000 / (volts or 230), 16),
            3028: 2 if self.mains else 1,
            3078: _grid(self.today["discharge"] * share, 16),
            3076: _grid(self.yesterday["discharge"] * share, 16),
            3080: _grid(self.yesterday["mains"] * share, 16),
            3081: _grid(self.today["mains"] * share, 16),
            3082: _grid(self.yesterday["load"] * share, 16),
            3083: _grid(self.today["load"] * share, 16),
            3084: _grid(50 + 0.04 * math.sin(self.time / 97), 64) if self.mains else 0,
            3136: _grid(output, 64),
            3137: _grid(mains, 64),
            3138: _grid(mains * 1.05, 64),
            3139: _grid(output * 1.06, 64),
        }

    def _variotrack(self, share: float, ram: Mapping[int, float]) -> dict[int, float]:
        power = self.pv * share
        volts = 40 + 56 * min(1.0, 4 * self.sun)
        return {
            11000: _grid(self.voltage + 0.0625, 64),
            11001: _grid(power * 1000 / self.voltage, 16),
            11002: _grid(volts if self.sun > 0 else 0, 4),
            11003: _grid(power * 1000 / volts, 16),
            11004: _grid(power, 64),
            11005: _grid(22 + 6 * self.sun, 8),
            11007: _grid(self.today["pv"] * share, 16),
            11011: _grid(self.yesterday["pv"] * share, 16),
            11016: 8 if self.sun > 0 else 0,
        }

    def _variostring(self, share: float, ram: Mapping[int, float]) -> dict[int, float]:
        power = self.pv * share
        return {
            15000: _grid(self.voltage + 0.0625, 64),
            15001: _grid(power * 1000 / self.voltage, 16),
            15004: _grid(250 + 362 * min(1.0, 4 * self.sun) if self.sun > 0 else 0, 4),
            15010: _grid(power, 64),
            15013: 3 if self.sun > 0 else 0,
            15017: _grid(self.today["pv"] * share, 16),
            15027: _grid(self.yesterday["pv"] * share, 16),
        }

    def _battery(self, share: float, ram: Mapping[int, float]) -> dict[int, float]:
        hours_left = CAPACITY_AH * self.soc / 100 / max(0.1, -self.current)
        return {
            7000: _grid(self.voltage, 64),
            7001: _grid(self.current, 16),
            7002: _grid(self.soc, 2),
            7003: _grid(self.current * self.voltage, 32),
            7004: math.nan if self.current >= 0 else max(-60000.0, float(-int(60 * hours_left))),
            7007: _grid(self.today["charged_ah"], 4),
            7008: _grid(self.today["discharged_ah"], 4),
            7029: _grid(22.5 + abs(self.current) / 40, 4),
        }


def _peak(hour: float, at: float, width: float) -> float:
    return math.exp(-(((hour - at) / width) ** 2))


def _grid(value: float, parts: int) -> float:
    """Round ``value`` to multiples of ``1 / parts``, like fixed point in a device."""
    return round(value * parts) / parts
