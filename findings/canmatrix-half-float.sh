#!/bin/sh
# canmatrix 1.3.3 loads a DBC file with a 16-bit float, and cannot decode a frame of it.
#
# cantools 45.1.0 decodes the same signal ("SIG_VALTYPE_ 256 S : 1;" on 16 bits) as a half-precision number.
#
# Expected before the test: 1.5 from both, or a refusal when the file is loaded.
# Observed in November 2026: the output below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "canmatrix==1.3.3" "cantools==45.1.0"
cd "$folder"
"$folder/venv/bin/python" - >"$folder/observed" 2>/dev/null <<'PYTHON'
from pathlib import Path

import canmatrix.formats
import cantools

Path("x.dbc").write_text(
    'VERSION ""\n\nBS_:\n\nBU_: N\n\nBO_ 256 M: 2 N\n SG_ S : 0|16@1- (1,0) [0|0] "" N\n\nSIG_VALTYPE_ 256 S : 1;\n'
)
data = bytes.fromhex("003e")
print("cantools:", cantools.database.load_file("x.dbc").decode_message(256, data))
matrix = next(iter(canmatrix.formats.loadp("x.dbc").values()))
print("canmatrix: loaded", [frame.name for frame in matrix.frames])
try:
    print("canmatrix:", matrix.decode(canmatrix.ArbitrationId(256, extended=False), data)["S"].phys_value)
except KeyError as error:
    print("canmatrix: KeyError", error)
PYTHON
cat >"$folder/expected" <<'TEXT'
cantools: {'S': 1.5}
canmatrix: loaded ['M']
canmatrix: KeyError 16
TEXT
cat "$folder/observed"
diff "$folder/expected" "$folder/observed"
