#!/bin/sh
# Sending a message by python-can 4.6.1's gs_usb bus changes the message: its data grows to 8 bytes.
#
# GsUsbBus.send pads the data of the caller's message in place, and leaves its DLC. Whoever logs or compares the message
# after sending it sees bytes that were never on the bus: a candump log has a frame of 8 bytes in place of 2, and the
# message is no longer equal to its copy.
#
# Expected before the test: send reads the message, as the buses of the other interfaces do.
# Observed in November 2026 with python-can 4.6.1 and gs_usb 0.3.1: the output below. An object that only keeps
# the frame stands in for the adapter.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "python-can==4.6.1" "gs_usb==0.3.1"
"$folder/venv/bin/python" - "$folder/sent.log" >"$folder/observed" <<'PYTHON'
import copy
import sys

import can
from can.interfaces.gs_usb import GsUsbBus


class Adapter:
    def send(self, frame):
        self.frame = frame

    def stop(self):
        pass


bus = GsUsbBus.__new__(GsUsbBus)
bus.gs_usb = adapter = Adapter()
bus._is_shutdown = True  # nothing is open
message = can.Message(arbitration_id=0x123, is_extended_id=False, data=[1, 2], timestamp=1.0)
before = copy.deepcopy(message)
bus.send(message)
print("adapter got dlc", adapter.frame.can_dlc)
print("message", message.data.hex(), "dlc", message.dlc, "equal to its copy", message.equals(before))
with can.CanutilsLogWriter(sys.argv[1], channel="can0") as log:
    log.on_message_received(before)
    log.on_message_received(message)
PYTHON
sed 's/ [RT]$//' "$folder/sent.log" >>"$folder/observed"
cat >"$folder/expected" <<'TEXT'
adapter got dlc 2
message 0102000000000000 dlc 2 equal to its copy False
(1.000000) can0 123#0102
(1.000000) can0 123#0102000000000000
TEXT
cat "$folder/observed"
diff "$folder/expected" "$folder/observed"
