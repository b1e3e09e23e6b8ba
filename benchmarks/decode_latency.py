"""How long ``canx decode`` keeps a frame in a pipe: written into it, until its line is read.

::

    .venv/bin/python benchmarks/decode_latency.py [FRAMES]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CANX = str(Path(sys.executable).with_name("canx"))
SIGNALS = "".join(f' SG_ S{at} : {8 * at}|8@1+ (0.5,0) [0|0] "V" ECU\n' for at in range(8))


def milliseconds(frames: int) -> list[float]:
    """Return the time that each frame took, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "car.dbc")
        Path(path).write_text(f"BU_: ECU\nBO_ 256 Engine: 8 ECU\n{SIGNALS}", encoding="utf-8")
        with subprocess.Popen(
            [CANX, "decode", "--dbc", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            took = []
            for number in range(frames + 10):
                line = f"({number}.000000) can0 100#0001020304050607\n".encode()
                begin = time.perf_counter()
                process.stdin.write(line)
                assert process.stdout.read(4096).endswith(b")\n")
                took.append((time.perf_counter() - begin) * 1e3)
                time.sleep(0.002)
            process.stdin.close()
    return took[10:]


if __name__ == "__main__":
    took = milliseconds(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
    worst = statistics.quantiles(took, n=100)[98]
    print(f"decode in a pipe: median {statistics.median(took):.3f} ms, 99 % within {worst:.3f} ms per frame")
