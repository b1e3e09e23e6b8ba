"""The inline form of what kernels share is that of its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kernels.inline import MODULE, SOURCES, declarations


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_inline_form_is_up_to_date(source: Path) -> None:
    assert source.with_suffix(".pxd").read_text() == declarations(source), f"run: python -m {MODULE}"


def test_all_are_found() -> None:
    assert {"_lines", "_candump"} <= {source.stem for source in SOURCES}
