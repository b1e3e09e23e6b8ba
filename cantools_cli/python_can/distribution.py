"""The distribution python-can, for programs that read its version; see ``compat``."""

from __future__ import annotations

import os
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any


class PythonCan(Distribution):
    """A distribution with a name and a version, but without files."""

    def __init__(self, version: str) -> None:
        self._version = version

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        summary = "python-can's interface, as canx implements it"
        return f"Metadata-Version: 2.1\nName: python-can\nVersion: {self._version}\nSummary: {summary}\n"

    def locate_file(self, path: str | os.PathLike[str]) -> Any:
        return Path(__file__).parent / path
