"""The options about frames by name: their unset signals, counters and checksums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from cantools_cli.console.options import option


@dataclass(eq=False, repr=False)
class RuleOptions:
    """Signals that are set in each frame."""

    counters: Annotated[
        list[str] | None,
        option(
            "--counter",
            "SIGNAL",
            "Count frames in this signal: Engine.Alive or Engine.Alive=0..14. Repeatable.",
        ),
    ] = None
    checksums: Annotated[
        list[str] | None,
        option("--crc", "SIGNAL=NAME", "Checksum of each frame, as in Engine.Check=crc8-j1850. Repeatable."),
    ] = None

    def given(self) -> Mapping[str, object]:
        """Return the options by their spelling, with their values."""
        return {"--counter": self.counters, "--crc": self.checksums}


@dataclass(eq=False, repr=False)
class NamingOptions(RuleOptions):
    """The same, with --last."""

    last: Annotated[
        str | None,
        option("--last", "TIME", "Wait this long for a frame on the bus, to keep its other signals."),
    ] = None

    def given(self) -> Mapping[str, object]:
        """Return the options by their spelling, with their values."""
        return {"--last": self.last, **super().given()}
