"""What has to hold for a DBC file, whatever its bytes.

- ``FormatError`` and ``UsageError`` are the only exceptions of reading, and faults have lines of the file.
- Frames decode alike by compiled and by interpreted kernels, and each value is that of the bits.
- Checks, drawings, rows and differences take every database that was read.
"""

from __future__ import annotations

import json
import random
from itertools import islice
from math import isnan
from pathlib import Path

from cantools_cli.console.database_rows import difference_text, message_object, signal_row
from cantools_cli.decoding import dbc
from cantools_cli.decoding.checks import problems
from cantools_cli.decoding.columns import Decoder, raw_value
from cantools_cli.decoding.differences import differences
from cantools_cli.decoding.layout import drawings
from cantools_cli.decoding.model import Database, MessageSpec, Value
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.fuzz.readers import expect, interpreted_kernels

SEEDS = (
    b"""VERSION "1"
NS_ :
 CM_
BU_: ECU Dash
BO_ 256 Engine: 8 ECU
 SG_ Speed : 0|12@1+ (0.5,-3) [0|2000] "rpm" Dash
 SG_ Mode M : 16|8@1+ (1,0) [0|3] "" Dash
 SG_ Torque m1 : 31|16@0- (1,-8) [0|0] "Nm" Dash,ECU
 SG_ Torque m2 : 39|16@0- (1,-8) [0|0] "Nm" Dash
 SG_ Fuel m3M : 40|4@1+ (1,0) [0|0] "" Vector__XXX
BO_ 2566844926 Wheels: 64 Vector__XXX
 SG_ Left : 7|32@0- (1,0) [0|0] "\xb0C"
 SG_ Wide : 64|100@1+ (1e3,.5) [0|0] "" Dash
BO_TX_BU_ 256 : ECU,Dash;
CM_ BO_ 256 "The engine,
at 10 ms";
CM_ SG_ 256 Mode "one \\"of\\" them";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_DEF_ "GenMsgCycleTime" 100;
BA_ "GenMsgCycleTime" BO_ 256 10;
BA_ "VFrameFormat" BO_ 2566844926 3;
BA_ "GenSigStartValue" SG_ 256 Speed 4;
BA_ "SystemSignalLongSymbol" SG_ 256 Fuel "Fuel_with_a_name_of_more_than_32_bytes";
VAL_TABLE_ Switch 0 "Off" 1 "On" ;
VAL_ 256 Mode 0 "Off" 0x1 "On" ;
VAL_ 256 Fuel Switch ;
SIG_VALTYPE_ 2566844926 Left : 1;
SG_MUL_VAL_ 256 Fuel Mode 3-5, 10-12;
""",
)
WORDS = (
    *(
        b"BO_ ",
        b" SG_ ",
        b"VAL_ ",
        b"SG_MUL_VAL_ 256 ",
        b"SIG_VALTYPE_ 256 ",
        b"BA_ ",
        b'"',
        b'\\"',
        b"m0",
        b"M",
    ),
    *(
        b"@0-",
        b"@1+",
        b"|64@",
        b"1e308",
        b"1e-320",
        b"9" * 30,
        b"9" * 5000,
        b"-1",
        b"0-65535",
        b"\xef\xbb\xbf",
    ),
)
_PAYLOADS = (b"", b"\0" * 8, b"\xff" * 8, bytes(range(1, 9)), b"\x01" * 3, b"\xff" * 64, bytes(range(64)))
_MOST = 20  # messages of a file that are looked at


def check(data: bytes, draw: random.Random, folder: Path) -> int:
    """Read ``data`` as a DBC file; return the number of messages.

    Raises:
        BrokenPropertyError: a property does not hold. Any other exception passes.
    """
    try:
        database = dbc.read(data, "x.dbc")
    except (FormatError, UsageError):
        return 0
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for fault in (*database.faults, *problems(database)):
        expect(fault.position is None or 1 <= fault.position <= lines, f"{fault} is outside of the file")
    for message in islice(database.messages, _MOST):
        json.dumps(message_object(message), allow_nan=False)
        _rows = [signal_row(1, signal) for signal in message.signals]
        _lines = [*drawings(message)]
    expect(not [*differences(database, database)], "a database differs from itself")
    _texts = [difference_text(one) for one in differences(database, Database("", ()))]
    _check_frames(database)
    return len(database.messages)


def _check_frames(database: Database) -> None:
    batch = MessageBatch()
    for message in islice(database.messages, _MOST):
        for payload in _PAYLOADS:
            batch.append(
                Message(
                    arbitration_id=message.arbitration_id,
                    is_extended_id=message.is_extended_id,
                    is_fd=True,
                    data=payload,
                )
            )
    compiled = _decoded(database, batch)
    with interpreted_kernels():
        expect(_decoded(database, batch) == compiled, "kernels differ by their form")


def _decoded(database: Database, batch: MessageBatch) -> list[dict[str, Value | str]]:
    found = []
    for table in Decoder(database).tables(batch):
        for index, row in enumerate(table.rows):
            data = bytes(batch.payload[batch.offset[row] : batch.offset[row + 1]])
            _check_raw(
                table.message, {c.signal.name: c.raw_at(index) for c in table.columns if c.valid[index]}, data
            )
            values = table.values(index)
            found.append({name: "nan" if _is_nan(value) else value for name, value in values.items()})
    return found


def _check_raw(message: MessageSpec, raw: dict[str, int | float], data: bytes) -> None:
    """Compare raw integers with the bits; of two signals of one name, either may be meant."""
    for name, value in raw.items():
        specs = [signal for signal in message.signals if signal.name == name]
        if any(spec.is_float for spec in specs):
            continue
        expected = [raw_value(spec, data) for spec in specs if spec.end <= len(data)]
        expect(value in expected, f"{name} is {value}, not one of {expected}")


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and isnan(value)
