#!/bin/sh
# asammdf 8.8.28 loses the sign of an 8-bit signal that does not begin at a byte boundary.
#
# extract_bus_logging gives 128 for the raw value 0x80 of "SG_ S : 2|8@1- (1,0)", and -128 if the same signal begins
# at bit 0. Signed signals of 7 and of 16 bits at bit 2 keep their sign. Nothing is reported.
#
# Expected before the test: -128, -64 and -32768, wherever the signals begin.
# Observed in November 2026 with asammdf 8.8.28 on a log that python-can 4.6.1 wrote: the output below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "asammdf==8.8.28" "python-can==4.6.1"
cd "$folder"
"$folder/venv/bin/python" - >"$folder/observed" 2>/dev/null <<'PYTHON'
from pathlib import Path

import can
from asammdf import MDF

for start, size in ((0, 8), (2, 7), (2, 8), (2, 16)):
    Path("x.dbc").write_text(
        'VERSION ""\n\nBS_:\n\nBU_: N\n\n'
        f'BO_ 256 M: 8 N\n SG_ S : {start}|{size}@1- (1,0) [0|0] "" N\n'
    )
    data = (1 << start + size - 1).to_bytes(8, "little")  # the lowest value: the sign bit alone
    with can.MF4Writer("x.mf4") as writer:
        writer(can.Message(timestamp=1e9, arbitration_id=256, is_extended_id=False, data=data))
    with MDF("x.mf4") as log:
        signals = log.extract_bus_logging({"CAN": [("x.dbc", 0)]})
        print(f"{size} bits from bit {start}:", int(signals.get("S").samples[0]))
PYTHON
cat >"$folder/expected" <<'TEXT'
8 bits from bit 0: -128
7 bits from bit 2: -64
8 bits from bit 2: 128
16 bits from bit 2: -32768
TEXT
cat "$folder/observed"
diff "$folder/expected" "$folder/observed"
