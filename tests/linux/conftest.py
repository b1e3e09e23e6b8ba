"""Tests on a real kernel with SocketCAN: ``make test-kernel`` boots one, elsewhere they are skipped.

A machine in software is some twenty times slower than this one: these tests are few, and start few
processes.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from cantools_cli.backends.socketcan.finder import kernel_has_socketcan

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if kernel_has_socketcan():
        return
    for item in items:
        if HERE in item.path.parents:
            reason = "this kernel has no SocketCAN; make test-kernel boots one that has"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On the machine that was made for them, a test that is skipped has failed."""
    report = yield
    if os.environ.get("CANX_KERNEL") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: skipped on the machine made for it: {report.longrepr}"
    return report
