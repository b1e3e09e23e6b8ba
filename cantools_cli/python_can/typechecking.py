"""The names of python-can's types."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, Any, TypedDict

from cantools_cli.filtering.can_filter import CanFilter, CanFilters
from cantools_cli.frame.message import Channel

__all__ = [
    "AcceptedIOType",
    "AutoDetectedConfig",
    "BitTimingDict",
    "BitTimingFdDict",
    "BusConfig",
    "CanData",
    "CanFilter",
    "CanFilterExtended",
    "CanFilters",
    "Channel",
    "ChannelInt",
    "ChannelStr",
    "FileLike",
    "StringPathLike",
]

CanFilterExtended = CanFilter  # where ``extended`` is given as well
CanData = bytes | bytearray | int | Iterable[int]
ChannelStr = str
ChannelInt = int
FileLike = IO[Any]
StringPathLike = str | os.PathLike[str]
AcceptedIOType = FileLike | StringPathLike
BusConfig = dict[str, Any]


class AutoDetectedConfig(TypedDict):
    """What ``detect_available_configs`` returns for each channel, at least."""

    interface: str
    channel: Channel


class BitTimingDict(TypedDict):
    """The entries of a ``BitTiming``."""

    f_clock: int
    brp: int
    tseg1: int
    tseg2: int
    sjw: int
    nof_samples: int


class BitTimingFdDict(TypedDict):
    """The entries of a ``BitTimingFd``."""

    f_clock: int
    nom_brp: int
    nom_tseg1: int
    nom_tseg2: int
    nom_sjw: int
    data_brp: int
    data_tseg1: int
    data_tseg2: int
    data_sjw: int
