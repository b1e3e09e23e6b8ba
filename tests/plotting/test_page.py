"""The page in a real browser: its pixels, its zoom, its values, and that it needs no network."""

from __future__ import annotations

import io
from array import array
from math import sin
from pathlib import Path

import pytest

from cantools_cli.plotting.page import page
from cantools_cli.plotting.series import Series
from tests.plotting.browser import Page, chromium, opened

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(chromium() is None, reason="no Chromium here"),
    pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning"),
]
POINTS = 1_000_000
PEAK = 654_321
#: the time of the first point, 10 us between two
BEGIN = 1_700_000_000_000_000_000


def series_of(label: str, values: array[float], **more) -> Series:
    times = array("q", range(BEGIN, BEGIN + 10_000 * len(values), 10_000))
    return Series(label, more.pop("unit", ""), times, values, added=len(values), **more)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Return an open page with a million points, one of them a peak, and with a signal of states."""
    folder = tmp_path_factory.mktemp("page")
    wave = array("d", [sin(at / 50_000) for at in range(POINTS)])
    wave[PEAK] = 40.0
    speed = series_of("Engine.Speed", wave, unit="rpm")
    names = {0: "Off", 1: "</script>", 2: "On"}
    gear = series_of("Gear", array("d", [0.0, 1.0, 2.0] * 30), names=names, is_step=True)
    gear.times = array("q", [BEGIN + at * 100_000_000 for at in range(90)])
    gear.gap_ns = 1_000_000_000
    path = folder / "page.html"
    path.write_text(page([speed, gear], BEGIN, "seconds", title="a <b> & c"))
    with opened(path, folder / "browser") as found:
        yield found


@pytest.fixture
def whole(shown: Page) -> Page:
    shown.value("view.series.forEach((one) => { one.shown = true; }); show(...view.all)")
    shown.mouse("mouseMoved", 5, 5)
    return shown


def pixels(shown: Page) -> tuple[int, set[tuple[int, int]]]:
    """Return the width of the page, and the places of the pixels in the colour of the first series."""
    import matplotlib.image

    picture = matplotlib.image.imread(io.BytesIO(shown.picture()), format="png")
    red, green, blue = (picture[:, :, index] for index in range(3))
    found = (red < 0.5) & (green > 0.25) & (green < 0.8) & (blue - red > 0.25)
    rows, columns = found.nonzero()
    return picture.shape[1], {*zip(columns.tolist(), rows.tolist(), strict=True)}


def view(shown: Page) -> tuple[float, float]:
    begin, end = shown.value("[view.from, view.to]")
    return begin, end


def x_of(shown: Page, seconds: float) -> float:
    return shown.value(
        f"LEFT + ({seconds} - view.from) / (view.to - view.from) * (canvas.clientWidth - LEFT - 12)"
    )


def test_the_page_asks_for_nothing_but_itself(whole):
    assert [address for address in whole.requests if not address.startswith("file:")] == []
    assert len(whole.requests) == 1


def test_all_points_arrive_exactly(whole):
    assert whole.value("view.series.map((one) => one.times.length)") == [POINTS, 90]
    assert whole.value(f"view.series[0].times[{PEAK}]") == PEAK * 1e-5
    assert whole.value(f"view.series[0].values[{PEAK}]") == 40
    assert whole.value("view.series[1].states") == [[0, "Off"], [1, "</script>"], [2, "On"]]
    assert whole.value("document.title") == "a <b> & c"


def test_one_peak_among_a_million_points_is_a_line_in_the_picture(whole):
    at = x_of(whole, PEAK * 1e-5)
    _, blue = pixels(whole)
    column = [y for x, y in blue if abs(x - at) <= 2 and y > 30]
    others = [y for x, y in blue if 15 < abs(x - at) < 300 and y > 30]
    assert min(column) + 100 < min(others), "the peak reaches far above the curve"
    assert len(column) > 100, "and is drawn without a hole"


def test_the_wheel_zooms_at_the_mouse_and_a_double_click_shows_all(whole):
    begin, end = view(whole)
    for _ in range(30):
        at = x_of(whole, PEAK * 1e-5)
        whole.mouse("mouseWheel", at, 150, deltaX=0, deltaY=-300)
    near, far = view(whole)
    assert begin < near < PEAK * 1e-5 < far < end
    assert far - near < 1e-3
    _, blue = pixels(whole)
    middle = [y for x, y in blue if abs(x - x_of(whole, PEAK * 1e-5)) <= 2 and y > 30]
    assert middle, "the peak is still there"
    for count in (1, 2):
        for kind in ("mousePressed", "mouseReleased"):
            whole.mouse(kind, 400, 150, button="left", clickCount=count)
    assert view(whole) == (begin, end)


def test_dragging_moves_by_the_distance_of_the_mouse(whole):
    begin, end = view(whole)
    whole.mouse("mouseMoved", 400, 150)
    whole.mouse("mousePressed", 400, 150, button="left", clickCount=1)
    whole.mouse("mouseMoved", 300, 150, button="left", buttons=1)
    whole.mouse("mouseReleased", 300, 150, button="left", clickCount=1)
    width = whole.value("canvas.clientWidth - LEFT - 12")
    moved = 100 / width * (end - begin)
    assert view(whole) == (pytest.approx(begin + moved), pytest.approx(end + moved))


def test_dragging_with_shift_zooms_to_the_box(whole):
    whole.mouse("mousePressed", 300, 150, button="left", clickCount=1, modifiers=8)
    whole.mouse("mouseMoved", 500, 150, button="left", buttons=1, modifiers=8)
    expected = whole.value("[timeAt(300), timeAt(500)]")
    whole.mouse("mouseReleased", 500, 150, button="left", clickCount=1, modifiers=8)
    assert [*view(whole)] == expected


def test_the_legend_shows_the_values_at_the_cursor(whole):
    whole.mouse("mouseMoved", x_of(whole, 4.05), 150)
    shown = whole.value("view.series.map((one) => one.field.textContent)")
    number = int(whole.value("view.cursor") * 100_000 + 1e-6)
    assert float(shown[0]) == pytest.approx(sin(number / 50_000), abs=1e-4)
    assert shown[1] == "</script>", "the name of the state, not its number"
    whole.mouse("mouseMoved", x_of(whole, 9.5), 150)
    assert whole.value("view.series[1].field.textContent") == "", "there is none after the last point"


def test_a_click_on_a_name_hides_its_series(whole):
    label = "document.querySelector('label')"
    x, y = whole.value(f"(({{ x, y }}) => [x + 20, y + 5])({label}.getBoundingClientRect())")
    _, before = pixels(whole)
    for kind in ("mousePressed", "mouseReleased"):
        whole.mouse(kind, x, y, button="left", clickCount=1)
    _, after = pixels(whole)
    assert len({place for place in after if place[1] > 30}) < len(before) / 10
    assert whole.value(f"{label}.className") == "off"


def test_a_gap_is_left_empty(tmp_path: Path):
    values = array("d", [float(at % 7) for at in range(200)])
    one = series_of("A", values, gap_ns=1_000_000)
    for at in range(100, 200):
        one.times[at] += 2_000_000
    path = tmp_path / "page.html"
    path.write_text(page([one], BEGIN, "seconds", title="gap"))
    with opened(path, tmp_path / "browser") as shown:
        left, right = x_of(shown, 0.00105), x_of(shown, 0.0029)
        _, blue = pixels(shown)
        places = {x for x, y in blue if y > 30}
        assert not {x for x in places if left + 3 < x < right - 3}
        assert {x for x in places if x < left - 20}
        assert {x for x in places if x > right + 20}
