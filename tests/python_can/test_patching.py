"""Programs under test replace names of ``can``: what they replace is what canx uses, and is put back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import warnings; warnings.simplefilter("error")
from unittest import mock
from cantools_cli import compat; compat.install()
import can, can.interfaces.virtual, can.io, can.interfaces.socketcan
import cantools_cli
"""

#: what is replaced -> does canx itself use the replacement? An expression, with ``fake`` and ``can``.
TARGETS = {
    "can.Bus": "can.Bus is fake is cantools_cli.Bus",
    "can.BusABC": "can.BusABC is fake",
    "can.Notifier": "can.Notifier is fake",
    "can.Message": "can.Message is fake",
    "can.rc": "can.rc is fake is cantools_cli.rc",
    "can.log": "can.log is fake",
    "can.interface.Bus": "can.interface.Bus is fake is cantools_cli.bus.interface.Bus",
    "can.interfaces.virtual.VirtualBus": "can.Bus('x', 'virtual', ignore_config=True) is fake.return_value",
    "can.interfaces.virtual.VirtualBus.send": "can.interfaces.virtual.VirtualBus.send is fake",
    "can.interfaces.socketcan.SocketcanBus": "can.Bus('x', 'socketcan') is fake.return_value",
    "can.io.Logger": "can.io.Logger is fake",
    "can.io.asc.ASCReader": "can.io.asc.ASCReader is fake is cantools_cli.io.asc.reader.ASCReader",
    "can.io.player.LogReader": "can.io.player.LogReader is fake",
    "can.io.canutils.CanutilsLogWriter": "can.Logger('x.log') is fake.return_value",
    "can.util.channel2int": "can.util.channel2int is fake is cantools_cli.python_can.util.channel2int",
    "can.util.load_file_config": "can.util.load_file_config is fake",
    "can.detect_available_configs": "can.detect_available_configs is fake",
}
WAYS = {
    "patch": "with mock.patch({target!r}) as fake:\n    assert {expression}\n",
    "patch.object": (
        "owner = {owner}\nwith mock.patch.object(owner, {name!r}) as fake:\n    assert {expression}\n"
    ),
    "monkeypatch": """
import pytest
fake = mock.MagicMock()
with pytest.MonkeyPatch.context() as patched:
    patched.setattr({target!r}, fake)
    assert {expression}
""",
    "delattr": """
import pytest
with pytest.MonkeyPatch.context() as patched:
    patched.delattr({target!r})
    assert not hasattr({owner}, {name!r})
    patched.delattr({target!r}, raising=False)
""",
}


def run(program: str, cwd: Path) -> None:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("way", WAYS)
def test_every_target_is_replaced_and_put_back(way: str, tmp_path: Path) -> None:
    program = BEGIN
    for target, expression in TARGETS.items():
        owner, _, name = target.rpartition(".")
        if way == "delattr" and target in ("can.log", "can.interfaces.virtual.VirtualBus.send"):
            continue  # an own name, and a class: nothing of canx is in the way
        code = WAYS[way].format(target=target, owner=owner, name=name, expression=expression)
        ours = "cantools_cli" + target.removeprefix("can")
        same = f"{ours} is before" if target.count(".") == 1 and name != "log" else "True"
        program += f"before = {target}\n{code}assert {target} is before and {same}, {target!r}\n"
    run(program, tmp_path)


# How users make ``Bus`` give a bus of their choice.
PROGRAMS = {
    "load_config": """
given = {"interface": "virtual", "channel": "mine"}
with mock.patch("can.util.load_config", return_value=given), can.Bus() as bus:
    assert bus.channel_info.endswith("mine")
""",
    "load_environment_config": """
given = {"interface": "virtual", "channel": "mine"}
with mock.patch("can.util.load_environment_config", return_value=given), can.Bus() as bus:
    assert bus.channel_info.endswith("mine")
""",
    "rc": """
with mock.patch("can.rc", {"interface": "virtual", "channel": "mine"}), can.Bus() as bus:
    assert bus.channel_info.endswith("mine")
assert can.rc == {}
with mock.patch.dict("can.rc", interface="virtual", channel="mine"), can.Bus() as bus:
    assert bus.channel_info.endswith("mine")
assert can.rc == {}
""",
    "send": """
with mock.patch("can.interfaces.virtual.VirtualBus.send") as send:
    with can.Bus("x", "virtual") as bus:
        bus.send(can.Message(arbitration_id=1))
    send.assert_called_once()
""",
    "autospec": """
with mock.patch("can.Bus", autospec=True) as fake:
    can.Bus(channel="x", interface="virtual")
    fake.assert_called_once_with(channel="x", interface="virtual")
""",
    "decorator": """
@mock.patch("can.interface.Bus")
@mock.patch("can.Bus")
def program(top, inner):
    assert can.Bus is top and can.interface.Bus is inner
for _ in range(2):
    program()
""",
    "a second alias of a name": """
assert can.Logger is can.io.Logger
with mock.patch("can.Logger") as fake:
    assert can.Logger is fake is can.io.Logger
assert can.Logger is can.io.Logger is cantools_cli.Logger
""",
    "a name that canx has not": """
with mock.patch("can.mine", 1, create=True):
    assert can.mine == 1
assert not hasattr(can, "mine")
try:
    del can.mine
except AttributeError as error:
    assert str(error) == "module 'can' has no attribute 'mine'"
else:
    raise AssertionError
""",
    "importing a module leaves canx's own alone": """
import can.message, cantools_cli.frame.message, types
assert type(cantools_cli.frame.message) is types.ModuleType
""",
    "a module of python's below": """
import time
with mock.patch("can.io.player.time.sleep") as sleep:
    time.sleep(1000)
    sleep.assert_called_once_with(1000)
""",
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_programs_that_patch(case: str, tmp_path: Path) -> None:
    run(BEGIN + PROGRAMS[case], tmp_path)
