"""One list of behaviours for every interface.

``python -m tests.conformance`` writes the table, ``docs/conformance.md``.
"""

import pytest

pytest.register_assert_rewrite("tests.conformance.behaviours", "tests.conformance.rig")
