"""The walk through adding a format and an interface: its code works when it is pasted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "*.so", "data", "__pycache__")
TEXT = (ROOT / "CONTRIBUTING.md").read_text()


def _blocks() -> list[tuple[str, str]]:
    """Return (the last path named before it, code) of every block of Python or Cython."""
    found = []
    for block in re.finditer(r"```(?:python|cython)\n(.*?)```", TEXT, re.DOTALL):
        paths = re.findall(r"`((?:cantools_cli|tests)/[\w/]+\.(?:py|pxd))`", TEXT[: block.start()])
        found.append((paths[-1], block[1]))
    return found


def test_the_pasted_format_and_interface_pass_their_own_tests(tmp_path):
    for name in ("cantools_cli", "tests", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=IGNORED)
        else:
            shutil.copy(source, tmp_path / name)
    plugins = tmp_path / "cantools_cli/plugins.py"
    tests = []
    for path, code in _blocks():
        if path == "cantools_cli/plugins.py":  # a row of one of its tables
            table = "FORMATS = {\n" if "Format(" in code else "INTERFACES = {\n"
            plugins.write_text(plugins.read_text().replace(table, table + code))
        else:
            (tmp_path / path).write_text(code)
            tests += [path] if path.startswith("tests/") else []
    assert len(tests) == 3, tests
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:]
    assert " passed" in result.stdout
