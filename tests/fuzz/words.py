"""Bytes that mean something in an input of each target, which chance alone would not put there."""

from __future__ import annotations

#: a line of words, with bars between them
_TEXTS = {
    "json": rb"""{|}|[|]|"|\|\u|\ud800|null|true|NaN|Infinity|-|"timestamp_ns":"|"is_fd":true"""
    rb'|"is_xl":true|"dlc_code":15|"is_remote_frame":true|"is_error_frame":true|"data":"|"dlc":|"channel":[',
    "gvret": b"true|false|Rx|Tx|,|,,|Time Stamp,ID,Extended,Dir,Bus,LEN,D1\n",
    "busmaster": b"***PROTOCOL J1939***\n|***PROTOCOL CAN***\n| DAT 00 FF 6 Rx |"
    b"***HEX***\n|***DEC***\n|***ABSOLUTE MODE***\n|***RELATIVE MODE***\n| sr | xr "
    b"| s-fdf | ERR |***END DATE AND TIME|***START DATE AND TIME 31:2:2015 22:17:28:928***\n",
    "crtd": b"R11|R29|T11|T29|1R11 |CXX|2CER|.|1e9| 7FF| 1FFFFFFF",
    "canking": b"Chn Identifier Flg |ErrorFrame| XR | W | A |00000123|  FF| 255| R\n| T\n|Logging |.000139",
    "hcrl": b",R\n|,T\n|,|,,|,8,|,0,|0000|1478198376.389427,|,R,,,\n|Timestamp,ID\n|1FFFFFFF",
    "cabana": b"time,addr,bus,data\n|0x|,128,|,192,|,255,|,0x|536870911|1e-05|,",
    "clx": b'# Logger type: CL2000\n|# Time: 20160228T235959\n|# Time separator ms: "'
    b'|# Value separator: ","\n'
    b"|Timestamp;Type;ID;Data\n|;Length;|;Lost;|29T|31T235959999|;9;|;8;|0229|00000000000|;",
    "komodo": b"# Level,Index,m:s.ms.us,Err,ID,Data\n|m:s.ms.us|ID|Data|Err|Port|,0:00.643.335,|remote"
    b"|,,|0x|,E,|9",
    "vspy": b"Vehicle Spy|Line,Abs Time(Sec)|Arb ID|,B1,|,T-T-F,|,T,F,|,F,F,|Start Date,2/29/2023\n|LIN 1"
    b"|Value|Start Time,12:00:00 AM\n|ISO8601 Timestamp,2018/06/29T13:00:47.000019\n|,,,"
    b"|Network Description,\n",
    "columns": b'Time|ID|Data|DLC|Bus|Dir|Ext|RTR|D1|(ms)|;|,|\t|"|0x|x|1e-05|-|:|0:09.643.335'
    b"|2024-05-06 07:08:09|Z|+02:00|00000123|#|,,",
    "slcan": b"t1230|t12381122334455667788|T1FFFFFFF0|r1238|R000000011|d123F|b1239|EA5F|FFFF|z\r|Z\r|\a|V1013"
    b"|S6|23:59:59.9 -> |\r|\r\n",
    "canhacker": b"Time   ID     DLC Data|00.000|59,999| 60.0| 301      8| 18EA0003 8| RTR| Remote| FF FF",
    "serial": b"(683.70) |RX0|TX1|RX|[8]|[12]|[64]| 18DAF110 |[9 CAN frames not printed]\n",
    "n2k": b"!PDGY,|$PDGY,000000,4,,5,482,1,0\n|Z,3,|,255,8,00,ff|,262161,|59904| R 19F51323 | T |23:59:59.9"
    b"|A235959.9 CCFF7 0FF63 |==|,27,12,e9",
    "csv": b'0x|,|==|=|"|-0x1|True|1e309|data|timestamp',
    "txt": b"Timestamp:|ID:|S Rx|X Tx| E | F | BS | EI | R |DL:|Channel:",
    "asc": b"base hex|base dec|timestamps relative\n|timestamps absolute\n|Begin Triggerblock"
    b"|End TriggerBlock\n|date |CANFD|CANXL|ErrorFrame|ECC: 10100010|x| Rx | TxRq |ID = 1| d | r "
    b"|OverloadFrame|Start of measurement\n|// |am|PM",
    "trc": b";$FILEVERSION=2.1\n|;$FILEVERSION=1.3\n|;$STARTTIME=45244.9|;$COLUMNS=N,O,T,B,I,d,R,L,D\n| DT "
    b"| FD | FB | FE | BI | RR | ST | EC | ER | EV | Rx| Tx|Error|Warng",
    "log": b"(|)|#|##|#R|_F|.| T| R|can0|20000004#|45123#81:01:12345678#",
    "screen": b"[|]|{|}|'|`|remote request|ERRORFRAME| - - |TX|RX|\x1b[31m|\x08",
    "frame": b"#|##|R|_|.|:| ",
    "filter": b":|~|-|#|,|j|0x| ",
    "where": b" and | or "
    b"| not |(|)| in |..|,|[|]|:|little |eq|every 2|'|\"|&|changed|data[0]|data[1:3]|id|time|0x|@",
    "address": b":|,|=|?|&|://|#FF|virtual:|socketcan:|interface=|channel=|port=|fd=",
    "setting": b"[default]\n|=|%|%(a)s|[|]|\n |'|\"|{|}|interface|port|state|fd",
    "number": "ns|us|µs|m|k|KiB|%|/s|.|-".encode(),
    "moment": b"T|Z|+02:00|@|-|:|UTC|CET|am|9999|0001|1677|2262|.",
    "option": b"=|>|:|+|-|*|,|x|[|]|/|.gz|time=",
}
#: words in hexadecimal
_BYTES = {
    "blf": "4c4f424a 4c4f4747 0a000000 65000000 41000000 789c",
    "mf4": "05000000",
    "pcap": "d4c3b2a1 4d3cb2a1 a1b2c3d4 000000e3 e3000000 71000000 14010000 000c 000d",
    "pcapng": "0a0d0d0a 1a2b3c4d 4d3c2b1a 01000000 02000000 03000000 05000000 06000000 "
    "0900010080000000 09000100ff000000",
    "db": "0d000000 0500 0d 05 02 0a",
    "parquet": "50415231 15 19 1c 18 00",
    "arrow": "4152524f57310000 ffffffff 00000000",
}
_NAMES = {
    "mf4": b"##DT ##DL ##DZ ##HL ##CN ##CG ##SD ##CC ##TX ##SI ##DV ##LD UnFinMF CAN_DataFrame "
    b"CAN_ErrorFrame .DataBytes .IDE .Dir .DLC",
    "db": b"messages BLOB WITHOUT ROWID CREATE TABLE VIEW INTEGER",
}
#: what goes deep
_DEEP = {
    "json": (b"[" * 5000, b'{"a":' * 5000),
    "where": (b"(" * 60, b"not " * 2000, b"or data " * 2000),
    "setting": (b"[" * 3000, b"%(port)s"),
}

WORDS: dict[str, tuple[bytes, ...]] = {
    name: (
        *(_TEXTS[name].split(b"|") if name in _TEXTS else ()),
        *map(bytes.fromhex, _BYTES.get(name, "").split()),
        *_NAMES.get(name, b"").split(),
        *_DEEP.get(name, ()),
    )
    for name in {*_TEXTS, *_BYTES, *_NAMES}
}
