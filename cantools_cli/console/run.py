"""The context that every command runs in: what it prints, the signals that end it, its exit status."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cantools_cli.console import options
from cantools_cli.console.report import Report

if TYPE_CHECKING:
    from cantools_cli.console.interruption import Interruption


@dataclass(eq=False, repr=False)
class Run:
    """One run of a command; while it is entered, ``interruption`` keeps a signal instead of ending it."""

    quiet: options.Quiet = False
    verbose: options.Verbose = 0
    debug: options.Debug = False

    def __post_init__(self) -> None:
        self.report = Report(quiet=self.quiet, verbose=self.verbose)

    @cached_property
    def interruption(self) -> Interruption:
        from cantools_cli.console.interruption import Interruption  # not needed to send one frame

        return Interruption()

    def __enter__(self) -> Run:
        self.interruption.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.interruption.__exit__()

    def status(self, lost: object = False, *, is_no: bool = False) -> int:
        """Return the exit status: of the signal, else 1 if the answer is no, else 2 if ``lost`` is true."""
        if "interruption" in self.__dict__ and self.interruption.signum is not None:
            return 128 + self.interruption.signum
        if is_no:
            return 1
        return 2 if lost else 0
