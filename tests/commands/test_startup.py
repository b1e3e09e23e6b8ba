"""What a command imports: every pipe pays for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "asyncio",
    "can",
    "decimal",
    "email",
    "logging",
    "matplotlib",
    "msgpack",
    "numpy",
    "pyarrow",
    "pydantic",
    "rich",
    "serial",
    "textual",
    "usb",
    "zoneinfo",
}


def _imported(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["send", "--help"],
        ["send", "virtual:startup", "123#DEADBEEF"],
        ["convert", "/dev/null"],
        ["convert", "/dev/null", "--where", "id eq 123 and changed and time lt 5s"],
        ["gen", "-n", "1"],
        ["decode", "--help"],
        ["replay", "/dev/null", "virtual:startup"],
        ["sniff", "virtual:startup", "--duration", "10ms"],
        ["sniff", "/dev/null", "--json"],
        ["plot", "--help"],
        ["bridge", "virtual:startup", "virtual:startup-2", "-n", "0"],
        ["xcom", "--help"],
        ["xcom", "write-param", "1286", "230", "--dry-run"],
        ["xcom", "messages", "--duration", "0", "--bus", "virtual:startup"],
    ],
)
def test_a_command_imports_nothing_heavy(arguments):
    names = _imported(f"from cantools_cli.cli import run\nassert run({arguments!r}) == 0")
    assert not names & HEAVY


def test_a_group_imports_none_of_its_commands():
    script = "from cantools_cli.cli import run\nimport sys\nrun(['xcom', '--help'])\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names = {name for name in result.stdout.splitlines()[-1].split() if "xcom" in name}
    assert names == {"cantools_cli.commands.xcom"}


def test_the_package_imports_nothing_of_its_own():
    before = _imported("")
    assert _imported("import cantools_cli") - before <= {"cantools_cli", "__future__", "typing", "_typing"}


def test_compiled_kernels_are_not_older_than_their_source():
    from pathlib import Path

    import cantools_cli.kernels

    folder = Path(cantools_cli.kernels.__file__).parent
    for built in folder.glob("*.so"):
        source = folder / f"{built.name.split('.')[0]}.py"
        newest = max(path.stat().st_mtime for path in (source, source.with_suffix(".pxd")))
        assert built.stat().st_mtime >= newest, f"{built.name} hides a newer {source.name}: build again"
