#!/bin/sh
# python-can 4.6.1 cannot send a remote frame with a length on a PCAN channel that is open for CAN FD.
#
# PcanBus.send copies "dlc" bytes of the message's data into the structure of CAN_WriteFD. A remote frame has a
# length but no data, so that the copy raises ValueError. On a channel without CAN FD the bytes are copied one by
# one, and not at all for remote frames.
#
# Expected before the test: both kinds of channel send a remote frame that requests five bytes.
# Observed in November 2026 with python-can 4.6.1, whose library class is replaced by one that accepts every call:
# the output below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "python-can==4.6.1"
"$folder/venv/bin/python" - >"$folder/observed" <<'PYTHON'
from unittest import mock

import can
from can.interfaces.pcan import basic, pcan

names = "f_clock_mhz nom_brp nom_tseg1 nom_tseg2 nom_sjw data_brp data_tseg1 data_tseg2 data_sjw".split()
timing = dict(zip(names, (80, 10, 12, 3, 1, 4, 7, 2, 1)))
with mock.patch.object(pcan, "PCANBasic") as library:
    functions = library.return_value
    for name in ("Initialize", "InitializeFD", "Uninitialize", "SetValue", "Write", "WriteFD"):
        getattr(functions, name).return_value = basic.PCAN_ERROR_OK
    functions.GetValue.return_value = basic.PCAN_ERROR_OK, b"4.9"
    for kind, settings in (("classic", {}), ("CAN FD", {"fd": True, **timing})):
        with can.Bus("PCAN_USBBUS1", interface="pcan", **settings) as bus:
            for length in (0, 5):
                message = can.Message(0, 0x123, is_extended_id=False, is_remote_frame=True, dlc=length)
                try:
                    bus.send(message)
                    print(kind, "channel, length", length, "sent")
                except ValueError as error:
                    print(kind, "channel, length", length, "ValueError:", error)
PYTHON
cat >"$folder/expected" <<'TEXT'
classic channel, length 0 sent
classic channel, length 5 sent
CAN FD channel, length 0 sent
CAN FD channel, length 5 ValueError: Can only assign sequence of same size
TEXT
cat "$folder/observed"
diff "$folder/expected" "$folder/observed"
