"""Both forms of a kernel: the compiled extension, and the same source run as it is."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import cantools_cli.kernels
from cantools_cli.batch import MessageBatch
from cantools_cli.buffers import Octets
from cantools_cli.io.text import TextReader, no_kernel

FOLDER = Path(cantools_cli.kernels.__file__).parent
FORMS = ("compiled", "interpreted")

needs_compiled = pytest.mark.skipif(
    cantools_cli.kernels.form() == "pure", reason="takes minutes on kernels as they are, for the same result"
)


def load(name: str, form: str) -> Any:
    """Return the kernel ``name`` in one of its ``FORMS``; skips the test where it is not compiled."""
    return interpreted(name) if form == "interpreted" else compiled(name)


@cache
def interpreted(name: str) -> ModuleType:
    path = FOLDER / f"{name}.py"
    loader = SourceFileLoader(f"interpreted_{name}", str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def compiled(name: str) -> ModuleType:
    built = [path for suffix in EXTENSION_SUFFIXES if (path := FOLDER / f"{name}{suffix}").exists()]
    if not built:
        pytest.skip(f"the kernel {name} is not compiled")
    newest = max((FOLDER / f"{name}{suffix}").stat().st_mtime for suffix in (".py", ".pxd"))
    assert built[0].stat().st_mtime >= newest, f"{built[0]} is older than its source: build it again"
    return importlib.import_module(f"cantools_cli.kernels.{name}")


def parsed(
    kernel: Any, text: bytes, *tables: Any, rows: int = 64, payload: int = 4096
) -> tuple[tuple[int, int, int], tuple[bytes, ...]]:
    """Return what ``kernel.parse`` answers for all of ``text``, and the rows it filled."""
    batch = MessageBatch.with_room(rows, payload)
    answer = kernel.parse(text, 0, len(text), *tables, 0, *batch.columns())
    return answer, tuple(bytes(column) for column in batch.cut(answer[1]).columns())


def formatted(
    kernel: Any, batch: MessageBatch, *tables: Any, room: int = 1 << 16
) -> tuple[tuple[int, int], bytes]:
    """Return what ``kernel.format`` answers for all of ``batch``, and the text it wrote."""
    out = bytearray(room)
    answer = kernel.format(0, *batch.columns(), *tables, out)
    return answer, bytes(out[: answer[1]])


def without_kernel(reader: type[TextReader]) -> type[TextReader]:
    """Return ``reader`` with every line left to its plain Python."""

    class Plain(reader):  # type: ignore[valid-type, misc]  # a class made from a variable
        def _parse(self, text: Octets, at: int, end: int, batch: MessageBatch, first: int) -> Any:
            return no_kernel(at, batch, first)

    return Plain
