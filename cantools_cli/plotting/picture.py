"""PNG and SVG pictures of series, by matplotlib."""

from __future__ import annotations

from array import array
from typing import Any, BinaryIO

from cantools_cli.errors import UsageError
from cantools_cli.plotting.series import END, Panel, Series, panels

_DPI = 100
#: colours that differ for everybody, also in grey
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d", "#444444")
#: a curve of fewer points shows each of them
_FEW = 40


def write(
    file: BinaryIO,
    form: str,
    series: list[Series],
    origin_ns: int,
    axis: str,
    *,
    title: str = "",
    size: tuple[int, int] | None = None,
) -> None:
    """Write the picture of ``series``; ``form`` is png or svg, ``size`` its pixels.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(
            "pictures need matplotlib, which is not installed", hint="pip install 'canx[plot]'"
        ) from error
    rows = panels(series)
    heights = [_height(panel) for panel in rows]
    width, height = size or (1200, int(90 + 150 * sum(heights)))
    style: Any = {"svg.hashsalt": "canx", "svg.fonttype": "none", "axes.formatter.useoffset": False}
    with mpl.rc_context(style):
        figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, layout="constrained")
        axes = figure.subplots(len(rows), 1, sharex=True, squeeze=False, height_ratios=heights)
        colour = 0
        for panel, (axis_of_panel,) in zip(rows, axes, strict=True):
            _draw_panel(axis_of_panel, panel, origin_ns, colour)
            colour += len(panel.series)
        axes[-1][0].set_xlabel(axis)
        if title:
            figure.suptitle(title.replace("$", r"\$"), fontsize=11)
        metadata = {"Date": None} if form == "svg" else {"Software": "canx"}
        figure.savefig(file, format=form, metadata=metadata)


def _height(panel: Panel) -> float:
    return max(0.5, min(1.2, 0.2 + 0.12 * len(panel.states))) if panel.states else 1.0


def _draw_panel(axes: Any, panel: Panel, origin_ns: int, colour: int) -> None:
    for index, series in enumerate(panel.series):
        _draw_series(axes, series, origin_ns, COLOURS[(colour + index) % len(COLOURS)])
    low, high = panel.limits
    margin = 0.06 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    axes.set_ylabel(
        panel.title.replace("$", r"\$"), fontsize=9, rotation="horizontal", ha="right", va="center"
    )
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if panel.states:
        names = [name.replace("$", r"\$") for name in panel.states.values()]
        axes.set_yticks(list(panel.states), names)
    if len(panel.series) > 1:
        axes.legend(fontsize=8, loc="upper right", framealpha=0.8)


def _draw_series(axes: Any, series: Series, origin_ns: int, colour: str) -> None:
    seconds = array("d", [(time - origin_ns) / 1e9 for time in series.times])
    values = array("d", [min(max(value, -END), END) for value in series.values])  # NaN stays
    label: str | None = series.label.replace("$", r"\$")
    style = "steps-post" if series.is_step else "default"
    parts = [*series.segments()]
    shows_points = len(series.times) <= _FEW
    for begin, end in parts:
        marker = "." if shows_points or end - begin == 1 else None
        axes.plot(
            seconds[begin:end],
            values[begin:end],
            color=colour,
            linewidth=1.1,
            drawstyle=style,
            marker=marker,
            markersize=4,
            label=label,
        )
        label = None
