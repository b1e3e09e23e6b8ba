"""CONTRIBUTING.md, followed to the letter: its templates work in a copy of the tree as it describes them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from cantools_cli import kernels

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "docs" / "templates"
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
#: section -> (folder of its template, the files that it adds)
SECTIONS = {
    "Add a format": (
        "format",
        {
            "cantools_cli/io/plain.py",
            "cantools_cli/kernels/plain.py",
            "cantools_cli/kernels/plain.pxd",
            "tests/io/test_plain.py",
            "tests/kernels/test_plain_kernel.py",
        },
    ),
    "Add an interface": (
        "interface",
        {"cantools_cli/backends/tcp_plain.py", "tests/backends/test_tcp_plain.py"},
    ),
}
IGNORED = shutil.ignore_patterns(".*", "*.egg-info", "data", "__pycache__")


def blocks(section: str) -> list[tuple[str, str]]:
    """Return (language, text) of the code blocks of ``section``."""
    text = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    fences = re.findall(r"^( *)```(\w+)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [
        (language, re.sub(f"^{indent}", "", code, flags=re.MULTILINE)) for indent, language, code in fences
    ]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tree in which the templates are all that is left to compile."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("cantools_cli", "tests", "docs", "build/cython"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=IGNORED)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, tree / name)
    (tree / ".venv").symlink_to(sys.prefix)
    built = f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
    for extension in ROOT.glob("cantools_cli/kernels/**/*.so"):
        target = tree / "build" / built / extension.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(extension, target)
    return tree


@pytest.mark.parametrize("section", SECTIONS)
def test_a_template_is_as_many_files_as_the_text_names_and_one_row(section: str) -> None:
    folder, files = SECTIONS[section]
    paths = {path for path in (TEMPLATES / folder).rglob("*") if path.is_file()}
    assert {str(path.relative_to(TEMPLATES / folder)) for path in paths if path.suffix != ".pyc"} == files
    assert all(path in TEXT for path in files)
    rows = [text for language, text in blocks(section) if language == "python"]
    assert [len(re.findall(r'^ *"\w+": ', row, re.MULTILINE)) for row in rows] == [1]


@pytest.mark.long
@pytest.mark.timeout(900)  # it compiles a kernel
@pytest.mark.parametrize("section", SECTIONS)
def test_the_steps_of_a_section_work_as_they_stand(section: str, copy: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    output = ""
    for language, text in blocks(section):
        if language == "python":
            plugins = copy / "cantools_cli" / "plugins.py"
            table = "\nFORMATS = {\n" if "Format(" in text else "\nINTERFACES = {\n"
            assert plugins.read_text().count(table) == 1
            plugins.write_text(plugins.read_text().replace(table, table + text))
        else:
            result = subprocess.run(
                ["sh", "-ec", text], cwd=copy, env=environment, capture_output=True, text=True, check=False
            )
            output += result.stdout + result.stderr
            assert result.returncode == 0, output[-3000:]
    assert " passed" in output
    if kernels.form() == "compiled":
        assert "skipped" not in output, "a kernel was not compiled"


def test_the_text_is_short() -> None:
    assert len(TEXT.splitlines()) <= 150


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/kernels.md"])
def test_paths_in_the_text_exist(name: str) -> None:
    added = {file for _, files in SECTIONS.values() for file in files}
    pattern = r"`((?:cantools_cli|tests|docs|man|benchmarks|examples)/[\w/.-]*)`"
    paths = set(re.findall(pattern, (ROOT / name).read_text()))
    assert paths
    assert not [path for path in paths - added if not (ROOT / path).exists()]


def test_the_reasons_of_all_kernels_are_those_that_the_text_names() -> None:
    text = (ROOT / "docs" / "kernels.md").read_text()
    reasons = dict(re.findall(r"^\| (\d) \| `([A-Z]+)` \|", text, re.MULTILINE))
    assert reasons == {"0": "DONE", "1": "FULL", "2": "STRANGE"}
    sources = [path.read_text() for path in (ROOT / "cantools_cli" / "kernels").glob("[a-z]*.py")]
    parsers = [
        source
        for source in sources
        if re.search(r"^def parse\(\n    text: .*\n    at: ", source, re.MULTILINE)
    ]
    text_parsers = [source for source in parsers if "which ends with a newline" in source]
    assert len(text_parsers) >= 9
    shared = (ROOT / "cantools_cli" / "kernels" / "_lines.py").read_text()
    for code, reason in reasons.items():
        assert re.search(rf"^{reason} = {code}\b", shared, re.MULTILINE)
        for source in text_parsers:
            assert f"lines.{reason}" in source or re.search(rf"^{reason} = {code}  #: ", source, re.MULTILINE)
