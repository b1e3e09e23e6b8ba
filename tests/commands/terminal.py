"""A real terminal for the program, by tmux."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

from tests.commands.conftest import CANX


class Terminal:
    """A terminal of 80 times 24 with a shell in it."""

    def __init__(self, environment, folder):
        self.socket = str(folder / "tmux")
        self.environment = environment | {
            "PATH": f"{Path(CANX).parent}:{environment.get('PATH', '')}",
            "LC_ALL": "C.UTF-8",
            "PS1": "$ ",
        }
        self.environment.pop("TMUX", None)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), "sh")
        self.until(r"[$#]")

    def close(self):
        self.tmux("kill-server")

    def tmux(self, *arguments):
        command = ["tmux", "-S", self.socket, *arguments]
        result = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=30
        )
        return result.stdout

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def until(self, pattern, *options):
        """Wait until the screen shows ``pattern``, and return it."""
        deadline = time.monotonic() + 20
        while not re.search(pattern, screen := self.screen(*options), re.MULTILINE):
            assert time.monotonic() < deadline, f"{pattern} never came:\n{screen}"
            time.sleep(0.02)
        return screen

    def process(self):
        """Return the number of the program that runs in the shell."""
        shell = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        found = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True, check=True)
        return int(found.stdout.split()[0])
