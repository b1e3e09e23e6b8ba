"""Create the screenshots of the README with the real program: ``make screenshots``."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

os.environ["CANX_NET"] = f"screenshots-{os.getpid()}"

from cantools_cli.console.buses import BusOptions
from cantools_cli.console.report import Report
from cantools_cli.console.sniff_screen import Stop
from cantools_cli.console.watching import WatchedBuses
from cantools_cli.filtering.selection import Selection
from cantools_cli.screen.app import SniffApp
from cantools_cli.screen.look import Look
from cantools_cli.screen.session import Session
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
        session = Session(source.batches, stop=stop.stop)
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


if __name__ == "__main__":
    asyncio.run(take(Path(__file__).with_name("sniff.svg")))
