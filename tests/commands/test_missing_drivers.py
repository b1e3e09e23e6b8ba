"""Hardware whose library is not on this computer: one line and a hint, and nothing loaded before."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from cantools_cli import plugins

VENDORS = {name: row for name, row in plugins.INTERFACES.items() if row.library}
_IMPORTS = """
import ctypes, logging, sys
logging.basicConfig(level="INFO", stream=sys.stdout)
def refuse(*arguments, **settings): raise AssertionError(f"loads {arguments}")
ctypes.CDLL.__init__ = refuse
from cantools_cli import plugins
for name, row in plugins.INTERFACES.items():
    if row.library:
        plugins.bus_class(name)
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"ics", "nixnet", "can", "canlib"}))
"""


def test_all_twelve_are_here() -> None:
    assert len(VENDORS) == 12


@pytest.mark.parametrize("interface", VENDORS)
def test_a_command_ends_with_one_line_and_a_hint(
    interface: str, canx: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    name = interface.upper()
    hidden = {f"CANX_{name}{kind}_LIBRARY": "" for kind in ("", "_FD", "_CSI", "_OCI")}
    result = canx("dump", f"{interface}:{VENDORS[interface].example}", **hidden)
    if result.returncode == 3:
        pytest.skip("the driver is installed here")
    line, hint = result.stderr.splitlines()
    assert line.startswith(f"canx: {interface}: ")
    assert hint.startswith("hint: ")
    assert (result.returncode, result.stdout) == (2, "")


def test_importing_a_bus_class_loads_no_library_and_logs_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
