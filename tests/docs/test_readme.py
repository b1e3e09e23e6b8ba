"""The README's tour: what it shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_examples_print_what_the_readme_shows(tmp_path):
    blocks = re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) >= 4
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for block in blocks:
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = example.partition("\n")
            result = subprocess.run(
                ["bash", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=tmp_path,
                env=os.environ | {"PATH": path, "TZ": "UTC"},
                timeout=60,
                check=False,
            )
            assert result.stdout == expected, command


def test_the_tables_name_every_format_and_interface():
    from cantools_cli.plugins import FORMATS, INTERFACES

    text = README.read_text()
    for name, form in FORMATS.items():
        assert f"| `{name}` | `{' '.join(form.suffixes)}` |" in text
    for name in INTERFACES:
        assert f"| `{name}` |" in text
