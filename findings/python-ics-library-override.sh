#!/bin/sh
# python-ics 26.3.17 has no library at all after a failed attempt to name another one.
#
# The package brings a library for Linux and loads it on import. ics.override_library_name() first unloads that one;
# if the new file cannot be opened, it raises and leaves the module without any library, so that every later call
# fails until the override is repeated with a file that exists.
#
# Expected before the test: the error, and the library that was there before.
# Observed in November 2026 with python-ics 26.3.17 (version "1!26.3.17"): the output below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "python-ics==1!26.3.17"
"$folder/venv/bin/python" - >"$folder/observed" <<'PYTHON'
import ics

print("devices at first:", ics.find_devices())
try:
    ics.override_library_name("no-such-library.so")
except ics.RuntimeError as error:
    print("override:", str(error).partition(": no-such")[0])
try:
    print("devices afterwards:", ics.find_devices())
except ics.RuntimeError as error:
    print("devices afterwards:", error)
PYTHON
cat >"$folder/expected" <<'TEXT'
devices at first: ()
override: Error: override_library_name(): Failed to open library 'no-such-library.so'
devices afterwards: Error: find_devices(): Critical Error: Library isn't loaded!
TEXT
cat "$folder/observed"
diff "$folder/expected" "$folder/observed"
