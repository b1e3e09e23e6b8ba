"""The index in a plan of ``mf4.py`` at which the numbers of each field begin; ``_plan.pxd`` makes literals of
them.

A compiled loop that computes them takes 50 % longer.
"""

from __future__ import annotations

TIME = 11
BUS = 17
ID = 23
IDE = 29
DLC = 35
SIZE = 41
DIR = 47
EDL = 53
BRS = 59
ESI = 65
POINTER = 71
