"""The bit timing that Linux chooses for a controller, in integer arithmetic.

Sample points are in tenths of a percent. The calculated sample point is never later than the wanted one.

Sources: the controllers' data sheets as Linux drivers quote them (limits); CiA (default sample points); the
calculation of Linux since version 6.3 (order of the search).
"""

from __future__ import annotations

from typing import NamedTuple

#: the largest permitted error of the bit rate, 5 %
_MAX_ERROR_PERMILLE = 50


class Limits(NamedTuple):
    """The ranges of a controller's registers; ``brp`` is a multiple of ``brp_step``."""

    tseg1: tuple[int, int]
    tseg2: tuple[int, int]
    max_sjw: int
    brp: tuple[int, int]
    brp_step: int = 1


class Controller(NamedTuple):
    """A kind of controller; ``data`` are the limits of its CAN FD data phase, if it has one."""

    nominal: Limits
    data: Limits | None = None


class CalculatedTiming(NamedTuple):
    """One phase as Linux describes it: times in quanta, ``tq`` in ns, points in tenths of a percent."""

    tq: int
    prop_seg: int
    phase_seg1: int
    phase_seg2: int
    sjw: int
    brp: int
    bitrate: int
    sample_point: int
    wanted_sample_point: int


def _wide(max_tseg1: int, max_tseg2: int, max_sjw: int, max_brp: int) -> Limits:
    return Limits((1, max_tseg1), (1, max_tseg2), max_sjw, (1, max_brp))


CONTROLLERS = {
    "sja1000": Controller(_wide(16, 8, 4, 64)),
    "mcp251x": Controller(Limits((3, 16), (2, 8), 4, (1, 64))),
    "hi311x": Controller(Limits((2, 16), (2, 8), 4, (1, 64))),
    "bxcan": Controller(_wide(16, 8, 4, 1024)),
    "c_can": Controller(Limits((2, 16), (1, 8), 4, (1, 1024))),
    "flexcan": Controller(Limits((4, 16), (2, 8), 4, (1, 256))),
    "flexcan_fd": Controller(Limits((2, 96), (2, 32), 16, (1, 1024)), Limits((2, 39), (2, 8), 4, (1, 1024))),
    "mscan": Controller(Limits((4, 16), (2, 8), 4, (1, 64))),
    "at91": Controller(Limits((4, 16), (2, 8), 4, (2, 128))),
    "ti_hecc": Controller(_wide(16, 8, 4, 256)),
    "softing": Controller(_wide(16, 8, 4, 32)),
    "m_can_3.0": Controller(Limits((2, 64), (1, 16), 16, (1, 1024)), Limits((2, 16), (1, 8), 4, (1, 32))),
    "m_can": Controller(Limits((2, 256), (2, 128), 128, (1, 512)), _wide(32, 16, 16, 32)),
    "mcp251xfd": Controller(Limits((2, 256), (1, 128), 128, (1, 256)), _wide(32, 16, 16, 256)),
    "peak": Controller(_wide(256, 128, 128, 1024), _wide(32, 16, 16, 1024)),
    "kvaser_pciefd": Controller(_wide(512, 32, 16, 8192), _wide(512, 32, 16, 8192)),
    "kvaser_usb": Controller(_wide(255, 32, 16, 8192), _wide(255, 32, 16, 8192)),
    "xilinx_can_fd": Controller(_wide(64, 16, 16, 256), _wide(16, 8, 8, 256)),
    "xilinx_can_fd2": Controller(
        Limits((1, 256), (1, 128), 128, (2, 256)), Limits((1, 32), (1, 16), 16, (2, 256))
    ),
    "rockchip_canfd": Controller(
        Limits((1, 256), (1, 128), 128, (2, 256), 2), Limits((1, 32), (1, 16), 16, (2, 256), 2)
    ),
    "rcar_canfd": Controller(Limits((2, 128), (2, 32), 32, (1, 1024)), Limits((2, 16), (2, 8), 8, (1, 256))),
    "ifi_canfd": Controller(
        Limits((1, 256), (2, 256), 128, (2, 512)), Limits((1, 256), (2, 256), 128, (2, 512))
    ),
    "cantact": Controller(_wide(16, 8, 4, 1024), _wide(16, 8, 4, 1024)),
}


def default_sample_point(bitrate: int) -> int:
    """Return the sample point that CiA recommends for ``bitrate``, in tenths of a percent."""
    if bitrate > 800_000:
        return 750
    return 800 if bitrate > 500_000 else 875


def calculate(
    f_clock: int, bitrate: int, limits: Limits, sample_point: int | None = None
) -> CalculatedTiming | None:
    """Return the timing closest to ``bitrate``, then to ``sample_point``; None if no timing is close.

    ``f_clock`` is in Hz, ``sample_point`` in tenths of a percent (default: CiA's).

    Raises:
        ValueError: ``f_clock`` or ``bitrate`` is not positive.
    """
    if f_clock < 1 or bitrate < 1:
        raise ValueError(f"clock {f_clock} Hz and bit rate {bitrate} bit/s must be positive")
    wanted = sample_point or default_sample_point(bitrate)
    best = _search(f_clock, bitrate, limits, wanted)
    if best is None:
        return None
    segments, brp = best
    tseg1, tseg2, reached, _ = _split(segments, wanted, limits)
    phase_seg1 = tseg1 - tseg1 // 2
    sjw = max(1, min(phase_seg1, tseg2 // 2))
    if sjw > min(limits.max_sjw, phase_seg1, tseg2):
        return None
    return CalculatedTiming(
        tq=brp * 1_000_000_000 // f_clock,
        prop_seg=tseg1 // 2,
        phase_seg1=phase_seg1,
        phase_seg2=tseg2,
        sjw=sjw,
        brp=brp,
        bitrate=f_clock // (brp * (1 + segments)),
        sample_point=reached,
        wanted_sample_point=wanted,
    )


def _search(f_clock: int, bitrate: int, limits: Limits, wanted: int) -> tuple[int, int] | None:
    """Return the quanta after the sync quantum and the prescaler, or None for an error above 5 %."""
    best: tuple[int, int] | None = None
    best_error: int | None = None
    best_distance: int | None = None
    longest, shortest = limits.tseg1[1] + limits.tseg2[1], limits.tseg1[0] + limits.tseg2[0]
    for doubled in range(2 * longest + 1, 2 * shortest - 1, -1):  # with brp rounded up, then down
        segments = doubled // 2
        brp = f_clock // ((1 + segments) * bitrate) + doubled % 2
        brp = brp // limits.brp_step * limits.brp_step
        if not limits.brp[0] <= brp <= limits.brp[1]:
            continue
        error = abs(bitrate - f_clock // (brp * (1 + segments)))
        if best_error is not None and error > best_error:
            continue
        if best_error is None or error < best_error:
            best_distance = None
        distance = _split(segments, wanted, limits)[3]
        if distance is None or (best_distance is not None and distance >= best_distance):
            continue
        best, best_error, best_distance = (segments, brp), error, distance
        if error == 0 and distance == 0:
            break
    if best_error is None or best_error * 1000 // bitrate > _MAX_ERROR_PERMILLE:
        return None
    return best


def _split(segments: int, wanted: int, limits: Limits) -> tuple[int, int, int, int | None]:
    """Return (tseg1, tseg2, sample point, its distance) of the best split not later than ``wanted``.

    A distance of None means that no split is valid.
    """
    best: tuple[int, int, int, int | None] = (0, 0, 0, None)
    total = segments + 1
    for later in (0, 1):
        tseg2 = total - wanted * total // 1000 - later
        tseg2 = max(limits.tseg2[0], min(tseg2, limits.tseg2[1]))
        tseg1 = segments - tseg2
        if tseg1 > limits.tseg1[1]:
            tseg1 = limits.tseg1[1]
            tseg2 = segments - tseg1
        reached = 1000 * (total - tseg2) // total
        distance = wanted - reached
        if tseg1 < limits.tseg1[0] or distance < 0:
            continue
        if best[3] is None or distance < best[3]:
            best = (tseg1, tseg2, reached, distance)
    return best
