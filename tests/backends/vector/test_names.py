"""The documented module paths."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from cantools_cli import compat
compat.install()
from can.interfaces.vector import (
    VectorBus, VectorBusParams, VectorCanFdParams, VectorCanParams, VectorChannelConfig, VectorError,
    VectorInitializationError, VectorOperationError, get_channel_configs,
)
from can.interfaces.vector.canlib import VectorBus as same
from can.interfaces.vector.exceptions import VectorError as error
from can.interfaces.vector.xlclass import XLevent
from can.interfaces.vector.xldefine import (
    XL_BusCapabilities, XL_BusTypes, XL_CANFD_BusParams_CanOpMode, XL_ChannelCapabilities, XL_HardwareType,
    XL_OutputMode, XL_Status,
)
assert same is VectorBus and error is VectorError
print(VectorBus.__module__, XL_HardwareType.XL_HWTYPE_VN1640.value)
"""


def test_the_documented_names() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "cantools_cli.backends.vector.bus 59\n", done.stderr
