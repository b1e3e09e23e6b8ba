"""Exchanges recorded from the vendor's client, copied from the specification by hand.

Identifiers and data are hexadecimal; a row is (what, request, reply).
"""

from __future__ import annotations

from typing import NamedTuple


class Exchange(NamedTuple):
    """``destination`` and what follows say what the request asks; ``value`` or ``error`` what it gets."""

    request: tuple[str, str]
    reply: tuple[str, str]
    destination: int
    service: int
    number: int
    part: int | None = None
    written: float | None = None
    value: float | None = None
    error: int | None = None
    source: int = 0


EXCHANGES = {
    "info": Exchange(("03280000", "0BB8"), ("0000CA00", "0BB8424F4000"), 101, 0, 3000, value=51.8125),
    "info, client 1": Exchange(
        ("03280200", "0BB8"), ("0008CA00", "0BB8424F4000"), 101, 0, 3000, value=51.8125, source=1
    ),
    "flash": Exchange(("03280040", "050600"), ("0000CA40", "05060043660000"), 101, 1, 1286, 0, value=230.0),
    "min": Exchange(("03280040", "050601"), ("0000CA40", "05060142DC0000"), 101, 1, 1286, 1, value=110.0),
    "max": Exchange(("03280040", "050602"), ("0000CA40", "050602438C0000"), 101, 1, 1286, 2, value=280.0),
    "ram": Exchange(("03280040", "050604"), ("0000CA40", "05060443660000"), 101, 1, 1286, 4, value=230.0),
    "write ram 230": Exchange(
        ("03280080", "05060443660000"), ("0000CA80", "05060443660000"), 101, 2, 1286, 4, 230.0, 230.0
    ),
    "write ram 231.5": Exchange(
        ("03280080", "05060443678000"), ("0000CA80", "05060443678000"), 101, 2, 1286, 4, 231.5, 231.5
    ),
    "write flash 230": Exchange(
        ("03280080", "05060043660000"), ("0000CA80", "05060043660000"), 101, 2, 1286, 0, 230.0, 230.0
    ),
    "write flash 229": Exchange(
        ("03280080", "05060043650000"), ("0000CA80", "05060043650000"), 101, 2, 1286, 0, 229.0, 229.0
    ),
    "write ram of a group": Exchange(
        ("03200080", "05060443660000"), ("0000C880", "05060443660000"), 100, 2, 1286, 4, 230.0, 230.0
    ),
    "unknown info": Exchange(("03280000", "0F9F"), ("0000CA01", "0F9F00000022"), 101, 0, 3999, error=0x22),
    "unknown parameter": Exchange(
        ("03280040", "07CF00"), ("0000CA41", "07CF00000022"), 101, 1, 1999, 0, error=0x22
    ),
    "too big": Exchange(
        ("03280080", "05060443960000"), ("0000CA81", "050600000028"), 101, 2, 1286, 4, 300.0, error=0x28
    ),
    "too small": Exchange(
        ("03280080", "05060441200000"), ("0000CA81", "050600000027"), 101, 2, 1286, 4, 10.0, error=0x27
    ),
    "read only": Exchange(
        ("03280080", "05060141200000"), ("0000CA81", "050600000025"), 101, 2, 1286, 1, 10.0, error=0x25
    ),
    "group read": Exchange(("03200000", "0BB8"), ("0000C801", "0BB80000002D"), 100, 0, 3000, error=0x2D),
    "absent": Exchange(("03400040", "050600"), ("0000D041", "050600000002"), 104, 1, 1286, 0, error=0x02),
    "VarioTrack": Exchange(("09680000", "2AF8"), ("00025A00", "2AF8424F8000"), 301, 0, 11000, value=51.875),
    "VarioString": Exchange(("15E80000", "3A98"), ("00057A00", "3A98424F8000"), 701, 0, 15000, value=51.875),
    "BSP": Exchange(("12C80000", "1B5A"), ("0004B200", "1B5A42AE0000"), 601, 0, 7002, value=87.0),
    "enumeration": Exchange(("03280000", "0BC2"), ("0000CA00", "0BC240800000"), 101, 0, 3010, value=4.0),
    "yes or no": Exchange(("03280040", "046400"), ("0000CA40", "0464003F800000"), 101, 1, 1124, 0, value=1.0),
}
#: (identifier, data, destination, source, message, value)
NOTIFICATIONS = [
    ("0FA0CAC0", "001000000000", 500, 101, 16, 0),
    ("0FA25AC0", "005300000000", 500, 301, 83, 0),
    ("0FA0CAC0", "0010DEADBEEF", 500, 101, 16, 3735928559),
]
#: address -> (request of service 0, reply to it, notification), for client 0
IDENTIFIERS = {
    100: ("03200000", "0000C800", None),
    101: ("03280000", "0000CA00", "0FA0CAC0"),
    109: ("03680000", "0000DA00", "0FA0DAC0"),
    191: ("05F80000", "00017E00", None),
    300: ("09600000", "00025800", None),
    301: ("09680000", "00025A00", "0FA25AC0"),
    315: ("09D80000", "00027600", "0FA276C0"),
    500: ("0FA00000", "0003E800", None),
    501: ("0FA80000", "0003EA00", "0FA3EAC0"),
    505: ("0FC80000", "0003F200", "0FA3F2C0"),
    600: ("12C00000", "0004B000", None),
    601: ("12C80000", "0004B200", "0FA4B2C0"),
    700: ("15E00000", "00057800", None),
    701: ("15E80000", "00057A00", "0FA57AC0"),
    715: ("16580000", "00059600", "0FA596C0"),
}
#: bytes of a value -> how it is printed
NUMBERS = {
    "424F999A": "51.9",
    "43660000": "230",
    "43678000": "231.5",
    "4145C000": "12.359375",
    "424F4000": "51.8125",
    "3DCCCCCD": "0.1",
    "BDCCCCCD": "-0.1",
    "46FFFE00": "32767",
    "C421EA00": "-647.65625",
    "7FC00000": "n/a",
    "4F32D05E": "3000000000",
    "80000000": "0",
}
