"""``canx plot``: signals, bytes and figures of frames over time, as a picture, a page, or in the terminal."""

from __future__ import annotations

import shutil
from typing import Annotated, Any

from cantools_cli.console import options
from cantools_cli.console.chain import FilterChain, Filters, TimeSpan
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.inputs import Inputs, check_not_read
from cantools_cli.console.options import option
from cantools_cli.console.progress import Progress
from cantools_cli.console.report import use_colour
from cantools_cli.console.run import Run
from cantools_cli.console.sources import ReadOptions
from cantools_cli.errors import UsageError, quoted
from cantools_cli.units import bitrate, duration_ns

_Series = Annotated[
    list[str] | None,
    option(
        "--series -s",
        "NAME",
        "Message.Signal, a pattern of these, bytes such as 123[2:4], rate, rate:123, load, period:123. "
        "Repeatable.",
    ),
]
_To = Annotated[str | None, option("--to", "FORM", "png, svg, html or text; else by the suffix of -o.")]
_Interval = Annotated[str, option("--interval", "TIME", "Time over which a rate or a load is taken.")]
_Gap = Annotated[
    str, option("--gap", "TIME", "Longest time between connected points; auto: 10 periods; none: any.")
]
_Points = Annotated[int | None, option("--points", "N", "Keep at most N points of each series, peaks first.")]
_Title = Annotated[str | None, option("--title", "TEXT", "Title of the picture; the names of the logs.")]
_Size = Annotated[str | None, option("--size", "WxH", "Pixels of a picture, characters of text.")]
_Color = Annotated[str, option("--color", "auto|always|never", "Colour of text.")]


def plot_command(
    files: options.Files = None,
    series: _Series = None,
    output: options.Output = None,
    to_form: _To = None,
    from_format: options.From = None,
    *,
    databases: DatabaseOptions,
    filters: Filters,
    span: TimeSpan,
    count: options.Count = None,
    rate: options.Bitrate = None,
    data_rate: options.DataBitrate = None,
    interval: _Interval = "1s",
    gap: _Gap = "auto",
    points: _Points = None,
    title: _Title = None,
    size: _Size = None,
    color: _Color = "auto",
    force: options.Force = False,
    reading: ReadOptions,
    run: Run,
) -> int:
    """Plot signals, bytes or the figures of frames over time.

    Without -o in the terminal; -o FILE.png, .svg or .html writes a picture, or a page to zoom in that
    needs no network. Any number of frames is plotted in bounded memory, and no peak is lost. Without -s,
    all signals of the database, or the frame rate.

    \b
    canx plot drive.log --dbc car.dbc -s Engine.Speed
    canx plot drive.log --dbc car.dbc -s 'Engine.*' -o engine.png
    canx plot drive.blf -s '123[2:4],factor=0.1,unit=V' -o page.html
    canx plot drive.asc -s load --bitrate 500k -s period:123
    """
    from cantools_cli.console import plots
    from cantools_cli.plotting.feeds import Feeds, Settings

    names = files or ["-"]
    form = plots.output_form(output, to_form)
    check_not_read(output, names)
    plots.check_output(output, form, force=force)
    options.checked(color, "--color", ("auto", "always", "never"))
    pixels = _parsed_size(size)
    loaded = databases.load(run.report)
    choice = plots.Choice(series or [], loaded)
    settings = Settings(
        plots.points_limit(form, points, choice.count),
        _positive_ns(interval, "--interval"),
        *_bit_seconds(rate, data_rate, choice.figures),
        None if gap == "auto" else 0 if gap == "none" else duration_ns(gap),
    )
    feeds = Feeds(choice.of_channel, settings)
    selection = filters.selection(run.report, reading.tz, loaded, shows_signals=True)
    chain = FilterChain(selection, *span.moments(reading.tz), count=count)
    skipped = _feed(feeds, names, chain, reading.of_format(from_format), run)
    found = feeds.series()
    if not found or feeds.first_ns is None:
        raise UsageError("nothing to plot: no frame has any of the series", hint="canx sniff --once FILE")
    plots.report_series(found, feeds.short, run.report)
    found = plots.limited(found, form, run.report)
    axis = plots.axis_label(feeds.first_ns, reading.tz)
    text = title if title is not None else ", ".join(name for name in names if name != "-")
    data = _drawn(form, found, feeds.first_ns, axis, text, pixels, color, output)
    plots.write_output(output, data, force=force, report=run.report)
    return run.status(reading.strict and skipped)


def _feed(feeds: Any, names: list[str], chain: FilterChain, reading: ReadOptions, run: Run) -> int:
    """Read the frames; return the number of malformed records skipped."""
    with run, Inputs(names, run.interruption, run.report, reading) as inputs:
        progress = Progress(
            lambda: (inputs.consumed, inputs.size),
            lambda: chain.taken,
            share=chain.share,
            quiet=run.quiet,
            to_stdout=False,
        )
        with progress, inputs.batches_ahead() as batches:
            for batch in batches:
                feeds.add(chain.select(batch))
                progress.update()
                if chain.is_done or run.interruption.requested:
                    break
        run.report.faults(inputs.skipped, inputs.first_fault)
        return inputs.skipped


def _drawn(
    form: str,
    series: list[Any],
    origin_ns: int,
    axis: str,
    title: str,
    size: tuple[int, int] | None,
    color: str,
    output: str | None,
) -> bytes:
    from cantools_cli.console.plots import picture_bytes

    if form == "html":
        from cantools_cli.plotting.page import page

        return page(series, origin_ns, axis, title=title or "canx plot").encode()
    if form == "text":
        from cantools_cli.plotting.terminal import draw

        if size is None:
            terminal = shutil.get_terminal_size()
            size = terminal.columns, max(terminal.lines - 1, 10)
        colour = use_colour(color, 1) if output in (None, "-") else color == "always"
        return draw(series, origin_ns, axis, width=size[0], height=size[1], is_coloured=colour).encode()
    from cantools_cli.plotting import picture

    return picture_bytes(
        form, lambda file: picture.write(file, form, series, origin_ns, axis, title=title, size=size)
    )


def _positive_ns(text: str, name: str) -> int:
    nanoseconds = duration_ns(text)
    if not nanoseconds:
        raise UsageError(f"{name} {text} must be greater than 0")
    return nanoseconds


def _bit_seconds(rate: str | None, data_rate: str | None, kinds: set[str]) -> tuple[float, float]:
    """Return the seconds of a bit, and of one of the data of a CAN FD frame."""
    if "load" not in kinds:
        options.check_effect(
            {"--bitrate": rate, "--data-bitrate": data_rate}, "only load needs it", "-s load"
        )
        return 0.0, 0.0
    if rate is None:
        raise UsageError("load needs the bit rate", hint="--bitrate 500k")
    nominal = bitrate(rate)
    return 1 / nominal, 1 / (bitrate(data_rate) if data_rate else nominal)


def _parsed_size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, mark, height = text.lower().partition("x")
    if not (mark and width.isdecimal() and height.isdecimal()):
        raise UsageError(f"bad --size {quoted(text)}", hint="--size 1200x800")
    if not (20 <= int(width) <= 20_000 and 8 <= int(height) <= 20_000):
        raise UsageError(f"--size {text} is not 20x8 to 20000x20000")
    return int(width), int(height)
