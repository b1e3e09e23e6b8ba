"""Runs programs of other packages on the emulated CANlib, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.vendor.kit import FOLDER, compiled, compiler

#: the name under which python-can and Kvaser's wrapper look for the library
FILE_NAME = "libcanlib.so"
ROOT = FOLDER.parents[1]


def environment(**variables: str) -> dict[str, str]:
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **variables}


def run(program: str, *arguments: str, **variables: str) -> str:
    """Return the output of a Python program; its errors are those of the test."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python_can(**variables: str) -> dict[str, str]:
    """Return the variables with which python-can loads the emulated library."""
    return {"LD_LIBRARY_PATH": str(compiled("kvaser", file_name=FILE_NAME).parent), **variables}


def wrapper(folder: Path, names: list[str]) -> dict[str, str]:
    """Return the variables with which Kvaser's wrapper loads the emulated library.

    The wrapper needs every function of CANlib; those of scripts, files and pins, which canx does not use,
    are added in ``folder``.
    """
    import ctypes

    path = compiled("kvaser")
    library: Any = ctypes.CDLL(str(path))
    missing = [name for name in names if not hasattr(library, name)]
    source = folder / "rest.c"
    source.write_text("".join(f"int {name}(void) {{ return -32; }}\n" for name in missing))
    command = [compiler() or "cc", "-shared", "-fPIC", "-Wl,--no-as-needed", "-o", str(folder / FILE_NAME)]
    subprocess.run([*command, str(source), str(path), f"-Wl,-rpath,{path.parent}"], check=True)
    return {"KVDLLPATH": str(folder)}
