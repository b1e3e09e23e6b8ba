"""Inputs that once broke a property: made by the fuzzer, each named after its target and what it did."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest

from cantools_cli import plugins
from cantools_cli.io.mf4 import asammdf
from tests.fuzz import databases, readers, texts

KEPT = sorted(Path(__file__).with_name("regressions").glob("*.bin"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_once_went_wrong(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(asammdf, "is_installed", lambda: False)
    target = path.stem.partition("-")[0]
    check = partial(readers.check, thorough=True) if target not in texts.TARGETS else texts.check
    for seed in range(3):  # each cuts a pipe elsewhere, and may have another option of the reader
        if target == "dbc":
            databases.check(path.read_bytes(), random.Random(seed), tmp_path)
        else:
            check(target, path.read_bytes(), random.Random(seed), tmp_path)


def test_every_format_has_good_files_that_the_fuzzer_begins_with() -> None:
    from tests.fuzz import seeds

    for name in (*plugins.FORMATS, "screen"):
        assert seeds.of(name)
