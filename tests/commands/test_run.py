"""Report, interruption and exit status of a run."""

from __future__ import annotations

import signal

from cantools_cli.console.run import Run


def test_a_run_that_lost_nothing_ends_with_0():
    assert Run().status() == 0
    assert Run().status(lost=[]) == 0


def test_a_short_answer_comes_before_losses_and_a_signal_before_both():
    run = Run()
    assert run.status(lost=3) == 2
    assert run.status(lost=3, is_no=True) == 1
    with run:
        signal.raise_signal(signal.SIGTERM)
    assert run.status(lost=3, is_no=True) == 128 + signal.SIGTERM


def test_quiet_suppresses_notes(capsys):
    Run(quiet=True).report.note("hello")
    Run().report.note("good-bye")
    assert capsys.readouterr().err == "canx: good-bye\n"
