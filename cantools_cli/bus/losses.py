"""Counts of the frames that a bus lost and of the messages that it could not read."""

from __future__ import annotations

from collections import Counter

from cantools_cli.errors import FormatError

MISSED_FRAMES = "frames lost because they were not read in time"
MISSED_PACKETS = "packets lost in transit"


class Losses(Counter[str]):
    """Counts by kind; a kind is a plural noun and a participle, such as ``malformed frames skipped``.

    Attributes:
        first_fault: the error of the first malformed message, or None.
    """

    first_fault: FormatError | None = None

    def add_fault(self, kind: str, error: FormatError) -> None:
        """Count one malformed message, and keep the error of the first."""
        self[kind] += 1
        self.first_fault = self.first_fault or error
