"""A small file of each separated layout that is read only, made up by the grammar of its tool."""

from __future__ import annotations

HCRL = b"""\
1478198376.389427,0316,8,05,21,68,09,21,21,00,6f,R
1478198376.389636,0000,8,00,00,00,00,00,00,00,00,T
1478198379.128627,0002,2,00,00,R
1478198380.000001,07ff,0,R
"""

CABANA = b"""\
time,addr,bus,data
15.460,0x440,1,0x4000800000000000
15.461,0x18db33f1,0,0x02
0.06194250166663551,308,128,08007c630a00d064
"""

CLX = b"""\
# Logger type: CL2000
# HW rev: 6.xx
# FW rev: 5.31
# Logger ID: TEST
# Session No.: 70
# Split No.: 1
# Time: 20170131T235958
# Value separator: ";"
# Time format: 4
# Time separator: ""
# Time separator ms: ""
# Date separator: ""
# Time and date separator: "T"
# Bit-rate: 500000
# Silent mode: false
# Cyclic mode: false
Timestamp;Type;ID;Data
31T235957683;8;7df;02010d5555555555
31T235959688;0;7e8;03410d00aaaaaaaa
01T000000001;1;18db33f1;
01T000000002;9;123;0102
"""

CLX_6 = b"""\
# Logger type: CANLogger2000
# Time: 20000101T175956
# Value separator: ","
# Time format: 6
# Time separator: "."
# Time separator ms: ";"
# Date separator: "/"
# Time and date separator: " "
Timestamp,Lost,Type,ID,Length,Data
2000/01/01 17.59.55;210,0,8,7df,8,02010d5555555555
2000/01/01 17.59.55;223,3,0,7e9,3,03410d
2000/01/01 17.59.55;216,0,0,7e8,0,
"""

_VSPY_HEADER = (
    b"Line,Abs Time(Sec),Rel Time (Sec),Status,Er,Tx,Description,Network,Node,%s,"
    b"B1,B2,B3,B4,B5,B6,B7,B8,Value,Trigger,Signals\n"
)
VSPY = (
    b"""\
Vehicle Spy 3 Bus Traffic File
Save Date,1/24/2020
Start Date,1/24/2020
Start Time,10:11:12 PM
Notes,

Network Description,Hardware,Network,Protocol,Baud Rate
HS CAN,Default,HS CAN,CAN,500000,
LIN 1,Default,LIN 1,LIN,19200,

"""
    + _VSPY_HEADER % b"PT,Trgt,Src"
    + _VSPY_HEADER % b"Arb ID,Remote/EDL-BRS-ESI,Xtd"
    + b"""\
2,2550.368293675,0.0038,67371008,F,F,HS CAN $119,HS CAN,,119,F,F,00,00,00,00,00,00,0D,8B,,,
3,2551,0.003818174999651092,67371008,F,T,"HS, CAN $119",HS CAN,,18FEF100,F,T,01,,,,,,,,,,
4,2551.5,5E-1,67371008,F,F,x,LIN 1,,11,,,01,,,,,,,,,,
5,2552,0.1,67371008,T,F,x,HS CAN,,119,F,F,,,,,,,,,,,
6,2552.25,0.1,67371008,F,F,x,HS CAN,,119,T-T-F,F,00,00,00,00,00,00,0D,8B,01 02 03 04,,
7,2552.5,0.1,67371008,F,F,x,HS CAN,,119,T,F,,,,,,,,,,,
"""
)

KOMODO = b"""\
# Total Phase Data Center(tm) v6.73
# Level,Index,m:s.ms.us,Dur,Len,Err,Port,ID,Record,Data
0,0,0:00.000.000,,,,,,Capture started,[01/24/20 10:11:12]
0,1,0:00.643.335,111 us,3,,0,0x123,CAN Data Frame,01 02 03
0,2,1:09.643.340,111 us,4,,1,0x18DB33F1,CAN Remote Frame,
0,3,1:09.643.341,111 us,2,E,1,0x7FF,CAN Data Frame,01 02
0,4,1:09.643.342,111 us,1,,1,0x7FF,CAN Data Frame,0A
"""

#: what ``--from columns`` reads without any option
COLUMNS = b"""\
Time (ms);Bus;Dir;CAN ID;Ext;RTR;DLC;D1;D2;D3;Comment
1500,25;0;Rx;123;0;0;2;01;2;;a
1501;1;Tx;18DB33F1;1;0;3;0A;0B;0C;b
1502;can7;Rx;7FF;0;1;4;;;;c
"""

#: by the format's name
SAMPLES: dict[str, bytes] = {"hcrl": HCRL, "cabana": CABANA, "clx": CLX, "vspy": VSPY, "komodo": KOMODO}
