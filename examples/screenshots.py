"""Create the pictures of the README with the real program: ``make screenshots``."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["CANX_NET"] = f"screenshots-{os.getpid()}"

from cantools_cli.console.buses import BusOptions
from cantools_cli.console.report import Report
from cantools_cli.console.sniff_screen import Stop
from cantools_cli.console.watching import WatchedBuses
from cantools_cli.filtering.selection import Selection
from cantools_cli.screen.app import SniffApp
from cantools_cli.screen.look import Look
from cantools_cli.screen.session import ScreenSession
from cantools_cli.sniff.view import View

BUS = "virtual:vcan0"
#: the traffic on the bus: options of ``canx gen``
TRAFFIC = (
    "-I 0C1 -L 8 -D i -g 10ms",
    "-I 1A4 -L 8 -D 00xx00001122xx33 -g 20ms",
    "-I 2F0 -L 4 -D 4F4Bx000 -g 100ms",
    "-I 3E8 -L 6 -D 0102030405xx -g 50ms",
    "-e -I 18FEF100 -L 8 -D FFxxFFFFFFFFFFFF -g 100ms",
    "-I 5A0 -b -L 9 -D i -g 200ms",
    "-I 7DF -R -L 8 -g 500ms",
)
SECONDS = 8.0


async def take(path: Path) -> None:
    """Watch a bus with traffic for a few seconds, and write the screen to ``path``."""
    options = BusOptions(bitrate="500k")
    with Stop() as stop, WatchedBuses([BUS], options, Selection(), Report(quiet=True), stop) as source:
        session = ScreenSession(source.batches, stop=stop.stop)
        session.missed = source.missed
        app = SniffApp(session, View(), Look(), BUS)
        session.start(source.speeds)
        senders = [
            subprocess.Popen([str(Path(sys.executable).with_name("canx")), "gen", BUS, *words.split()])
            for words in TRAFFIC
        ]
        try:
            async with app.run_test(size=(84, 14)) as pilot:
                await pilot.pause(SECONDS)
                app.draw()
                await pilot.pause()
                path.write_text(app.export_screenshot(title="canx sniff virtual:vcan0"))
        finally:
            for sender in senders:
                sender.terminate()
                sender.wait()
            session.stop()


#: the database of the plots
DATABASE = """VERSION ""
BO_ 256 Engine: 8 ECU
 SG_ Speed : 0|16@1+ (0.25,0) [0|16000] "rpm" Dash
 SG_ Temperature : 16|8@1+ (1,-40) [-40|215] "degC" Dash
 SG_ Gear : 24|4@1+ (1,0) [0|7] "" Dash
VAL_ 256 Gear 0 "Neutral" 1 "First" 2 "Second" 3 "Third" ;
"""


def drive() -> str:
    """Return a log of a minute: the engine speeds up in each gear; one reading is wrong, some are missing."""
    lines = []
    for at in range(6000):
        seconds = at / 100
        if 43 < seconds < 47:
            continue
        gear = (0, 1, 2, 3, 2, 1)[at // 1000]
        speed = 800 if gear == 0 else 1500 + 2500 * (seconds % 10 / 10) ** 0.7
        speed = 7800 if at == 2345 else speed + 40 * math.sin(seconds * 9)
        data = int(speed * 4).to_bytes(2, "little") + bytes(
            [int(60 + 70 * (1 - math.exp(-seconds / 15))), gear]
        )
        lines.append(f"({1_760_000_000 + seconds:.6f}) can0 100#{data.hex().upper()}\n")
    return "".join(lines)


def put_into_readme(readme: Path, text: str) -> None:
    """Replace the picture of text in ``readme``."""
    before, mark, rest = readme.read_text().partition("```text\n")
    readme.write_text(before + mark + text + "```" + rest.partition("```")[2])


def plots(folder: Path) -> None:
    """Write the picture of ``canx plot``, that of its page in a browser, and its text."""
    from tests.plotting.browser import chromium, opened

    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        (work / "car.dbc").write_text(DATABASE)
        (work / "drive.log").write_text(drive())
        command = [str(Path(sys.executable).with_name("canx")), "plot", "drive.log", "--dbc", "car.dbc"]
        for words in (
            ["-o", str(folder / "plot.png"), "--size", "1000x420", "--force"],
            ["-s", "Speed", "-s", "Gear", "--size", "76x18", "-o", "plot.txt"],
            ["-o", "page.html"],
        ):
            subprocess.run([*command, *words], cwd=work, check=True)
        put_into_readme(folder.parent / "README.md", (work / "plot.txt").read_text())
        if chromium() is None:
            print("no Chromium here: the picture of the page stays as it is")
            return
        with opened(work / "page.html", work / "browser") as page:
            for _ in range(4):
                page.mouse("mouseWheel", 440, 100, deltaX=0, deltaY=-200)
            page.mouse("mouseMoved", 520, 100)
            (folder / "plot-page.png").write_bytes(page.picture())


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here.parent))  # the browser of the tests
    plots(here)
    asyncio.run(take(here / "sniff.svg"))
