"""Read the bus logging frames of an MDF 4 file with asammdf, in the fastest documented way.

``python benchmarks/asammdf_frames.py SOURCE [TARGET]`` reads all frames as raw arrays, group by group.
With TARGET, it appends these arrays to a new file and saves it. Unlike canx, it does not format them as text.
"""

from __future__ import annotations

import sys

from asammdf import MDF


def main(source: str, target: str | None = None) -> None:
    new = MDF(version="4.11") if target is not None else None
    with MDF(source) as log:
        for name in ("CAN_DataFrame", "CAN_RemoteFrame", "CAN_ErrorFrame"):
            for group, index in log.whereis(name):
                signal = log.get(group=group, index=index, raw=True)
                if new is not None and len(signal.samples):
                    new.append([signal])
    if new is not None:
        new.save(target, overwrite=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
