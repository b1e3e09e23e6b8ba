"""Write ``docs/conformance.md``."""

from __future__ import annotations

from tests.conformance.table import PAGE, render

PAGE.write_text(render())
print(PAGE)
