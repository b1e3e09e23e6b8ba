#!/bin/sh
# python-can 4.6.1 finds no bit timing for 125 kbit/s from a clock of 80 MHz, although it accepts one.
#
# BitTiming.from_sample_point searches prescalers 1 to 64 but keeps only those that the SJA1000 of old has (1 to 32),
# whatever the clock. BitTiming itself, given the prescaler 40, calculates 125 kbit/s with a sample point of 87.5 %.
# The gs_usb bus calls the search with the clock of the adapter, so that an adapter of 80 MHz cannot be opened at
# 125 or 100 kbit/s, and one of 48 MHz not at 50 or 20 kbit/s.
#
# Expected before the test: 80 MHz / 40 / 16 = 125 kHz is found, as by every calculator of controller vendors.
# Observed in November 2026 with python-can 4.6.1: the output below.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "python-can==4.6.1"
"$folder/venv/bin/python" - >"$folder/observed" <<'PYTHON'
import can

for clock, bitrate in ((80_000_000, 125_000), (80_000_000, 100_000), (48_000_000, 50_000), (48_000_000, 125_000)):
    try:
        print(clock, bitrate, "prescaler", can.BitTiming.from_sample_point(clock, bitrate, 87.5).brp)
    except ValueError as error:
        print(clock, bitrate, error)
timing = can.BitTiming(f_clock=80_000_000, brp=40, tseg1=13, tseg2=2, sjw=1)
print("prescaler 40 gives", timing.bitrate, timing.sample_point)
PYTHON
cat >"$folder/expected" <<'TEXT'
80000000 125000 No suitable bit timings found.
80000000 100000 No suitable bit timings found.
48000000 50000 No suitable bit timings found.
48000000 125000 prescaler 24
prescaler 40 gives 125000 87.5
TEXT
cat "$folder/observed"
diff "$folder/expected" "$folder/observed"
