"""What ``import cantools_cli`` offers, and what it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import can
import pytest

import cantools_cli
from cantools_cli.bus import config

ROOT = Path(cantools_cli.__file__).parent
NOT_YET = {  # of python-can's public names
    "ctypesutil",
    "interfaces",
    "logconvert",
    "log",
    "logger",
    "player",
    "typechecking",
    "viewer",
}


@pytest.mark.parametrize("name", cantools_cli.__all__)
def test_every_public_name_is_there(name: str) -> None:
    module = import_module(f"cantools_cli.{cantools_cli._MODULE_OF[name]}")
    assert getattr(cantools_cli, name) == getattr(module, name)
    assert name in dir(cantools_cli)


def test_what_python_can_has_and_canx_has_not_is_known() -> None:
    ours = {*cantools_cli.__all__, *dir(cantools_cli)}
    assert {*can.__all__} - ours <= NOT_YET
    assert not NOT_YET & {*cantools_cli.__all__}


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {}
    for node in block.body[1:]:  # behind typing's
        assert isinstance(node, ast.ImportFrom)
        seen.update({alias.asname: node.module for alias in node.names})
    homes = {name: f"cantools_cli.{module}" for name, module in cantools_cli._MODULE_OF.items()}
    assert seen == homes


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import sys; before = set(sys.modules); import cantools_cli; print(sorted(\
set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(ast.literal_eval(done.stdout)) - {"__future__"} == {"cantools_cli"}


def test_a_message_costs_no_format_and_no_bus() -> None:
    program = "import sys, cantools_cli as can; can.Message(); print(sorted(m for m in sys.modules if \
m.startswith('cantools_cli')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == [
        "cantools_cli",
        "cantools_cli.frame",
        "cantools_cli.frame.bits",
        "cantools_cli.frame.message",
    ]


def test_there_is_one_rc() -> None:
    assert cantools_cli.rc is config.rc


def test_modules_are_attributes() -> None:
    assert cantools_cli.interface.Bus is cantools_cli.Bus
    assert cantools_cli.util.load_config is cantools_cli.load_config


def test_python_can_s_names_of_modules_are_attributes() -> None:
    assert cantools_cli.exceptions.CanError is cantools_cli.CanError
    assert issubclass(cantools_cli.CyclicSendTaskABC, cantools_cli.broadcastmanager.CyclicTask)
    assert cantools_cli.io.generic.MessageReader is cantools_cli.MessageReader
    assert cantools_cli.io.player.MessageSync is cantools_cli.io.MessageSync is cantools_cli.MessageSync
    with pytest.raises(AttributeError, match=r"'cantools_cli.io' has no attribute 'Notifier'"):
        cantools_cli.io.Notifier  # noqa: B018  # the access raises


def test_a_notifier_without_a_loop_imports_no_asyncio() -> None:
    program = "import sys, cantools_cli as can; can.Notifier([], [can.BufferedReader()]).stop(); \
print('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Buss'"):
        cantools_cli.Buss  # noqa: B018  # the access raises


def test_the_version_is_that_of_the_project() -> None:
    project = (ROOT.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{cantools_cli.__version__}"' in project


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("asc", "ASCReader ASCWriter"),
        ("blf", "BLFReader BLFWriter"),
        ("canutils", "CanutilsLogReader CanutilsLogWriter"),
        ("csv", "CSVReader CSVWriter"),
        ("mf4", "MF4Reader MF4Writer"),
        ("sqlite", "SqliteReader SqliteWriter"),
        ("trc", "TRCFileVersion TRCReader TRCWriter"),
    ],
)
def test_a_documented_module_of_a_format_has_its_classes(module: str, names: str) -> None:
    home = getattr(cantools_cli.io, module)
    assert [getattr(home, name) for name in names.split()] == [
        getattr(cantools_cli, name) for name in names.split()
    ]
    with pytest.raises(AttributeError, match="NoSuchReader"):
        home.NoSuchReader  # noqa: B018  # the access is what is tested
