"""The forms of a kernel: the compiled extension, that for AVX2, and the same source run as it is."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import cantools_cli.kernels
from cantools_cli.errors import NotALogError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.text import TextReader, no_kernel
from cantools_cli.kernels.buffers import ReadBuffer
from cantools_cli.kernels.cpu import has_avx2
from tests.strategies import facts

FOLDER = Path(cantools_cli.kernels.__file__).parent
FORMS = ("compiled", "interpreted")
WIDE_FORMS = (*FORMS, "avx2")  #: of some kernels

needs_compiled = pytest.mark.skipif(
    cantools_cli.kernels.form() == "pure", reason="takes minutes on kernels as they are, for the same result"
)


def load(name: str, form: str) -> Any:
    """Return the kernel ``name`` in one of its forms; skips the test where that is not there."""
    if form == "interpreted":
        return interpreted(name)
    return compiled(name) if form == "compiled" else wide(name)


@cache
def interpreted(name: str) -> ModuleType:
    path = FOLDER / f"{name}.py"
    loader = SourceFileLoader(f"interpreted_{name}", str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@cache
def compiled(name: str) -> ModuleType:
    return extension(name, FOLDER)


@cache
def wide(name: str) -> ModuleType:
    if not has_avx2():
        pytest.skip("no AVX2 here")
    return extension(name, FOLDER / "avx2")


def extensions(name: str) -> list[ModuleType]:
    """Return the kernel ``name`` compiled, and compiled for AVX2 where that is there and runs."""
    is_built = any((FOLDER / "avx2" / f"{name}{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
    return [compiled(name), wide(name)] if is_built and has_avx2() else [compiled(name)]


def every_form(name: str) -> list[ModuleType]:
    return [interpreted(name), *extensions(name)]


def extension(name: str, folder: Path) -> ModuleType:
    built = [path for suffix in EXTENSION_SUFFIXES if (path := folder / f"{name}{suffix}").exists()]
    if not built:
        pytest.skip(f"the kernel {name} is not compiled in {folder.name}")
    newest = max((FOLDER / f"{name}{suffix}").stat().st_mtime for suffix in (".py", ".pxd"))
    assert built[0].stat().st_mtime >= newest, f"{built[0]} is older than its source: build it again"
    loader = ExtensionFileLoader(f"cantools_cli.kernels.{name}", str(built[0]))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


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
        def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Any:
            return no_kernel(at, batch, first)

    return Plain


def frames_or_refusal(reader: TextReader) -> list[Any] | str:
    """Return the frames that ``reader`` yields, or the error by which it refuses a text without any."""
    try:
        return [facts(message) for message in reader]
    except NotALogError as error:
        return str(error)
