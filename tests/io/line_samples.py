"""A small file of each line format that is read only, made up by the grammar of the tool that writes it."""

from __future__ import annotations

CRTD = b"""\
169.971289 CXX Info Type:crtd; Path:'/sd/drive.crtd'; Filter:off;
1542473901.020305 1R11 213 00 00 00 00 c0 01 00 00
1542473901.020970 2T29 18DB33F1 02 01 0C
1542473901.021 R11 408 0
1542473901.021259 1R29 1ff
1542473901.021300 CEV vehicle.on
1542473901.021400 1CBC A 500000
1542473901.021500 2CER TX_Fail T11 7DF 02 01
1542473901.042516 3T11 00000168 E0 7F 70 00 FF FF FF
"""

#: by the format's name
SAMPLES: dict[str, bytes] = {"crtd": CRTD}
