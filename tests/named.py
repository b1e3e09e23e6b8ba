"""The readers as the commands use them: channels have names, where the library has numbers or None."""

from __future__ import annotations

from typing import Any

from cantools_cli.io import csv
from cantools_cli.io.asc import reader as asc
from cantools_cli.io.blf import reader as blf
from cantools_cli.io.candump import log
from cantools_cli.io.mf4 import reader as mf4
from cantools_cli.io.sqlite import reader as sqlite
from cantools_cli.io.trc import reader as trc


class _Named:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, named_channels=True, **kwargs)


class ASCReader(_Named, asc.ASCReader):
    """Channels from ``can0``."""


class BLFReader(_Named, blf.BLFReader):
    """Channels from ``can0``."""


class CSVReader(_Named, csv.CSVReader):
    """Frames without a channel are on ``can0``."""


class MF4Reader(_Named, mf4.MF4Reader):
    """Channels from ``can0``."""


class SqliteReader(_Named, sqlite.SqliteReader):
    """All frames are on ``can0``."""


class TRCReader(_Named, trc.TRCReader):
    """Channels from ``can0``."""


class CanutilsLogReader(_Named, log.CanutilsLogReader):
    """Error frames have no extended identifier."""
