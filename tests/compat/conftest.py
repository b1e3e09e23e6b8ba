"""Libraries written for python-can, on canx in its place: run by ``tests/compat/run``.

They are not among the tests' own dependencies, since they must find no python-can; elsewhere they are
skipped. ``compat.install`` comes before any of them is imported.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from cantools_cli import compat

LIBRARIES = {"test_can_isotp": "isotp", "test_canopen": "canopen", "test_python_can_remote": "can_remote"}
HAS_PYTHON_CAN = find_spec("can") is not None
if not HAS_PYTHON_CAN:
    compat.install()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        library = LIBRARIES.get(item.path.stem)
        if library is None:
            continue
        if HAS_PYTHON_CAN:
            item.add_marker(pytest.mark.skip("python-can is installed; tests/compat/run works without"))
        elif find_spec(library) is None:
            item.add_marker(pytest.mark.skip(f"{library} is not installed"))
