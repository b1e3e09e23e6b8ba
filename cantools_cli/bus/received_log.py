"""The documented log of received messages, at the level ``BusABC.RECV_LOGGING_LEVEL`` of ``can.bus.rx``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

from cantools_cli.frame.message import Message


@cache
def _logger() -> Any:
    import logging

    return logging.getLogger("can.bus.rx")


def log_received(level: int, messages: Iterable[Message]) -> None:
    """Log ``messages`` if the program enabled ``level``."""
    if "logging" not in sys.modules:  # then the program set no level
        return
    logger = _logger()
    if logger.isEnabledFor(level):
        for message in messages:
            logger.log(level, "Received: %s", message)
