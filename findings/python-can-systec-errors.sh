#!/bin/sh
# python-can 4.6.1 turns every error and every warning of a SYS TEC module into a TypeError about something else.
#
# The texts of the vendor's codes are in dictionaries. The code that a function of the vendor's library returned is
# a subclass of a ctypes integer, which Python cannot hash, and it is looked up as it is. A full transmit buffer, a
# missing module and an overrun while receiving all raise TypeError, which no handler of can.CanError catches.
#
# Expected before the test: the text of each code, or "unknown" with its number.
# Observed in November 2026 with python-can 4.6.1: the output below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "python-can==4.6.1"
"$folder/venv/bin/python" - >"$folder/observed" 2>/dev/null <<'PYTHON'
from can.interfaces.systec.constants import ReturnCode
from can.interfaces.systec.exceptions import UcanCmdError, UcanError, UcanWarning

for kind, code in (
    (UcanError, ReturnCode.ERR_ILLHANDLE),
    (UcanCmdError, ReturnCode.ERRCMD_NOTEQU),
    (UcanWarning, ReturnCode.WARN_NODATA),
):
    try:
        print(kind.__name__, "code", code, str(kind(ReturnCode(code), "UcanReadCanMsgEx", ())))
    except TypeError as error:
        print(kind.__name__, "code", code, "TypeError:", error)
PYTHON
cat >"$folder/expected" <<'TEXT'
UcanError code 6 TypeError: unhashable type
UcanCmdError code 64 TypeError: unhashable type
UcanWarning code 128 TypeError: unhashable type
TEXT
cat "$folder/observed"
diff "$folder/expected" "$folder/observed"
