"""All targets: a reader of each format, candump's screen among them, what takes texts, and DBC files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from cantools_cli import plugins
from tests.fuzz import databases, readers, seeds, texts
from tests.fuzz.process import Target
from tests.fuzz.words import WORDS


def targets(names: Sequence[str] = ()) -> list[Target]:
    """Return the targets called ``names``, all where there are none."""
    found = []
    files = [name for name in (*plugins.FORMATS, "screen") if not names or name in names]
    made = _seeds(files)
    for name in files:
        form = plugins.FORMATS.get(name) or plugins.FORMATS["log"]
        found.append(
            Target(
                name,
                partial(readers.check, name),
                made[name],
                WORDS.get(name, ()),
                is_text=not form.is_binary,
                compressions=("gzip", "zstd") if form.is_compressible else (),
                prepare=readers.prepare,
            )
        )
    for name, (_, begin) in texts.TARGETS.items():
        if not names or name in names:
            good = tuple(text.encode() for text in begin)
            found.append(Target(name, partial(texts.check, name), good, WORDS.get(name, ()), is_text=True))
    if not names or "dbc" in names:
        found.append(Target("dbc", databases.check, databases.SEEDS, databases.WORDS, is_text=True))
    return found


def _seeds(names: Sequence[str]) -> dict[str, tuple[bytes, ...]]:
    """Return the good files of each format, made by a process that then ends: peers import half the world."""
    with warnings.catch_warnings(), ProcessPoolExecutor(1, mp_context=get_context("fork")) as maker:
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12, for threads of others
        return dict(zip(names, map(tuple, maker.map(seeds.of, names)), strict=True))
