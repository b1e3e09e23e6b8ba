"""The documented module paths."""

from __future__ import annotations

import subprocess
import sys

NAMES = [
    ("can.interfaces.systec", "UcanBus"),
    ("can.interfaces.systec.ucanbus", "UcanBus"),
    ("can.interfaces.systec.ucan", "UcanBus"),
    ("can.interfaces.systec.constants", "Baudrate, CanStatus, Mode, ReturnCode, ANY_MODULE"),
    ("can.interfaces.systec.structures", "CanMsg, HardwareInfoEx, InitCanParam"),
    ("can.interfaces.systec.exceptions", "UcanCmdError, UcanError, UcanException, UcanWarning"),
]


def test_documented_paths() -> None:
    program = "from cantools_cli import compat; compat.install()\n"
    program += "\n".join(f"from {module} import {names}" for module, names in NAMES)
    program += "\nassert ReturnCode.WARN_NODATA == 0x80\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
