#!/bin/sh
# python-can 4.6.1's serial bus refuses every message that another bus received.
#
# SerialBus.send writes the timestamp of the message into the frame, as milliseconds in 32 bits, and raises ValueError if it
# does not fit. Received messages have seconds since 1970, 1000 times too many: a bridge, a Notifier that forwards, or a
# player of a recorded log fails at the first frame, while a message made by hand (timestamp 0) is sent.
#
# Expected before the test: the timestamp of a message to send is ignored, as by the other interfaces, or wraps.
# Observed in November 2026 with python-can 4.6.1 and pyserial 3.5: the output below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "python-can[serial]==4.6.1" "pyserial==3.5"
"$folder/venv/bin/python" - >"$folder/observed" <<'PYTHON'
import can

with (
    can.Bus("a", interface="virtual") as sender,
    can.Bus("a", interface="virtual") as receiver,
    can.Bus("loop://", interface="serial") as serial,
):
    message = can.Message(arbitration_id=0x123, is_extended_id=False, data=[1, 2])
    serial.send(message)
    print("made by hand: sent,", serial.recv(1).data.hex())
    sender.send(message)
    received = receiver.recv(1)
    try:
        serial.send(received)
        print("received: sent")
    except ValueError as error:
        print("received: ValueError,", str(error).partition(":")[0])
PYTHON
cat >"$folder/expected" <<'TEXT'
made by hand: sent, 0102
received: ValueError, Timestamp is out of range
TEXT
cat "$folder/observed"
diff "$folder/expected" "$folder/observed"
