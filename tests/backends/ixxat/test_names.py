"""The names that python-can documents, where it has them."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import cantools_cli.compat
cantools_cli.compat.install()
from can.interfaces.ixxat import IXXATBus, get_ixxat_hwids
from can.interfaces.ixxat.canlib_vcinpl import IXXATBus as Classic, CyclicSendTask, VCIError
from can.interfaces.ixxat.canlib_vcinpl2 import IXXATBus as Fast, CyclicSendTask as Same, VCIBusOffError
from can.interfaces.ixxat.exceptions import VCIDeviceNotFoundError, VCIRxQueueEmptyError, VCITimeout
from can.interfaces.ixxat import structures, constants, exceptions
import can
assert issubclass(Classic, IXXATBus) and issubclass(Fast, IXXATBus) and Classic is not Fast
assert CyclicSendTask is Same and issubclass(VCIBusOffError, VCIError)
assert issubclass(VCIError, can.CanOperationError) and issubclass(VCITimeout, can.CanTimeoutError)
assert issubclass(VCIDeviceNotFoundError, can.CanInitializationError)
assert structures.CANMSG2 and constants.VCI_OK == 0 and exceptions.VCIError is VCIError
print("fine")
"""


def test_names() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr
