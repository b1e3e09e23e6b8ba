"""The minimum work of a conversion: read and decompress the input, compress and write the output.

``python benchmarks/floor.py SOURCE TARGET OUT`` reads SOURCE and writes the contents of TARGET to OUT. BLF
files are decompressed with libdeflate and compressed with isal, as in canx.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator

CHUNK = 1 << 18


def pieces(path: str) -> Iterator[bytes | bytearray]:
    """Yield the bytes of ``path``, with the containers of a BLF file decompressed."""
    with open(path, "rb", buffering=0) as file:
        if not path.endswith(".blf"):
            while data := file.read(CHUNK):
                yield data
            return
        from deflate import zlib_decompress

        file.seek(144)
        while len(head := file.read(32)) == 32:
            size, unpacked_size = (int.from_bytes(head[at : at + 4], "little") for at in (8, 24))
            yield zlib_decompress(file.read(size - 32), unpacked_size)
            file.seek(size % 4, 1)


def spent() -> tuple[float, float]:
    """Return (processor time, wall-clock time) in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, time.perf_counter()


def main(source: str, target: str, out: str) -> None:
    """Print the processor time and the wall-clock time of reading and writing, in seconds."""
    begin = spent()
    for _ in pieces(source):
        pass
    parts = [(begin, spent())]
    with open(out, "wb", buffering=0) as file:
        for data in pieces(target):  # read outside of the measured time
            begin = spent()
            if target.endswith(".blf"):
                from isal import isal_zlib

                data = isal_zlib.compress(data, 1)
            file.write(data)
            parts.append((begin, spent()))
    print(*(sum(end[kind] - begin[kind] for begin, end in parts) for kind in (0, 1)))


if __name__ == "__main__":
    main(*sys.argv[1:4])
