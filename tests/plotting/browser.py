"""A headless Chromium, driven by the DevTools protocol over a pair of pipes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-sync"),
    *("--force-device-scale-factor=1", "--remote-debugging-pipe"),
)


def chromium() -> str | None:
    """Return the path of the browser, None if there is none."""
    return next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)


class Page:
    """One page of the browser."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._numbers = count(1)
        self._text = b""
        self._session: str | None = None
        self.requests: list[str] = []  #: addresses that the page asked for

    def call(self, method: str, **params: Any) -> Any:
        """Return the result of a command of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while True:
            answer = self._next()
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> Any:
        while b"\0" not in self._text:
            more = os.read(self._from, 1 << 20)
            assert more, "the browser ended"
            self._text += more
        text, _, self._text = self._text.partition(b"\0")
        return json.loads(text)

    def open(self, path: Path) -> None:
        """Open a file and wait until it has drawn its plot."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Network.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride", width=1000, height=600, deviceScaleFactor=1, mobile=False
        )
        self.call("Page.navigate", url=path.as_uri())
        self.value("""new Promise((done) => { const look = () =>
            typeof view === "object" && view.ready ? done(true) : setTimeout(look, 5); look(); })""")

    def value(self, script: str) -> Any:
        """Return the value of an expression, after its promise is kept."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def drawn(self) -> None:
        """Wait until the browser has shown what was drawn."""
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Move or press the mouse, or turn its wheel, and wait for the next picture."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)
        self.drawn()

    def picture(self) -> bytes:
        """Return the page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


@contextmanager
def opened(path: Path, folder: Path) -> Iterator[Page]:
    """Open the file ``path`` in a new browser, whose files are in ``folder``."""
    program = chromium()
    assert program is not None
    (their_in, to_browser), (from_browser, their_out) = os.pipe(), os.pipe()

    def use_3_and_4() -> None:
        first, second = os.dup(their_in), os.dup(their_out)
        os.dup2(first, 3)
        os.dup2(second, 4)

    prepare: Callable[[], None] = use_3_and_4
    browser = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
        preexec_fn=prepare,  # noqa: PLW1509  # the browser needs these two numbers
        pass_fds=(3, 4),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder)},
    )
    os.close(their_in)
    os.close(their_out)
    page = Page(to_browser, from_browser)
    try:
        page.open(path)
        yield page
        page._session = None
        with suppress(AssertionError, OSError):
            page.call("Browser.close")
    finally:
        try:
            browser.wait(10)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()
        os.close(to_browser)
        os.close(from_browser)
